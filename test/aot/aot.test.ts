import { type AtomOptions, type AtomTrace, aot, aotPlugin } from "thoughtbook/aot";
import type { TextRequest } from "thoughtbook/llm";
import { type Attempt, runAttempts } from "thoughtbook/rollouts";
import { cot } from "thoughtbook/strategies";
import type { Problem } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure } from "../core/helpers.js";
import { type Said, type ScriptedModel, scriptedModel } from "../operations/helpers.js";

const QUESTION = "Ana has 3 pens. Ben has 4 pens. Cem has as many as both. How many pens do all three have?";
const problem = (id = "p", parts: Partial<Problem> = {}): Problem => ({
  ...{ id, question: QUESTION, kind: "gsm8k", references: ["14"] },
  ...parts,
});

const textOf = ({ prompt }: TextRequest): string => {
  const { messages } = prompt as { messages: readonly { content: string }[] };
  return messages.map(({ content }) => content).join("\n");
};

type Operation = "cot" | "decompose" | "multistep" | "label" | "contract" | "contract-passages" | "judge" | "verify";
const operationOf = (text: string): Operation => {
  if (text.startsWith("Split the question")) return "decompose";
  if (text.startsWith("Solve the problem by sub-questions")) return "multistep";
  if (text.startsWith("Below are a question and a solution of it")) return "label";
  if (text.includes("between <context>")) return "contract-passages";
  if (text.startsWith("Some sub-questions")) return "contract";
  if (text.startsWith("Below are a question and several answers")) return "judge";
  return text.startsWith("Check the solution") ? "verify" : "cot";
};

const GRAPH = `1. How many pens do Ana and Ben have? []
2. How many pens does Cem have? [1]
3. How many pens do all three have? [1, 2]`;
const CONTRACTED = "Ana and Ben have 7 pens. Cem has as many. How many pens do all three have?";

/** What a model says to each operation, unless a test says otherwise. */
const SCRIPT: Record<Operation, (text: string) => Said> = {
  decompose: () => GRAPH,
  multistep: () => "How many pens do Ana and Ben have? 7\nHow many pens do all three have? 15\n#### 15",
  label: () =>
    '{"sub-questions": [{"description": "How many pens do Ana and Ben have?", "answer": 7, "depend": []}, {"description": "How many pens do all three have?", "answer": "15", "depend": [0]}], "answer": 15}',
  contract: () => `<question>${CONTRACTED}</question>`,
  "contract-passages": () => "<context>A. B.</context><question>Who?</question>",
  judge: (text) => `Best: ${text.match(/^Answer \d+:/gm)!.length}`,
  verify: () => '{"verdict": "right"}',
  cot(text) {
    if (text.endsWith(CONTRACTED)) return "7 + 7 = 14\n#### 14";
    if (text.endsWith("How many pens do Ana and Ben have?")) return "3 + 4 = 7\n#### 7";
    if (text.endsWith("How many pens does Cem have?")) return "#### 7";
    return text.includes("Cem have? 7") ? "#### 14" : "3 + 4 = 7\n#### 7";
  },
};

const model = (changed: Partial<typeof SCRIPT> = {}) =>
  scriptedModel((request) => {
    const text = textOf(request);
    return { ...SCRIPT, ...changed }[operationOf(text)](text);
  });

const asked = ({ calls }: ScriptedModel) => calls.flatMap(({ requests }) => requests.map(textOf));

/** The model after an attempt in one transition. */
async function used(scripted: ScriptedModel): Promise<ScriptedModel> {
  await attempted(scripted, { mode: "single" });
  return scripted;
}

async function attempted(
  scripted: ScriptedModel,
  options: AtomOptions = {},
  problems: readonly Problem[] = [problem()],
): Promise<(Attempt & { trace: AtomTrace })[]> {
  const places = problems.map((each) => ({ problem: each, sample: 0 }));
  return (await runAttempts(aot(options), places, { model: scripted })) as (Attempt & { trace: AtomTrace })[];
}

describe("Atom of Thoughts", () => {
  it("decomposes, answers the graph by layers, contracts, solves, and lets the model judge", async () => {
    const scripted = model();
    const [attempt] = await attempted(scripted, { mode: "single" });
    expect(attempt!.solution).toBe("7 + 7 = 14\n#### 14");
    expect(attempt!.trace).toEqual({
      mode: "single",
      stopped: "depth",
      failures: [],
      costs: [{ calls: 8, promptTokens: expect.any(Number), completionTokens: expect.any(Number) }],
      transitions: [
        {
          question: QUESTION,
          graph: [
            { question: "How many pens do Ana and Ben have?", dependsOn: [], answer: "7" },
            { question: "How many pens does Cem have?", dependsOn: [0], answer: "7" },
            { question: "How many pens do all three have?", dependsOn: [0, 1], answer: "14" },
          ],
          contracted: CONTRACTED,
          answers: { question: "7", graph: "14", contracted: "14" },
          chosen: "contracted",
          chosenBy: "judge",
        },
      ],
    });
    // The question and its graph, three layers, contraction, its solution, the judge.
    expect(scripted.calls.map(({ requests }) => requests.length)).toEqual([2, 1, 1, 1, 1, 1, 1]);
    expect(attempt!.calls.map(({ operation }) => operation)).toEqual([
      "cot",
      "decompose",
      "cot",
      "cot",
      "cot",
      "contract",
      "cot",
      "judge",
    ]);
  });

  it("gives a sub-question the answers of exactly its dependencies, in place of what the question asks", async () => {
    const scripted = model();
    await attempted(scripted, { mode: "single" });
    const told = "Ana has 3 pens. Ben has 4 pens. Cem has as many as both.";
    const subQuestions = asked(scripted).filter((text) => text.includes(told) && operationOf(text) === "cot");
    expect(subQuestions.map((text) => text.slice(text.indexOf(told) + told.length))).toEqual([
      " How many pens do all three have?",
      " How many pens do Ana and Ben have?",
      " How many pens do Ana and Ben have? 7. How many pens does Cem have?",
      " How many pens do Ana and Ben have? 7. How many pens does Cem have? 7. How many pens do all three have?",
    ]);
    // Only independent sub-questions are known in a contraction.
    const [contraction] = asked(scripted).filter((text) => operationOf(text) === "contract");
    expect(contraction!.slice(contraction!.indexOf("Known:"))).toBe("Known:\nHow many pens do Ana and Ben have? 7");
  });

  it("goes on while the contracted question wins, to the depth of the first graph or the maximum", async () => {
    const cot = (text: string) => {
      if (text.includes("have? 7")) return "#### 14";
      return /Contracted (\d)/.test(text) ? `#### ${100 + Number(/Contracted (\d)/.exec(text)![1])}` : "#### 7";
    };
    let contractions = 0;
    const contract = () => `<question>Contracted ${contractions++}. How many pens do all three have?</question>`;
    const judge = () => "Best: 3";
    const [deep] = await attempted(model({ cot, contract, judge }));
    expect(deep!.trace.transitions.map(({ chosen }) => chosen)).toEqual(["contracted", "contracted"]);
    expect(deep!.trace.stopped).toBe("depth");
    expect(deep!.trace.transitions[1]!.question).toMatch(/^Contracted 0/);
    expect(deep!.solution).toBe("#### 101");
    const [bounded] = await attempted(model({ cot, contract, judge }), { transitions: 1 });
    expect(bounded!.trace.transitions).toHaveLength(1);
    const [judged] = await attempted(model({ cot, contract, judge: () => "Best: 1" }));
    expect(judged!.trace).toMatchObject({ stopped: "judge", transitions: [{ chosen: "question", chosenBy: "judge" }] });
    expect(judged!.solution).toBe("#### 7");
  });

  it("asks no judge where all answers agree, or there is no edge", async () => {
    const same = model({ cot: () => "#### 14" });
    const [agreed] = await attempted(same);
    expect(agreed!.trace).toMatchObject({ stopped: "agreement", transitions: [{ chosenBy: "agreement" }] });
    expect(asked(same).some((text) => operationOf(text) === "judge")).toBe(false);
    const flat = model({ decompose: () => "1. How many pens do all three have? []" });
    const [atomic] = await attempted(flat);
    expect(atomic!.trace).toMatchObject({ mode: "iterate", stopped: "atomic", transitions: [], failures: [] });
    expect(flat.calls).toHaveLength(1);
  });

  it.each<[string, Partial<typeof SCRIPT>, string, string]>([
    ["no graph", { decompose: () => "I do not know." }, "decompose", "no-graph"],
    [
      "a dependency on itself",
      { decompose: () => "1. How many? [1]\n2. How many in all? [1]" },
      "decompose",
      "no-graph",
    ],
    ["a cycle", { decompose: () => "1. How many? [2]\n2. How many in all? [1]" }, "decompose", "no-graph"],
    [
      "a dependency that is not there",
      { decompose: () => "1. How many? []\n2. How many in all? [7]" },
      "decompose",
      "no-graph",
    ],
    ["a forward reference", { decompose: () => "1. How many? [2]\n2. How many in all? []" }, "decompose", "no-graph"],
    ["an empty contraction", { contract: () => "<question></question>" }, "contract", "no-contraction"],
  ])("falls back to the direct answer with %s, after three tries", async (_, changed, step, stopped) => {
    const scripted = model({ ...changed, judge: () => "Best: 1" });
    const [attempt] = await attempted(scripted);
    expect(attempt!.trace.failures).toMatchObject([{ step, transition: 0, failure: "unparseable" }]);
    expect(attempt!.trace.stopped).toBe(stopped);
    expect(attempt!.solution).toMatch(/#### 7$/);
    expect(asked(scripted).filter((text) => operationOf(text) === step)).toHaveLength(3);
  });

  it("asks a graph again that is not valid", async () => {
    let tries = 0;
    const [attempt] = await attempted(model({ decompose: () => (tries++ === 0 ? "1. How many? [1]" : GRAPH) }));
    expect(attempt!.trace.failures).toEqual([]);
    expect(attempt!.trace.transitions).not.toEqual([]);
  });

  it("lets the majority decide where a judge names none, and has no answer where nothing was solved", async () => {
    const [attempt] = await attempted(model({ judge: () => "They are all good." }), { mode: "single" });
    expect(attempt!.trace.transitions[0]).toMatchObject({ chosen: "contracted", chosenBy: "fallback" });
    expect(attempt!.trace.failures).toMatchObject([{ step: "judge" }]);
    const [unsolved] = await attempted(model({ cot: () => "Well." }));
    expect(unsolved).toMatchObject({ text: "", trace: { stopped: "no-contraction" } });
    expect(unsolved).not.toHaveProperty("solution");
  });

  it("gives a sub-question none whose dependencies have no answer", async () => {
    const cot = (text: string) => (text.endsWith("Ana and Ben have?") ? "Well." : "#### 7");
    const [attempt] = await attempted(model({ cot }));
    const graph = attempt!.trace.transitions[0]!.graph!;
    expect(graph.map(({ answer }) => answer)).toEqual([undefined, undefined, undefined]);
    expect(attempt!.trace.stopped).toBe("no-contraction");
    expect(attempt!.solution).toBe("#### 7");
  });

  it("chooses by majority or by a verifier, and leaves parts out", async () => {
    const [majority] = await attempted(model(), { mode: "single", judge: "majority" });
    expect(majority!.trace.transitions[0]).toMatchObject({ chosen: "contracted", chosenBy: "majority" });
    const verify = (text: string) =>
      text.includes("3 + 4 = 7") ? '{"verdict": "right"}' : '{"verdict": "wrong", "reason": ""}';
    const [verified] = await attempted(model({ verify }), { mode: "single", judge: "verifier" });
    expect(verified!.trace.transitions[0]).toMatchObject({ chosen: "question", chosenBy: "verifier" });
    const [without] = await attempted(model(), { mode: "single", without: ["graph", "judge"] });
    expect(without!.trace.transitions[0]).toMatchObject({ chosen: "contracted", chosenBy: "only" });
    expect(without!.trace.transitions[0]!.answers).not.toHaveProperty("graph");
    const [kept] = await attempted(model(), { without: ["contraction"] });
    expect(kept!.trace).toMatchObject({ stopped: "no-contraction", transitions: [{ chosen: "graph" }] });
  });

  it("keeps options and passages in what it contracts", async () => {
    const options = "(A) 7\n(B) 14";
    const choice = problem("c", { kind: "choice", question: `${QUESTION}\n${options}`, references: ["B"] });
    const scripted = model();
    await attempted(scripted, { mode: "single" }, [choice]);
    expect(asked(scripted).some((text) => text.endsWith(`${CONTRACTED}\n${options}`))).toBe(true);
    expect(
      asked(scripted)
        .filter((text) => text.endsWith("Ana and Ben have?"))
        .every((text) => !text.includes("(A)")),
    ).toBe(true);
    const hops = problem("h", { kind: "words", question: "A. B. C.\n\nWho is it?", references: ["Ana"] });
    const graph = "1. Who is A? []\n2. Who is it? [1]";
    const reader = model({ decompose: () => graph, cot: () => "#### Ana", judge: () => "Best: 1" });
    const [read] = await attempted(reader, { mode: "single" }, [hops]);
    expect(read!.trace.transitions[0]!.contracted).toBe("A. B.\n\nWho?");
    expect(asked(reader).some((text) => text.endsWith("A. B. C.\n\nWho is A?"))).toBe(true);
  });

  it("leaves out dependent questions, or the whole graph", async () => {
    const scripted = model();
    const [attempt] = await attempted(scripted, { mode: "single", without: ["dependent"] });
    const [transition] = attempt!.trace.transitions;
    expect(transition!.graph!.map(({ answer }) => answer)).toEqual(["7", undefined, undefined]);
    expect(transition!.answers).toEqual({ question: "7", contracted: "14" });
    // The question, its graph, one sub-question, contraction, its solution, the judge.
    expect(attempt!.calls).toHaveLength(6);
    expect(attempt!.solution).toBe("7 + 7 = 14\n#### 14");
    expect((await attempted(model(), { mode: "single", without: ["graph"] }))[0]!.calls).toHaveLength(6);
  });

  it("makes the released transition in six calls: labels of a solution, and the judge whatever is said", async () => {
    const scripted = model({ judge: () => "Best: 3" });
    const [attempt] = await attempted(scripted, { mode: "single", graph: "label" });
    expect(attempt!.calls.map(({ operation }) => operation).sort()).toEqual(
      ["contract", "cot", "cot", "judge", "label", "multistep"].sort(),
    );
    expect(attempt!.trace).toMatchObject({ mode: "single", stopped: "depth", failures: [] });
    expect(attempt!.trace.transitions).toEqual([
      {
        question: QUESTION,
        graph: [
          { question: "How many pens do Ana and Ben have?", dependsOn: [], answer: "7" },
          { question: "How many pens do all three have?", dependsOn: [0], answer: "15" },
        ],
        contracted: CONTRACTED,
        answers: { question: "7", graph: "15", contracted: "14" },
        chosen: "contracted",
        chosenBy: "judge",
      },
    ]);
    expect(attempt!.solution).toBe("7 + 7 = 14\n#### 14");
    // The label sees the solution by sub-questions, and only what is independent is known in the contraction.
    expect(asked(scripted).find((text) => operationOf(text) === "label")).toContain("all three have? 15\n#### 15");
    expect(asked(scripted).find((text) => operationOf(text) === "contract")).toMatch(/Known:\n[^\n]*Ben have\? 7$/);
    // All the same: the judge is asked as well, and of equal answers the first solution counts.
    const [same] = await attempted(model({ cot: () => "#### 15", judge: () => "Best: 3" }), {
      mode: "single",
      graph: "label",
    });
    expect(same!.calls).toHaveLength(6);
    expect(same!.trace.transitions[0]).toMatchObject({ chosen: "question", chosenBy: "judge" });
    // Where the judge names none, the direct solution counts.
    const [none] = await attempted(model({ judge: () => "Well." }), { mode: "single", graph: "label" });
    expect(none!.trace.transitions[0]).toMatchObject({ chosen: "question", chosenBy: "fallback" });
    const [unlabelled] = await attempted(model({ label: () => '{"sub-questions": []}' }), {
      mode: "single",
      graph: "label",
    });
    expect(unlabelled!.trace).toMatchObject({ stopped: "no-graph", failures: [{ step: "label" }] });
    expect(unlabelled!.solution).toMatch(/#### 7$/);
  });

  it("makes the released plug-in in 14 calls before the other strategy", async () => {
    const scripted = model({ judge: () => "Best: 2" });
    const places = [{ problem: problem(), sample: 0 }];
    const [plugged] = await runAttempts(aotPlugin(cot(), { graph: "label" }), places, { model: scripted });
    expect(plugged!.calls).toHaveLength(14 + 1);
    expect(plugged).toMatchObject({ solution: "7 + 7 = 14\n#### 14", trace: { contracted: CONTRACTED } });
    const [kept] = await runAttempts(aotPlugin(cot(), { graph: "label" }), places, {
      model: model({ judge: () => "Best: 1" }),
    });
    expect(kept).toMatchObject({ trace: { contracted: QUESTION } });
  });

  it("goes on with what there is where a prompt is too long for the context", async () => {
    const length = (prompt: TextRequest["prompt"]) => textOf({ prompt } as TextRequest).length;
    const parts = { capabilities: new Set(["text", "chat", "countTokens"] as const), contextLength: 900 };
    const say = (request: TextRequest) => {
      const text = textOf(request);
      return SCRIPT[operationOf(text)](text);
    };
    const bounded = (contextLength: number) =>
      scriptedModel(say, { ...parts, contextLength, countTokens: async (prompt) => length(prompt) });
    const longest = Math.max(...asked(await used(model())).map((text) => text.length));
    const [judged] = await attempted(bounded(longest), { mode: "single" });
    expect(judged!.trace.failures).toMatchObject([{ failure: "too-long" }]);
    expect(judged!.solution).toBeDefined();
    // Not even the question fits: there is no call, and no answer.
    const [nothing] = await attempted(bounded(10));
    expect(nothing).toMatchObject({ text: "", calls: [], trace: { stopped: "no-graph" } });
    expect(nothing!.trace.failures.map(({ step, failure }) => [step, failure]).sort()).toEqual([
      ["decompose", "too-long"],
      ["solve", "too-long"],
    ]);
  });

  it("asks what many problems ask in few calls", async () => {
    const many = (count: number) =>
      Array.from({ length: count }, (_, index) => problem(`p${index}`, { question: `${index} pens. ${QUESTION}` }));
    const [few, lots] = [model(), model()];
    await attempted(few, {}, many(8));
    await attempted(lots, {}, many(64));
    expect(lots.calls.length).toBeLessThanOrEqual(2 * few.calls.length);
  });

  it("chooses among several sampled chains, or contracts before another strategy", async () => {
    const [best] = await attempted(model(), { mode: "best-of-k", chains: 3 });
    expect(best!.solution).toMatch(/#### 14$/);
    expect((best!.trace as unknown as { chains: unknown[] }).chains).toHaveLength(3);
    const scripted = model();
    const places = [{ problem: problem(), sample: 0 }];
    const [plugged] = await runAttempts(aotPlugin(cot()), places, { model: scripted });
    expect(plugged).toMatchObject({ solution: "7 + 7 = 14\n#### 14", trace: { contracted: CONTRACTED } });
    const temperatures = new Set(
      scripted.calls.flatMap(({ requests }) => requests.map(({ temperature }) => temperature)),
    );
    expect(temperatures).toContain(0.7);
  });

  it("refuses numbers and modes that make no sense", async () => {
    expect(await failure(() => aot({ transitions: 0 }))).toMatchObject({ code: "bad-input" });
    expect(await failure(() => aot({ mode: "twice" as never }))).toMatchObject({ code: "bad-input" });
    expect(await failure(() => aot({ without: ["questions" as never] }))).toMatchObject({ code: "bad-input" });
    expect(await failure(() => aot({ judge: "jury" as never }))).toMatchObject({ code: "bad-input" });
    expect(await failure(() => aot({ graph: "label" }))).toMatchObject({ code: "bad-input" });
    expect(await failure(() => aotPlugin(cot(), { chains: 1.5 }))).toMatchObject({ code: "bad-input" });
  });
});
