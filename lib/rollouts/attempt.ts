import type { Capability, Completion, LanguageModel, Prompt } from "../llm/index.js";
import type { SamplingOptions } from "../model/index.js";
import type { Problem } from "../tasks/index.js";

/** One completion of a model, asked for within an attempt. */
export interface Call {
  /** What the model was asked to do: the operation's name, or "generate". */
  operation: string;
  prompt: Prompt;
  completion: Completion;
}

/** What a strategy returns: how a problem was answered. */
export interface Answer {
  /** The text that ends in the answer, as it was written; what the released systems grade. */
  text: string;
  /** The text without thoughts, ending in the answer; undefined if there is none, or it is not what was asked for. */
  solution?: string | undefined;
  /** What else happened, as plain data: a graph, a tree, a trajectory. */
  trace?: unknown;
}

/** An answer with all that it cost. */
export interface Attempt extends Answer {
  /** Id of the problem. */
  problem: string;
  /** Which of the attempts at the problem, from 0. */
  sample: number;
  /** All completions of the attempt, in the order in which they were asked for; none if the first prompt was too long. */
  calls: readonly Call[];
}

/** What an attempt works with. */
export interface Context {
  problem: Problem;
  sample: number;
  /** The model. Its calls are counted, and sent together with those of other attempts. */
  model: LanguageModel;
  /** The model under the name of an operation, which the calls bear. */
  as(operation: string): LanguageModel;
  /** Where the random numbers of the attempts at all problems come from. */
  seed: number | string;
  /** The most new tokens of one call. */
  maxNewTokens: number;
  /** How the next token is chosen; greedy where nothing is said. */
  sampling: SamplingOptions;
  signal: AbortSignal;
}

/**
 * A way to answer a problem: plain asynchronous code for one problem. Many attempts run side by side, and what they ask at
 * the same time goes to the model in few large calls.
 */
export interface Strategy {
  /** What records and figures call it. */
  name: string;
  /** What it depends on besides its name, for the settings of a run. */
  settings?: Readonly<Record<string, unknown>> | undefined;
  /** What the model must be able to do besides generating texts. */
  needs?: readonly Capability[] | undefined;
  /** Check, before any work, that it can be used with a model. Throws bad-input that says why not. */
  check?: ((model: LanguageModel) => Promise<void>) | undefined;
  /**
   * Declares that an attempt is one call, and that a text that was cut off has no solution. A text under a smaller budget
   * is then the beginning of the same text, and is not generated again.
   */
  singleCall?: boolean | undefined;
  /** What the model is asked first, for files of results. Default: the question alone. */
  firstPrompt?: ((model: LanguageModel, problem: Problem) => Prompt) | undefined;
  attempt(problem: Problem, context: Context): Promise<Answer>;
}
