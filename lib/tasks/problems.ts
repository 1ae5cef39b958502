import {
  type AnswerKind,
  checkGame24,
  checkGame24Dots,
  equalStatedChoice,
  equalStatedYesNo,
  equalStrict,
  equalWords,
  extractAnswer,
  grade,
  POLICIES,
  type Policy,
  tokenF1,
} from "../answer/index.js";

/** Kinds of answers: those of `grade`; "symbols" are brackets and the like, equal but for spaces; "game24" an expression. */
export type ProblemKind = AnswerKind | "symbols" | "game24";
export const PROBLEM_KINDS = ["math", "gsm8k", "choice", "words", "yes-no", "symbols", "game24"] as const;

/** A question with what is needed to grade its answer. */
export interface Problem {
  /** Unique within its task. */
  id: string;
  question: string;
  kind: ProblemKind;
  /** Any of them is right, at least one; of the game of 24 its four numbers with spaces between them. */
  references: readonly string[];
  /** How hard it is, where that is known: the operations that the answer needs. */
  operations?: number | undefined;
  /** What else the data set says of it, for the results; nothing depends on it. */
  fields?: Readonly<Record<string, unknown>> | undefined;
}

/** Which policies say something about a kind of answers. The released systems never graded the others. */
const APPLYING: Record<ProblemKind, readonly Policy[]> = {
  math: POLICIES,
  gsm8k: POLICIES,
  choice: ["strict", "aot"],
  words: ["strict", "aot"],
  "yes-no": ["strict", "aot"],
  symbols: ["strict"],
  game24: ["strict", "dots"],
};

export type Correctness = Partial<Record<Policy, boolean>>;

export interface Graded {
  /** The final answer by the strict policy; undefined if there is none. */
  answer: string | undefined;
  /** Under each policy that applies. */
  correct: Correctness;
  /** How well the words match, for answers in words. */
  f1?: number;
}

/**
 * Grade a completion under each policy that applies to its problem.
 *
 * @param text all that the model wrote; what the released systems grade, also when it was cut off
 * @param solution what the strict policy grades: the text without thoughts; undefined where a text was cut off or is not
 *   what was asked for: then there is no final answer
 */
export function gradeCompletion(problem: Problem, text: string, solution: string | undefined): Graded {
  const { kind, references } = problem;
  const wanted = kind === "symbols" || kind === "game24" ? "math" : kind;
  const extracted = solution === undefined ? undefined : extractAnswer(solution, "strict", { kind: wanted });
  const answer = extracted?.ok ? extracted.value : undefined;
  const correct: Correctness = {};
  for (const policy of APPLYING[kind]) {
    const said = policy === "strict" ? solution : text;
    correct[policy] = said !== undefined && references.some((reference) => isRight(said, reference, policy, kind));
  }
  if (kind !== "words") return { answer, correct };
  return { answer, correct, f1: answer === undefined ? 0 : tokenF1(answer, references).f1 };
}

function isRight(completion: string, reference: string, policy: Policy, kind: ProblemKind): boolean {
  if (kind !== "symbols" && kind !== "game24") return grade({ completion, reference, policy, kind }).correct;
  const extracted = extractAnswer(completion, "strict");
  if (!extracted.ok) return false;
  if (kind === "symbols") return equalSymbols(extracted.value, reference);
  const numbers = reference.split(" ").map(Number);
  return policy === "dots" ? checkGame24Dots(numbers, extracted.value) : checkGame24(numbers, extracted.value).ok;
}

const equalSymbols = (a: string, b: string): boolean => a.replace(/\s+/g, "") === b.replace(/\s+/g, "");

const SAME: Record<ProblemKind, (a: string, b: string) => boolean> = {
  math: equalStrict,
  gsm8k: equalStrict,
  choice: equalStatedChoice,
  words: equalWords,
  "yes-no": equalStatedYesNo,
  symbols: equalSymbols,
  game24: equalSymbols,
};

/** Whether two answers to a problem say the same, and so vote together. */
export const sameAnswer = (kind: ProblemKind, a: string, b: string): boolean => a === b || SAME[kind](a, b);
