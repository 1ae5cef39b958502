import { decompose } from "./decompose.js";
import { explain } from "./explain.js";
import { judge } from "./judge.js";
import type { Operation } from "./operation.js";
import { code, program } from "./programs.js";
import { contract, plan, rewrite } from "./reword.js";
import { answer, cot, think } from "./solve.js";
import { revise, verify } from "./verify.js";

/** All operations by name. */
export const OPERATIONS = {
  answer,
  cot,
  think,
  decompose,
  contract,
  judge,
  rewrite,
  plan,
  program,
  verify,
  explain,
  revise,
  code,
} as const;

export type OperationName = keyof typeof OPERATIONS;
export const OPERATION_NAMES = Object.keys(OPERATIONS) as readonly OperationName[];

/** Their tags: special tokens of a model trained on operations. */
export const OPERATION_TAGS: readonly string[] = OPERATION_NAMES.map((name) => OPERATIONS[name].tag);

export type InputOf<Name extends OperationName> =
  (typeof OPERATIONS)[Name] extends Operation<infer Input, infer _> ? Input : never;
export type OutputOf<Name extends OperationName> =
  (typeof OPERATIONS)[Name] extends Operation<infer _, infer Output> ? Output : never;
