import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parquetWriteBuffer } from "hyparquet-writer";
import {
  type CompressedRow,
  type CompressFileOptions,
  type CompressMode,
  compressFile,
  compressRows,
  faithfulSearch,
  type ImportanceOptions,
  importanceSignals,
  openPathCosts,
  problemRow,
  rankSteps,
  THINK_TAGS,
} from "thoughtbook/astar";
import { generateWordProblem } from "thoughtbook/data";
import {
  type ChatPrompt,
  type Completion,
  type LanguageModel,
  type LocalModel,
  loadLocalModel,
  type Prompt,
  type Score,
} from "thoughtbook/llm";
import { OPERATIONS, operationPrompt } from "thoughtbook/operations";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { THOUGHT_TAGS } from "../../../lib/dist/astar/chains/tags.js";
import { baselineSteps } from "../../../lib/dist/astar/compress/baselines.js";
import { failure } from "../../core/helpers.js";
import { writeChatModel } from "../../model/generate/helpers.js";
import { root as repository } from "../../notebook/helpers.js";
import { SILENT } from "../../train/helpers.js";

let folder: string;
let scorer: LocalModel;
const COUNT = 8;
const problems = Array.from({ length: COUNT }, (_, index) =>
  generateWordProblem({ seed: 8, index, operations: [1, 2] }),
);
const chains = problems.map((problem) => problemRow(problem));
const byQuestion = new Map(chains.map((row) => [row.question, row]));
let data: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-compress-"));
  await writeChatModel(join(folder, "model"));
  scorer = await loadLocalModel(join(folder, "model"));
  data = join(folder, "chains.jsonl");
  writeFileSync(data, linesOf(chains));
});
afterAll(async () => {
  await scorer.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** Rows as `thoughtbook word-problems` writes them. */
const linesOf = (rows: typeof chains): string =>
  rows
    .map(({ id, question, answer, steps, necessary, solution }) =>
      JSON.stringify({
        ...{ id, question, answer: Number(answer), plainChain: solution },
        paragraphs: steps.map((text, i) => ({ text, necessary: necessary![i] })),
      }),
    )
    .map((line) => `${line}\n`)
    .join("");
/** A file of so many rows, in which the chains come again and again. */
function manyRows(count: number): string {
  const file = join(folder, `${count}.jsonl`);
  writeFileSync(file, linesOf(Array.from({ length: count }, (_, i) => ({ ...chains[i % COUNT]!, id: `row ${i}` }))));
  return file;
}
/** How many rows a run that is not finished has. */
function rowsDone(output: string): number {
  const file = `${output}.run/records.jsonl`;
  return existsSync(file) ? readFileSync(file, "utf8").split("\n").length - 1 : 0;
}

/** Solves what has all necessary steps, and finds text the more probable the more of them stand before it. */
function validator({
  score,
}: Pick<LanguageModel, "score"> = scorer): LanguageModel & { calls: { generate: number; score: number } } {
  const calls = { generate: 0, score: 0 };
  return {
    ...scorer,
    name: "validator",
    calls,
    async generate(requests) {
      calls.generate++;
      return requests.map(({ prompt }): Completion[] => {
        const { messages, answer = "" } = prompt as ChatPrompt;
        const row = chains.find(({ question }) => messages[0]!.content.includes(question))!;
        const knows = row.steps.every((step, i) => !row.necessary![i] || answer.includes(step));
        const text = knows ? row.solution : "#### -1";
        return [{ text, finishReason: "stop", promptTokens: 1, completionTokens: 1 }];
      });
    },
    async score(requests, options) {
      calls.score++;
      return score(requests, options);
    },
  };
}

/** Scores as the model does, each text once: the rows of a long file are the same few again and again. */
function remembering({ score }: LocalModel): Pick<LocalModel, "score"> {
  const known = new Map<string, Score>();
  return {
    async score(requests, options) {
      const byKey = new Map(requests.map((request) => [JSON.stringify([request, options]), request]));
      const fresh = [...byKey].filter(([key]) => !known.has(key));
      const texts = fresh.map(([, request]) => request);
      const scores = texts.length > 0 ? await score(texts, options) : [];
      for (const [i, [key]] of fresh.entries()) known.set(key, scores[i]!);
      return requests.map((request) => known.get(JSON.stringify([request, options]))!);
    },
  };
}

const countTokens = (text: string) => scorer.tokenizer!.encode(text, { addSpecialTokens: false }).length;
const options = (name: string, mode: CompressMode, rest: Partial<CompressFileOptions> = {}): CompressFileOptions => ({
  mode,
  data,
  read: { format: "word-problems" },
  scorer,
  validator: validator(),
  output: join(folder, `${name}.jsonl`),
  cache: join(folder, "signals.jsonl"),
  countTokens,
  display: SILENT,
  ...rest,
});
const rowsOf = (name: string): CompressedRow[] =>
  readFileSync(join(folder, `${name}.jsonl`), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const necessaryOf = (row: CompressedRow): number[] => {
  const { necessary } = byQuestion.get(row.conversations[0].value)!;
  return [...necessary!.keys()].filter((step) => necessary![step]);
};

describe("compressFile", { timeout: 60_000 }, () => {
  it("finds with best-first exactly the necessary steps, and writes them as the released data is", async () => {
    const training = { file: join(folder, "training.jsonl"), student: { operations: new Set(["think"]) } };
    const asked = options("best", "best-first", { search: { maxSteps: 200, minSteps: 0 }, training });
    const summary = await compressFile(asked);
    const rows = rowsOf("best");
    expect(rows.map(({ id }) => id)).toEqual(chains.map(({ id }) => id));
    for (const [i, row] of rows.entries()) {
      expect(row.status, row.id).toBe("accepted");
      expect(row.kept).toEqual(necessaryOf(row));
      const thought = row.kept.map((step) => chains[i]!.steps[step]).join("\n\n");
      expect(row.conversations).toEqual([
        { from: "user", value: chains[i]!.question },
        {
          from: "assistant",
          value: `<|begin_of_thought|>\n\n${thought}\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n${chains[i]!.solution}\n\n<|end_of_solution|>`,
        },
      ]);
      expect(row.tokens).toEqual({
        before: countTokens(chains[i]!.thought),
        after: countTokens(thought),
        solution: countTokens(chains[i]!.solution),
      });
      expect(row.rate).toBeCloseTo(row.tokens.after / row.tokens.before, 4);
    }
    const sum = (value: (row: CompressedRow) => number) => rows.reduce((total, row) => total + value(row), 0);
    expect(summary).toMatchObject({ mode: "best-first", statuses: { accepted: COUNT }, acceptedShare: 1 });
    expect(summary.rows).toMatchObject({ rows: COUNT, used: COUNT });
    expect(summary.keptTokens).toBeCloseTo(sum(({ tokens }) => tokens.after) / sum(({ tokens }) => tokens.before), 12);
    expect(summary.keptSteps).toBeCloseTo(sum(({ kept }) => kept.length) / sum(({ steps }) => steps), 12);
    expect(summary).toMatchObject({ precision: { value: 1, count: COUNT }, recall: { value: 1, count: COUNT } });
    expect(summary.meanRate).toBeCloseTo(sum(({ rate }) => rate) / COUNT, 12);
    expect(summary.verified).toBeCloseTo(sum(({ verified }) => verified) / COUNT, 12);
    const conversations = readFileSync(training.file, "utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(conversations[0]).toEqual({
      messages: [
        { role: "user", operation: "think", content: chains[0]!.question },
        {
          role: "assistant",
          content: `<think>\n${rows[0]!.kept.map((step) => chains[0]!.steps[step]).join("\n\n")}\n</think>\n${chains[0]!.solution}`,
        },
      ],
    });
    expect(conversations).toHaveLength(COUNT);
    // Side by side: far fewer calls of the model than paths.
    const { calls } = asked.validator as ReturnType<typeof validator>;
    expect(calls.generate).toBeLessThan(sum(({ verified }) => verified) / 4);
  });

  it("walks as the released code and the paper do, and keeps what an accepted path holds", async () => {
    for (const mode of ["faithful", "paper"] as const) {
      const summary = await compressFile(options(mode, mode, { search: { minSteps: 1 } }));
      const rows = rowsOf(mode);
      expect(summary.scored).toBeGreaterThan(0);
      for (const row of rows) {
        expect(row.search_steps).toBeLessThanOrEqual(20);
        if (row.status === "accepted") expect(row.kept).toEqual(expect.arrayContaining(necessaryOf(row)));
        else expect(mode === "paper" && row.status === "exhausted" ? 1 : row.rate).toBe(1);
      }
      expect(Object.values(summary.statuses).reduce((a, b) => a + b)).toBe(COUNT);
      expect(summary.statuses.accepted).toBeGreaterThan(COUNT / 3);
    }
    expect(rowsOf("paper")).not.toEqual(rowsOf("faithful"));
  });

  it("goes on after an interruption and ends with the same bytes, but not with other settings", async () => {
    // Of a large validator 128 rows are searched side by side: the second group is interrupted.
    const count = 140;
    const many = { data: manyRows(count), cache: join(folder, "many-signals.jsonl") };
    const asked = (name: string, mode: CompressMode = "faithful") => {
      const judge = { ...validator(), parameterCount: 70e9 };
      return { ...options(name, mode, { ...many, search: { minSteps: 1, maxSteps: 3 } }), validator: judge };
    };
    const whole = asked("whole");
    await compressFile(whole);
    const stop = new AbortController();
    const stopped = { ...asked("stopped"), signal: stop.signal };
    const { generate } = stopped.validator;
    stopped.validator.generate = async (...args) => {
      if (rowsDone(stopped.output) > 0) stop.abort(new Error("enough"));
      return generate(...args);
    };
    expect((await failure(compressFile(stopped))).code).toBe("interrupted");
    expect(rowsDone(stopped.output)).toBe(128);
    expect(existsSync(stopped.output)).toBe(false);
    expect((await failure(compressFile(asked("stopped", "paper")))).message).toMatch(/mode/);
    const again = asked("stopped");
    expect((await compressFile(again)).rows.used).toBe(count);
    expect(again.validator.calls.score).toBeLessThan(whole.validator.calls.score);
    const bytes = (name: string) => readFileSync(join(folder, `${name}.jsonl`), "utf8");
    expect(bytes("stopped")).toBe(bytes("whole"));
    expect(existsSync(join(folder, "stopped.jsonl.run"))).toBe(false);
  });

  it("writes baselines, those of a given size as long as the rows they are like", async () => {
    await compressFile(options("like", "best-first", { search: { maxSteps: 200, minSteps: 0 } }));
    const like = join(folder, "like.jsonl");
    const shares = rowsOf("like").map(({ tokens }) => tokens.after / tokens.before);
    const run = async (mode: CompressMode, rest: Partial<CompressFileOptions> = {}) => {
      const summary = await compressFile(options(mode, mode, { validator: undefined, ...rest }));
      expect(summary.statuses).toEqual({ "not searched": COUNT });
      return rowsOf(mode);
    };
    expect((await run("full")).every(({ rate }) => rate === 1)).toBe(true);
    expect((await run("solution-only")).every(({ kept, tokens }) => kept.length === 0 && tokens.after === 0)).toBe(
      true,
    );
    for (const row of await run("necessary")) expect(row.kept).toEqual(necessaryOf(row));
    for (const mode of ["random", "importance", "last", "token-skip"] as const) {
      const rows = await run(mode, { like });
      const longest = Math.max(...chains.flatMap(({ steps }) => steps.map(countTokens)));
      // Each row makes up for those before it.
      let owed = 0;
      for (const [i, { tokens }] of rows.entries()) {
        owed += shares[i]! * tokens.before - tokens.after;
        expect(Math.abs(owed), mode).toBeLessThanOrEqual(longest);
      }
      expect(await run(mode, { like })).toEqual(rows);
    }
    for (const { kept, steps } of rowsOf("last")) expect(kept).toEqual([...Array(steps).keys()].slice(-kept.length));
    const other = await compressFile(options("random-2", "random", { like, seed: 2 })).then(() => rowsOf("random-2"));
    expect(other).not.toEqual(rowsOf("random"));
    // Of a pruned thought the words that are left stand in their order.
    for (const [i, { conversations }] of rowsOf("token-skip").entries()) {
      const thought = conversations[1].value
        .split("\n\n<|end_of_thought|>")[0]!
        .replace("<|begin_of_thought|>\n\n", "");
      let from = 0;
      for (const letter of thought.replaceAll(/\s/g, "")) {
        const found = chains[i]!.thought.indexOf(letter, from);
        expect(found).toBeGreaterThanOrEqual(from);
        from = found + 1;
      }
    }
  });

  it("names rows that cannot be used, and refuses what a mode lacks", async () => {
    const broken = join(folder, "broken.jsonl");
    const value = (text: string) => ({ conversations: [{ value: "What is 2 + 3?" }, { value: text }] });
    const tagged = (thought: string, solution: string) =>
      value(
        `<|begin_of_thought|>\n\n${thought}\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\n${solution}\n\n<|end_of_solution|>`,
      );
    const rows = [
      tagged("First.\n\n2 + 3 = 5.\n\nSo 5.", "The answer is \\boxed{5}."),
      value("no tags at all"),
      tagged("", "\\boxed{5}"),
      tagged("Only one step.", "No answer here"),
    ];
    writeFileSync(broken, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
    const skipped: string[] = [];
    const summary = await compressFile(
      options("broken", "full", {
        data: broken,
        read: {},
        cache: join(folder, "other.jsonl"),
        onSkipped: (place, reason) => skipped.push(`${place}: ${reason}`),
      }),
    );
    expect(skipped.map((line) => line.split(": ")[1])).toEqual(["missing tags", "empty chain"]);
    expect(summary.rows).toMatchObject({
      rows: 4,
      used: 2,
      "missing tags": 1,
      "empty chain": 1,
      "one step": 1,
      "no answer": 1,
    });
    expect(rowsOf("broken").map(({ conversations }) => conversations[1].value)).toEqual([
      expect.stringContaining("2 + 3 = 5."),
      expect.stringContaining("Only one step."),
    ]);
    const fails = async (mode: CompressMode, rest: Partial<CompressFileOptions>) =>
      (await failure(compressFile(options("fails", mode, rest)))).message;
    expect(await fails("faithful", { validator: undefined })).toMatch(/needs a validator/);
    expect(await fails("importance", { scorer: undefined, share: 0.5 })).toMatch(/needs a scorer/);
    expect(await fails("random", {})).toMatch(/how much to keep/);
    expect(await fails("random", { share: 2 })).toMatch(/share to keep is 2/);
    expect(() =>
      baselineSteps({ ...chains[0]!, necessary: undefined } as never, { mode: "necessary", seed: 0, countTokens }),
    ).toThrow(/does not say which steps/);
  });

  it("leaves an earlier output as it is where no row can be used, and nothing where it could not begin", async () => {
    await compressFile(options("kept", "full"));
    const before = readFileSync(join(folder, "kept.jsonl"), "utf8");
    const unusable = options("kept", "full", { read: { format: "s1k" } });
    expect((await failure(compressFile(unusable))).message).toMatch(/no row of the data can be used/);
    expect(
      (await failure(compressFile(options("kept", "full", { read: { format: "s1k", limit: 0 } })))).message,
    ).toMatch(/no row/);
    expect(readFileSync(join(folder, "kept.jsonl"), "utf8")).toBe(before);
    const tags = { ...THOUGHT_TAGS, thoughtEnd: "" };
    expect((await failure(compressFile(options("begun", "full", { tags })))).code).toBe("bad-input");
    const sink = options("begun", "importance", { share: 0.5, sink: true });
    await compressFile(options("first", "importance", { share: 0.5 }));
    expect((await failure(compressFile(sink))).message).toMatch(/sink/);
    expect(existsSync(join(folder, "begun.jsonl.run"))).toBe(false);
    expect((await compressFile(options("begun", "full"))).rows.used).toBe(COUNT);
  });

  it("does not go on with another tokenizer", async () => {
    const many = { data: manyRows(140), share: 0.5, counter: "one" };
    const stop = new AbortController();
    const counting = (text: string) => {
      if (rowsDone(join(folder, "counted.jsonl")) > 0) stop.abort(new Error("enough"));
      return countTokens(text);
    };
    const asked = (rest: object) => options("counted", "random", { ...many, validator: undefined, ...rest });
    await failure(compressFile(asked({ countTokens: counting, signal: stop.signal })));
    expect(rowsDone(join(folder, "counted.jsonl"))).toBeGreaterThan(0);
    const other = asked({ counter: "another", countTokens: (text: string) => text.length });
    expect((await failure(compressFile(other))).message).toMatch(/counter = "one", but now it is "another"/);
    expect((await compressFile(asked({}))).rows.used).toBe(140);
  });

  it("tells whether best-first has proven its path the cheapest", async () => {
    const whole = await compressFile(options("proven", "best-first", { search: { maxSteps: 200 } }));
    expect(whole.provenShare).toBe(1);
    expect(rowsOf("proven").every(({ proven }) => proven)).toBe(true);
    const limited = await compressFile(options("limited", "best-first", { search: { maxSteps: 2 } }));
    expect(limited.provenShare).toBeLessThan(1);
    expect(rowsOf("limited").map(({ proven }) => proven)).toContain(false);
    expect(await compressFile(options("walk", "faithful"))).not.toHaveProperty("provenShare");
  });

  it("asks no model for a random order", async () => {
    const deaf = { ...scorer, score: () => Promise.reject(new Error("asked")), attention: undefined } as never;
    const importance = { signal: "random" } as const;
    const { weighed } = await compressFile(options("order", "importance", { scorer: deaf, importance, share: 0.4 }));
    expect(weighed).toBe(0);
    const orders = rowsOf("order").map(({ kept }) => kept);
    await compressFile(options("order-2", "importance", { scorer: deaf, importance, share: 0.4, seed: 5 }));
    expect(rowsOf("order-2").map(({ kept }) => kept)).not.toEqual(orders);
  });

  it("searches more rows side by side where the validator is small", async () => {
    const rows = Array.from({ length: 140 }, (_, i) => ({ ...chains[i % COUNT]!, id: String(i) }));
    const remembered = remembering(scorer);
    const callsWith = async (parameterCount: number) => {
      const judge = { ...validator(remembered), parameterCount };
      const models = { scorer: { ...scorer, ...remembered }, validator: judge };
      const search = { minSteps: 1, maxSteps: 2 };
      let count = 0;
      for await (const { index } of compressRows(rows, { ...options("many", "faithful"), ...models, search })) {
        expect(index).toBe(count++);
      }
      expect(count).toBe(rows.length);
      return judge.calls.score;
    };
    expect(await callsWith(70e9)).toBe(2 * (await callsWith(3e6)));
  });
});

describe("the settings of a search", { timeout: 60_000 }, () => {
  const row = problemRow(generateWordProblem({ seed: 8, index: 3, operations: 4 }));
  const FIRST = { beta: 0.1, expandSize: 2, neighbours: 1, minSteps: 2, maxSteps: 6 };
  const IMPORTANCE = { alpha: 0.5, normalisation: "code", signal: "both" } as const;
  /** Solves nothing, or what a function says; tells what it was asked. */
  const judge = (isSolved: (sample: number) => boolean = () => false) => {
    const asked: { prompt: Prompt; samples: number; maxNewTokens: number | undefined }[] = [];
    const model: LanguageModel = {
      ...scorer,
      async generate(requests, options) {
        return requests.map(({ prompt, samples = 1, ...own }) => {
          asked.push({ prompt, samples, maxNewTokens: own.maxNewTokens ?? options?.maxNewTokens });
          return Array.from({ length: samples }, (_, sample) => {
            const text = isSolved(sample) ? row.solution : "#### -1";
            return { text, finishReason: "stop" as const, promptTokens: 1, completionTokens: 1 };
          });
        });
      },
    };
    return { model, asked };
  };
  const treeOf = async (search: object, importance: object) => {
    const { model } = judge();
    const asked = { scorer, validator: model, mode: "faithful", search, importance, countTokens } as const;
    for await (const { result } of compressRows([row], asked)) return result.tree!.nodes;
    throw new Error("no row");
  };
  /** The same walk, put together from its parts. */
  const expected = async (search: typeof FIRST, importance: ImportanceOptions) => {
    const { beta, ...walk } = search;
    const all = importanceSignals(scorer, [row]);
    const { value } = await all.next();
    const { order } = rankSteps(value!.signals, { ...importance, seed: `0/${row.id}` });
    const prompt = operationPrompt(scorer, OPERATIONS.think, { question: row.question });
    const text = { prompt, steps: row.steps, solution: row.solution };
    const costs = await openPathCosts(scorer, text, { tags: THINK_TAGS, beta, variant: "faithful" });
    const found = await faithfulSearch({
      ...walk,
      n: row.steps.length,
      queue: order,
      boxedSolution: true,
      cost: async (sets) => (await costs.of(sets)).map(({ f }) => f),
      valid: async () => false,
    });
    return found.tree.nodes;
  };

  it.each([
    {},
    { beta: 5 },
    { expandSize: 3 },
    { neighbours: 0 },
    { minSteps: 4 },
    { maxSteps: 3 },
    { alpha: 0 },
    { normalisation: "lift" },
    { signal: "nll" },
    { signal: "random" },
  ] as const)("reach it: %j", async (changed) => {
    const isOfSearch = Object.keys(changed).some((key) => key in FIRST);
    const search = { ...FIRST, ...(isOfSearch ? changed : {}) };
    const importance = { ...IMPORTANCE, ...(isOfSearch ? {} : changed) };
    const tree = await treeOf(search, importance);
    expect(tree).toEqual(await expected(search, importance));
    if (Object.keys(changed).length > 0 && !("minSteps" in changed)) {
      expect(tree).not.toEqual(await treeOf(FIRST, IMPORTANCE));
    }
  });

  it("of verification reach the validator", async () => {
    const verified = async (search: object, isSolved: (sample: number) => boolean) => {
      const { model, asked } = judge(isSolved);
      const given = {
        scorer,
        validator: model,
        mode: "faithful",
        search: { ...FIRST, ...search },
        countTokens,
      } as const;
      for await (const { result } of compressRows([row], given)) return { status: result.status, asked };
      throw new Error("no row");
    };
    const once = (sample: number) => sample === 0;
    const one = await verified({ samples: 3, needed: 1, maxNewTokens: 7 }, once);
    expect(one.status).toBe("accepted");
    expect(one.asked[0]).toMatchObject({ samples: 3, maxNewTokens: 7 });
    expect((await verified({ samples: 3 }, once)).status).not.toBe("accepted");
    const [begun] = (await verified({ minSteps: 1 }, once)).asked;
    const [later] = (await verified({ minSteps: 4 }, once)).asked;
    expect(JSON.stringify(later!.prompt).length).toBeGreaterThan(JSON.stringify(begun!.prompt).length);
    const { asked } = await verified({ prompting: "released" }, once);
    expect(asked[0]!.prompt).toMatch(/^[^<]+<think>[^<]+<\/think>$/);
    expect(asked[0]!.prompt).toContain(row.question);
  });
});

describe("thoughtbook compress", { timeout: 120_000 }, () => {
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [join(repository, "lib", "bin.mjs"), "compress", ...args], { encoding: "utf8" });
  /** Start it, and kill it as soon as something holds. */
  const kill = async (args: readonly string[], isReady: () => boolean) => {
    const child = spawn(process.execPath, [join(repository, "lib", "bin.mjs"), "compress", ...args]);
    const ended = new Promise<string | null>((resolve) => child.once("exit", (_, signal) => resolve(signal)));
    while (!isReady() && child.exitCode === null) await new Promise((wake) => setTimeout(wake, 2));
    child.kill("SIGKILL");
    expect(await ended).toBe("SIGKILL");
  };
  const flags = (name: string) => [
    ...["--scorer-model-path", join(folder, "model"), "--validator-model-path", join(folder, "model")],
    ...["--data-path", data, "--format", "word-problems", "--output-path", join(folder, "cli", `${name}.jsonl`)],
    ...["--max-new-tokens", "8", "--max-len", "3"],
  ];

  it("prints what was kept, and gives the same bytes after it was killed", async () => {
    mkdirSync(join(folder, "cli"), { recursive: true });
    const whole = run(...flags("whole"));
    expect(whole.stderr).not.toMatch(/error/);
    expect(whole.stdout).toMatch(/^3 of 3 rows.*\nkept 100\.0 % of the tokens/);
    const cache = join(folder, "cli", "killed.jsonl.importance.jsonl");
    await kill(flags("killed"), () => existsSync(cache) && readFileSync(cache).length >= 2000);
    expect(existsSync(join(folder, "cli", "killed.jsonl"))).toBe(false);
    const again = run(...flags("killed"), "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ mode: "faithful", rows: { used: 3 } });
    const bytes = (name: string) => readFileSync(join(folder, "cli", `${name}.jsonl`), "utf8");
    expect(bytes("killed")).toBe(bytes("whole"));
    const other = run(...flags("whole"), "--sink");
    expect(other.stderr).toMatch(/error: .*(sink|begins or ends)/);
  });

  it("goes on among the rows where it was killed there", async () => {
    mkdirSync(join(folder, "cli"), { recursive: true });
    const count = 600;
    const large = (name: string) => [
      ...["--mode", "random", "--keep-share", "0.3", "--validator-model-path", join(folder, "model")],
      ...["--data-path", manyRows(count), "--format", "word-problems"],
      ...["--output-path", join(folder, "cli", `${name}.jsonl`)],
    ];
    const killed = join(folder, "cli", "many-killed.jsonl");
    await kill(large("many-killed"), () => rowsDone(killed) > 0);
    const done = rowsDone(killed);
    expect(done).toBeGreaterThan(0);
    expect(done).toBeLessThan(count);
    expect(run(...large("many-killed")).stdout).toMatch(/^600 of 600 rows/);
    run(...large("many-whole"));
    expect(readFileSync(killed, "utf8")).toBe(readFileSync(join(folder, "cli", "many-whole.jsonl"), "utf8"));
  });

  const models = () =>
    ["--scorer-model-path", "--validator-model-path"].flatMap((flag) => [flag, join(folder, "model")]);
  const inCli = (name: string) => {
    mkdirSync(join(folder, "cli"), { recursive: true });
    return join(folder, "cli", name);
  };

  it("takes each flag for what it says, and other tags", () => {
    const file = inCli("tagged.jsonl");
    const value = "<t> 2 + 3 = 5.\n\nWell.\n\nSo 5. </t> <s> \\boxed{5} </s>";
    writeFileSync(file, `${JSON.stringify({ conversations: [{ value: "What is 2 + 3?" }, { value }] })}\n`);
    const output = inCli("flags.jsonl");
    const training = inCli("flags-training.jsonl");
    const asked = run(
      ...[...models(), "--data-path", file, "--output-path", output, "--training-path", training, "--json"],
      ...["--thought-begin-tag", "<t>", "--thought-end-tag", "</t>"],
      ...["--solution-begin-tag", "<s>", "--solution-end-tag", "</s>"],
      ...["--mode", "best-first", "--alpha", "0.25", "--beta", "0.75", "--normalisation", "lift", "--signal", "nll"],
      ...["--a-star-expand-size", "3", "--neighbours", "0", "--min-search-steps", "2", "--max-search-steps", "7"],
      ...["--no-monotone", "--beam", "9", "--splitting", "faithful", "--samples", "3", "--needed", "1"],
      ...["--max-new-tokens", "4", "--prompting", "released", "--max-len", "5", "--seed", "6", "--sink"],
      ...["--training-solutions", "answer"],
    );
    expect(JSON.parse(asked.stdout || asked.stderr)).toMatchObject({
      rows: { rows: 1, used: 1 },
      settings: {
        mode: "best-first",
        importance: { alpha: 0.25, normalisation: "lift", signal: "nll" },
        search: {
          ...{ beta: 0.75, expandSize: 3, neighbours: 0, minSteps: 2, maxSteps: 7, monotone: false, beamWidth: 9 },
          ...{ samples: 3, needed: 1, maxNewTokens: 4, prompting: "released" },
        },
        read: { format: "conversations", splitting: "faithful", limit: 5 },
        tags: { thoughtBegin: "<t>", thoughtEnd: "</t>", solutionBegin: "<s>", solutionEnd: "</s>" },
        ...{ sink: true, seed: 6 },
      },
      peakMemory: expect.any(Number),
      seconds: expect.any(Number),
    });
    const row: CompressedRow = JSON.parse(readFileSync(output, "utf8"));
    expect(row.conversations[1].value).toMatch(/^<t>.*<\/t>\s*<s>.*<\/s>$/s);
    expect(readFileSync(training, "utf8")).toContain("So 5.");
    expect(readFileSync(training, "utf8")).not.toContain("boxed");
    expect(readFileSync(training, "utf8")).toContain("#### 5");
  });

  it("refuses two flags that say the same thing", () => {
    const given = [...models(), "--data-path", "x.jsonl", "--output-path", inCli("x.jsonl"), "--mode", "random"];
    expect(run(...given, "--like", "y.jsonl", "--keep-share", "0.5").stderr).toMatch(
      /--like and --keep-share say the same/,
    );
    expect(run(...given, "--format", "s1k", "--load-s1k").stderr).toMatch(/--format and --load-s1k say the same/);
  });

  it("reads s1K's Parquet, and makes baselines of a given size like other rows", () => {
    const column = (name: string, data: string[]) => ({ name, data, type: "STRING" as const });
    const file = inCli("s1k.parquet");
    const columnData = [
      column("question", ["q0", "q1", "q2"]),
      column("deepseek_thinking_trajectory", ["one\n\ntwo\n\nthree\n\nfour", "", "one\n\ntwo"]),
      column("deepseek_attempt", ["So \\boxed{4}.", "x", "2"]),
    ];
    writeFileSync(file, new Uint8Array(parquetWriteBuffer({ columnData })));
    const s1k = [...models(), "--data-path", file, "--load-s1k"];
    const last = run(...s1k, "--mode", "last", "--keep-share", "0.5", "--output-path", inCli("last.jsonl"));
    expect(last.stdout, last.stderr).toMatch(/^2 of 3 rows, .*1 empty chain/);
    const like = run(
      ...s1k,
      ...["--mode", "last", "--like", inCli("last.jsonl"), "--output-path", inCli("like.jsonl")],
    );
    expect(like.stdout, like.stderr).toMatch(/^2 of 3 rows/);
    const kept = (name: string) =>
      readFileSync(inCli(name), "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as CompressedRow).kept);
    for (const [i, steps] of [4, 2].entries()) {
      const own = kept("last.jsonl")[i]!;
      expect(own.length).toBeLessThan(steps);
      expect(own).toEqual([...Array(steps).keys()].slice(-own.length));
    }
    expect(kept("like.jsonl")).toEqual(kept("last.jsonl"));
  });

  it("asks the embedded models unless told otherwise", () => {
    mkdirSync(join(folder, "cli"), { recursive: true });
    const output = join(folder, "cli", "embedded.jsonl");
    const asked = run("--data-path", data, "--format", "word-problems", "--output-path", output, "--max-len", "2");
    expect(asked.stdout, asked.stderr).toMatch(/^2 of 2 rows/);
    const [first] = readFileSync(`${output}.importance.jsonl`, "utf8").split("\n");
    const measured = readFileSync(join(repository, "data", "models", "mini-scorer", "measured.json"), "utf8");
    expect(JSON.parse(first!)).toMatchObject({ settings: { model: JSON.parse(measured).modelHash } });
  });
});
