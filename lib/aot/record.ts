import type { AtomicQuestion, OperationFailure } from "../operations/index.js";

/** Which of the three solutions of a transition an answer comes from. */
export type SolutionSource = "question" | "graph" | "contracted";

/** Steps that can fail; each has bounded retries, and a fallback. */
export type AtomStep = "solve" | "decompose" | "label" | "sub-question" | "contract" | "judge";

/** A step that failed after its retries, with the reason; the attempt went on with a fallback. */
export interface StepFailure {
  step: AtomStep;
  /** Index of the transition. */
  transition: number;
  /** What the last try was: not what was asked for, cut off, or a prompt that does not fit the context. */
  failure: OperationFailure;
  reason: string;
}

/** What the steps of a transition cost, every try of them. */
export interface StepCost {
  calls: number;
  promptTokens: number;
  completionTokens: number;
}

/** An atomic question with its answer; undefined where it could not be answered. */
export interface AnsweredQuestion extends AtomicQuestion {
  answer?: string | undefined;
}

/** One transition Qᵢ → Qᵢ₊₁ (AoT, Algorithm 1). */
export interface Transition {
  question: string;
  /** The decomposition, with the answers of its layers; absent if there was none. */
  graph?: readonly AnsweredQuestion[];
  /** The contracted question; absent if there was none. */
  contracted?: string;
  /** Answers of solve(Qᵢ), solve(Gᵢ) and solve(Qᵢ₊₁). */
  answers: Partial<Record<SolutionSource, string>>;
  /** Whose answer goes on, and who chose it. */
  chosen: SolutionSource;
  chosenBy: "only" | "agreement" | "judge" | "majority" | "verifier" | "fallback";
}

/** Why there was no further transition. */
export type StopReason = "atomic" | "no-graph" | "no-contraction" | "agreement" | "judge" | "depth";

/** What an attempt of Atom of Thoughts did, as plain data. */
export interface AtomTrace {
  mode: string;
  transitions: readonly Transition[];
  stopped: StopReason;
  failures: readonly StepFailure[];
  /** By the index of the transition; the first one also pays for the direct solution. One more than transitions where the last graph failed. */
  costs: readonly StepCost[];
}
