import type { Capability, Completion, LanguageModel, Prompt } from "../llm/index.js";
import type { SamplingOptions } from "../model/index.js";
import type { Sandbox } from "../sandbox/index.js";
import type { Failure, Problem } from "../tasks/index.js";

/** One completion of a model, requested within an attempt. */
export interface Call {
  /** What the model was asked to do: the operation's name, or "generate". */
  operation: string;
  prompt: Prompt;
  completion: Completion;
}

/** Result of a strategy for a problem. */
export interface Answer {
  /** The text that ends in the answer, as written; the released systems grade this. */
  text: string;
  /** What the text was begun with by the model's way of asking; graded with it. */
  begun?: string | undefined;
  /** The text without thoughts, ending in the answer; undefined if there is none, or it is not what was asked for. */
  solution?: string | undefined;
  /** Why there is no solution, where the text was a program that failed. */
  failure?: Failure | undefined;
  /**
   * Further results as plain data: a graph, a tree, a trajectory. It is kept in rollouts and in records of evaluations;
   * `failures` in it, a list of `{ step, … }` that an attempt went on from with a fallback, is counted in summaries.
   */
  trace?: unknown;
}

/** An answer with everything that it cost. */
export interface Attempt extends Answer {
  /** Id of the problem. */
  problem: string;
  /** Index of the attempt at the problem, from 0. */
  sample: number;
  /** All completions of the attempt, in the order of the requests; none if the first prompt was too long. */
  calls: readonly Call[];
}

/** Everything an attempt works with. */
export interface Context {
  problem: Problem;
  sample: number;
  /** The model. Its calls are recorded, and batched with those of other attempts. */
  model: LanguageModel;
  /** The model, with calls recorded under the name of an operation. */
  as(operation: string): LanguageModel;
  /** The same with another model, such as a planner; its calls are recorded and batched likewise, and count as the attempt's. */
  with(other: LanguageModel): Promise<Context>;
  /** Seed of the random numbers for the attempts at all problems. */
  seed: number | string;
  /** Maximum new tokens of one call. */
  maxNewTokens: number;
  /** Sampling options. Default: greedy. */
  sampling: SamplingOptions;
  /** Runs programs that the model wrote; one for all attempts. An interpreter starts with the first program. */
  sandbox: Sandbox;
  signal: AbortSignal;
}

/**
 * A way to answer a problem: plain asynchronous code for one problem. Many attempts run concurrently, and what they
 * request at the same time goes to the model in few large calls.
 */
export interface Strategy {
  /** Name in records and figures. */
  name: string;
  /** Settings it depends on besides its name, for the settings of a run. */
  settings?: Readonly<Record<string, unknown>> | undefined;
  /** Capabilities that the model must have besides generating texts. */
  needs?: readonly Capability[] | undefined;
  /** Check, before any work, that it can be used with a model. Throws bad-input with the reason. */
  check?: ((model: LanguageModel) => Promise<void>) | undefined;
  /**
   * Declares that an attempt is one call, and that a truncated text has no solution. A text under a smaller budget is
   * then a prefix of the same text, and is not generated again.
   */
  singleCall?: boolean | undefined;
  /** Declares that its solutions to problems of code are programs. Without it such problems are refused. */
  writesCode?: boolean | undefined;
  /** The first prompt, for files of results. Default: the question alone. */
  firstPrompt?: ((model: LanguageModel, problem: Problem) => Prompt) | undefined;
  attempt(problem: Problem, context: Context): Promise<Answer>;
}
