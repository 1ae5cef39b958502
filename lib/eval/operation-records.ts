import { z } from "zod";
import { openRun, type Run } from "../core/index.js";
import { UNNAMED_PATH } from "../llm/index.js";
import { OPERATION_NAMES, type OperationName } from "../operations/index.js";

/** One output of an operation. It holds no times, so it repeats exactly. */
const operationRecordSchema = z.strictObject({
  /** `OPERATION#CASE`. */
  id: z.string(),
  operation: z.enum(OPERATION_NAMES),
  /** Index of the operation's case, from 0. */
  case: z.int().nonnegative(),
  completion: z.string(),
  completionTokens: z.int().nonnegative(),
  /** Whether it could be parsed, complete. */
  parsed: z.boolean(),
  /** Whether it is right, where that needs no running of a program. */
  right: z.boolean().optional(),
});
export type OperationRecord = z.infer<typeof operationRecordSchema>;

export const operationRecordId = (operation: OperationName, at: number): string => `${operation}#${at}`;

export type OperationRun = Pick<Run<OperationRecord>, "done" | "records" | "append" | "close">;

const sizeSchema = z.looseObject({ problems: z.int().positive() });

/**
 * Open the run in a folder, with its records so far; it may have fewer or more problems.
 *
 * @param config its `problems` is their number, the rest does not depend on it
 * @throws like `openRun`
 */
export const openOperationRun = (
  folder: string,
  seed: number | string,
  config: Record<string, unknown> & { problems: number },
): Promise<OperationRun> =>
  openRun<OperationRecord>({
    folder,
    config,
    seed,
    unnamed: UNNAMED_PATH,
    idOf: ({ id }) => id,
    schema: operationRecordSchema,
    resized(earlier) {
      const parsed = sizeSchema.safeParse(earlier);
      if (!parsed.success || parsed.data.problems === config.problems) return undefined;
      const { problems } = parsed.data;
      return { config: { ...config, problems }, grows: problems < config.problems };
    },
  });
