import { type AtomTrace, accuracyByDepth, aot, atomChains, questionDepths, summarizeAtoms } from "thoughtbook/aot";
import { type EvaluationRecord, evaluate, readEvaluationRecords } from "thoughtbook/eval";
import { drawAtomTrace } from "thoughtbook/plot";
import { selfConsistency, treeOfThoughts } from "thoughtbook/strategies";
import { createTask, loadTask } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";
import { SILENT } from "../eval/helpers.js";
import { scriptedModel } from "../operations/helpers.js";

const chain = (parts: Partial<AtomTrace> = {}): AtomTrace => ({
  ...{ mode: "iterate", transitions: [], stopped: "atomic", failures: [], costs: [] },
  ...parts,
});
const TRANSITION: AtomTrace["transitions"][number] = {
  question: "How many pens <do> all have?",
  graph: [
    { question: "How many pens has Ana?", dependsOn: [], answer: "3" },
    { question: "How many has Ben?", dependsOn: [0] },
    { question: "How many pens do all have?", dependsOn: [0, 1], answer: "7" },
  ],
  contracted: "Ana has 3 pens. How many do all have?",
  answers: { question: "8", graph: "7", contracted: "7" },
  chosen: "graph",
  chosenBy: "judge",
};
const record = (problem: string, right: boolean, parts: Partial<EvaluationRecord> = {}) =>
  ({ problem, correct: { strict: right }, ...parts }) as EvaluationRecord;

/** Decomposes, but contracts nothing that can be read. */
const halting = () =>
  scriptedModel(({ prompt }) => {
    const text = JSON.stringify(prompt);
    if (text.includes("Split the question")) return "1. How many first? []\n2. How many? [1]";
    return text.includes("Some sub-questions") ? "<question></question>" : "#### 5";
  });

describe("traces in records of an evaluation", () => {
  it("are kept, read back, and failed steps counted in the summary", async () => {
    const task = createTask(
      "sums",
      ["1", "2"].map((id) => ({ id, kind: "math" as const, question: `Sum ${id}?`, references: ["5"] })),
    );
    const folder = await temporaryFolder();
    const { records, summary } = await evaluate(aot(), task, { model: halting(), folder, display: SILENT });
    expect(await readEvaluationRecords(folder)).toEqual(records);
    for (const { trace } of records) {
      const [read] = atomChains(trace);
      expect(read).toMatchObject({ stopped: "no-contraction", failures: [{ step: "contract" }], mode: "iterate" });
      expect(read!.costs[0]).toMatchObject({ calls: 7 });
    }
    expect(summary.budgets[0]!.failedSteps).toEqual({ attempts: 2, steps: { contract: 2 } });
    expect(summary.budgets[0]!.accuracy.strict!.value).toBe(1);
  });

  it("are kept of other strategies too, which are no chains", async () => {
    const task = await loadTask("word-problems:3", { limit: 1 });
    for (const strategy of [selfConsistency({ samples: 2 }), treeOfThoughts({ width: 1, branches: 1, steps: 2 })]) {
      const { records } = await evaluate(strategy, task, { model: halting(), display: SILENT });
      expect(records[0]!.trace).toBeDefined();
      expect(records[0]!.depth).toBeGreaterThanOrEqual(1);
      expect(atomChains(records[0]!.trace)).toEqual([]);
      expect(await failure(() => summarizeAtoms(records))).toMatchObject({ code: "bad-input" });
    }
    expect(atomChains(undefined)).toEqual([]);
    expect(
      atomChains({ ...chain(), transitions: [{ ...TRANSITION, graph: [{ question: "a", dependsOn: [0] }] }] }),
    ).toEqual([]);
  });
});

describe("summaries of traces", () => {
  it("count transitions, depths, who won, and failures", () => {
    const failed = { step: "contract", transition: 0, failure: "cut-off", reason: "the text ends" } as const;
    const traces = [
      chain(),
      chain({ transitions: [TRANSITION], stopped: "judge" }),
      chain({
        transitions: [TRANSITION, { ...TRANSITION, chosen: "contracted" }],
        stopped: "depth",
        failures: [failed],
      }),
      chain({ stopped: "no-graph", failures: [{ ...failed, step: "decompose", failure: "unparseable" }] }),
    ];
    expect(summarizeAtoms(traces.map((trace) => ({ trace })))).toEqual({
      chains: 4,
      transitions: [2, 1, 1],
      depths: [1, 0, 2],
      stopped: { atomic: 1, judge: 1, depth: 1, "no-graph": 1 },
      chosen: { graph: 2, contracted: 1 },
      chosenBy: { judge: 3 },
      failures: { "contract: cut-off": 1, "decompose: unparseable": 1 },
      withFailures: 2,
    });
    // Best-of-k holds several chains.
    expect(summarizeAtoms([{ trace: { mode: "best-of-k", chains: traces, failures: [] } }]).chains).toBe(4);
  });

  it("give accuracy by depth: of the data where it is known, else of the model's graph, also for another strategy", () => {
    const own = [
      record("a", true, { trace: chain({ transitions: [TRANSITION] }) }),
      record("b", false, { trace: chain({ transitions: [TRANSITION] }), depth: 4 }),
      record("c", false, { trace: chain({ stopped: "no-graph" }) }),
      record("d", true, { trace: chain() }),
    ];
    const depths = questionDepths(own);
    expect([...depths]).toEqual([
      ["a", 2],
      ["b", 4],
      ["d", 0],
    ]);
    const counts = (records: EvaluationRecord[], of = depths) =>
      accuracyByDepth(records, of).map(({ depth, accuracy }) => [depth, accuracy.value, accuracy.count]);
    expect(counts(own)).toEqual([
      [0, 1, 1],
      [2, 1, 1],
      [4, 0, 1],
    ]);
    expect(counts([record("a", false), record("b", true), record("z", true)])).toEqual([
      [2, 0, 1],
      [4, 1, 1],
    ]);
  });
});

describe("drawAtomTrace", () => {
  it("shows each transition with its graph, answers and costs, who won, and what failed", () => {
    const { svg, width, height } = drawAtomTrace(
      chain({
        transitions: [
          TRANSITION,
          { ...TRANSITION, question: "Q".repeat(5000), chosen: "contracted", chosenBy: "fallback" },
        ],
        stopped: "depth",
        failures: [{ step: "judge", transition: 1, failure: "unparseable", reason: "no choice" }],
        costs: [{ calls: 8, promptTokens: 400, completionTokens: 90 }],
      }),
    );
    for (const text of [
      "Transition 1 · 8 calls, 400 tokens in, 90 out",
      "How many pens &lt;do&gt; all have?",
      "= 3",
      "(no answer)",
      "Q1, contracted",
      "solve(Q0): 8",
      "solve(G0): 7",
      "solve(G0) goes on: the model chose it.",
      "solve(Q2) goes on: the one who chooses named none.",
      "Transition 2, judge failed (unparseable): no choice",
    ]) {
      expect(svg).toContain(text);
    }
    // A graph of three boxes in each of two transitions, and a long question cut short.
    expect(svg.match(/<circle/g)).toHaveLength(6);
    expect(svg).toContain("…");
    expect(width).toBeLessThan(900);
    expect(height).toBeLessThan(3000);
    const atomic = drawAtomTrace(chain({ costs: [{ calls: 2, promptTokens: 9, completionTokens: 4 }] }));
    expect(atomic.svg).toContain("Stopped: no sub-question depends on another one.");
  });
});
