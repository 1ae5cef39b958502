import { execFile } from "node:child_process";
import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { readMultiArith } from "../../bench/real/checks/accuracy.js";
import { distanceOf, firstDifference, parts } from "../../bench/real/checks/check.js";
import { summariseChecks } from "../../bench/real/checks/index.js";
import { oddTexts } from "../../bench/real/checks/odd-texts.js";
import { betweenTwo, tokenizerFinding } from "../../bench/real/checks/tokenizers.js";
import { type Contender, contest } from "../../bench/real/contest.js";
import type { RealResults } from "../../bench/real/index.js";
import { parseBatchedBench, runBatchedBench } from "../../bench/real/llama-bench.js";
import { residentOf } from "../../bench/real/memory.js";
import { realPage } from "../../bench/real/page.js";
import { findPythons } from "../../bench/real/peer-list.js";
import { findPython } from "../../bench/real/python.js";
import { steadySpeed } from "../../bench/real/steady-speed.js";
import { contestTable } from "../../bench/real/summary.js";
import { demonstrated, problems, questions, textsOfLength } from "../../bench/real/texts.js";
import { isTokenModel, loadModel } from "../../lib/llm/index.js";
import { failure, temporaryFolder } from "../core/helpers.js";

describe("the output of llama-batched-bench", () => {
  const line = (values: object) =>
    JSON.stringify({ n_kv_max: 512, pp: 16, tg: 4, pl: 2, t_pp: 0.2, t_tg: 0.5, ...values });

  it("is read line by line", () => {
    expect(parseBatchedBench(`main: noise\n\n${line({})}\n${line({ pl: 8 })}\n`)).toEqual([
      { rows: 2, promptTokens: 16, newTokens: 4, promptSeconds: 0.2, newSeconds: 0.5 },
      { rows: 8, promptTokens: 16, newTokens: 4, promptSeconds: 0.2, newSeconds: 0.5 },
    ]);
    expect(parseBatchedBench("| PP | TG |")).toEqual([]);
  });

  it("is refused where it is something else", () => {
    expect(() => parseBatchedBench('{"pp": 16')).toThrow("llama-batched-bench wrote");
    expect(() => parseBatchedBench('{"pp": 16}')).toThrow("llama-batched-bench wrote");
  });

  it("comes from a program that gets the sizes, a context for all rows, and the threads", async () => {
    const folder = await temporaryFolder();
    const program = join(folder, "llama-batched-bench");
    const sizes = { file: "m.gguf", threads: 3, rows: 4, promptTokens: 10, newTokens: 6, folder };
    expect((await failure(runBatchedBench(sizes))).message).toContain(program);
    await writeFile(program, `#!/bin/sh\necho "$@" > ${folder}/given\necho '${line({ pl: 4 })}'\n`);
    await chmod(program, 0o755);
    expect((await runBatchedBench(sizes)).rows).toBe(4);
    const given = await readFile(join(folder, "given"), "utf8");
    expect(given).toMatch(/-m m\.gguf -c (\d+) -npp 10 -ntg 6 -npl 4 -t 3 --output-format jsonl/);
    expect(Number(/-c (\d+)/.exec(given)![1])).toBeGreaterThanOrEqual(4 * 16);
    await writeFile(program, "#!/bin/sh\n");
    expect((await failure(runBatchedBench(sizes))).message).toContain("measured nothing");
  });
});

describe("the speed of decoding", () => {
  it("counts from the last row's first token to the first row's last", () => {
    // The window is (1000, 2000]: two tokens of the first row, one of the second.
    expect(
      steadySpeed([
        [0, 500, 1000, 1500, 2000],
        [1000, 2000, 3000],
      ]),
    ).toBe(3);
    expect(steadySpeed([[0, 100, 200]])).toBe(10);
  });

  it("is refused where no moment has all rows", () => {
    for (const times of [
      [],
      [[]],
      [[5]],
      [[0, 1], []],
      [
        [0, 1],
        [2, 3],
      ],
    ]) {
      expect(() => steadySpeed(times)).toThrow("no row was still being continued");
    }
  });
});

describe("a contest", () => {
  const contender = (name: string, values: readonly (number | Error)[], log: string[] = []): Contender => ({
    name,
    title: name.toUpperCase(),
    warmUp: async () => log.push(`warm ${name}`),
    async turn(round) {
      log.push(`${name} ${round}`);
      const value = values[round]!;
      if (value instanceof Error) throw value;
      return value;
    },
  });
  const common = { measure: "m", title: "work", unit: "tokens/s", conditions: { rows: 1 }, rounds: 2 };

  it("takes ratios by round: how many times as fast this engine is", async () => {
    const log: string[] = [];
    const contenders = [contender("fast", [20, 60], log), contender("other", [10, 15], log)];
    const result = await contest({ ...common, contenders, patienceSeconds: 0 });
    expect(log).toEqual(["warm fast", "fast 0", "warm other", "other 0", "other 1", "fast 1"]);
    expect(result.peers[0]).toMatchObject({ name: "fast", value: { median: 40 }, timesAsGood: { exact: null } });
    expect(result.peers[1]!.timesAsGood).toEqual({ fast: { median: 3, min: 2, max: 4, count: 2 }, exact: null });
    expect(contestTable(result)).toMatch(/OTHER +12\.5 \(10–15\) +3 \(2–4\)/);
  });

  it("turns ratios of times round, and compares with others than this engine", async () => {
    const contenders = [contender("shared", [1, 2]), contender("nothing shared", [4, 4])];
    const options = { better: "less", references: ["nothing shared"], patienceSeconds: 0 } as const;
    const { peers } = await contest({ ...common, ...options, contenders });
    expect(peers[0]!.timesAsGood).toEqual({ "nothing shared": { median: 0.375, min: 0.25, max: 0.5, count: 2 } });
    expect(peers[1]!.timesAsGood).toEqual({});
  });

  it("leaves out who fails, and says why", async () => {
    const contenders = [contender("fast", [1, 2]), contender("other", [new Error("no memory"), 1])];
    const lines: string[] = [];
    const onProgress = (line: string) => lines.push(line);
    const result = await contest({ ...common, contenders, patienceSeconds: 0, onProgress });
    expect(result.peers.map(({ name }) => name)).toEqual(["fast"]);
    expect(result.failed).toEqual([{ name: "other", title: "OTHER", reason: "no memory" }]);
    expect(lines).toContain("work: OTHER FAILED: no memory");
    expect(contestTable(result)).toContain("FAILED: OTHER: no memory");
  });
});

describe("a Python for a peer", () => {
  const fake = async (folder: string, name: string, missing: readonly string[]) => {
    const file = join(folder, name);
    await writeFile(file, `#!/bin/sh\necho '${JSON.stringify({ missing, python: "3.12.1" })}'\n`);
    await chmod(file, 0o755);
    return file;
  };

  it("is the first one that has its modules", async () => {
    const folder = await temporaryFolder();
    const [without, found] = [await fake(folder, "without", ["vllm"]), await fake(folder, "with", [])];
    expect(await findPython([without, found], ["vllm"])).toEqual({ path: found });
    expect(await findPython([without], ["vllm"])).toEqual({ missing: `${without} has no vllm` });
    expect(await findPython([], ["vllm"])).toEqual({ missing: "no --python with vllm" });
    expect(await findPython(["/nowhere/python"], ["vllm"])).toMatchObject({
      missing: expect.stringMatching(/nowhere/),
    });
  });

  it("is its own where one was given, else any", async () => {
    const folder = await temporaryFolder();
    const [first, second] = [await fake(folder, "first", []), await fake(folder, "second", [])];
    const { found, missing } = await findPythons({ python: [first], pythons: { vllm: second }, llama: undefined });
    expect(found).toEqual({
      vllm: second,
      "vllm-vnni": second,
      transformers: first,
      peft: first,
      "llama-python": first,
    });
    expect(missing).toEqual({});
  });
});

describe("texts", async () => {
  const model = await loadModel("mini");
  if (!isTokenModel(model)) throw new Error("mini has no tokenizer");

  it("have the length that is asked for, nothing in common at the beginning, and repeat by their seed", () => {
    const texts = textsOfLength(model, 3, 100, "a");
    expect(texts.map(({ length }) => length)).toEqual([100, 100, 100]);
    expect(textsOfLength(model, 3, 100, "a")).toEqual(texts);
    expect(firstDifference(texts[0]!, texts[1]!)).toBeLessThan(4);
    expect(firstDifference(texts[0]!, textsOfLength(model, 1, 100, "b")[0]!)).toBeLessThan(4);
  });

  it("have the same four demonstrations before each question", () => {
    const [one, two] = demonstrated(model, 2, "a") as [number[], number[]];
    expect(firstDifference(one, two)).toBeGreaterThan(one.length / 2);
    expect(one.length).toBeGreaterThan(2 * questions(model, 1, "a")[0]!.length);
    expect(problems(2, "a")).toEqual(problems(2, "a"));
  });

  it("to encode are of many kinds, and repeat", () => {
    const texts = oddTexts(200, "a");
    expect(oddTexts(200, "a")).toEqual(texts);
    expect(texts.every((text) => text.length > 0 && !/\p{Surrogate}/u.test(text))).toBe(true);
    expect(new Set(texts).size).toBeGreaterThan(190);
    for (const kind of [/\p{Script=Han}/u, /\p{Emoji_Presentation}/u, /\r\n/, /\d{6}/, /'ll/]) {
      expect(texts.some((text) => kind.test(text))).toBe(true);
    }
  });
});

describe("checks", () => {
  it("find the first difference, and how far numbers are apart", () => {
    expect(firstDifference([1, 2], [1, 2])).toBe(-1);
    expect(firstDifference([1, 2], [1, 3])).toBe(1);
    expect(firstDifference([1], [1, 2])).toBe(1);
    expect(firstDifference([1, 2], [1])).toBe(1);
    expect(parts([1, 2, 3], 2)).toEqual([[1, 2], [3]]);
    expect(distanceOf([[1, 2], [3]], [[1, 4], [3.5]])).toEqual({ count: 3, mean: 2.5 / 3, largest: 2 });
    expect(distanceOf([[Number.NaN, 1]], [[1, 1]]).largest).toBe(Number.POSITIVE_INFINITY);
  });

  it("name the texts that tokenizers cut otherwise", () => {
    const finding = tokenizerFinding("same", ["a", "b"], [[1], [2, 3]], [[1], [2, 4]]);
    expect(finding).toMatchObject({ holds: false, numbers: { texts: 2, same: 1 } });
    expect(finding.exceptions).toEqual(['"b": token 1: 3 instead of 4']);
    expect(tokenizerFinding("same", ["a"], [[1]], [[1]]).holds).toBe(true);
    const [agreed, rest] = betweenTwo(["a", "b", "c"], [[1], [2], [9]], [[1], [2], [3]], [[1], [4], [5]]);
    expect(agreed).toMatchObject({ holds: true, numbers: { texts: 1, same: 1 } });
    const numbers = { texts: 2, "as Hugging Face's": 1, "as llama.cpp's": 0 };
    expect(rest).toMatchObject({ holds: false, numbers, exceptions: ['"c"'] });
  });

  it("are told with counts and intervals", () => {
    const machine = { processor: "p", cores: 1, memoryGigabytes: 1, system: "s", node: "22", loadBefore: 0 };
    const finding = {
      statement: "it is so",
      holds: false,
      numbers: { prompts: 10, share: 0.2 },
      intervals: { share: [0.05, 0.5] as const },
      exceptions: ["prompt 3"],
    };
    const checked = { started: "", seconds: 3, machine, versions: {}, findings: [finding], failure: "no peer" };
    expect(summariseChecks({ "m.gguf": { ids: checked } })).toBe(
      [
        "m.gguf\n",
        "ids (3 s)",
        "  DOES NOT HOLD: it is so: prompts 10, share 0.2 (0.05–0.5)",
        "    prompt 3",
        "  FAILED: no peer",
      ].join("\n"),
    );
  });

  it("read MultiArith's own rows", async () => {
    const file = join(await temporaryFolder(), "multiarith.jsonl");
    await writeFile(file, '{"input":"1 and 1?","target":2}\n{"input":"2 and 2?","target":4.0}\n{"input":"3"}\n');
    const { problems } = await readMultiArith(file, 2);
    expect(problems.map(({ id, references }) => [id, references])).toEqual([
      ["multiarith/0", ["2"]],
      ["multiarith/1", ["4"]],
    ]);
    expect((await failure(readMultiArith(file, 3))).message).toContain("has no input and target");
  });
});

it("resident memory is read from what Linux says of a process", () => {
  expect(residentOf("Name:\tnode\nVmHWM:\t  4096 kB\nVmRSS:\t  2048 kB\n")).toBe(2);
  expect(residentOf("")).toBeUndefined();
});

it("the command names what is wrong with its options", { timeout: 60_000 }, async () => {
  const run = join(import.meta.dirname, "..", "..", "bench", "run.ts");
  const real = (...given: string[]) =>
    promisify(execFile)(process.execPath, ["--import", import.meta.resolve("tsx"), run, "real", ...given]).then(
      () => "",
      ({ stderr }: { stderr: string }) => stderr,
    );
  expect(await real()).toContain("--gguf is missing");
  expect(await real("--gguf", "/nowhere/m.gguf")).toContain("/nowhere/m.gguf is no file. Give --gguf a GGUF file");
  expect(await real("--gguf", "m", "--only", "decode,dance")).toMatch(/"dance" is none of open, decode/);
  expect(await real("--gguf", "m", "--checks", "dance")).toMatch(/"dance" is none of ids, logprobs/);
  expect(await real("--gguf", "m", "--rounds", "0")).toContain("whole number above 0");
});

describe("the page of the documentation", () => {
  const machine = { processor: "Xeon", cores: 2, memoryGigabytes: 8, system: "s", node: "22", loadBefore: 0.1 };
  const spread = (median: number) => ({ median, min: median - 1, max: median + 1, count: 3 });
  const results: RealResults = {
    "m.gguf": {
      decode: {
        started: "2026-01-02T03:04:05Z",
        machine,
        sizes: {
          rounds: 3,
          batches: [8],
          promptTokens: 64,
          newTokens: 64,
          questions: 64,
          texts: 8,
          textTokens: 512,
          loraSteps: 2,
          servePrompts: [],
        },
        threads: 2,
        versions: {},
        leftOut: [],
        contests: [
          {
            measure: "decode",
            title: "decoding at batch 8",
            unit: "new tokens/s",
            better: "more",
            references: ["fast", "exact"],
            conditions: { rows: 8, promptTokens: 64 },
            peers: [
              { name: "fast", title: "this engine, fast", value: spread(90), timesAsGood: { exact: null }, rounds: [] },
              { name: "llama", title: "llama.cpp", value: spread(60), timesAsGood: { fast: spread(1.5) }, rounds: [] },
            ],
            failed: [{ name: "exact", title: "this engine, exact", reason: "no memory" }],
          },
        ],
      },
    },
  };

  it("tells medians, ranges, ratios and who did not take part", () => {
    const page = realPage(results, {});
    expect(page).toMatch(/^# How .*\?\n/);
    expect(page).toContain("## m.gguf\n\n### Decoding at batch 8\n\n(rows 8, prompt tokens 64)");
    expect(page).toContain("|  | new tokens/s | fast is faster by |");
    expect(page).toContain("| llama.cpp | 60 (59–61) | 1.5 (0.5–2.5) |");
    expect(page).toContain("this engine, exact did not take part: no memory.");
    expect(page).toContain("Measured on 2026-01-02 with 2 cores of Xeon; load before: 0.1.");
  });

  it("tells how a server stands long prompts", () => {
    const prompts = [{ tokens: 7800, seconds: 40, peakMb: 1900, afterMb: 900, pause: 0.8, health: 0.3 }];
    const serving = {
      machine,
      model: "m.gguf",
      startMb: 700,
      prompts,
      left: { alone: 1, reading: 2, waiting: 3, writing: 4 },
    };
    const page = realPage({ "m.gguf": { serve: { ...results["m.gguf"]!.decode!, contests: [], serving } } }, {});
    expect(page).toContain("| 7,800 | 40 | 1,900 | 0.8 | 0.3 |");
    expect(page).toContain("takes 1 s alone; 2, 3 and 4 s after a client has left");
  });

  it("tells what was checked", () => {
    const numbers = { prompts: 200, share: 0.5 };
    const finding = {
      statement: "so",
      holds: false,
      numbers,
      intervals: { share: [0.4, 0.6] as const },
      exceptions: [],
    };
    const checked = { started: "", seconds: 1, machine, versions: {}, findings: [finding] };
    expect(realPage({}, { "m.gguf": { batch: checked } })).toContain("| so | no | prompts 200, share 0.5 (0.4–0.6) |");
  });
});
