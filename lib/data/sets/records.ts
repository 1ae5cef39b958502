import { z } from "zod";

const text = z.string().regex(/\S/, "expected text");
/** Unique within a data set: "<data set>/<split>/<the set's own id, else the row, counted from 0>". */
const id = text;

/** A question whose answer is a mathematical value. */
const mathRecordSchema = z.strictObject({
  id,
  kind: z.literal("math"),
  question: text,
  /** The reference answer, as the set writes it. */
  answer: text,
  /** All reference answers, where the set lists several. */
  answers: z.array(text).min(2).optional(),
  solution: text.optional(),
  level: z.int().optional(),
  subject: text.optional(),
  /** The question refers to a picture, which is not part of the record. */
  needsPicture: z.literal(true).optional(),
});

/** A question with lettered options. */
const choiceRecordSchema = z
  .strictObject({
    id,
    kind: z.literal("choice"),
    question: text,
    choices: z.array(z.strictObject({ letter: z.string().regex(/^[A-Z]$/), text: z.string() })).min(1),
    /** The letter of the right option. */
    answer: z.string(),
  })
  .refine(({ choices, answer }) => choices.some(({ letter }) => letter === answer), {
    error: "the answer is not the letter of an option",
    path: ["answer"],
  });

/** A question over several paragraphs. */
const multiHopRecordSchema = z.strictObject({
  id,
  kind: z.literal("multi-hop"),
  question: text,
  context: z.array(z.strictObject({ title: z.string(), sentences: z.array(z.string()) })).min(1),
  /** Accepted answers: any of them is right. */
  answers: z.array(text).min(1),
  /** The sentences (counted from 0) that the answer needs. */
  supportingFacts: z.array(z.strictObject({ title: z.string(), sentence: z.int().nonnegative() })).optional(),
});

/** A question whose answer is a word, a list of words or symbols, or yes or no. */
const textRecordSchema = z.strictObject({ id, kind: z.literal("text"), question: text, answer: text });

/** A function to write, and the program that checks it. */
const codeRecordSchema = z.strictObject({
  id,
  kind: z.literal("code"),
  prompt: text,
  entryPoint: text,
  /** Tests, run after the function: they fail unless the function is right. */
  tests: text,
  language: z.literal("python"),
  /** A function that passes. */
  reference: text.optional(),
});

/** Four numbers that make 24 with + − × ÷, each used once. */
const game24RecordSchema = z.strictObject({
  id,
  kind: z.literal("game24"),
  numbers: z.array(z.int().positive()).length(4),
});

/** A question with a chain of thought and the solution that follows it. */
const traceRecordSchema = z.strictObject({
  id,
  kind: z.literal("trace"),
  question: text,
  thought: text,
  solution: text,
  /** Final answer of this solution. */
  answer: text.optional(),
  /** The reference answer, or the reference solution where the set has only that. */
  reference: text.optional(),
  /** Verdict given by the data set. */
  isCorrect: z.boolean().optional(),
  /** System prompt that the chain was written under. */
  system: text.optional(),
});

/** Attempts of a search over reasoning trajectories on a question. */
const searchRecordSchema = z.strictObject({
  id,
  kind: z.literal("search"),
  question: text,
  answer: text.optional(),
  samples: z.array(
    z.strictObject({
      phase: z.enum(["probing", "step 1", "step 2", "step 3"]),
      /** Analysis, solution, verification, answering; "" where the action is left out. */
      trajectory: z.array(z.string()).length(4),
      dialogue: z.array(z.strictObject({ role: text, content: z.string() })),
      /** Undefined if no answer could be parsed. */
      prediction: z.string().optional(),
      score: z.number(),
    }),
  ),
});

/** A record of any data set. */
export const datasetRecordSchema = z.discriminatedUnion("kind", [
  mathRecordSchema,
  choiceRecordSchema,
  multiHopRecordSchema,
  textRecordSchema,
  codeRecordSchema,
  game24RecordSchema,
  traceRecordSchema,
  searchRecordSchema,
]);
export const recordKindSchema = z.enum(["math", "choice", "multi-hop", "text", "code", "game24", "trace", "search"]);

export type MathRecord = z.infer<typeof mathRecordSchema>;
export type ChoiceRecord = z.infer<typeof choiceRecordSchema>;
export type MultiHopRecord = z.infer<typeof multiHopRecordSchema>;
export type TextRecord = z.infer<typeof textRecordSchema>;
export type CodeRecord = z.infer<typeof codeRecordSchema>;
export type Game24Record = z.infer<typeof game24RecordSchema>;
export type TraceRecord = z.infer<typeof traceRecordSchema>;
export type SearchRecord = z.infer<typeof searchRecordSchema>;
export type DatasetRecord = z.infer<typeof datasetRecordSchema>;
