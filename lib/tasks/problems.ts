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
import { badInput } from "../core/index.js";
import type { SandboxCase } from "../sandbox/index.js";

/**
 * Kinds of answers: those of `grade`; "symbols" are brackets and the like, compared without spaces; "game24" an
 * expression; "code" a function that is graded by running tests.
 */
export type ProblemKind = AnswerKind | "symbols" | "game24" | "code";
/** Those whose answers are compared with a reference. */
export const ANSWER_KINDS = ["math", "gsm8k", "choice", "words", "yes-no", "symbols", "game24"] as const;
export const PROBLEM_KINDS = [...ANSWER_KINDS, "code"] as const;

/** A question with everything needed to grade its answer. */
export interface Problem {
  /** Unique within its task. */
  id: string;
  question: string;
  kind: ProblemKind;
  /** Accepted answers, at least one; for the game of 24 its four numbers separated by spaces; for code its tests. */
  references: readonly string[];
  /** How a function is graded; problems of the kind "code" must have it. */
  code?: CodeTests | undefined;
  /** Difficulty, where known: the number of operations that the answer needs. */
  operations?: number | undefined;
  /** Where known: edges on the longest path from operation to operation; nothing depends on it. */
  depth?: number | undefined;
  /** Steps that lead to the answer, in an order in which they can be computed, where known; for partial rewards. */
  steps?: readonly ReferenceStep[] | undefined;
  /** A right solution as text, where known, such as a program; nothing is graded by it. */
  solution?: string | undefined;
  /** Further fields of the data set, for the results; nothing depends on them. */
  fields?: Readonly<Record<string, unknown>> | undefined;
}

/** A step of a reference solution: "12*3" and its value as a plain number, "36". */
export interface ReferenceStep {
  expression: string;
  value: string;
}

/** What grading a function needs: tests in Python, or calls of JavaScript and what they must return. */
export type CodeTests =
  | {
      language: "python";
      /** The beginning of the function, which a reply may continue; "" where the question is in words. */
      prompt: string;
      entryPoint: string;
      /** Assertions, as HumanEval and MBPP have them. */
      tests: string;
      /** Calls that the question shows, of any of its functions. */
      examples?: readonly (SandboxCase & { name: string })[] | undefined;
    }
  | {
      language: "javascript";
      name: string;
      parameters: readonly string[];
      /** What the function does, in words. */
      specification: string;
      /** Calls that the question shows. */
      examples: readonly SandboxCase[];
      /** Hidden calls. */
      tests: readonly SandboxCase[];
      /** Functions to write beside it, each with calls of its own. */
      beside?: readonly { name: string; examples: readonly SandboxCase[]; tests: readonly SandboxCase[] }[] | undefined;
    };

/** Policies that apply to a kind of answer. The released systems never graded the other kinds. */
const APPLYING: Record<ProblemKind, readonly Policy[]> = {
  math: POLICIES,
  gsm8k: POLICIES,
  choice: ["strict", "aot"],
  words: ["strict", "aot"],
  "yes-no": ["strict", "aot"],
  symbols: ["strict"],
  game24: ["strict", "dots"],
  code: ["strict"],
};

export type Correctness = Partial<Record<Policy, boolean>>;

export interface Graded {
  /** Final answer under the strict policy; undefined if there is none. */
  answer: string | undefined;
  /** Grade under each policy that applies. */
  correct: Correctness;
  /** Token F1, for answers in words. */
  f1?: number;
  /** Why a function did not pass its tests. */
  failure?: Failure;
}

/** What became of a program that failed. */
export interface Failure {
  /** "wrong" is another result than expected; the others are those of the sandbox, and "tests" for tests that are broken. */
  kind: string;
  /** Says nothing of what hidden tests expect. */
  message: string;
}

/**
 * Grade a completion under each policy that applies to its problem.
 *
 * @param text everything that the model wrote; what the released systems grade, even if truncated
 * @param solution what the strict policy grades: the text without thoughts; undefined if a text was truncated or is not
 * what is asked for: then there is no final answer
 * @throws bad-input for a function, which must be run: see `gradeAttempt`
 */
export function gradeCompletion(problem: Problem, text: string, solution: string | undefined): Graded {
  const { kind, references } = problem;
  if (kind === "code") {
    if (solution === undefined) return { answer: undefined, correct: { strict: false } };
    throw badInput(`${problem.id} is graded by running programs`, "Use gradeAttempt, with a sandbox.");
  }
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

function isRight(completion: string, reference: string, policy: Policy, kind: Exclude<ProblemKind, "code">): boolean {
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
  code: (a, b) => a.trim() === b.trim(),
};

/** Whether two answers to a problem are equal, and so vote together. */
export const sameAnswer = (kind: ProblemKind, a: string, b: string): boolean => a === b || SAME[kind](a, b);

/**
 * Group answers that are equal, and so vote together: indices, the largest group first, among equals the one whose first
 * answer comes first. Answers that are none do not vote.
 */
export function votes(kind: ProblemKind, answers: readonly (string | undefined)[]): number[][] {
  const groups: number[][] = [];
  for (const [index, answer] of answers.entries()) {
    if (answer === undefined) continue;
    const group = groups.find(([first]) => sameAnswer(kind, answers[first!]!, answer));
    if (group) group.push(index);
    else groups.push([index]);
  }
  return groups.toSorted((a, b) => b.length - a.length);
}
