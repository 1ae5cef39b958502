import { z } from "zod";
import { isWholeText, type LanguageModel } from "../../llm/index.js";
import { OPERATION_NAMES, type Operation, operationFor, runOperation, wayOf } from "../../operations/index.js";
import type { Sandbox } from "../../sandbox/index.js";
import type { AnnotatedCase } from "./cases.js";
import { type CaseVerdict, checkCase, isChecked } from "./checks.js";

/** One output of an operation for a case. It holds no times, so it repeats exactly. */
export const caseRecordSchema = z.strictObject({
  /** `ARM#PROBLEM`, where the arm is the operation's name or that of a way of asking. */
  id: z.string(),
  arm: z.string(),
  operation: z.enum(OPERATION_NAMES),
  /** Id of the problem. */
  problem: z.string(),
  /** Without what was begun for the model. */
  completion: z.string(),
  promptTokens: z.int().nonnegative(),
  completionTokens: z.int().nonnegative(),
  /** Whether the model ended the text. */
  finished: z.boolean(),
  /** Whether it could be parsed, complete. */
  parsed: z.boolean(),
  /** Why it could not. */
  reason: z.string().optional(),
  /** Why it is not right, in a few words that are the same for the same kind of failure. */
  cause: z.string().optional(),
  /** Whether it is right, where the annotations tell. */
  right: z.boolean().optional(),
  /** Of a decomposition that could be parsed: its sub-questions, and how many of them are questions. */
  subQuestions: z.int().optional(),
  questions: z.int().optional(),
});
export type CaseRecord = z.infer<typeof caseRecordSchema>;

export const caseRecordId = (arm: string, problem: string): string => `${arm}#${problem}`;

export interface AskCasesOptions {
  arm: string;
  maxNewTokens: number;
  seed: number | string;
  sandbox: Sandbox;
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Stores a record. If it rejects, the work ends. */
  store: (record: CaseRecord) => Promise<void>;
}

/**
 * Ask a model for one operation on cases, greedily and once each, check the outputs, and store each record as soon as its text
 * is complete.
 *
 * @throws as `runOperation` and `store`
 */
export async function askCases(
  model: LanguageModel,
  cases: readonly AnnotatedCase[],
  { arm, maxNewTokens, seed, sandbox, batchSize, signal, store }: AskCasesOptions,
): Promise<void> {
  const name = cases[0]?.operation;
  if (name === undefined) return;
  const operation = operationFor(model, name) as unknown as Operation<unknown, unknown>;
  const language = wayOf(model, name)?.form === "python" ? "python" : "javascript";
  const failure = new AbortController();
  const storing: Promise<void>[] = [];
  try {
    await runOperation(
      model,
      operation,
      cases.map(({ input }) => input),
      {
        maxNewTokens,
        batchSize,
        attempts: 1,
        seeds: cases.map(({ id }) => `${seed}/${name}/${id}`),
        signal: AbortSignal.any([failure.signal, ...(signal ? [signal] : [])]),
        onOutcome(outcome, { request }) {
          const given = cases[request]!;
          const stored = async () => {
            const verdict = outcome.ok
              ? await checkCase(outcome.value, given, { sandbox, language, signal })
              : isChecked(name)
                ? { right: false, cause: outcome.failure === "unparseable" ? "it cannot be read" : "it was cut off" }
                : {};
            const { right, cause, questions }: CaseVerdict = verdict;
            await store({
              id: caseRecordId(arm, given.id),
              arm,
              operation: name,
              problem: given.id,
              completion: outcome.text,
              promptTokens: outcome.promptTokens,
              completionTokens: outcome.completionTokens,
              finished: isWholeText(outcome),
              parsed: outcome.ok,
              ...(outcome.ok ? {} : { reason: outcome.reason }),
              ...(right === undefined ? {} : { right }),
              ...(cause === undefined ? {} : { cause }),
              ...(questions === undefined
                ? {}
                : { questions, subQuestions: (outcome as { value: unknown[] }).value.length }),
            });
          };
          storing.push(stored().catch((error: unknown) => failure.abort(error)));
        },
      },
    );
  } catch (error) {
    if (failure.signal.aborted) throw failure.signal.reason;
    throw error;
  } finally {
    await Promise.all(storing);
  }
  failure.signal.throwIfAborted();
}
