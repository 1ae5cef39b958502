import vm from "node:vm";
import { grade } from "thoughtbook/answer";
import { createRandom } from "thoughtbook/core";
import {
  contractions,
  generateWordProblem,
  longChain,
  type ProceduralProblem,
  problemSteps,
  shortChain,
  solveQuestion,
  splitOf,
} from "thoughtbook/data";
import {
  OPERATIONS,
  type OperationExample,
  operationExample,
  operationExamples,
  type ProblemOperation,
  shortenedThought,
} from "thoughtbook/operations";
import { describe, expect, it } from "vitest";
import { actionsOf, TRAJECTORIES } from "../../lib/dist/operations/actions.js";
import { PROBLEM_OPERATIONS } from "../../lib/dist/operations/examples.js";
import { explainActions, ruleTrajectory } from "../../lib/dist/operations/examples-explain.js";
import { readAnswer } from "../data/word-problems/helpers.js";
import { problems, randomFor } from "./helpers.js";

const PROBLEMS = problems(400);

/** The examples of one operation with their problems. */
function examplesOf<Name extends ProblemOperation>(name: Name): [ProceduralProblem, OperationExample<Name>][] {
  return PROBLEMS.flatMap((problem) => {
    const example = operationExample(name, problem, randomFor(problem));
    return example ? [[problem, example] as [ProceduralProblem, OperationExample<Name>]] : [];
  });
}

const isRight = (problem: ProceduralProblem, completion: string) =>
  grade({ completion, reference: String(problem.answer), policy: "strict" }).correct;

describe("operationExamples", () => {
  it("gives one example of each operation, but a contraction only where a step needs another, within the split", () => {
    for (const problem of PROBLEMS) {
      const names = operationExamples(problem, randomFor(problem)).map(({ operation }) => operation);
      const isTrained = [problem, ...contractions(problem)].map((stage) => splitOf(stage) === "train");
      const contracts = isTrained.some((own, at) => own && isTrained[at + 1]);
      expect(names).toEqual(PROBLEM_OPERATIONS.filter((name) => name !== "contract" || contracts));
    }
  });

  it("repeats exactly, and depends on the seed, the problem and the operation alone", () => {
    const random = createRandom("examples");
    const all = operationExamples(PROBLEMS[3]!, random);
    expect(operationExamples(PROBLEMS[3]!, createRandom("examples"))).toEqual(all);
    for (const name of PROBLEM_OPERATIONS) {
      expect(operationExample(name, PROBLEMS[3]!, random)).toEqual(all.find(({ operation }) => operation === name));
    }
    const verdicts = PROBLEMS.map((problem) => operationExample("verify", problem, random)!.output.verdict);
    expect(new Set(verdicts).size).toBe(2);
    const drawn = new Set(
      Array.from({ length: 20 }, (_, seed) => operationExample("judge", PROBLEMS[3]!, createRandom(seed))!.prompt),
    );
    expect(drawn.size).toBeGreaterThan(10);
  });

  it("fits a context of 1,024 tokens at 2.3 characters a token, and mostly 700 characters", () => {
    const sizes = PROBLEMS.flatMap((problem) =>
      operationExamples(problem, randomFor(problem))
        .filter(({ operation }) => operation !== "think")
        .map(({ prompt, completion }) => prompt.length + completion.length),
    );
    expect(Math.max(...sizes)).toBeLessThan(2300);
    expect(sizes.filter((size) => size <= 700).length / sizes.length).toBeGreaterThan(0.6);
  });
});

describe("what the examples teach", () => {
  it.each(["answer", "cot", "think", "revise"] as const)("%s ends with the right answer", (name) => {
    for (const [problem, { completion }] of examplesOf(name)) expect(isRight(problem, completion)).toBe(true);
  });

  it("a plan, where one is given, has a line for each step", () => {
    const planned = examplesOf("cot").filter(([, { input }]) => input.plan);
    expect(planned.length / PROBLEMS.length).toBeGreaterThan(0.15);
    expect(planned.length / PROBLEMS.length).toBeLessThan(0.35);
    for (const [problem, { input, prompt }] of planned) {
      expect(input.plan).toHaveLength(problem.difficulty.operations);
      expect(prompt).toBe(
        `${problem.question}\nPlan:\n${input.plan!.map((step, at) => `${at + 1}. ${step}`).join("\n")}`,
      );
    }
  });

  it("programs return the answer", () => {
    for (const [problem, { completion }] of examplesOf("program")) {
      expect(vm.runInNewContext(`(() => {${completion}})()`)).toBe(problem.answer);
    }
  });

  it("contracted and rewritten questions have the same answer by their text alone", () => {
    for (const name of ["contract", "rewrite"] as const) {
      for (const [problem, { output }] of examplesOf(name)) {
        expect(readAnswer(output, problem.scenario), output).toBe(problem.answer);
      }
    }
  });

  it("a contraction for training stays among the scenarios and structures of training", () => {
    const train = Array.from({ length: 400 }, (_, index) =>
      generateWordProblem({ seed: 9, index, operations: [2, 6], split: "train" }),
    );
    const random = createRandom(5);
    let leaving = 0;
    let made = 0;
    for (const problem of train) {
      const stages = [problem, ...contractions(problem)];
      leaving += stages.filter((stage) => splitOf(stage) !== "train").length;
      const example = operationExample("contract", problem, random);
      if (!example) continue;
      made++;
      for (const text of [example.input.question, example.output]) {
        expect(splitOf(stages.find(({ question }) => question === text)!), text).toBe("train");
      }
    }
    expect(made).toBeGreaterThan(200);
    // Some contractions would leave it.
    expect(leaving).toBeGreaterThan(50);
  });

  it("a contraction is told the answers of all questions that need no other", () => {
    for (const [problem, { input, output, prompt }] of examplesOf("contract")) {
      expect(input.solved.length).toBeGreaterThan(0);
      const values = problemSteps(problem).map(({ value }) => String(value));
      for (const { question, answer } of input.solved) {
        expect(values).toContain(answer);
        expect(prompt).toContain(`\n${question} ${answer}`);
      }
      expect(output.match(/\d+/g)).toEqual(expect.arrayContaining(input.solved.slice(-1).map(({ answer }) => answer)));
    }
  });

  it("a rewriting has no fact that is not needed, and each before its use", () => {
    const shorter = examplesOf("rewrite").filter(([problem]) => problem.difficulty.distractors > 0);
    expect(shorter.length).toBeGreaterThan(100);
    for (const [problem, { output }] of shorter) {
      expect(output.length).toBeLessThan(problem.question.length);
      expect(solveQuestion(output, problem.scenario)).toMatchObject({
        ok: true,
        value: { operations: problem.difficulty.operations, late: 0, unused: 0 },
      });
      expect(solveQuestion(problem.question, problem.scenario)).toMatchObject({
        value: { unused: expect.toSatisfy((unused: number) => unused > 0) },
      });
    }
  });

  it("the best of the answers to judge is right and others are wrong, at every place", () => {
    const places = new Map<string, number>();
    for (const [problem, { input, output }] of examplesOf("judge")) {
      const graded = input.answers.map((each) => isRight(problem, each.includes("#") ? each : `#### ${each}`));
      expect(output.best).toBe(graded.indexOf(true));
      expect(graded).toContain(false);
      expect(input.answers.length).toBeGreaterThanOrEqual(2);
      expect(input.answers.length).toBeLessThanOrEqual(4);
      const place = `${output.best + 1} of ${input.answers.length}`;
      places.set(place, (places.get(place) ?? 0) + 1);
    }
    expect([...places.keys()].sort()).toEqual(
      ["1 of 2", "2 of 2", "1 of 3", "2 of 3", "3 of 3", "1 of 4", "2 of 4", "3 of 4", "4 of 4"].sort(),
    );
  });

  it("a verification names the first line that is wrong, and what it should be", () => {
    const all = examplesOf("verify");
    const right = all.filter(([, { output }]) => output.verdict === "right");
    expect(right.length / all.length).toBeGreaterThan(0.4);
    expect(right.length / all.length).toBeLessThan(0.6);
    for (const [problem, { input, output }] of all) {
      expect(isRight(problem, input.solution)).toBe(output.verdict === "right");
      if (output.verdict === "right") continue;
      const truths = new Set(shortChain(problem, "plain").split("\n"));
      expect(input.solution.split("\n").findIndex((line) => !truths.has(line))).toBe(output.step);
      expect(truths).toContain(output.reason);
      expect(output.work.endsWith(`. ${/[\d+*/-]+=\d+/.exec(output.reason)![0]}`)).toBe(true);
      expect(output.work.split("\n")).toHaveLength(output.step! + 1);
    }
  });

  it("revisions start mostly from wrong solutions, with and without feedback", () => {
    const all = examplesOf("revise");
    const right = all.filter(([problem, { input }]) => isRight(problem, input.solution));
    expect(right.length / all.length).toBeGreaterThan(0.08);
    expect(right.length / all.length).toBeLessThan(0.25);
    for (const [, { input }] of right) expect(input.feedback).toBeUndefined();
    const feedback = all.map(([, { input }]) => input.feedback?.replace(/\d+/, "K").replace(/: .*/, ": …"));
    expect(new Set(feedback)).toEqual(new Set([undefined, "Step K is wrong.", "Step K is wrong: …"]));
  });
});

describe("explanations", () => {
  it("follow the rule, which takes each analysis, solution and verification", () => {
    const used = new Set<string>();
    for (const [problem, { output, completion }] of examplesOf("explain")) {
      const trajectory = ruleTrajectory(problem);
      expect(output.trajectory).toEqual(trajectory);
      for (const action of actionsOf(trajectory)) used.add(action);
      const { operations, distractors } = problem.difficulty;
      const numbers = problem.question.match(/\d+/g)!.map(Number);
      expect(trajectory.analysis).toBe(distractors > 0 ? "rewrite" : operations >= 3 ? "plan" : "none");
      expect(trajectory.solution).toBe(Math.max(...numbers) >= 100 ? "program" : "cot");
      expect(trajectory.verification).toBe(trajectory.solution === "cot" && operations >= 4 ? "verify" : "none");
      expect(completion.endsWith(`\nActions: ${actionsOf(trajectory).join(", ")}`)).toBe(true);
    }
    expect(used).toEqual(new Set(["rewrite", "plan", "cot", "program", "verify"]));
  });

  it("can be had for any measured trajectory, with a reason for each layer", () => {
    for (const problem of PROBLEMS.slice(0, 50)) {
      for (const trajectory of TRAJECTORIES) {
        const { explanation, trajectory: given } = explainActions(problem, trajectory);
        expect(given).toEqual(trajectory);
        expect(explanation.split(/(?<=\.) /)).toHaveLength(3);
      }
    }
  });

  it("there are the 12 trajectories of DOTS, of 1 to 3 actions", () => {
    expect(TRAJECTORIES).toHaveLength(12);
    expect(new Set(TRAJECTORIES.map((trajectory) => JSON.stringify(trajectory))).size).toBe(12);
    const lengths = TRAJECTORIES.map((trajectory) => actionsOf(trajectory).length);
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([1, 3]);
  });
});

describe("shortenedThought", () => {
  const shortened = PROBLEMS.map((problem) => ({
    paragraphs: longChain(problem).paragraphs,
    example: shortenedThought(problem, randomFor(problem)),
    problem,
  }));

  it("gives paragraphs of the long thought in their order, and learns the whole solution", () => {
    for (const { paragraphs, example, problem } of shortened) {
      const { given, completion, output } = example;
      const thought = output.kind === "solved" ? output.thought : "";
      expect(given).toBe(`<think>\n${thought}\n</think>\n`);
      let next = 0;
      for (const text of thought === "" ? [] : thought.split("\n\n")) {
        const at = paragraphs.findIndex((paragraph, i) => i >= next && paragraph.text === text);
        expect(at).toBeGreaterThanOrEqual(next);
        next = at + 1;
      }
      expect(isRight(problem, completion)).toBe(true);
      expect(OPERATIONS.think.parse(`${given}${completion}`, example.input)).toEqual({ ok: true, value: output });
    }
    expect(shortenedThought(PROBLEMS[0]!, randomFor(PROBLEMS[0]!))).toEqual(shortened[0]!.example);
  });

  it("leaves out any share, and keeps all necessary paragraphs half of the time or more", () => {
    const shares = shortened.map(({ paragraphs, example: { output } }) => {
      const kept = output.kind === "solved" && output.thought !== "" ? output.thought.split("\n\n") : [];
      return {
        kept: kept.length / paragraphs.length,
        whole: paragraphs.every(({ text, necessary }) => !necessary || kept.includes(text)),
      };
    });
    const mean = shares.reduce((sum, { kept }) => sum + kept, 0) / shares.length;
    expect(mean).toBeGreaterThan(0.45);
    expect(mean).toBeLessThan(0.65);
    const whole = shares.filter((share) => share.whole).length / shares.length;
    expect(whole).toBeGreaterThan(0.5);
    expect(whole).toBeLessThan(0.75);
  });
});
