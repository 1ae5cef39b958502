import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readJsonl } from "../../../lib/dist/core/index.js";
import { evaluate, exportSamples, importResults } from "../../../lib/dist/eval/index.js";
import { loadModel } from "../../../lib/dist/llm/index.js";
import { cot } from "../../../lib/dist/strategies/index.js";
import { loadTask } from "../../../lib/dist/tasks/index.js";

const folder = () => mkdtemp(join(tmpdir(), "exchange-"));
const lines = (values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

describe("results of SkyThought and A*-Thought", () => {
  const entry = (correct: boolean[], tokens: number[]) => ({
    problem: "1 + 1?",
    answer: "2",
    _index: 0,
    responses: correct.map((correctness) => ({ content: "It is 2.", correctness, reason: "" })),
    token_usages: tokens.map((completion_tokens) => ({ completion_tokens, prompt_tokens: 9 })),
  });

  it("become records with the file's verdicts and tokens", async () => {
    const place = await folder();
    await writeFile(
      join(place, "results.json"),
      JSON.stringify({ a: entry([true, false], [10, 512]), b: entry([false, false], [20, 30]) }),
    );
    const configuration = {
      task: { name: "math500" },
      model: { name: "Qwen/QwQ-32B" },
      sampling_params: { max_tokens: 512, temperature: 0.6 },
    };
    await writeFile(join(place, "summary.json"), JSON.stringify({ configuration }));
    const { records, summary } = await importResults(place, join(place, "out"));
    expect(
      records.map(({ id, completionTokens, finishReason, correct }) => [id, completionTokens, finishReason, correct]),
    ).toEqual([
      ["a#0@512", 10, "stop", { astar: true }],
      ["a#1@512", 512, "length", { astar: false }],
      ["b#0@512", 20, "stop", { astar: false }],
      ["b#1@512", 30, "stop", { astar: false }],
    ]);
    expect(summary).toMatchObject({ model: "Qwen/QwQ-32B", task: "math500", temperature: 0.6, problems: 2 });
    const [measures] = summary.budgets;
    expect(measures).toMatchObject({
      budget: 512,
      samples: 2,
      accuracy: { astar: { value: 0.25 } },
      length: { value: 143 },
    });
    const written: unknown[] = [];
    for await (const { value } of readJsonl(join(place, "out", "records.jsonl"))) written.push(value);
    expect(written).toEqual(records);
  });

  it("are read as this library writes them, with the same accuracy and lengths", async () => {
    const place = await folder();
    const model = await loadModel("mini");
    const task = await loadTask("word-problems:2", { limit: 4 });
    const own = await evaluate(cot(), task, { model, budgets: [64], folder: place });
    await model.dispose();
    // summary.json of one budget has the keys at its top.
    const { records, summary } = await importResults(join(place, "results.json"), undefined);
    expect(records.map(({ completion }) => completion)).toEqual(own.records.map(({ completion }) => completion));
    const [was, is] = [own.summary.budgets[0]!, summary.budgets[0]!];
    expect([is.budget, is.accuracy.astar?.value, is.length?.value]).toEqual([
      64,
      was.accuracy.astar?.value,
      was.length?.value,
    ]);
  });

  it("of earlier versions are by temperature", async () => {
    const place = await folder();
    const { responses, token_usages, ...rest } = entry([true], [7]);
    const old = { ...rest, responses: { "0.7": responses[0] }, token_usages: { "0.7": token_usages } };
    await writeFile(join(place, "results.json"), JSON.stringify({ a: old }));
    await expect(importResults(place, undefined)).rejects.toThrow(/how many new tokens/);
    const { records } = await importResults(place, undefined, { budget: 99 });
    expect(records).toMatchObject([{ id: "a#0@99", completionTokens: 7, correct: { astar: true } }]);
  });
});

describe("samples of lm-evaluation-harness", () => {
  const sample = (doc_id: number, filter: string, exact_match: number, more = {}) => ({
    doc_id,
    doc: { question: "1 + 1?", answer: "#### 2" },
    target: "2",
    arguments: {
      gen_args_0: {
        arg_0: "Q: 1 + 1?",
        arg_1: { until: ["Q:"], do_sample: false, temperature: 0.0, max_gen_toks: 64 },
      },
    },
    resps: [["It is 2."]],
    filtered_resps: ["2"],
    filter,
    metrics: ["exact_match"],
    exact_match,
    ...more,
  });

  it("become records of the filter that is asked for", async () => {
    const place = await folder();
    const file = join(place, "samples_gsm8k_2026-12-01T00-00-00.000000.jsonl");
    const rows = ["strict-match", "flexible-extract"].flatMap((filter, at) => [
      sample(0, filter, 1),
      sample(1, filter, at),
    ]);
    await writeFile(file, lines(rows));
    await writeFile(
      join(place, "results_2026-12-01T00-00-00.000000.json"),
      JSON.stringify({ model_name: "some/model" }),
    );
    const first = await importResults(place, undefined, { countTokens: () => 64 });
    expect(first.filters).toEqual(["strict-match", "flexible-extract"]);
    expect(first.summary).toMatchObject({ model: "some/model", task: "gsm8k", problems: 2 });
    expect(first.summary.budgets[0]).toMatchObject({ budget: 64, accuracy: { strict: { value: 0.5 } } });
    expect(first.records[0]).toMatchObject({ answer: "2", countedBy: "tokenizer", finishReason: "length" });
    const other = await importResults(file, undefined, { filter: "flexible-extract" });
    expect(other.summary.budgets[0]!.accuracy.strict!.value).toBe(1);
    expect(other.records[0]).toMatchObject({ countedBy: "estimate", completionTokens: 2 });
    await expect(importResults(file, undefined, { filter: "none" })).rejects.toThrow(
      /strict-match, flexible-extract|no samples of the filter none/,
    );
  });

  it.each([
    [{ resps: [[[-1.5, true]]] }, /log-likelihoods/],
    [{ exact_match: "yes" }, /no number as exact_match/],
  ])("without a graded text are refused: %j", async (more, message) => {
    const file = join(await folder(), "samples_x.jsonl");
    await writeFile(file, lines([sample(0, "none", 1, more)]));
    await expect(importResults(file, undefined)).rejects.toThrow(message);
  });

  it("are written with all texts of a problem, and read again to the same accuracy", async () => {
    const place = await folder();
    await mkdir(join(place, "run"));
    const model = await loadModel("mini");
    const task = await loadTask("word-problems:2", { limit: 3 });
    const own = await evaluate(cot(), task, { model, budgets: [32, 64], folder: join(place, "run") });
    await model.dispose();
    const out = join(place, "samples_words.jsonl");
    await expect(exportSamples(join(place, "run"), out)).rejects.toThrow(/several budgets/);
    expect(await exportSamples(join(place, "run"), out, { budget: 64 })).toBe(3);
    const { summary } = await importResults(out, undefined);
    const was = own.summary.budgets.find(({ budget }) => budget === 64)!;
    expect(summary.budgets[0]).toMatchObject({
      budget: 64,
      accuracy: { strict: { value: was.accuracy.strict!.value } },
    });
  });
});
