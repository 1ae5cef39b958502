import { fail, type Result } from "../answer/index.js";
import { isWholeText } from "../llm/index.js";
import {
  type ContractInput,
  defineOperation,
  label,
  OPERATIONS,
  type Operation,
  type Outcome,
  type QuestionInput,
  type Solution,
  writeSolution,
} from "../operations/index.js";
import { type AskOptions, ask, type Context } from "../rollouts/index.js";
import { type KnownAnswer, OPTIONS_LIST, subQuestionText } from "../strategies/index.js";
import type { Problem, ProblemKind } from "../tasks/index.js";
import type { AnsweredQuestion, AtomStep, StepCost, StepFailure } from "./record.js";

/** What the steps of an attempt share. */
export interface Steps {
  context: Context;
  /** Failures so far. */
  failures: StepFailure[];
  /** What was spent so far, by transition. */
  costs: StepCost[];
  /** Index of the present transition. */
  transition: number;
  /** Distinguishes the calls of several chains of one attempt. */
  key: string;
  options: AskOptions;
}

/** What a chain is given of it. */
export type StepsOfChain = Omit<Steps, "failures" | "costs" | "transition">;

/** A solution of a question, with its answer. */
export interface Solved {
  text: string;
  solution: Solution;
}

const NO_COST: StepCost = { calls: 0, promptTokens: 0, completionTokens: 0 };

/** Run an operation; a failure is recorded. Undefined if all tries failed. */
async function step<Input, Output>(
  { context, failures, costs, transition, key, options }: Steps,
  name: AtomStep,
  operation: Operation<Input, Output>,
  input: Input,
): Promise<(Outcome<Output> & { ok: true }) | undefined> {
  const outcome = await ask(context, operation, input, { ...options, ...(key === "" ? {} : { key }) });
  const { calls, promptTokens, completionTokens } = costs[transition] ?? NO_COST;
  costs[transition] = {
    calls: calls + outcome.attempts,
    promptTokens: promptTokens + outcome.promptTokens,
    completionTokens: completionTokens + outcome.completionTokens,
  };
  if (outcome.ok) return outcome;
  failures.push({ step: name, transition, failure: outcome.failure, reason: outcome.reason });
  return undefined;
}

/** solve(Q): think step by step. Undefined where no answer could be read. */
export async function solve(steps: Steps, question: string, name: AtomStep = "solve"): Promise<Solved | undefined> {
  const { problem } = steps.context;
  // The problem itself is asked as every other strategy asks it.
  const input = question === problem.question ? problem : { question };
  const outcome = await step(steps, name, OPERATIONS.cot, input);
  if (outcome === undefined) return undefined;
  // A text that was cut off has no final answer.
  if (isWholeText(outcome)) return { text: outcome.text, solution: outcome.value };
  const { transition } = steps;
  steps.failures.push({ step: name, transition, failure: "cut-off", reason: "the solution does not end" });
  return undefined;
}

/** The question as a graph; undefined if the model gave none that is valid, however often it was asked. */
export async function decompose(steps: Steps, question: string): Promise<readonly AnsweredQuestion[] | undefined> {
  return (await step(steps, "decompose", OPERATIONS.decompose, { question }))?.value;
}

/** Solve by sub-questions, as AoT's released code asks before it labels. No model is trained on it by a tag. */
const multistep = defineOperation<QuestionInput, Solution>({
  name: "multistep",
  instruction: `Solve the problem by sub-questions: write the sub-questions that lead to the answer one after the other, a line each, each with its answer and how it is found. The last line is "####", a space, and the answer to the problem alone (for example "#### 42").`,
  render: OPERATIONS.cot.render,
  write: writeSolution,
  read: (text, input, complete) => OPERATIONS.cot.parse(text, input, complete),
});

/**
 * The graph of a solution by sub-questions with its answers, as AoT's released code makes it: one call solves, another
 * one labels. Nothing is solved in the order of the graph. Undefined if either failed.
 */
export async function labelledGraph(
  steps: Steps,
  question: string,
): Promise<{ graph: readonly AnsweredQuestion[]; solved: Solved } | undefined> {
  const outcome = await step(steps, "label", multistep, { question });
  if (outcome === undefined) return undefined;
  const graph = (await step(steps, "label", label, { question, solution: outcome.value }))?.value;
  return graph && { graph, solved: { text: outcome.text, solution: outcome.value } };
}

/**
 * solve(G): answer the atomic questions layer by layer, those of a layer in one batch, each with the answers of exactly
 * the ones it depends on. One whose dependencies have no answer gets none.
 *
 * @param dependent whether to answer the ones that depend on others at all
 */
export async function answerGraph(
  steps: Steps,
  question: string,
  graph: readonly AnsweredQuestion[],
  dependent = true,
): Promise<AnsweredQuestion[]> {
  const { kind } = steps.context.problem;
  // Each waits for its dependencies alone: what can be asked together is.
  const answers: Promise<string | undefined>[] = [];
  for (const { question: asked, dependsOn } of graph) {
    answers.push(
      Promise.all(dependsOn.map((index) => answers[index]!)).then(async (needed) => {
        const known = needed.flatMap((answer, at): KnownAnswer[] =>
          answer === undefined ? [] : [{ question: graph[dependsOn[at]!]!.question, answer }],
        );
        if (known.length < dependsOn.length || (!dependent && dependsOn.length > 0)) return undefined;
        return (await solve(steps, subQuestionText(question, asked, known, kind), "sub-question"))?.solution.answer;
      }),
    );
  }
  const said = await Promise.all(answers);
  return graph.map((node, index) => ({ ...node, ...(said[index] === undefined ? {} : { answer: said[index] }) }));
}

interface Passages {
  /** Passages that the question is about; undefined if there are none. */
  context: string | undefined;
  question: string;
}

/** A question after the passages it is about, with an empty line between. */
function passagesOf({ kind }: Problem, text: string): Passages {
  const at = kind === "words" ? text.lastIndexOf("\n\n") : -1;
  return at < 0
    ? { context: undefined, question: text }
    : { context: text.slice(0, at).trim(), question: text.slice(at).trim() };
}

/** AoT's contraction of a question about passages: these are contracted too (Appendix of arXiv 2502.12018). */
const contractPassages = defineOperation<ContractInput & { context: string }, Passages>({
  name: "contract-passages",
  instruction: `Some sub-questions of the question below are answered already. Write a simpler question with the same answer: state these answers as known facts and keep the rest. The new question must be understood without the old one; do not answer it. First copy, between <context> and </context>, the sentences of the passages that are still needed; then write the question between <question> and </question>.`,
  render: ({ context, question, solved }) =>
    `${context}\n\n${question}\nKnown:\n${solved.map((each) => `${each.question} ${each.answer}`).join("\n")}`,
  write: ({ context, question }) => `<context>${context ?? ""}</context>\n<question>${question}</question>`,
  read(text) {
    const context = tagged(text, "context");
    const question = tagged(text, "question");
    return question.ok
      ? { ok: true, value: { context: context.ok ? context.value : undefined, question: question.value } }
      : question;
  },
});

/** What stands between the last pair of tags; it may have several lines. */
function tagged(text: string, tag: string): Result<string> {
  const found = [...text.matchAll(new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`, "g"))].at(-1)?.[1]?.trim();
  return found ? { ok: true, value: found } : fail(`no text between <${tag}> and </${tag}>`);
}

/** The options that a question ends with, if it has some. */
const optionsOf = (question: string, kind: ProblemKind): string =>
  (kind === "choice" ? /^[ \t]*\([A-Z]\)\s[\s\S]*/m : OPTIONS_LIST).exec(question)?.[0] ?? "";

/** The contracted question, with its passages or options; undefined if the model wrote none. */
export async function contract(
  steps: Steps,
  question: string,
  solved: readonly KnownAnswer[],
): Promise<string | undefined> {
  const { problem } = steps.context;
  const { context, question: asked } = passagesOf(problem, question);
  if (context !== undefined) {
    const outcome = await step(steps, "contract", contractPassages, { context, question: asked, solved });
    if (outcome === undefined) return undefined;
    // Without passages of its own it is about the same ones.
    return `${outcome.value.context ?? context}\n\n${outcome.value.question}`;
  }
  const written = (await step(steps, "contract", OPERATIONS.contract, { question, solved }))?.value;
  const options = optionsOf(question, problem.kind);
  return written === undefined || options === "" || optionsOf(written, problem.kind) !== ""
    ? written
    : `${written}\n${options}`;
}

/** Ask the model for the best of several answers; undefined if it names none. */
export async function judge(steps: Steps, question: string, solutions: readonly Solved[]): Promise<number | undefined> {
  const answers = solutions.map(({ solution }) => writeSolution(solution));
  return (await step(steps, "judge", OPERATIONS.judge, { question, answers }))?.value.best;
}

/** Ask the model whether a solution is right; undefined if it does not say. */
export async function verify(steps: Steps, question: string, { solution }: Solved): Promise<boolean | undefined> {
  const outcome = await step(steps, "judge", OPERATIONS.verify, { question, solution: writeSolution(solution) });
  return outcome && outcome.value.verdict === "right";
}
