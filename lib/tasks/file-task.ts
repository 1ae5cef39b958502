import { basename, extname } from "node:path";
import { z } from "zod";
import { resolveUserPath, ThoughtbookError } from "../core/index.js";
import { readRows } from "../data/index.js";
import { ANSWER_KINDS, type Problem, type ProblemKind } from "./problems.js";

/** Maximum bad rows that an error names. */
const MOST_NAMED = 5;

const text = z.string("is no text").refine((value) => value.trim() !== "", "is empty");
const answerSchema = z.union([
  text,
  z.boolean().transform(String),
  z
    .number()
    .refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), "is too large to be exact")
    .transform(String),
]);
const rowSchema = z
  .looseObject({
    id: z.union([text, z.int().transform(String)], "is neither a text nor a whole number").nullish(),
    question: text.nullish(),
    problem: text.nullish(),
    answer: answerSchema.nullish(),
    reference: answerSchema.nullish(),
    kind: z.enum(ANSWER_KINDS, `is none of ${ANSWER_KINDS.join(", ")}`).nullish(),
  })
  .refine(({ question, problem }) => (question ?? problem) != null, "no question")
  .refine(({ answer, reference }) => (answer ?? reference) != null, "no answer");

/** Whether a task's name is a file of the user's rather than the name of a data set. */
export const isFileTask = (name: string): boolean => /[\\/]|\.\w+$/.test(name);

/**
 * Read problems from a file: JSONL, JSON, CSV or Parquet, with a `question` and an `answer` in each row, and optionally
 * an `id` and a `kind` of answer. Without a kind the answer decides: `yes-no`, `choice` for a letter that the question
 * offers, `words` for names and the like, else `math`.
 *
 * @param limit maximum number of problems; later rows are not read
 * @throws bad-input that names rows without them, or a file without rows; as `readRows`
 */
export async function readFileProblems(
  file: string,
  { limit, signal }: { limit?: number | undefined; signal?: AbortSignal | undefined },
): Promise<{ name: string; problems: Problem[] }> {
  const path = resolveUserPath(file);
  const name = basename(path, extname(path));
  const problems: Problem[] = [];
  const bad: string[] = [];
  const rows = readRows(path, {
    onMalformed: ({ place, reason }) => bad.push(`${place}: ${reason}`),
    ...(signal ? { signal } : {}),
  });
  for await (const { index, place, value } of rows) {
    const parsed = rowSchema.safeParse(value);
    if (!parsed.success) bad.push(`${place}: ${reasonOf(parsed.error, value)}`);
    else problems.push(problemOf(`${name}/${index}`, parsed.data));
    if (problems.length === limit) break;
  }
  if (bad.length === 0 && problems.length > 0) return { name, problems };
  const rest = bad.length > MOST_NAMED ? `; and ${bad.length - MOST_NAMED} more` : "";
  const message =
    bad.length === 0
      ? `${path} has no rows`
      : `${path} has ${bad.length} ${bad.length === 1 ? "row that is no problem" : "rows that are no problems"}: ${bad.slice(0, MOST_NAMED).join("; ")}${rest}`;
  throw new ThoughtbookError("bad-input", message, {
    hint: 'Each row needs a "question" and an "answer"; "id" and "kind" are optional. Correct or delete the others.',
  });
}

function reasonOf(error: z.ZodError, value: unknown): string {
  const { path, message, code } = error.issues[0]!;
  if (typeof value !== "object" || value === null) return "it is no object";
  if (path.length === 0) {
    const keys = Object.keys(value);
    return `${message}, only ${keys.length === 0 ? "nothing" : keys.map((key) => JSON.stringify(key)).join(", ")}`;
  }
  // The first issue of a union is uninformative.
  const given = (value as Record<string, unknown>)[String(path[0])];
  const isNumber = typeof given === "number";
  const why =
    code !== "invalid_union"
      ? message
      : isNumber
        ? "is too large to be exact: write it as a text"
        : "is no text, number or truth value";
  return `${path.join(".")} ${why}`;
}

function problemOf(place: string, row: z.infer<typeof rowSchema>): Problem {
  const question = (row.question ?? row.problem)!;
  const answer = (row.answer ?? row.reference)!;
  const { id, kind } = row;
  const asked = kind ?? kindOf(question, answer);
  const letter = asked === "choice" ? LETTER.exec(answer.trim())?.[1] : undefined;
  return { id: id ?? place, question, kind: asked, references: [letter ?? answer], fields: row };
}

const LETTER = /^\(?([A-J])\)?\.?$/;

function kindOf(question: string, answer: string): ProblemKind {
  const said = answer.trim();
  if (/^(?:yes|no|true|false)$/i.test(said)) return "yes-no";
  const letter = LETTER.exec(said)?.[1];
  if (letter !== undefined && new RegExp(`(^|[\\s(])${letter}[).:]`, "m").test(question)) return "choice";
  // Formulas have digits, signs or single letters.
  const isWords = /\p{L}{2}/u.test(said) && !/[\d\\$^_=+*/<>{}]|####/.test(said);
  return isWords ? "words" : "math";
}
