import { canonicalJson, sha256, withoutUndefined } from "../core/index.js";
import { type Operation, type Outcome, type PromptFrame, type PromptStyle, runOperation } from "../operations/index.js";
import type { Context } from "./attempt.js";

export interface AskOptions extends PromptFrame {
  /** How the model is told what to do. Default: by the tag if it knows the operation, else in words. */
  style?: PromptStyle | undefined;
  /** Maximum attempts at an output that cannot be parsed, the first included. Default: 3. */
  attempts?: number | undefined;
  /** Default: the sampling options of the context. */
  maxNewTokens?: number | undefined;
  temperature?: number | undefined;
  /** Distinguishes calls of an attempt with the same request, so that each has random numbers of its own. */
  key?: string | undefined;
}

/**
 * Run an operation within an attempt. The random numbers depend on the seed, the problem, the operation and its input,
 * not on earlier calls, so calls may be made concurrently.
 *
 * @throws like `runOperation`
 */
export async function ask<Input, Output>(
  context: Context,
  operation: Operation<Input, Output>,
  input: Input,
  { key, maxNewTokens = context.maxNewTokens, ...options }: AskOptions = {},
): Promise<Outcome<Output>> {
  const { problem, seed, sampling } = context;
  // The bare problem is asked as in an evaluation of the operation alone.
  const isProblem = (input as unknown) === problem && key === undefined;
  const what = isProblem ? "" : `/${sha256(canonicalJson({ input: operation.render(input), key })).slice(0, 16)}`;
  const [outcomes] = await runOperation(context.as(operation.name), operation, [input], {
    ...sampling,
    ...withoutUndefined(options),
    maxNewTokens,
    seeds: [`${seed}/${operation.name}/${problem.id}${what}`],
  });
  return outcomes![0]!;
}
