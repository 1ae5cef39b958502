import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { evaluate, formatRational, parseArithmetic } from "thoughtbook/answer";
import { createRandom } from "thoughtbook/core";
import { generateWordProblem } from "thoughtbook/data";
import { loadLocalModel } from "thoughtbook/llm";
import { loadTokenizer, openCheckpoint, readParameters } from "thoughtbook/model";
import { exampleMessages, operationExamples } from "thoughtbook/operations";
import {
  mostOperations,
  type Phase,
  pretrain,
  publishModels,
  type Recipe,
  readRecipe,
  readTraining,
  readTrainingCurve,
  type TrainingRecord,
} from "thoughtbook/train";
import { describe, expect, it } from "vitest";
import { encodeConversation } from "../../../lib/dist/model/chat/tokens.js";
import { joinTexts, operationEncoder } from "../../../lib/dist/train/examples/operation-ids.js";
import { problemStream } from "../../../lib/dist/train/pretrain/problem-stream.js";
import { failure, temporaryFolder } from "../../core/helpers.js";
import { SILENT } from "../helpers.js";

const PHASE: Phase = {
  name: "base",
  steps: 6,
  batchSize: 2,
  learningRate: 1e-3,
  schedule: "cosine",
  warmup: 2,
  optimizer: "muon",
  weightDecay: 0.01,
  beta2: 0.98,
  operations: [1, 2],
  distractors: [1, 1],
  withDistractors: 0.2,
  equations: 0.2,
  equationForms: "frequent",
  documents: 0,
  mixture: { cot: 1, decompose: 0.5, contract: 0.5, judge: 0.3, program: 0.5, code: 0.2 },
  untagged: 0.3,
  longest: 400,
};
const RECIPE: Recipe = {
  name: "tiny",
  seed: 3,
  tokenizer: { vocabularySize: 400, problems: 40 },
  model: {
    hidden_size: 16,
    intermediate_size: 24,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    max_position_embeddings: 600,
  },
  evaluation: { every: 3, problems: 2, operations: [1, 2], maxNewTokens: 5 },
  phases: [PHASE, { ...PHASE, name: "long", steps: 4, mixture: { cot: 0.5, think: 0.5 }, longest: 600 }],
  publish: { "tiny-base": "base", tiny: "long" },
};
/** What the recipe's phases are about. */
const TRAINED = new Set(["cot", "think", "decompose", "contract", "judge", "program", "code"]);

async function run(out: string, options: object = {}) {
  const records: [string, TrainingRecord][] = [];
  const onRecord = (record: TrainingRecord, phase: Phase) => records.push([phase.name, record]);
  const folder = await pretrain({ recipe: RECIPE, out, threads: 1, display: SILENT, onRecord, ...options });
  return { folder, records };
}

describe("pretrain", () => {
  it("makes tokenizer and models phase by phase, stops and goes on, and repeats with the seed", async () => {
    const out = await temporaryFolder();
    const { folder, records } = await run(out);
    expect(folder).toBe(join(out, "models", "long"));
    expect(records.map(([phase, { step }]) => [phase, step])).toEqual([
      ...Array.from({ length: 6 }, (_, i) => ["base", i + 1]),
      ...Array.from({ length: 4 }, (_, i) => ["long", i + 1]),
    ]);
    expect(records[2]![1].scores).toEqual({ "accuracy at 1": expect.any(Number), "accuracy at 2": expect.any(Number) });
    const model = await loadLocalModel(folder);
    expect(model.operations).toEqual(TRAINED);
    expect([...model.capabilities]).toContain("chat");
    expect(model.contextLength).toBe(600);

    const other = await temporaryFolder();
    expect((await failure(run(other, { until: "last" }))).message).toBe('the recipe has no phase "last"');
    expect((await run(other, { until: "base" })).folder).toBe(join(other, "models", "base"));
    expect(existsSync(join(other, "models", "long"))).toBe(false);
    const controller = new AbortController();
    const stop = (record: TrainingRecord) => {
      if (record.step === 2) controller.abort();
    };
    const stopped = await failure(run(other, { onRecord: stop, signal: controller.signal }));
    expect(stopped.message).toBe("training was stopped after update 2 of 4");
    const again = await run(other);
    expect(again.records.map(([phase, { step }]) => [phase, step])).toEqual(
      Array.from({ length: 4 }, (_, i) => ["long", i + 1]),
    );
    for (const file of ["model.safetensors", "tokenizer.json", "tokenizer_config.json", "thoughtbook.json"]) {
      expect(await readFile(join(again.folder, file)), file).toEqual(await readFile(join(folder, file)));
    }
    await rm(join(other, "models", "base"), { recursive: true });
    expect((await run(other)).records).toEqual([]);
    const different = await temporaryFolder();
    await run(different, { seed: 4, until: "base" });
    expect(await readFile(join(different, "models", "base", "model.safetensors"))).not.toEqual(
      await readFile(join(out, "models", "base", "model.safetensors")),
    );
  }, 120_000);

  it("gives the ids that the chat template gives, and each question's ids once", async () => {
    const out = await temporaryFolder();
    await run(out, { until: "base", recipe: { ...RECIPE, phases: [{ ...PHASE, steps: 1 }] } });
    const model = await loadLocalModel(join(out, "models", "base"));
    const tokenizer = model.tokenizer!;
    const { encode } = operationEncoder(tokenizer);
    const problem = generateWordProblem({ seed: 1, operations: 3, distractors: 1 });
    const random = createRandom(1);
    const examples = operationExamples(problem, random);
    expect(examples.length).toBeGreaterThan(8);
    for (const example of examples) {
      const { prompt, completion } = encode(example);
      const { ids } = encodeConversation(tokenizer, model.chatTemplate!, exampleMessages(example));
      expect([...prompt, ...completion], example.operation).toEqual([...ids]);
      expect(encode(example, false).prompt).toEqual(prompt.toSpliced(-2, 1));
    }
    const ofQuestion = examples.filter(({ prompt }) => prompt.startsWith(problem.question)).map((each) => encode(each));
    const { ids, branches } = joinTexts(ofQuestion);
    const question = tokenizer.encode(problem.question, { addSpecialTokens: false });
    expect([...ids.subarray(1, branches![0])]).toEqual(question);
  }, 60_000);

  it("draws examples by phase and seed, none longer than it may be", async () => {
    const out = await temporaryFolder();
    await run(out, { until: "base", recipe: { ...RECIPE, phases: [{ ...PHASE, steps: 1 }] } });
    const tokenizer = await loadTokenizer(join(out, "tokenizer"));
    const chunk = (seed: number, index: number, phase = PHASE) =>
      problemStream({ phase, tokenizer, seed }).chunk(index);
    const first = await chunk(1, 0);
    expect(await chunk(1, 0)).toEqual(first);
    for (const other of [chunk(2, 0), chunk(1, 1), chunk(1, 0, { ...PHASE, name: "other" })]) {
      expect(await other).not.toEqual(first);
    }
    expect(Math.max(...first.map(({ ids }) => ids.length))).toBeLessThanOrEqual(PHASE.longest);
    await expect(chunk(1, 0, { ...PHASE, longest: 5 })).rejects.toThrow("base gives no examples of at most 5 tokens");
    const untagged = problemStream({ phase: { ...PHASE, untagged: 1, mixture: { cot: 1 } }, tokenizer, seed: 1 });
    const [tag] = tokenizer.encode("<|cot|>", { addSpecialTokens: false });
    for (const { ids } of await untagged.chunk(0)) expect([...ids]).not.toContain(tag);
  }, 60_000);

  it("learns solutions after shortened thoughts as often as it is told", async () => {
    const out = await temporaryFolder();
    await run(out, { until: "base", recipe: { ...RECIPE, phases: [{ ...PHASE, steps: 1 }], publish: {} } });
    const tokenizer = await loadTokenizer(join(out, "tokenizer"));
    const phase = { ...PHASE, equations: 0, mixture: { think: 1 }, longest: 900 };
    const [end] = tokenizer.encode("</think>", { addSpecialTokens: false });
    const drawn = async (shortened: number | undefined) => {
      const content = { ...phase, ...(shortened === undefined ? {} : { shortened }) };
      const stream = problemStream({ phase: content, tokenizer, seed: 1 });
      const examples = await stream.chunk(0);
      const given = examples.filter(({ ids, labels }) => labels[ids.indexOf(end!)]! < 0);
      return { share: given.length / examples.length, fingerprint: stream.fingerprint };
    };
    const [always, half, unsaid] = [await drawn(1), await drawn(0.5), await drawn(undefined)];
    expect(always.share).toBe(1);
    expect(half.share).toBeGreaterThan(0.2);
    expect(half.share).toBeLessThan(0.8);
    expect(unsaid.share).toBe(0);
    expect(new Set([always, half, unsaid].map(({ fingerprint }) => fingerprint)).size).toBe(3);
  }, 60_000);

  it("draws equations that hold, and counts their right sides", async () => {
    const out = await temporaryFolder();
    await run(out, { until: "base", recipe: { ...RECIPE, phases: [{ ...PHASE, steps: 1 }], publish: {} } });
    const tokenizer = await loadTokenizer(join(out, "tokenizer"));
    const phase = { ...PHASE, equations: 1, longest: 60 };
    const examples = await problemStream({ phase, tokenizer, seed: 1 }).chunk(0);
    const texts = examples.map(({ ids }) => tokenizer.decode([...ids]));
    expect(new Set(texts).size).toBe(texts.length);
    for (const [i, { ids, labels }] of examples.entries()) {
      expect(ids.length).toBeLessThanOrEqual(60);
      const lines = texts[i]!.trimEnd().split("\n");
      for (const line of lines) {
        const [expression, result] = line.split("=") as [string, string];
        const parsed = parseArithmetic(expression);
        const value = parsed.ok ? evaluate(parsed.value) : parsed;
        expect(value.ok && formatRational(value.value), line).toBe(result);
      }
      const counted = tokenizer.decode([...ids].filter((_, at) => labels[at]! >= 0));
      expect(counted).toBe(lines.map((line) => `${line.split("=")[1]}\n`).join(""));
    }
    const balanced = await problemStream({ phase: { ...phase, equationForms: "balanced" }, tokenizer, seed: 1 }).chunk(
      0,
    );
    const sumsOfThree = (all: typeof examples) => {
      const lines = all.flatMap(({ ids }) =>
        tokenizer
          .decode([...ids])
          .trimEnd()
          .split("\n"),
      );
      return lines.filter((line) => /^\d+\+\d+\+\d+=/.test(line)).length / lines.length;
    };
    expect(sumsOfThree(balanced)).toBeGreaterThan(2 * sumsOfThree(examples));
  }, 60_000);

  it("draws texts without tags, in order or beginning in the thought, and counts all of them", async () => {
    const out = await temporaryFolder();
    await run(out, { until: "base", recipe: { ...RECIPE, phases: [{ ...PHASE, steps: 1 }], publish: {} } });
    const tokenizer = await loadTokenizer(join(out, "tokenizer"));
    const phase = { ...PHASE, mixture: {}, equations: 0, documents: 1, longest: 300 };
    const examples = await problemStream({ phase, tokenizer, seed: 1 }).chunk(0);
    const begins = examples.map(({ ids, labels }) => {
      expect(ids.length).toBeLessThanOrEqual(300);
      expect([...labels]).toEqual([-100, ...ids.slice(1)]);
      const text = tokenizer.decode([...ids]);
      expect(text).not.toMatch(/<\|(user|assistant|think|cot)\|>/);
      return text.split("\n\n", 1)[0]!;
    });
    const questions = begins.filter(
      (begin) => /(\?|Find [^.]*\.)$/.test(begin) && /\d/.test(begin) && begin.length > 40,
    );
    expect(questions.length / begins.length).toBeGreaterThan(0.3);
    expect(questions.length / begins.length).toBeLessThan(0.7);
  }, 60_000);
});

describe("a folder of pretrain", () => {
  it("is of one recipe and seed, as far as it is finished", async () => {
    const [out, into] = [await temporaryFolder(), await temporaryFolder()];
    await run(out, { until: "base" });
    const [base, long] = RECIPE.phases as [Phase, Phase];
    const otherwise = { ...RECIPE, phases: [{ ...base, learningRate: 0.5 }, long] };
    const seed = { code: "bad-input", message: `${out} holds a run with seed = 3, but now it is 4` };
    expect(await failure(run(out, { seed: 4 }))).toMatchObject(seed);
    expect(await failure(publishModels({ recipe: RECIPE, seed: 4, out, into }))).toMatchObject(seed);
    const rate = { code: "bad-input", message: expect.stringMatching(/phases\.0\.learningRate = 0\.001, .* 0\.5/) };
    expect(await failure(run(out, { recipe: otherwise }))).toMatchObject(rate);
    expect(await failure(publishModels({ recipe: otherwise, out, into }))).toMatchObject(rate);
    expect(existsSync(join(into, "tiny-base"))).toBe(false);
    const later = { ...RECIPE, phases: [base, { ...long, steps: 2 }] };
    expect((await run(out, { recipe: later })).records).toHaveLength(2);
    expect((await failure(run(out))).message).toMatch(/phases\.1\.steps = 2, but now it is 4/);
  }, 60_000);

  it("loses no update when it is stopped in an evaluation", async () => {
    const out = await temporaryFolder();
    const abort = new AbortController();
    // Long enough to be stopped in.
    const evaluation = { ...RECIPE.evaluation, problems: 100, maxNewTokens: 300 };
    const asked = { recipe: { ...RECIPE, evaluation }, until: "base" };
    const onRecord = ({ step }: TrainingRecord) => void (step === 2 && setTimeout(() => abort.abort(), 400));
    const { message } = await failure(run(out, { ...asked, onRecord, signal: abort.signal }));
    const [, stopped] = /^training was stopped after update (\d) of 6$/.exec(message)!;
    const folder = join(out, "runs", "base");
    expect((await readFile(join(folder, "records.jsonl"), "utf8")).trimEnd().split("\n")).toHaveLength(Number(stopped));
    expect(existsSync(join(folder, "state.safetensors"))).toBe(true);
  }, 60_000);

  it("gets its tokenizer anew where writing it was cut off", async () => {
    const out = await temporaryFolder();
    await run(out, { until: "base" });
    const tokenizer = join(out, "tokenizer");
    const whole = await readFile(join(tokenizer, "tokenizer_config.json"), "utf8");
    await rm(join(out, "models"), { recursive: true });
    await rm(join(tokenizer, "tokenizer_config.json"));
    await run(out, { until: "base" });
    expect(await readFile(join(tokenizer, "tokenizer_config.json"), "utf8")).toBe(whole);
  }, 60_000);
});

describe("publishModels", () => {
  it("writes the finished models in 16 bits with recipe, time and curve, and says what there is otherwise", async () => {
    const [out, into] = [await temporaryFolder(), await temporaryFolder()];
    const nothing = await failure(publishModels({ recipe: RECIPE, out, into }));
    expect(nothing.code).toBe("not-found");
    expect(nothing.hint).toContain("tiny-base after the phase base");
    await run(out, { until: "base" });
    expect(await publishModels({ recipe: RECIPE, out, into })).toEqual([join(into, "tiny-base")]);
    await run(out);
    expect(await publishModels({ recipe: RECIPE, out, into })).toEqual([join(into, "tiny-base"), join(into, "tiny")]);

    const model = await loadLocalModel(join(into, "tiny"));
    expect(model.operations).toEqual(TRAINED);
    const base = await loadLocalModel(join(into, "tiny-base"));
    expect(base.operations).toEqual(new Set([...TRAINED].filter((name) => name !== "think")));
    expect(JSON.parse(await readFile(join(into, "tiny-base", "thoughtbook.json"), "utf8")).name).toBe("tiny-base");
    expect([...model.capabilities]).toContain("chat");
    const read = async (name: string) => readFile(join(into, "tiny", name), "utf8");
    expect(JSON.parse(await read("config.json"))).toMatchObject({ dtype: "float16" });
    const training = JSON.parse(await read("training.json"));
    expect(training).toMatchObject({
      seed: 3,
      phases: [
        { phase: "base", updates: 6 },
        { phase: "long", updates: 4 },
      ],
    });
    const { publish: _, ...recipe } = RECIPE;
    expect(training.recipe).toEqual(recipe);
    // Evaluated every three updates and after the last one of each phase.
    const lines = (await read("curve.csv")).trim().split("\n");
    expect(lines[0]).toBe("phase,update,tokens,loss,accuracy at 1,accuracy at 2");
    expect(lines.slice(1).map((line) => line.split(",").slice(0, 2).join())).toEqual([
      "base,3",
      "base,6",
      "long,9",
      "long,10",
    ]);
    const tokens = lines.slice(1).map((line) => Number(line.split(",")[2]));
    expect(tokens).toEqual(tokens.toSorted((a, b) => a - b));
    const curve = await readTrainingCurve(join(into, "tiny"));
    expect(curve.map(({ name, records }) => [name, records.map(({ step }) => step)])).toEqual([
      ["base", [3, 6]],
      ["long", [3, 4]],
    ]);
    expect(curve[0]!.records[0]).toMatchObject({
      loss: Number(lines[1]!.split(",")[3]),
      scores: { "accuracy at 1": 0 },
    });
    const record = await readTraining(join(into, "tiny"));
    expect(record).toMatchObject({ seed: 3, phases: training.phases, recipe: { name: "tiny" } });
    expect(mostOperations(record)).toBe(PHASE.operations[1]);
    const weightsOf = async (folder: string) => readParameters(await openCheckpoint(folder));
    for (const [name, phase] of Object.entries(RECIPE.publish)) {
      const [published, trained] = [await weightsOf(join(into, name)), await weightsOf(join(out, "models", phase))];
      for (const [name, { data }] of Object.entries(published)) {
        expect(Math.max(...data.map((value, i) => Math.abs(value - trained[name]!.data[i]!)))).toBeLessThan(1e-3);
      }
    }
    await writeFile(join(into, "tiny", "training.json"), '{"seed": 3}');
    expect(await failure(readTraining(join(into, "tiny")))).toMatchObject({ code: "bad-input" });
    await writeFile(join(into, "tiny", "curve.csv"), "update,loss\n1,2\n");
    expect(await failure(readTrainingCurve(join(into, "tiny")))).toMatchObject({ code: "corrupt-data" });
  }, 120_000);
});

describe("recipes", () => {
  it("are read from files, and what is wrong is named", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "recipe.json");
    await mkdir(folder, { recursive: true });
    const write = (content: unknown) =>
      writeFile(file, typeof content === "string" ? content : JSON.stringify(content));
    await write(RECIPE);
    expect(await readRecipe(file)).toEqual(RECIPE);
    await write({ ...RECIPE, phases: [{ ...PHASE, operations: [3, 1] }] });
    expect((await failure(readRecipe(file))).message).toMatch(/no recipe: .*phases\[0\]\.operations/s);
    await write({ ...RECIPE, publish: { tiny: "last" } });
    expect((await failure(readRecipe(file))).message).toMatch(/publish/);
    for (const [part, phase] of [
      ["operations", { operations: [0, 2] }],
      ["operations", { operations: [1, 40] }],
      ["distractors", { distractors: [0, 9] }],
      ["longest", { longest: 601 }],
    ] as const) {
      await write({ ...RECIPE, phases: [{ ...PHASE, ...phase }], publish: {} });
      expect((await failure(readRecipe(file))).message, part).toMatch(part);
    }
    await write({ ...RECIPE, phases: [PHASE, PHASE], publish: {} });
    expect((await failure(readRecipe(file))).message).toMatch(/two phases have the same name/);
    await write({ ...RECIPE, evaluation: { ...RECIPE.evaluation, operations: [20] } });
    expect((await failure(readRecipe(file))).message).toMatch(/evaluation\.operations/);
    await write({ ...RECIPE, phases: [{ ...PHASE, mixture: { cook: 1 } }] });
    expect((await failure(readRecipe(file))).message).toMatch(/mixture/);
    await write("{");
    expect((await failure(readRecipe(file))).message).toMatch(/is no JSON/);
    expect((await failure(readRecipe(join(folder, "none.json")))).code).toBe("not-found");
  });

  it("of the repository are sound", async () => {
    const mini = await readRecipe(join(import.meta.dirname, "..", "..", "..", "data", "recipes", "mini.json"));
    expect(mini.name).toBe("mini");
    const scorer = await readRecipe(join(import.meta.dirname, "..", "..", "..", "data", "recipes", "mini-scorer.json"));
    expect(scorer.publish).toEqual({ "mini-scorer": "texts" });
  });
});
