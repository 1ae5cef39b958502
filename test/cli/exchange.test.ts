import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-exchange-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const at = (...parts: string[]) => join(folder, ...parts);
const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, "lib", "bin.mjs"), ...args], { encoding: "utf8" });
function succeed(...args: string[]): string {
  const { status, stdout, stderr } = run(...args);
  expect(status, stderr).toBe(0);
  return stdout;
}
const jsonLines = (file: string) =>
  readFileSync(file, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const toLines = (values: readonly object[]) => values.map((value) => `${JSON.stringify(value)}\n`).join("");

describe("export batch, import batch", { timeout: 60_000 }, () => {
  const evaluating = () => [
    ...["evaluate", "--model", `batch:${at("requests")}#some/model`, "--task", "word-problems:2", "--limit", "2"],
    ...["--strategy", "cot", "--budget", "32", "--result-dir", at("evaluation"), "--json"],
  ];

  it("carry an evaluation to another program and back", () => {
    const pending = run(...evaluating());
    expect(pending.status).not.toBe(0);
    expect(pending.stderr).toMatch(/export batch/);
    expect(succeed("export", "batch", "--requests", at("requests"), "--out", at("all.jsonl"))).toMatch(
      /^2 requests in/,
    );
    const [first, second] = jsonLines(at("all.jsonl"));
    const answer = ({ custom_id }: { custom_id: string }) => ({
      custom_id,
      response: {
        status_code: 200,
        body: {
          choices: [{ index: 0, message: { role: "assistant", content: "It is 4." }, finish_reason: "stop" }],
          usage: { prompt_tokens: 7, completion_tokens: 5 },
        },
      },
      error: null,
    });
    writeFileSync(at("some.jsonl"), toLines([answer(first), answer({ custom_id: "elsewhere" })]));
    const taking = ["import", "batch", "--requests", at("requests")];
    expect(succeed(...taking, at("some.jsonl"))).toBe("1 answers taken, 1 never asked for; 1 requests wait\n");
    const nothing = run(...taking, at("some.jsonl"));
    expect(nothing).toMatchObject({ status: 1, stderr: expect.stringMatching(/none of the answers is to a request/) });
    writeFileSync(at("rest.jsonl"), toLines([answer(second)]));
    expect(succeed(...taking, at("rest.jsonl"))).toBe("1 answers taken; 0 requests wait\n");
    expect(JSON.parse(succeed(...evaluating()))).toMatchObject({ problems: 2, model: expect.stringMatching("model") });
    expect(jsonLines(at("evaluation", "records.jsonl")).map(({ completion }) => completion)).toEqual([
      "It is 4.",
      "It is 4.",
    ]);
  });
});

describe("export samples, import results", { timeout: 60_000 }, () => {
  it("give the harness's form of an evaluation, and take it back with the same verdicts", () => {
    succeed(
      ...["evaluate", "--model", "mini", "--task", "word-problems:2", "--limit", "4", "--strategy", "cot"],
      ...["--budget", "64", "--result-dir", at("own")],
    );
    const samples = at("samples_words_2026-12-01.jsonl");
    expect(succeed("export", "samples", "--records", at("own"), "--out", samples)).toMatch(/^4 problems in/);
    const own = jsonLines(at("own", "records.jsonl"));
    const shown = succeed("import", "results", samples, "--out", at("back"), "--budget", "64", "--tokenizer", "mini");
    expect(shown).toContain(at("back"));
    const back = jsonLines(at("back", "records.jsonl"));
    expect(back.map(({ completion }) => completion)).toEqual(own.map(({ completion }) => completion));
    const verdicts = (records: { correct: object }[]) => records.map(({ correct }) => Object.values(correct)[0]);
    expect(verdicts(back)).toEqual(verdicts(own));
    expect(run("import", "results", at("nowhere"), "--out", at("x"))).toMatchObject({ status: 1 });
  });
});

describe("export trl, llama-factory, litgpt", { timeout: 60_000 }, () => {
  const rows = () => {
    const file = at("rows.jsonl");
    const messages = [
      { role: "user", content: "1 + 1?" },
      { role: "assistant", content: "It is 2." },
    ];
    writeFileSync(file, toLines([{ messages }, { messages }]));
    return file;
  };
  it.each(["trl", "llama-factory", "litgpt"])(
    "%s writes rows, configuration and the script that starts it",
    (engine) => {
      const out = at(engine);
      expect(succeed("export", engine, "--data", rows(), "--out", out, "--nodes", "2", "--epochs", "5")).toMatch(
        new RegExp(`^2 rows of sft for ${engine} in`),
      );
      expect(jsonLines(join(out, "data", "train.jsonl"))).toHaveLength(2);
      expect(readFileSync(join(out, "train.sh"), "utf8")).toMatch(/NODE|node/);
      const settings = readdirSync(out).filter((name) => /\.ya?ml$/.test(name));
      expect(settings.some((name) => /epochs: 5\b/.test(readFileSync(join(out, name), "utf8")))).toBe(true);
    },
  );

  it("say what they do not know", () => {
    expect(run("export", "trl", "--data", rows(), "--out", at("x"), "--method", "ppo").stderr).toMatch(
      /sft, dpo, grpo/,
    );
    expect(run("export", "trl", "--data", at("none.jsonl"), "--out", at("x"))).toMatchObject({ status: 1 });
    expect(existsSync(at("x", "train.sh"))).toBe(false);
  });
});

describe("signals", { timeout: 120_000 }, () => {
  it("tells how signals agree with measured importance, and writes numbers and the figure", () => {
    const names = ["resampling", "counterfactual", "forced"].flatMap((kind) => [
      `${kind}_importance_accuracy`,
      `${kind}_importance_kl`,
    ]);
    const row = (id: string, sentences: readonly string[]) => ({
      id,
      problem: { problem: "Ana picks 3 apples. Ben picks 4 more apples than Ana. How many apples does Ben pick?" },
      base_answer: "7",
      chunks: sentences.map((chunk, place) => ({
        chunk,
        ...Object.fromEntries(names.map((name, kind) => [name, ((place + kind) * 7) % 5])),
      })),
    });
    const data = at("anchors.jsonl");
    const chains = [
      ["Ana picks 3.", "Let me see.", "Ben picks 3 + 4 = 7.", "So it is 7.", "Wait."],
      ["Hm.", "Ben picks 4 more.", "3 + 4 = 7.", "Yes, 7."],
    ];
    writeFileSync(data, toLines(chains.map((sentences, place) => row(String(place), sentences))));
    const measuring = ["signals", "--data", data, "--out", at("signals")];
    const shown = succeed(
      ...measuring,
      ...["--groups", "1", "--results", at("signals.json"), "--figures", at("figures")],
    );
    expect(shown).toMatch(/^2 chains\n +signal/);
    for (const signal of ["both", "attention", "nll", "drop", "position", "length", "random"]) {
      expect(shown).toMatch(new RegExp(`^ *${signal} `, "m"));
    }
    expect(JSON.parse(readFileSync(at("signals.json"), "utf8"))).toMatchObject({ chains: 2 });
    expect(readdirSync(at("figures"))).toContain("astar-signals.svg");
    const other = run(...measuring, "--groups", "1", "--scorer-model-path", "mini");
    expect(other).toMatchObject({ status: 1, stderr: expect.stringMatching(/signals holds a run with config.scorer/) });
  });
});

describe("compress --signal drop", { timeout: 120_000 }, () => {
  it("keeps steps in their order by what leaving them out costs", () => {
    const chain = "Ana picks 3 apples.\n\nLet me see.\n\nBen picks 3 + 4 = 7 apples.\n\nSo it is 7.";
    const question = "Ana picks 3 apples. Ben picks 4 more apples than Ana. How many apples does Ben pick?";
    writeFileSync(
      at("chains.jsonl"),
      toLines([{ question, response: `${chain}\n</think>\nThe answer is 7.`, answer: "7" }]),
    );
    succeed(
      ...["compress", "--data-path", at("chains.jsonl"), "--output-path", at("short.jsonl"), "--signal", "drop"],
      ...["--validator-model-path", "mini", "--mode", "best-first"],
    );
    expect(readFileSync(at("short.jsonl"), "utf8")).toContain("Ana picks");
  });
});
