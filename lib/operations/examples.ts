import type { Random } from "../core/index.js";
import {
  contractions,
  drawWrongChain,
  type FunctionProblem,
  longChain,
  type ProceduralProblem,
  problemPlan,
  problemProgram,
  problemSteps,
  questionGraph,
  shortChain,
  splitOf,
  stepStatement,
  tidyProblem,
  type WrongChain,
} from "../data/index.js";
import { type InputOf, OPERATION_NAMES, OPERATIONS, type OperationName, type OutputOf } from "./all.js";
import { explainActions } from "./examples-explain.js";
import type { Operation } from "./operation.js";
import { type Solution, writeSolution } from "./solution.js";
import { feedbackOf, type Verification } from "./verify.js";

/** An example of an operation: the model's input and the output it should write. */
export interface OperationExample<Name extends OperationName = OperationName> {
  operation: Name;
  input: InputOf<Name>;
  output: OutputOf<Name>;
  /** The input as text, without tag or instruction. */
  prompt: string;
  /** Beginning of the output that is given to the model and not learned. Default: none. */
  given?: string;
  completion: string;
}

/** Operations that word problems provide examples of. */
export type ProblemOperation = Exclude<OperationName, "code">;
export const PROBLEM_OPERATIONS = OPERATION_NAMES.filter((name): name is ProblemOperation => name !== "code");

type Made<Name extends OperationName> = { input: InputOf<Name>; output: OutputOf<Name> };
type Maker<Name extends OperationName> = (problem: ProceduralProblem, random: Random) => Made<Name> | undefined;

/** Probability that a solver is given a plan, and that the plan is a list of sub-questions. */
const WITH_PLAN = 0.25;
const PLAN_OF_QUESTIONS = 0.5;
/** Probability that a solution to verify, or to revise, is right. */
const RIGHT_TO_VERIFY = 0.5;
const RIGHT_TO_REVISE = 0.15;
/** Probabilities of 2, 3 and 4 answers to judge, of whole solutions, and of two equal answers. */
const ANSWERS_TO_JUDGE = [0.35, 0.5, 0.15];
const SOLUTIONS_TO_JUDGE = 0.5;
const REPEATED_ANSWER = 0.25;

const MAKERS: { readonly [Name in ProblemOperation]: Maker<Name> } = {
  answer: ({ question, answer }) => ({ input: { question }, output: String(answer) }),
  cot: (problem, random) => ({ input: solveInput(problem, random), output: solutionOf(problem) }),
  think: (problem) => ({
    input: { question: problem.question },
    output: { kind: "solved", thought: longChain(problem).thought, ...solutionOf(problem) },
  }),
  decompose: (problem) => ({
    input: { question: problem.question },
    output: questionGraph(problem).nodes.map(({ question, dependsOn }) => ({ question, dependsOn })),
  }),
  contract: contractExample,
  judge: judgeExample,
  rewrite: (problem) => ({ input: { question: problem.question }, output: tidyProblem(problem).question }),
  plan: (problem) => ({ input: { question: problem.question }, output: problemPlan(problem) }),
  program: (problem, random) => ({ input: solveInput(problem, random), output: problemProgram(problem) }),
  verify: verifyExample,
  explain: (problem) => ({ input: { question: problem.question }, output: explainActions(problem) }),
  revise: reviseExample,
};

/**
 * Make the example of one operation from a word problem; undefined where there is none: a problem of depth 0 cannot be
 * contracted. It depends on the problem and on the seed of the random numbers, not on what was drawn before: one
 * sequence serves all problems, another one gives other examples of them.
 */
export function operationExample<Name extends ProblemOperation>(
  name: Name,
  problem: ProceduralProblem,
  random: Random,
): OperationExample<Name> | undefined {
  const made = MAKERS[name](problem, random.stream(`${name}/${problem.id}`));
  return made && written(name, made);
}

/**
 * Make the example of a solution after a long thought with some paragraphs removed: the thought is given, and the
 * solution is complete. The number of remaining paragraphs is drawn; in half of the thoughts the necessary ones always
 * stay.
 */
export function shortenedThought(problem: ProceduralProblem, random: Random): OperationExample<"think"> {
  const own = random.stream(`shortened thought/${problem.id}`);
  const keepsNecessary = own.uniform() < 0.5;
  const share = own.uniform();
  const kept = longChain(problem).paragraphs.filter(
    ({ necessary }) => own.uniform() < share || (keepsNecessary && necessary),
  );
  const thought = kept.map(({ text }) => text).join("\n\n");
  const solution = solutionOf(problem);
  const input = { question: problem.question };
  return {
    ...written("think", { input, output: { kind: "solved", thought, ...solution } }),
    given: OPERATIONS.think.write({ kind: "cut-off", thought, thoughtEnded: true, partial: "" }),
    completion: writeSolution(solution),
  };
}

/** Make the examples of all operations that a word problem provides, in the order of `PROBLEM_OPERATIONS`. */
export const operationExamples = (problem: ProceduralProblem, random: Random): OperationExample[] =>
  PROBLEM_OPERATIONS.flatMap((name) => operationExample(name, problem, random) ?? []);

/** The example of writing a function that a problem gives. */
export const functionExample = (problem: FunctionProblem): OperationExample<"code"> => {
  const { name, parameters, specification, examples, solution } = problem;
  return written("code", { input: { name, parameters, specification, examples }, output: solution });
};

function written<Name extends OperationName>(name: Name, { input, output }: Made<Name>): OperationExample<Name> {
  // The compiler does not see that the operation of a name takes the input of that name.
  const operation = OPERATIONS[name] as unknown as Operation<InputOf<Name>, OutputOf<Name>>;
  return { operation: name, input, output, prompt: operation.render(input), completion: operation.write(output) };
}

function solutionOf(problem: ProceduralProblem): Solution {
  const text = shortChain(problem, "plain");
  return { reasoning: text.slice(0, text.lastIndexOf("\n####")), answer: String(problem.answer) };
}

function solveInput(problem: ProceduralProblem, random: Random): InputOf<"cot"> {
  const { question } = problem;
  if (random.uniform() >= WITH_PLAN) return { question };
  const ofQuestions = random.uniform() < PLAN_OF_QUESTIONS;
  return {
    question,
    plan: ofQuestions ? questionGraph(problem).nodes.map((node) => node.question) : problemPlan(problem),
  };
}

/**
 * Contract the problem step by step to its last contraction. A contraction has another structure, which may be held out
 * with this scenario: of a training problem, only steps that stay in its split are taken.
 */
function contractExample(problem: ProceduralProblem, random: Random): Made<"contract"> | undefined {
  const stages = [problem, ...contractions(problem)];
  const usable = stages.map((stage) => problem.split !== "train" || splitOf(stage) === "train");
  const steps = [...stages.keys()].filter((at) => at > 0 && usable[at - 1] && usable[at]);
  if (steps.length === 0) return undefined;
  const at = random.choice(steps);
  const [before, after] = [stages[at - 1]!, stages[at]!];
  const solved = questionGraph(before).nodes.flatMap(({ question, value, dependsOn }) =>
    dependsOn.length === 0 ? [{ question, answer: String(value) }] : [],
  );
  return { input: { question: before.question, solved }, output: after.question };
}

function judgeExample(problem: ProceduralProblem, random: Random): Made<"judge"> {
  const count = 2 + random.weighted(ANSWERS_TO_JUDGE);
  const wrong = new Map<number, WrongChain>();
  for (let draw = 0; draw < 5 * count && wrong.size < count - 1; draw++) {
    const chain = drawWrongChain(random, problem);
    wrong.set(chain.answer, chain);
  }
  const whole = random.uniform() < SOLUTIONS_TO_JUDGE;
  const right = whole ? shortChain(problem, "plain") : String(problem.answer);
  const others = Array.from(wrong.values(), ({ text, answer }) => (whole ? text : String(answer)));
  const all = [right, ...others];
  // Where several solvers are asked, some agree, right or wrong.
  if (all.length > 2 && random.uniform() < REPEATED_ANSWER) all[all.length - 1] = random.choice(all.slice(0, -1));
  const answers = random.shuffle(all);
  return {
    input: { question: problem.question, answers },
    output: { work: solutionOf(problem).reasoning, best: answers.indexOf(right) },
  };
}

function verifyExample(problem: ProceduralProblem, random: Random): Made<"verify"> {
  const { question } = problem;
  const equations = problemSteps(problem).map(({ expression, value }) => `${expression}=${value}`);
  const numbered = (all: readonly string[]) => all.map((each, index) => `${index + 1}. ${each}`).join("\n");
  if (random.uniform() < RIGHT_TO_VERIFY) {
    return {
      input: { question, solution: shortChain(problem, "plain") },
      output: { work: numbered(equations), verdict: "right" },
    };
  }
  const wrong = drawWrongChain(random, problem);
  const before = wrong.lines.slice(0, wrong.line).map(({ expression, value }) => `${expression}=${value}`);
  return {
    input: { question, solution: wrong.text },
    output: { ...wrongAt(problem, wrong), work: numbered([...before, equations[wrong.step]!]) },
  };
}

/** What should stand where the chain goes wrong. */
function wrongAt(problem: ProceduralProblem, { line, step }: WrongChain): Verification {
  const { quantity, expression, value } = problemSteps(problem)[step]!;
  const reason = stepStatement(problem, quantity, `${expression}=${value}`);
  return { work: "", verdict: "wrong", step: line, reason };
}

function reviseExample(problem: ProceduralProblem, random: Random): Made<"revise"> {
  const { question } = problem;
  const output = solutionOf(problem);
  if (random.uniform() < RIGHT_TO_REVISE) {
    return { input: { question, solution: shortChain(problem, "plain") }, output };
  }
  const wrong = drawWrongChain(random, problem);
  const verification = wrongAt(problem, wrong);
  const feedback = [undefined, feedbackOf({ ...verification, reason: "" } as Verification), feedbackOf(verification)];
  const told = random.choice(feedback);
  return { input: { question, solution: wrong.text, ...(told === undefined ? {} : { feedback: told }) }, output };
}
