import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ChatPrompt, LanguageModel, TextRequest } from "thoughtbook/llm";
import { loadLocalModel } from "thoughtbook/llm";
import { SYSTEM_PROMPTS } from "thoughtbook/operations";
import { createTask, loadTask, type Problem } from "thoughtbook/tasks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure } from "../core/helpers.js";
import { writeChatModel } from "../model/generate/helpers.js";
import { type Said, type ScriptedModel, scriptedModel } from "../operations/helpers.js";
import { type AnswerOptions, evaluateModel, SILENT } from "./helpers.js";

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "thoughtbook-evaluate-"));
  folders.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const linesOf = (folder: string) => readFileSync(join(folder, "records.jsonl"), "utf8").trimEnd().split("\n");
const bytesOf = (folder: string) => readFileSync(join(folder, "records.jsonl"), "utf8");
const saidTo = ({ prompt }: TextRequest) => (prompt as ChatPrompt).messages[0]!.content;

/** "How much is 3 + 1?", and so on. */
const sums = (count: number) =>
  createTask(
    "sums",
    Array.from({ length: count }, (_, i): Problem => {
      const question = `How much is ${i} + 1?`;
      return { id: `sum/${i}`, question, kind: "gsm8k", references: [String(i + 1)], operations: 1 };
    }),
  );

/** Adds; one text is two tokens longer than a budget of 5. */
function adder(parts: Partial<LanguageModel> = {}): ScriptedModel {
  const model: ScriptedModel = scriptedModel((request, _, call): Said => {
    const [, left] = /(\d+) \+ 1\?/.exec(saidTo(request))!;
    const budget = model.calls[call]!.requests[0]!.maxNewTokens!;
    return budget < 10
      ? { text: `${left} + 1 = ${Number(left) + 1}`, finishReason: "length" }
      : `#### ${Number(left) + 1}`;
  }, parts);
  return model;
}

describe("an evaluation", () => {
  it("keeps how a server ended a text, and that nobody counted its tokens", async () => {
    const model = scriptedModel(() => ({ text: "#### 1", finishReason: "content_filter", countedBy: "estimate" }));
    const options = { budgets: [50], folder: newFolder(), display: SILENT };
    const { records, summary } = await evaluateModel(model, sums(1), options);
    expect(records).toMatchObject([{ finishReason: "content_filter", countedBy: "estimate" }]);
    // They can be read again.
    expect((await evaluateModel(model, sums(1), options)).records).toEqual(records);
    expect(model.calls).toHaveLength(1);
    expect(summary.budgets[0]!.finishRate.value).toBe(0);
  });

  it("asks for all in one call, step by step, once each, and keeps graded records in order", async () => {
    const model = adder({ hash: async () => "ab12", parameterCount: 2e6 });
    const folder = newFolder();
    const { records, summary } = await evaluateModel(model, sums(3), {
      budgets: [50],
      seed: 4,
      folder,
      display: SILENT,
    });
    expect(model.calls).toHaveLength(1);
    const { requests } = model.calls[0]!;
    expect(requests.map(({ maxNewTokens }) => maxNewTokens)).toEqual([50, 50, 50]);
    expect(requests.map(({ seed, temperature, samples }) => [seed, temperature, samples])).toEqual(
      [0, 1, 2].map((i) => [`4/cot/sum/${i}`, 0, 1]),
    );
    expect(saidTo(requests[0]!)).toMatch(/step by step[\s\S]*How much is 0 \+ 1\?/);
    // The scripted model ends in reverse order.
    expect(records.map(({ id }) => id)).toEqual(["sum/0#0@50", "sum/1#0@50", "sum/2#0@50"]);
    expect(linesOf(folder).map((line) => JSON.parse(line))).toEqual(records);
    expect(records[1]).toEqual({
      id: "sum/1#0@50",
      problem: "sum/1",
      sample: 0,
      budget: 50,
      kind: "gsm8k",
      reference: "2",
      operations: 1,
      calls: [{ operation: "cot", promptTokens: expect.any(Number), completionTokens: 6, finishReason: "stop" }],
      promptTokens: expect.any(Number),
      completion: "#### 2",
      completionTokens: 6,
      finishReason: "stop",
      answer: "2",
      correct: { strict: true, astar: true, dots: true, aot: false },
      seed: 4,
      modelHash: "ab12",
    });
    expect(JSON.parse(readFileSync(join(folder, "summary.json"), "utf8"))).toEqual(JSON.parse(JSON.stringify(summary)));
    expect(summary).toMatchObject({
      model: "scripted",
      modelHash: "ab12",
      task: "sums",
      problems: 3,
      strategy: "cot",
    });
    expect(summary.budgets[0]).toMatchObject({ budget: 50, accuracy: { strict: { value: 1 }, aot: { value: 0 } } });
    const run = JSON.parse(readFileSync(join(folder, "run.json"), "utf8"));
    expect(run).toMatchObject({ seed: 4, config: { modelHash: "ab12", budgets: [50], samples: 1, temperature: 0 } });
  });

  it("of a model without token ids generates for each budget; a text that was cut off has no final answer", async () => {
    const model = adder();
    const { records, summary } = await evaluateModel(model, sums(2), { budgets: [20, 5, 20], display: SILENT });
    expect(model.calls.map(({ requests }) => requests[0]!.maxNewTokens)).toEqual([5, 20]);
    expect(records.map(({ problem, budget, correct }) => [problem, budget, correct.strict, correct.astar])).toEqual([
      ["sum/0", 5, false, true],
      ["sum/0", 20, true, true],
      ["sum/1", 5, false, true],
      ["sum/1", 20, true, true],
    ]);
    expect(summary.budgets.map(({ budget, finishRate }) => [budget, finishRate.value])).toEqual([
      [5, 0],
      [20, 1],
    ]);
  });

  it("calls the model in its progress by the label, or else by its name", async () => {
    const finished: string[] = [];
    const display = { ...SILENT, finish: (line: string) => finished.push(line) };
    const model = { ...adder(), name: "/tmp/folder" };
    await evaluateModel(model, sums(1), { display });
    await evaluateModel(model, sums(1), { display, label: "student" });
    expect(finished[0]).toMatch(/^Evaluating \/tmp\/folder on /);
    expect(finished[1]).toMatch(/^Evaluating student on /);
  });

  it("has the finish reason decide, not how the text looks", async () => {
    const model = scriptedModel(() => ({ text: "#### 1\n", finishReason: "length" }));
    const { records } = await evaluateModel(model, sums(1), { display: SILENT });
    expect(records[0]).toMatchObject({ finishReason: "length", correct: { strict: false, astar: true } });
    expect(records[0]).not.toHaveProperty("answer");
  });

  it("reads the answer after a thought, and a bare one of the operation `answer`", async () => {
    const thinker = scriptedModel(() => "<think>\n#### 9\n</think>\nSo it is 1.\n#### 1");
    const thought = await evaluateModel(thinker, sums(1), { strategy: "think", display: SILENT });
    expect(thought.records[0]).toMatchObject({ answer: "1", correct: { strict: true } });
    const bare = await evaluateModel(
      scriptedModel(() => "1"),
      sums(1),
      { strategy: "direct", display: SILENT },
    );
    expect(bare.records[0]).toMatchObject({ answer: "1", correct: { strict: true } });
  });

  it("counts a prompt that is too long as wrong, without a call", async () => {
    const model = adder({ capabilities: new Set(["text", "chat", "countTokens"]), contextLength: 10 });
    const { records, summary } = await evaluateModel(model, sums(1), { display: SILENT });
    expect(model.calls).toHaveLength(0);
    expect(records[0]).toMatchObject({ calls: [], completionTokens: 0, correct: { strict: false } });
    expect(summary.budgets[0]).toMatchObject({ tooLong: 1, calls: 0 });
  });

  it("keeps what is finished when it is interrupted, and goes on from there", async () => {
    const folder = newFolder();
    const whole = newFolder();
    const options: AnswerOptions = { samples: 2, temperature: 1, seed: "s", budgets: [50], display: SILENT };
    const stop = new AbortController();
    let finished = 0;
    const model = scriptedModel((request, sample) => {
      if (++finished === 4) stop.abort(new Error("enough"));
      return `${sample} makes #### ${/(\d+) \+ 1\?/.exec(saidTo(request))![1]}`;
    });
    const interrupted = evaluateModel(model, sums(4), { ...options, folder, signal: stop.signal });
    await expect(interrupted).rejects.toThrow("enough");
    // From the end: problem 3 with both samples, then problem 2.
    expect(linesOf(folder).map((line) => JSON.parse(line).id)).toEqual([
      "sum/3#0@50",
      "sum/3#1@50",
      "sum/2#0@50",
      "sum/2#1@50",
    ]);
    await evaluateModel(model, sums(4), { ...options, folder });
    expect(model.calls[1]!.requests.map(({ seed }) => seed)).toEqual(["s/cot/sum/0", "s/cot/sum/1"]);
    await evaluateModel(model, sums(4), { ...options, folder: whole });
    expect(bytesOf(folder)).toBe(bytesOf(whole));
    expect(linesOf(folder)).toHaveLength(8);
    // All is there: nothing is asked again.
    const before = model.calls.length;
    await evaluateModel(model, sums(4), { ...options, folder });
    expect(model.calls).toHaveLength(before);
  });

  it("refuses a folder with other settings or another model", async () => {
    const folder = newFolder();
    await evaluateModel(adder(), sums(1), { folder, display: SILENT });
    const others = createTask("others", sums(1).problems);
    await expect(evaluateModel(adder(), others, { folder, display: SILENT })).rejects.toThrow(/task\.name/);
    await expect(evaluateModel(adder(), sums(1), { folder, seed: 1, display: SILENT })).rejects.toThrow(/seed = 0/);
    const other = adder({ hash: async () => "cd34" });
    await expect(evaluateModel(other, sums(1), { folder, display: SILENT })).rejects.toThrow(/modelHash/);
  });

  it("names the path of a model's numbers, and goes on with no other", async () => {
    const folder = newFolder();
    const own = (numerics: string) => Object.assign(adder(), { host: async () => undefined, numerics });
    const { summary } = await evaluateModel(own("exact"), sums(1), { folder, display: SILENT });
    expect(summary.numerics).toBe("exact");
    const run = join(folder, "run.json");
    const written = JSON.parse(readFileSync(run, "utf8"));
    expect(written.config.numerics).toBe("exact");
    const wrong = /numerics = "exact", but now it is "fast"/;
    await expect(evaluateModel(own("fast"), sums(1), { folder, display: SILENT })).rejects.toThrow(wrong);
    // As an earlier version wrote it.
    writeFileSync(run, JSON.stringify({ ...written, config: { ...written.config, numerics: undefined } }));
    await evaluateModel(own("exact"), sums(2), { folder, display: SILENT });
    await expect(evaluateModel(own("fast"), sums(1), { folder, display: SILENT })).rejects.toThrow(wrong);
  });

  it("overwrites an evaluation when it is told to, and nothing else", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "notes.txt"), "mine");
    await evaluateModel(adder(), sums(1), { folder, budgets: [5, 20], display: SILENT });
    expect(readdirSync(folder).sort()).toEqual([
      "budget-20",
      "budget-5",
      "notes.txt",
      "records.jsonl",
      "run.json",
      "summary.json",
    ]);
    const again = adder();
    const options = { folder, seed: 1, display: SILENT };
    await expect(evaluateModel(again, sums(2), options)).rejects.toThrow(/holds a run with/);
    await evaluateModel(again, sums(2), { ...options, overwrite: true });
    expect(linesOf(folder).map((line) => JSON.parse(line).id)).toEqual(["sum/0#0@256", "sum/1#0@256"]);
    expect(JSON.parse(readFileSync(join(folder, "run.json"), "utf8"))).toMatchObject({ seed: 1 });
    expect(readFileSync(join(folder, "notes.txt"), "utf8")).toBe("mine");
    expect(readdirSync(folder).filter((name) => name.startsWith("budget"))).toEqual([]);
    // The same settings, too, are done anew.
    await evaluateModel(again, sums(2), { ...options, overwrite: true });
    expect(again.calls).toHaveLength(2);
    // A folder without an evaluation needs no overwriting, and another kind of run gets none.
    await evaluateModel(adder(), sums(1), { folder: newFolder(), overwrite: true, display: SILENT });
    const training = newFolder();
    writeFileSync(join(training, "run.json"), '{"config": {"task": "sft"}, "seed": 1}');
    writeFileSync(join(training, "records.jsonl"), "{}\n");
    const onTraining = evaluateModel(adder(), sums(1), { folder: training, overwrite: true, display: SILENT });
    await expect(onTraining).rejects.toThrow(/another run than an evaluation, which is not overwritten/);
    expect(readdirSync(training).sort()).toEqual(["records.jsonl", "run.json"]);
  });

  it("with a system prompt leaves the how to it, and has the model go on from a prefill", async () => {
    const folder = newFolder();
    const model = scriptedModel(() => "1}");
    const options = {
      systemPrompt: SYSTEM_PROMPTS["btc-skip-steps"],
      assistantPrefill: "So \\boxed{",
      display: SILENT,
    };
    const { records, summary } = await evaluateModel(model, sums(1), { ...options, folder });
    const { messages, answer } = model.calls[0]!.requests[0]!.prompt as ChatPrompt;
    expect(messages).toEqual([
      { role: "system", content: SYSTEM_PROMPTS["btc-skip-steps"] },
      { role: "user", content: expect.stringMatching(/^(?!.*step by step).*within \\boxed\{\}\.\n\nHow much is 0/s) },
    ]);
    expect(answer).toBe("So \\boxed{");
    // The record has what the model wrote; the strict policy reads the whole.
    expect(records[0]).toMatchObject({ completion: "1}", answer: "1", correct: { strict: true } });
    expect(summary).toMatchObject({
      strategy: "solve",
      systemPrompt: "btc-skip-steps",
      assistantPrefill: "So \\boxed{",
      configuration: {
        model: {
          config: {
            system_prompt_name: "btc-skip-steps",
            system_prompt: SYSTEM_PROMPTS["btc-skip-steps"],
            assistant_prefill: "So \\boxed{",
          },
        },
      },
    });
    const other = { ...options, systemPrompt: SYSTEM_PROMPTS.skythought, folder };
    await expect(evaluateModel(model, sums(1), other)).rejects.toThrow(/systemPrompt/);
  });

  it("with a system prompt refuses a model that follows no instructions before the folder is made", async () => {
    const folder = join(newFolder(), "none");
    const model = adder({ name: "mini", operations: new Set(["cot"]) });
    const evaluating = evaluateModel(model, sums(1), { systemPrompt: "Be brief.", folder, display: SILENT });
    await expect(evaluating).rejects.toThrow(/mini was trained on operations by their tags/);
    expect(existsSync(folder)).toBe(false);
  });

  it.each<[AnswerOptions, RegExp]>([
    [{ budgets: [] }, /the budgets are \[\]/],
    [{ budgets: [10, 0] }, /the budgets are \[10, 0\]/],
    [{ samples: 0 }, /samples is 0/],
    [{ samples: 4 }, /4 samples at temperature 0 are all the same/],
  ])("refuses %j", async (options, message) => {
    const model = adder();
    await expect(evaluateModel(model, sums(1), { ...options, display: SILENT })).rejects.toThrow(message);
    expect(model.calls).toHaveLength(0);
  });
});

describe("an evaluation under another limit", () => {
  const settings = (folder: string) => JSON.parse(readFileSync(join(folder, "run.json"), "utf8"));
  const options = (folder: string) => ({ budgets: [20], folder, display: SILENT });

  it("asks for the further problems only, and is then as if it had been asked for all at once", async () => {
    const [folder, fresh] = [newFolder(), newFolder()];
    await evaluateModel(adder(), sums(3), options(folder));
    const more = adder();
    const { summary } = await evaluateModel(more, sums(5), options(folder));
    expect(more.calls[0]!.requests.map(({ seed }) => seed)).toEqual(["0/cot/sum/3", "0/cot/sum/4"]);
    expect(summary.problems).toBe(5);
    await evaluateModel(adder(), sums(5), options(fresh));
    for (const file of ["records.jsonl", "results.json", "summary.json"]) {
      expect(readFileSync(join(folder, file), "utf8"), file).toBe(readFileSync(join(fresh, file), "utf8"));
    }
    expect(settings(folder).config).toEqual(settings(fresh).config);
  });

  it("with fewer problems keeps all records, and summarises the first", async () => {
    const folder = newFolder();
    await evaluateModel(adder(), sums(4), options(folder));
    const before = bytesOf(folder);
    const none = adder();
    const { records, summary } = await evaluateModel(none, sums(2), options(folder));
    expect(none.calls).toEqual([]);
    expect([records.length, summary.problems]).toEqual([2, 2]);
    expect(bytesOf(folder)).toBe(before);
    expect(settings(folder).config.problems).toBe(4);
  });

  it("is refused where the problems do not begin alike", async () => {
    const folder = newFolder();
    const reworded = (count: number, word: string) =>
      createTask(
        "sums",
        sums(count).problems.map((problem) => ({ ...problem, question: problem.question.replace("much", word) })),
      );
    await evaluateModel(adder(), sums(2), options(folder));
    const longer = await failure(evaluateModel(adder(), reworded(3, "many"), options(folder)));
    expect(longer.message).toMatch(/config\.task\.problems/);
    const other = createTask(
      "sums",
      sums(1).problems.map((problem) => ({ ...problem, references: ["7"] })),
    );
    const shorter = await failure(evaluateModel(adder(), other, options(folder)));
    expect(shorter.message).toMatch(/holds a record of sum\/0 with another answer/);
  });

  it("goes on with a run of before the number of problems was kept, if that is the same", async () => {
    const folder = newFolder();
    await evaluateModel(adder(), sums(2), options(folder));
    const { config, ...rest } = settings(folder);
    const { problems: _, ...old } = config;
    writeFileSync(join(folder, "run.json"), JSON.stringify({ ...rest, config: old }));
    const again = adder();
    await evaluateModel(again, sums(2), options(folder));
    expect(again.calls).toEqual([]);
    await evaluateModel(again, sums(3), options(folder));
    expect(again.calls[0]!.requests).toHaveLength(1);
  });
});

describe("an evaluation on the engine", { timeout: 60_000 }, () => {
  let model: LanguageModel;
  beforeAll(async () => {
    const folder = newFolder();
    await writeChatModel(folder);
    model = await loadLocalModel(folder);
  });
  afterAll(() => model.dispose());

  it.each([
    ["greedy", { temperature: 0 }],
    ["sampled", { temperature: 1, topP: 0.95, samples: 2 }],
  ])("cuts %s texts to smaller budgets as the model would have ended them", async (_, sampling) => {
    const task = await loadTask("word-problems:2-3", { limit: 6 });
    const [both, alone, again] = [newFolder(), newFolder(), newFolder()];
    const options = { ...sampling, seed: 3, display: SILENT };
    const { records } = await evaluateModel(model, task, { ...options, budgets: [3, 12], folder: both });
    await evaluateModel(model, task, { ...options, budgets: [3], folder: alone });
    await evaluateModel(model, task, { ...options, budgets: [3, 12], folder: again });
    expect(linesOf(both).filter((line) => JSON.parse(line).budget === 3)).toEqual(linesOf(alone));
    expect(bytesOf(again)).toBe(bytesOf(both));
    expect(records.some(({ budget, completionTokens }) => budget === 12 && completionTokens > 3)).toBe(true);
    expect(records.every(({ logProb, modelHash }) => logProb! < 0 && modelHash?.length === 64)).toBe(true);
  });
});
