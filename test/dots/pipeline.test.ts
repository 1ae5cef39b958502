import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  DOTS_SPACE,
  type ExplainedQuestion,
  explainTrajectories,
  exportRows,
  internalised,
  planned,
  planOperation,
  readExplained,
  readSearchResults,
  type SearchedQuestion,
  selectTrajectories,
  trainingRows,
  withAction,
} from "thoughtbook/dots";
import { afterAll, describe, expect, it } from "vitest";
import { SILENT } from "../eval/helpers.js";
import { scriptedModel } from "../operations/helpers.js";
import { acting, attempted, messagesOf } from "./helpers.js";

const folder = mkdtempSync(join(tmpdir(), "thoughtbook-dots-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

/** A sample as search_paths.py writes it. */
const released = (trajectory: string[], score: number, replies: string[]) => ({
  id: "1_step1_0",
  trajectory,
  "reasoning dialogues": replies.flatMap((content, at) => [
    { role: "user", content: at === 0 ? "What is 3 + 4?" : "after execution we get 7, give the final answer" },
    { role: "assistant", content },
  ]),
  pred_ans: score > 0 ? "7" : null,
  score,
});

/** A question of the released search in which only programs are right: 4 probes and 24 samples of step 1. */
const releasedQuestion = () => {
  const all = ["", "query_rewriting", "planning"].flatMap((analysis) =>
    ["CoT", "programming_solver"].flatMap((solution) =>
      ["", "verifier"].map((check) => [analysis, solution, check, "direct_answering"]),
    ),
  );
  const sample = (trajectory: string[], note: string) => {
    const isRight = trajectory.includes("programming_solver");
    return released(trajectory, Number(isRight), isRight ? [`print(3+4) # ${note}`, "The answer is 7"] : ["It is 8"]);
  };
  const probes = ["CoT", "programming_solver"].flatMap((solution) =>
    ["probe 0", "probe 1"].map((note) => sample(["", solution, "", "direct_answering"], note)),
  );
  const step1 = all.flatMap((trajectory) => ["first", "last"].map((note) => sample(trajectory, note)));
  return {
    meta_info: { id: "m1", problem: "What is 3 + 4?", answer: "7" },
    searching_results: [...probes, ...step1],
    probing_result: probes,
    "step 1 result": step1,
    "step 2 result": [],
    "step 3 result": [],
    "step1 score": {},
    "step2 score": {},
    "step3 score": {},
  };
};

describe("what a search found", () => {
  it("is read from the JSON of the released code, with rates from all its samples", async () => {
    const [question, ...rest] = await readSearchResults(file("released.json", JSON.stringify([releasedQuestion()])));
    expect(rest).toEqual([]);
    expect(question).toMatchObject({
      id: "dots/train/m1",
      query: "What is 3 + 4?",
      references: ["7"],
      best: ["program"],
    });
    expect(question!.trajectories).toHaveLength(12);
    expect(question!.trajectories.find(({ trajectory }) => trajectory.join() === "cot")).toMatchObject({
      rate: 0,
      samples: 4,
    });
    expect(question!.samples).toHaveLength(28);
  });

  it("is selected as the released code does: the last right sample of the important actions", async () => {
    const searched = await readSearchResults(file("released.json", JSON.stringify([releasedQuestion()])));
    const [selected] = selectTrajectories(searched, "importance");
    expect(selected).toMatchObject({ trajectory: ["program"], actions: ["program"] });
    expect(JSON.stringify(selected!.sample.dialogue)).toContain("# last");
    // Nothing is important where words are as good as programs.
    const even: SearchedQuestion = {
      ...searched[0]!,
      samples: searched[0]!.samples.map((each) => ({ ...each, right: each.sample === 0 })),
    };
    expect(selectTrajectories([even], "importance")).toEqual([]);
  });

  it("is selected by the best, at random among those that solve it, or along one trajectory", async () => {
    const searched = await readSearchResults(file("released.json", JSON.stringify([releasedQuestion()])));
    expect(selectTrajectories(searched)[0]!.trajectory).toEqual(["program"]);
    expect(selectTrajectories(searched, { trajectory: ["cot"] })).toEqual([]);
    const drawn = Array.from(
      { length: 20 },
      (_, seed) => selectTrajectories(searched, "random", { seed })[0]!.trajectory,
    );
    expect(drawn.every((trajectory) => trajectory.includes("program"))).toBe(true);
    expect(new Set(drawn.map((each) => each.join("+"))).size).toBeGreaterThan(3);
    expect(selectTrajectories(searched, "random", { seed: 3 })).toEqual(
      selectTrajectories(searched, "random", { seed: 3 }),
    );
    expect(selectTrajectories([{ ...searched[0]!, dropped: "every" }])).toEqual([]);
  });

  it("is refused where it is no such file", async () => {
    await expect(readSearchResults(file("other.jsonl", '{"a": 1}\n'))).rejects.toThrow(/other\.jsonl/);
    await expect(readSearchResults(file("empty.jsonl", ""))).rejects.toThrow(/no searched questions/);
    await expect(readExplained(file("none.jsonl", ""))).rejects.toThrow(/no explained questions/);
  });
});

const explained = (parts: Partial<ExplainedQuestion> = {}): ExplainedQuestion => ({
  id: "q",
  dataset: "gsm8k",
  query: "What is 3 + 4?",
  kind: "gsm8k",
  references: ["7"],
  action: ["program"],
  trajectory: ["program"],
  solution: [
    { action: "program", text: "return pens;", observed: "The program failed: pens is not defined" },
    { action: "program", text: "return 3 + 4;", observed: "The program returned 7." },
  ],
  explanation: "Numbers are added.",
  explainedBy: "model",
  ...parts,
});

describe("explanations", () => {
  const searched = async () => readSearchResults(file("released.json", JSON.stringify([releasedQuestion()])));
  const all = async (model: Parameters<typeof explainTrajectories>[1]["model"]) => {
    const rows: ExplainedQuestion[] = [];
    for await (const row of explainTrajectories(selectTrajectories(await searched()), { model, display: SILENT }))
      rows.push(row);
    return rows;
  };

  it("are asked of the model, with one question for each action", async () => {
    const model = scriptedModel(() => "Code is exact.\nIt adds. And it");
    const [row] = await all(model);
    expect(row).toMatchObject({
      action: ["program"],
      trajectory: ["program"],
      explanation: "Code is exact. It adds. And it",
      explainedBy: "model",
    });
    const asked = messagesOf(model.calls[0]!.requests[0]!).at(-1)!.content;
    expect(asked).toMatch(/Best actions: program\n- why is a program better than words\?$/);
    expect(row!.solution).toHaveLength(4);
    const cut = scriptedModel(() => ({ text: "Code is exact. And it is", finishReason: "length" }));
    expect((await all(cut))[0]!.explanation).toBe("Code is exact.");
  });

  it("come from the rule for models that are asked by tags", async () => {
    const [row] = await all(acting(() => "never asked"));
    expect(row).toMatchObject({ explainedBy: "rule" });
    expect(row!.explanation).toContain("program");
  });
});

describe("training rows", () => {
  const rows = (parts: Partial<Parameters<typeof trainingRows>[1]> = {}, question = explained()) =>
    trainingRows([question], { planner: "external", style: "tag", ...parts });

  it("of an external planner are the explanation and the actions", () => {
    expect(rows()).toEqual([
      {
        id: "q",
        dataset: "gsm8k",
        trajectory: "program",
        messages: [
          { role: "user", operation: "explain", content: "What is 3 + 4?" },
          { role: "assistant", content: "Numbers are added.\nActions: program" },
        ],
      },
    ]);
    expect(rows({ explanations: false })[0]!.messages[1]!.content).toBe("Actions: program");
    expect(rows({ style: "instruction" })[0]!.messages[0]!.content).toMatch(
      /^Decide how to solve[\s\S]*What is 3 \+ 4\?$/,
    );
  });

  it("of a solver that plans are all turns: a program, what it gave, and the answer", () => {
    expect(rows({ planner: "internalised" })[0]!.messages.slice(1)).toEqual([
      { role: "assistant", content: "Numbers are added.\nActions: program\nProgram:\nreturn pens;" },
      { role: "user", content: "The program failed: pens is not defined" },
      { role: "assistant", content: "Program:\nreturn 3 + 4;" },
      { role: "user", content: "The program returned 7." },
      { role: "assistant", content: "#### 7" },
    ]);
    const words = explained({
      trajectory: ["plan", "cot", "verify"],
      solution: [
        { action: "plan", text: "1. Add." },
        { action: "cot", text: "3+4=7\n#### 7" },
        { action: "verify", text: "right" },
      ],
    });
    expect(rows({ planner: "internalised" }, words)[0]!.messages.slice(1)).toEqual([
      {
        role: "assistant",
        content:
          "Numbers are added.\nActions: plan, cot, verify\nPlan:\n1. Add.\nSolution:\n3+4=7\n#### 7\nCheck:\nright",
      },
    ]);
  });

  it("of plain fine-tuning are the solution in words, and none of a program", () => {
    expect(rows({ planner: "vanilla" })).toEqual([]);
    const words = explained({ trajectory: ["cot"], solution: [{ action: "cot", text: "3+4=7\n#### 7" }] });
    expect(rows({ planner: "vanilla" }, words)[0]!.messages).toEqual([
      { role: "user", operation: "cot", content: "What is 3 + 4?" },
      { role: "assistant", content: "3+4=7\n#### 7" },
    ]);
  });

  it("of the released search keep its conversation", async () => {
    const [{ question, sample }] = selectTrajectories(
      await readSearchResults(file("released.json", JSON.stringify([releasedQuestion()]))),
    ) as [ReturnType<typeof selectTrajectories>[number]];
    const own = explained({ query: question.query, solution: sample.dialogue! });
    const [row] = rows({ planner: "internalised" }, own);
    expect(row!.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant"]);
    expect(row!.messages[1]!.content).toMatch(/^Numbers are added\.\nActions: program\nprint\(3\+4\)/);
    expect(row!.messages.at(-1)!.content).toBe("The answer is 7");
  });

  it("have weights, which other trainers get as copies", () => {
    const five = (dataset: string) =>
      Array.from({ length: 5 }, (_, at) => explained({ id: `${dataset}/${at}`, dataset }));
    const weighted = trainingRows([...five("bbh"), ...five("math")], {
      planner: "external",
      style: "instruction",
      weights: { bbh: 9 },
    });
    expect(weighted.map(({ weight = 1 }) => weight)).toEqual([...Array(5).fill(9), ...Array(5).fill(1)]);
    const alpaca = exportRows(weighted, "litgpt");
    expect(alpaca.filter(({ dataset }) => dataset === "bbh")).toHaveLength(45);
    expect(alpaca.filter(({ dataset }) => dataset === "math")).toHaveLength(5);
    expect(alpaca[0]).toMatchObject({ input: "", output: "Numbers are added.\nActions: program" });
    const turns = exportRows(rows({ planner: "internalised" }), "litgpt");
    expect(turns.map(({ output }) => output)).toEqual([
      expect.stringContaining("return pens;"),
      "Program:\nreturn 3 + 4;",
      "#### 7",
    ]);
    const [conversation] = exportRows(rows({ planner: "internalised" }), "llama-factory") as [
      { conversations: { from: string }[] },
    ];
    expect(conversation.conversations.map(({ from }) => from)).toEqual([
      "human",
      "gpt",
      "human",
      "gpt",
      "human",
      "gpt",
    ]);
  });
});

describe("a planner", () => {
  it("chooses any of the actions, and its calls count as the attempt's", async () => {
    const plans = acting(
      (operation) => (operation === "explain" ? "It is short.\nActions: decompose, PoT, self-verify" : "?"),
      { name: "planner" },
    );
    const solver = acting(
      (operation) => ({ plan: "1. Add.", program: "return 7;", verify: "right" })[operation!] ?? "?",
    );
    const attempt = await attempted(planned({ planner: plans }), solver);
    expect(attempt.solution).toBe("#### 7");
    expect(attempt.trace).toMatchObject({
      plan: "read",
      trajectory: ["plan", "program", "verify"],
      explanation: "It is short.",
    });
    expect(attempt.calls.map(({ operation }) => operation)).toEqual(["explain", "plan", "program", "verify"]);
    expect(plans.calls.flatMap(({ requests }) => requests.map(({ temperature }) => temperature))).toEqual([0]);
    expect(solver.calls).toHaveLength(3);
  });

  it("is replaced by the best static trajectory where its text names no action", async () => {
    const model = acting((operation) =>
      operation === "explain" ? "Well." : operation === "program" ? "return 7;" : "#### 1",
    );
    const attempt = await attempted(planned({ fallback: ["program"] }), model);
    expect(attempt).toMatchObject({ solution: "#### 7", trace: { plan: "fallback", trajectory: ["program"] } });
    expect(() => planned({ fallback: ["guess"] })).toThrow(/no action guess/);
  });

  it("is told of actions of one's own", () => {
    const space = withAction(DOTS_SPACE, {
      name: "recall",
      layer: "analysis",
      named: /^recall/i,
      about: "say what is known",
      act: async (state) => state,
    });
    const operation = planOperation(space);
    expect(operation.instruction).toContain("recall: say what is known");
    const read = operation.parse("Known things help.\nActions: recall, code", { question: "?" });
    expect(read).toEqual({ ok: true, value: { explanation: "Known things help.", trajectory: ["recall", "program"] } });
  });
});

describe("a solver that plans", () => {
  const turn = (request: Parameters<typeof messagesOf>[0]) => messagesOf(request).length;

  it("writes plan and solution in one text", async () => {
    const model = acting(() => "It is short.\nActions: plan, cot\nPlan:\n1. Add.\nSolution:\n3+4=7\n#### 7");
    const attempt = await attempted(internalised(), model);
    expect(attempt.solution).toMatch(/#### 7$/);
    expect(attempt).toMatchObject({ trace: { plan: "read", trajectory: ["plan", "cot"] } });
    expect(attempt.calls).toHaveLength(1);
  });

  it("is told what its program gave, or how it failed, and goes on", async () => {
    const model = acting((_, content, __, request) => {
      if (turn(request) === 1) return "Code is exact.\nActions: program\nProgram:\nreturn pens;";
      return content.startsWith("The program failed") ? "Program:\nreturn 3 + 4;" : "#### 7";
    });
    const attempt = await attempted(internalised(), model);
    expect(attempt.solution).toBe("#### 7");
    expect(attempt.calls).toHaveLength(3);
    const told = messagesOf(model.calls.at(-1)!.requests[0]!).map(({ content }) => content);
    expect(told[2]).toMatch(/^The program failed: .*pens is not defined/);
    expect(told[4]).toBe("The program returned 7.");
  });

  it("has no answer where a text is cut off, and falls back where it names no action", async () => {
    const cut = acting(() => ({ text: "Short.\nActions: cot\nSolution:\n#### 7", finishReason: "length" }));
    expect((await attempted(internalised(), cut)).solution).toBeUndefined();
    const model = acting((operation) => (operation === "explain" ? "I do not know." : "#### 7"));
    const attempt = await attempted(internalised(), model);
    expect(attempt).toMatchObject({ solution: "#### 7", trace: { plan: "fallback", trajectory: ["cot"] } });
    // A model that never ends with its programs is stopped.
    const looping = acting(() => "Actions: program\nProgram:\nreturn pens;");
    expect((await attempted(internalised(), looping)).calls).toHaveLength(4);
  });
});
