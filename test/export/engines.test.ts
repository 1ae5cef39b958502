import { existsSync, readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LITGPT_RECIPE } from "../../bench/engines/litgpt.js";
import { LITGPT_ROWS, REWARDED_TEXTS, SFT_ROWS } from "../../bench/engines/rows.js";
import { exportRows, SMALL } from "../../bench/engines/trainings.js";
import { TRL_RUNS } from "../../bench/engines/trl.js";
import { grade } from "../../lib/dist/answer/index.js";

interface Run {
  files: Record<string, string>;
  rows: Record<string, string>[];
  steps: { step: number; loss: number }[];
  ours?: number;
  rewards?: number[];
}
const FIXTURES = join(import.meta.dirname, "..", "fixtures", "engines");
const read = (engine: string) =>
  JSON.parse(readFileSync(join(FIXTURES, `${engine}.json`), "utf8")) as {
    versions: Record<string, string>;
    runs: Record<string, Run>;
  };

const RUNS = [
  ...(["sft", "dpo", "grpo"] as const).map((method) => ({ engine: "trl" as const, method, ...TRL_RUNS[method] })),
  { engine: "llama-factory" as const, method: "sft" as const, rows: SFT_ROWS, recipe: SMALL },
  { engine: "litgpt" as const, method: "sft" as const, rows: LITGPT_ROWS, recipe: LITGPT_RECIPE },
].filter(({ engine }) => existsSync(join(FIXTURES, `${engine}.json`)));

describe("what the engines ran", () => {
  it.each(RUNS)("is what is exported now: $engine $method", async ({ engine, method, rows, recipe }) => {
    const run = read(engine).runs[method]!;
    const folder = await mkdtemp(join(tmpdir(), "engines-"));
    // Another model's template writes the texts here; everything else does not depend on it.
    const { files, rows: written } = await exportRows(rows, { folder, engine, method, recipe, model: "mini" });
    const { "data/train.jsonl": data, ...configurations } = files;
    const { "data/train.jsonl": ranData, ...ran } = run.files;
    expect(configurations).toEqual(ran);
    if (method === "sft") {
      expect(written.map((row) => Object.keys(row as object))).toEqual(run.rows.map(Object.keys));
      for (const [at, row] of run.rows.entries()) {
        const [question, reply] = (rows[at] as (typeof SFT_ROWS)[number]).messages.map(({ content }) => content);
        expect(row.prompt ?? row.instruction).toContain(question);
        // LitGPT adds the end itself.
        expect(row.completion ?? row.output).toBe(`${reply}${engine === "litgpt" ? "" : "<|im_end|>"}`);
      }
    } else expect(data).toBe(ranData);
  });

  it.each(RUNS)("took steps of a finite loss: $engine $method", ({ engine, method }) => {
    const { steps } = read(engine).runs[method]!;
    if (engine === "litgpt") expect(steps.length).toBeGreaterThan(0);
    else expect(steps.map(({ step }) => step)).toEqual([1, 2]);
    expect(steps.every(({ loss }) => Number.isFinite(loss))).toBe(true);
  });

  it.each(RUNS.filter(({ engine, method }) => method === "sft" && engine !== "litgpt"))(
    "begins with this library's loss on the same row: $engine",
    ({ engine }) => {
      const { steps, ours } = read(engine).runs.sft!;
      expect(Math.abs(steps[0]!.loss - ours!)).toBeLessThan(1e-3);
    },
  );

  it("rewards in Python what is graded right here", () => {
    const verdicts = REWARDED_TEXTS.map(({ text, answer }) =>
      Number(grade({ completion: text, reference: answer, policy: "strict" }).correct),
    );
    expect(read("trl").runs.grpo!.rewards).toEqual(verdicts);
  });

  it("DPO begins at the loss of two equal models", () => {
    expect(read("trl").runs.dpo!.steps[0]!.loss).toBeCloseTo(Math.log(2), 5);
  });
});

describe.runIf(existsSync(join(FIXTURES, "vllm.json")))("what vLLM answered in a batch", () => {
  it("stands in the records, and is what its engine says when it is asked directly", () => {
    const vllm = JSON.parse(readFileSync(join(FIXTURES, "vllm.json"), "utf8")) as {
      requests: number[];
      imported: { added: number; waiting: number };
      answered: string[];
      direct: string[];
      recorded: { completion: string }[];
    };
    expect(vllm.requests).toEqual([20]);
    expect(vllm.imported).toMatchObject({ added: 20, waiting: 0 });
    expect(vllm.recorded.map(({ completion }) => completion)).toEqual(vllm.answered);
    expect(vllm.answered).toEqual(vllm.direct);
  });
});
