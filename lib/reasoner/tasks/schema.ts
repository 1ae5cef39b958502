import { z } from "zod";
import { LANGUAGES } from "../../sandbox/index.js";

const text = z.string().min(1);
const identifier = z.string().regex(/^[A-Za-z_]\w*$/);

const caseSchema = z.strictObject({
  args: z.array(z.json()),
  expect: z.json(),
});

const functionSchema = z.strictObject({
  entry: identifier,
  parameters: z.array(identifier),
  /** What it does, in words: "returns …". */
  does: text,
  /** Calls that the question shows. */
  visible: z.array(caseSchema).min(1),
  /** Calls that only the reward sees. */
  hidden: z.array(caseSchema).min(1),
});

/** A function to write, or two that use each other; the first is the one that is asked for. */
export const codeTaskSchema = z.strictObject({
  id: text,
  family: text.optional(),
  language: z.enum(LANGUAGES),
  functions: z.array(functionSchema).min(1),
  /** A right program. */
  reference: text.optional(),
});

const number = z.string().regex(/^-?\d+(?:\.\d+|\/\d+)?$/);

/** A question with the steps that lead to its answer. */
export const mathTaskSchema = z.strictObject({
  id: text,
  question: text,
  /** Steps in their order: "12*3" and its value. */
  steps: z.array(z.strictObject({ expr: text, value: number })).min(1),
  answer: number,
});

export const taskFileSchema = z.discriminatedUnion("domain", [
  z.strictObject({ $schema: z.string().optional(), domain: z.literal("code"), tasks: z.array(codeTaskSchema).min(1) }),
  z.strictObject({ $schema: z.string().optional(), domain: z.literal("math"), tasks: z.array(mathTaskSchema).min(1) }),
]);

export type CodeTask = z.infer<typeof codeTaskSchema>;
export type MathTask = z.infer<typeof mathTaskSchema>;
export type TaskFile = z.infer<typeof taskFileSchema>;

/** JSON schemas of the files under data/tasks, by their domain. */
export const taskFileSchemas = () =>
  Object.fromEntries(
    taskFileSchema.options.map((schema) => [schema.shape.domain.value, z.toJSONSchema(schema, { target: "draft-7" })]),
  );
