import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { faithfulSearch, openPathCosts, type PathTags, THINK_TAGS, thoughtPrompt } from "thoughtbook/astar";
import { type LanguageModel, type LocalModel, loadLocalModel, type ScoreRequest } from "thoughtbook/llm";
import { OPERATIONS } from "thoughtbook/operations";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { releasedTags } from "../../../lib/dist/astar/paths/path-parts.js";
import { writeChatModel } from "../../model/generate/helpers.js";
import { scriptedModel } from "../../operations/helpers.js";

const NO_TAGS: PathTags = { thoughtBegin: "", thoughtEnd: "", solutionBegin: "", solutionEnd: "" };
const TAGS: PathTags = { thoughtBegin: "[T] ", thoughtEnd: " [/T]", solutionBegin: "[S] ", solutionEnd: " [/S]" };

interface WordModel extends LanguageModel {
  readonly calls: (readonly ScoreRequest[])[];
  readonly words: string[];
}

/**
 * A model without a tokenizer at hand, whose tokens are words and empty lines. A token's log-probability is what its name
 * says ("-1.5"), else −7.
 */
function wordModel(parts: Partial<LanguageModel> = {}): WordModel {
  const words: string[] = [];
  const calls: (readonly ScoreRequest[])[] = [];
  const idOf = (word: string) => (words.includes(word) ? words.indexOf(word) : words.push(word) - 1);
  const encode = (text: string) => (text.match(/\n\n|[^\s]+/g) ?? []).map(idOf);
  const model = scriptedModel(() => "", {
    capabilities: new Set(["text", "score", "countTokens"]),
    countTokens: async (prompt) => encode(prompt as string).length,
    async score(requests) {
      calls.push(requests);
      return requests.map(({ continuation }) => {
        const ids = typeof continuation === "string" ? encode(continuation) : continuation.ids;
        const logProbs = ids.map((id) => (Number.isNaN(Number(words[id]!.trim() || "x")) ? -7 : Number(words[id])));
        return { ids, logProbs: Float32Array.from(logProbs) };
      });
    },
    ...parts,
  });
  return { ...model, calls, words };
}

/** The words of the paths that were scored. */
const scoredWords = ({ calls, words }: WordModel): string[] =>
  calls.flat().flatMap(({ continuation }) => {
    return typeof continuation === "string" ? [] : continuation.ids.map((id) => words[id]!).join(" ");
  });

const TEXT = { prompt: "what is it", steps: ["-1 -1", "-3", "-4 -5 -6"], solution: "-0.25 -0.75" };

describe("openPathCosts", () => {
  it("has g = 0.2, h = 0.5, f = 0.7 where the thought's mean is −2, the solution's −0.5 and β 0.1", async () => {
    const text = { ...TEXT, steps: ["-1 -3", "-2 -2"], solution: "-0.25 -0.75 -0.5" };
    // Without a separator in it the thought has nothing but its own tokens.
    for (const set of [[0], [1]]) {
      const costs = await openPathCosts(wordModel(), text, { tags: TAGS });
      const [{ f, g, h }] = (await costs.of([set])) as [{ f: number; g: number; h: number }];
      expect([g, h, f].map((each) => Number(each.toFixed(7)))).toEqual([0.2, 0.5, 0.7]);
    }
  });

  it("counts thought and solution without tags, separators included (exact)", async () => {
    const costs = await openPathCosts(wordModel(), TEXT, { tags: TAGS, beta: 1 });
    const [both, none, last] = await costs.of([[0, 1], [], [2]]);
    // −1 −1 and the separator −7 and −3.
    expect(both).toMatchObject({ g: 3, h: 0.5, f: 3.5 });
    expect(none).toMatchObject({ g: 0, h: 0.5 });
    expect(last).toMatchObject({ g: 5, h: 0.5 });
  });

  it("counts as the released code does (faithful)", async () => {
    const [tagged] = await (await openPathCosts(wordModel(), TEXT, { tags: TAGS, beta: 1, variant: "faithful" })).of([
      [1],
    ]);
    // [T] −3 [/T] [S] and the first solution token, crowded out by [/S]; then [/S] alone, as the first is dropped.
    expect(tagged!.g).toBeCloseTo((7 + 3 + 7 + 7 + 0.25) / 5, 6);
    expect(tagged!.h).toBeCloseTo(7, 6);
    const open = { ...TAGS, thoughtEnd: "", solutionEnd: "" };
    const [untagged] = await (await openPathCosts(wordModel(), TEXT, { tags: open, beta: 1, variant: "faithful" })).of([
      [1],
    ]);
    expect(untagged!.g).toBeCloseTo((7 + 3 + 7) / 3, 6);
    expect(untagged!.h).toBeCloseTo(0.75, 6);
  });

  it("takes all after the question for h where the solution has one token (faithful), and 0 where it has none", async () => {
    const cost = async (solution: string, variant: "exact" | "faithful") =>
      (await (await openPathCosts(wordModel(), { ...TEXT, solution }, { tags: TAGS, variant })).of([[1]]))[0]!;
    // [T] −3 [/T] [S] −1 [/S]
    expect((await cost("-1", "faithful")).h).toBeCloseTo((7 + 3 + 7 + 7 + 1 + 7) / 6, 6);
    expect((await cost("-1", "exact")).h).toBeCloseTo(1, 6);
    for (const variant of ["exact", "faithful"] as const) {
      expect(await cost("", variant)).toMatchObject({ h: expect.any(Number), f: expect.any(Number) });
      expect(Number.isFinite((await cost("", variant)).f)).toBe(true);
    }
    expect((await cost("", "exact")).h).toBe(0);
  });

  it("scores all new paths in one call, each once, in the order of their steps", async () => {
    const model = wordModel();
    const costs = await openPathCosts(model, TEXT, { tags: NO_TAGS });
    const before = model.calls.length;
    const first = await costs.of([[0, 2], [1], [0, 2]]);
    expect(model.calls.length - before).toBe(1);
    expect(scoredWords(model)).toEqual(["-1 -1 \n\n -4 -5 -6 -0.25 -0.75", "-3 -0.25 -0.75"]);
    const second = await costs.of([[1], [0], [0, 2]]);
    expect(scoredWords(model).slice(2)).toEqual(["-1 -1 -0.25 -0.75"]);
    expect([first[2], second[2], second[0]]).toEqual([first[0], first[0], first[1]]);
    await costs.of([[0], [1]]);
    expect(model.calls.length - before).toBe(2);
    expect(costs.scored).toBe(3);
  });

  it("says what each step takes", async () => {
    const costs = await openPathCosts(wordModel(), { ...TEXT, steps: ["-1 -1", "", "-3"] }, { tags: TAGS });
    expect(costs.stepTokens).toEqual([3, 1, 2]);
    expect((await costs.of([[0, 1, 2]]))[0]!.g).toBeCloseTo((0.1 * (1 + 1 + 7 + 7 + 3)) / 5, 6);
  });

  it("costs ∞ where the path does not fit the context, without asking", async () => {
    const model = wordModel({ contextLength: 3 + 5 });
    const costs = await openPathCosts(model, TEXT, { tags: NO_TAGS });
    const [long, short] = await costs.of([[0, 2], [2]]);
    expect(long).toEqual({ f: Number.POSITIVE_INFINITY, g: Number.POSITIVE_INFINITY, h: Number.POSITIVE_INFINITY });
    expect(Number.isFinite(short!.f)).toBe(true);
    expect([costs.scored, costs.tooLong]).toEqual([1, 1]);
  });

  it("drives a search", async () => {
    const model = wordModel();
    const steps = ["-9", "-9", "-9", "-1", "-9", "-9", "-1"];
    const costs = await openPathCosts(model, { ...TEXT, steps }, { tags: NO_TAGS });
    const result = await faithfulSearch({
      n: 7,
      queue: [3, 0, 6, 1, 2, 4, 5],
      ...{ expandSize: 2, minSteps: 2, maxSteps: 9, boxedSolution: true },
      cost: async (sets) => (await costs.of(sets)).map(({ f }) => f),
      valid: async () => true,
    });
    // {2,3,4} with {5,6} costs less than with {0,1}.
    expect(result).toMatchObject({ kept: [2, 3, 4, 5, 6], status: "accepted" });
  });

  it.each<[string, Partial<typeof TEXT>, object, string]>([["β below 0", {}, { beta: -1 }, "beta is -1"]])(
    "refuses %s",
    async (_, text, options, message) => {
      await expect(openPathCosts(wordModel(), { ...TEXT, ...text }, { tags: TAGS, ...options })).rejects.toMatchObject({
        code: "bad-input",
        message: expect.stringContaining(message),
      });
    },
  );

  it("refuses a model that cannot score, and what is no set", async () => {
    await expect(
      openPathCosts(
        scriptedModel(() => ""),
        TEXT,
        { tags: TAGS },
      ),
    ).rejects.toThrow(/score.*A\*-Thought/);
    const costs = await openPathCosts(wordModel(), TEXT, { tags: TAGS });
    for (const set of [[1, 0], [0, 0], [3], [-1], [0.5]]) {
      await expect(costs.of([set])).rejects.toMatchObject({ code: "bad-input" });
    }
  });
});

describe("costs of a local model", () => {
  let folder: string;
  let model: LocalModel;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-astar-"));
    await writeChatModel(folder);
    model = await loadLocalModel(folder);
  });
  afterAll(async () => {
    await model.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  it("are those of ids joined by hand", async () => {
    const prompt = { messages: [{ role: "user" as const, content: "where is the cat" }] };
    const steps = ["the cat sat", "on the mat", "so it is"];
    const solution = "the mat.";
    const tags = { ...NO_TAGS, thoughtBegin: "a", thoughtEnd: "b" };
    const costs = await openPathCosts(model, { prompt, steps, solution }, { tags, beta: 0.5 });
    const part = (text: string) => model.tokenizer!.encode(text, { addSpecialTokens: false, continues: true });
    const thought = [...part("the cat sat"), ...part("\n\n"), ...part("so it is")];
    const before = [...model.encode(prompt), ...part("a")];
    const mean = async (ids: number[], after: number[]) => {
      const [score] = await model.score([{ prompt: { ids: after }, continuation: { ids } }]);
      return -score!.logProbs.reduce((sum, each) => sum + each, 0) / ids.length;
    };
    const [{ f, g, h }] = (await costs.of([[0, 2]])) as [{ f: number; g: number; h: number }];
    expect(g).toBeCloseTo(0.5 * (await mean(thought, before)), 4);
    expect(h).toBeCloseTo(await mean(part(solution), [...before, ...thought, ...part("b")]), 4);
    expect(f).toBe(g + h);
    expect(costs.stepTokens).toEqual(steps.map((step) => part(step).length + part("\n\n").length));
    // Batches change rounding only.
    const [again] = await (await openPathCosts(model, { prompt, steps, solution }, { tags, beta: 0.5 })).of([
      [0, 2],
      [0],
      [0, 1, 2],
      [],
    ]);
    expect(again!.f).toBeCloseTo(f, 5);
  });

  it("end in an error when told to stop", async () => {
    const costs = await openPathCosts(model, { ...TEXT, prompt: "the cat" }, { tags: TAGS });
    const signal = AbortSignal.abort();
    await expect(costs.of([[0]], { signal })).rejects.toMatchObject({ code: "interrupted" });
    expect(Number.isFinite((await costs.of([[0]]))[0]!.f)).toBe(true);
  });
});

describe("tags", () => {
  it("are chosen by the validator's name as the released code does", () => {
    expect(releasedTags("bespokelabs/Bespoke-Stratos-32B").solutionEnd).toBe("<|end_of_solution|>");
    expect(releasedTags("simplescaling/s1.1-32B")).toEqual({
      thoughtBegin: "<|im_start|>think",
      thoughtEnd: "",
      solutionBegin: "<|im_start|>answer",
      solutionEnd: "",
    });
    expect(releasedTags("Qwen/QwQ-32B")).toEqual({
      thoughtBegin: "<think>",
      thoughtEnd: "</think>",
      solutionBegin: "",
      solutionEnd: "",
    });
  });

  it("of the operation `think` are those it writes and thoughtPrompt uses", () => {
    const thought = "one\n\ntwo";
    const written = OPERATIONS.think.write({ kind: "cut-off", thought, thoughtEnded: true, partial: "" });
    expect(`${THINK_TAGS.thoughtBegin}${thought}${THINK_TAGS.thoughtEnd}`).toBe(written);
    const chat = scriptedModel(() => "", { operations: new Set(["think"]) });
    expect(thoughtPrompt(chat, "Why?", ["one", "two"])).toEqual({
      messages: [{ role: "user", operation: "think", content: "Why?" }],
      answer: written,
    });
    const plain = scriptedModel(() => "", { capabilities: new Set(["text"]), operations: new Set(["think"]) });
    expect(thoughtPrompt(plain, "Why?", [])).toBe("<|think|>Why?\n<think>\n\n</think>\n");
  });
});
