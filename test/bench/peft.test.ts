import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectFolder } from "thoughtbook/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { benchPeft, type PeftBenchOptions, summarisePeft } from "../../bench/fine-tune/peft.js";

let folder: string;
let options: PeftBenchOptions;

/** Stands for Python and the script it is given: takes a second for an update, and returns how many tokens predict one. */
const FAKE = `#!${process.execPath}
const lines = require("node:readline").createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const { do: what, rows } = JSON.parse(line);
  const last = ({ labels }) => labels.findLastIndex((label) => label >= 0);
  const tokens = what === "step" ? rows.reduce((sum, row) => sum + last(row), 0) : 0;
  const reply = what === "step" ? { seconds: 1, loss: tokens, peakMegabytes: 5 } : { versions: { peft: "0" }, trained: 1 };
  process.stdout.write(JSON.stringify({ ok: reply }) + "\\n");
});
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "thoughtbook-peft-"));
  const python = join(folder, "python");
  await writeFile(python, FAKE);
  await chmod(python, 0o755);
  const data = join(folder, "rows.jsonl");
  const rows = Array.from({ length: 12 }, (_, n) => ({ question: `${n} + ${n} =`, answer: "so ".repeat(n) + 2 * n }));
  await writeFile(data, rows.map((row) => JSON.stringify(row)).join("\n"));
  options = {
    ...{ model: join(projectFolder(), "data", "models", "mini"), python, data, counted: "answer" as const },
    ...{ trainable: { lora: 2 }, rows: 3, steps: 2, threads: 1, seed: 1 },
  };
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it("bench fine-tune --model compares updates on the same rows, counting their tokens alike", async () => {
  const result = await benchPeft(options);
  const [engine, peft] = result.sides;
  // The other side says how many tokens it got, and takes a second for them.
  const tokens = peft!.losses.slice(1);
  expect(tokens.length).toBe(2);
  expect(result.tokensPerUpdate).toBeCloseTo((tokens[0]! + tokens[1]!) / 2, 9);
  expect(peft!.tokensPerSecond).toMatchObject({ min: Math.min(...tokens), max: Math.max(...tokens) });
  expect(result.ratio!.median).toBeGreaterThan(0);
  expect(engine!.losses.every((loss) => loss > 0 && loss < 20)).toBe(true);
  expect(summarisePeft(result)).toContain("LoRA r = 2, 2 updates of 3 rows");
}, 60_000);

it("bench fine-tune --prompt counts the tokens of the rows, not those of the soft prompt", async () => {
  const result = await benchPeft({ ...options, trainable: { prompt: 4 }, counted: "all" });
  const tokens = result.sides[1]!.losses.slice(1);
  expect(result.tokensPerUpdate).toBeCloseTo((tokens[0]! + tokens[1]!) / 2, 9);
  expect(result.firstLossDifference).toBeNull();
  expect(result.sides[0]!.losses.every((loss) => loss > 0 && loss < 20)).toBe(true);
}, 60_000);

it("bench fine-tune --model wants rows for its updates", async () => {
  await expect(benchPeft({ ...options, steps: 20 })).rejects.toThrow("has 12 rows, expected 63");
});
