import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readJsonl, sha256 } from "../../../lib/dist/core/index.js";
import { evaluate } from "../../../lib/dist/eval/index.js";
import { exportBatch, importBatch, type LanguageModel, loadModel } from "../../../lib/dist/llm/index.js";
import { cot, selfRefine } from "../../../lib/dist/strategies/index.js";
import { loadTask } from "../../../lib/dist/tasks/index.js";

const folder = () => mkdtemp(join(tmpdir(), "batch-"));

interface Line {
  custom_id: string;
  url: string;
  body: { messages: { content: string }[]; max_tokens: number; seed?: number; model: string };
}

/** What some model would say: a number that follows from all that it is asked. */
const answerTo = (messages: readonly { content: string }[], seed: unknown): string =>
  `It is ${Number.parseInt(sha256(JSON.stringify([messages.map(({ content }) => content), seed ?? null])).slice(0, 3), 16)}.`;

const outputOf = ({ custom_id, body }: Line) => ({
  id: `batch-${custom_id}`,
  custom_id,
  response: {
    status_code: 200,
    body: {
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: answerTo(body.messages, body.seed) },
          finish_reason: "stop",
        },
      ],
      usage: { prompt_tokens: 7, completion_tokens: 5 },
    },
  },
  error: null,
});

async function linesOf(file: string): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const { value } of readJsonl<Line>(file)) lines.push(value);
  return lines;
}

async function answer(file: string, out: string): Promise<Line[]> {
  const lines = await linesOf(file);
  await writeFile(out, lines.map((line) => `${JSON.stringify(outputOf(line))}\n`).join(""));
  return lines;
}

/** The same model, asked directly. */
const direct: LanguageModel = {
  name: "direct",
  capabilities: new Set(["text", "chat"]),
  contextLength: undefined,
  parameterCount: undefined,
  hash: async () => undefined,
  generate: async (requests, options) =>
    requests.map(({ prompt, temperature = options?.temperature }, request) => {
      const messages =
        typeof prompt === "object" && "messages" in prompt ? prompt.messages : [{ content: String(prompt) }];
      if (temperature) throw new Error("expected greedy requests");
      const completion = {
        text: answerTo(messages, undefined),
        finishReason: "stop" as const,
        promptTokens: 7,
        completionTokens: 5,
      };
      options?.onFinish?.(completion, { request, sample: 0 });
      return [completion];
    }),
  score: async () => [],
  countTokens: async () => 0,
  dispose: async () => {},
};

describe("a model whose answers come in batches", () => {
  it("gives the records of the model asked directly, after as many rounds as an attempt has calls in turn", async () => {
    const place = await folder();
    const requests = join(place, "requests");
    const task = await loadTask("word-problems:2-3", { limit: 4, seed: 3 });
    const options = { budgets: [32, 64], folder: join(place, "records") };
    let rounds = 0;
    let asked = 0;
    for (;;) {
      const model = await loadModel(`batch:${requests}#some/model`);
      const done = await evaluate(selfRefine(), task, { ...options, model }).catch((error: unknown) => error);
      if (!(done instanceof Error)) break;
      expect(done).toMatchObject({ code: "pending" });
      const [{ file, requests: count }] = (await exportBatch(requests, join(place, `r${rounds}.jsonl`))) as [
        { file: string; requests: number },
      ];
      const lines = await answer(file, join(place, `a${rounds}.jsonl`));
      expect(lines.every(({ url, body }) => url === "/v1/chat/completions" && body.model === "some/model")).toBe(true);
      expect(await importBatch(requests, [join(place, `a${rounds}.jsonl`)])).toMatchObject({
        added: count,
        waiting: 0,
      });
      asked += count;
      if (++rounds > 20) throw new Error("it does not end");
    }
    const model = await loadModel(`batch:${requests}#some/model`);
    const { records } = await evaluate(selfRefine(), task, { ...options, model });
    const wanted = await evaluate(selfRefine(), task, { budgets: options.budgets, model: direct });
    expect(records).toEqual(wanted.records);
    // Both budgets share a round.
    const calls = Math.max(...wanted.records.map((record) => record.calls.length));
    expect(rounds).toBeGreaterThan(1);
    expect(rounds).toBeLessThanOrEqual(calls);
    expect(asked).toBeLessThanOrEqual(wanted.records.reduce((sum, record) => sum + record.calls.length, 0));
  });

  it("makes a request of each sample, with a seed of its own", async () => {
    const place = await folder();
    const task = await loadTask("word-problems:2", { limit: 1 });
    const model = await loadModel(`batch:${join(place, "r")}#m`);
    await expect(evaluate(cot(), task, { model, budgets: [16], samples: 3, temperature: 0.7 })).rejects.toMatchObject({
      code: "pending",
    });
    const lines = await linesOf(join(place, "r", "requests.jsonl"));
    expect(new Set(lines.map(({ body }) => body.seed)).size).toBe(3);
    expect(new Set(lines.map(({ custom_id }) => custom_id)).size).toBe(3);
    expect(lines.every(({ body }) => body.max_tokens === 16 && !("n" in body))).toBe(true);
  });

  it("needs a seed to sample", async () => {
    const model = await loadModel(`batch:${join(await folder(), "r")}#m`);
    await expect(model.generate([{ prompt: "a", temperature: 1 }])).rejects.toThrow(/without a seed/);
  });

  it.each(["batch:", "batch:folder", "batch:#m", "batch:folder#"])("refuses %s", async (spec) => {
    await expect(loadModel(spec)).rejects.toThrow(/no folder of a batch/);
  });
});

describe("files of batches", () => {
  async function waiting(count: number): Promise<{ place: string; requests: string }> {
    const place = await folder();
    const requests = join(place, "requests");
    const model = await loadModel(`batch:${requests}#m`);
    const prompts = Array.from({ length: count }, (_, at) => ({ prompt: `question ${at}`, temperature: 0 }));
    await expect(model.generate(prompts)).rejects.toMatchObject({ code: "pending" });
    return { place, requests };
  }

  it("deals requests to several files, each once", async () => {
    const { place, requests } = await waiting(7);
    const files = await exportBatch(requests, join(place, "part.jsonl"), { parts: 3 });
    expect(files.map(({ requests }) => requests)).toEqual([3, 2, 2]);
    const lines = (await Promise.all(files.map(({ file }) => linesOf(file)))).flat();
    expect(new Set(lines.map(({ custom_id }) => custom_id)).size).toBe(7);
  });

  it("counts errors, strange and repeated lines, and lets the failed ones wait", async () => {
    const { place, requests } = await waiting(3);
    await exportBatch(requests, join(place, "all.jsonl"));
    const [first, second, third] = (await linesOf(join(place, "all.jsonl"))) as [Line, Line, Line];
    const outputs = [
      outputOf(first),
      outputOf(first),
      {
        custom_id: second.custom_id,
        response: { status_code: 400, body: { error: { message: "too long" } } },
        error: null,
      },
      { custom_id: third.custom_id, response: null, error: { message: "expired" } },
      { ...outputOf(first), custom_id: "someone-else" },
    ];
    const file = join(place, "answers.jsonl");
    await writeFile(file, outputs.map((line) => `${JSON.stringify(line)}\n`).join(""));
    const found = await importBatch(requests, [file]);
    expect(found).toMatchObject({ added: 1, known: 1, failed: 2, foreign: 1, waiting: 2 });
    expect(found.reasons).toEqual(["status 400: too long", "expired"]);
    const again = await exportBatch(requests, join(place, "rest.jsonl"));
    expect(again).toMatchObject([{ requests: 2 }]);
  });

  it("takes nothing of a file that is cut off", async () => {
    const { place, requests } = await waiting(2);
    await exportBatch(requests, join(place, "all.jsonl"));
    await answer(join(place, "all.jsonl"), join(place, "answers.jsonl"));
    const text = await readFile(join(place, "answers.jsonl"), "utf8");
    await writeFile(join(place, "cut.jsonl"), text.slice(0, -20));
    await expect(importBatch(requests, [join(place, "cut.jsonl")])).rejects.toMatchObject({ code: "corrupt-data" });
    expect((await exportBatch(requests, join(place, "all.jsonl")))[0]!.requests).toBe(2);
  });
});
