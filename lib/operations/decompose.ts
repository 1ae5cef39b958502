import { z } from "zod";
import { fail, type Result } from "../answer/index.js";
import { graphProblems } from "../graph/index.js";
import { mayHoldJson, readJson } from "./json.js";
import { defineOperation } from "./operation.js";
import { type QuestionInput, renderQuestion, type Solution, writeSolution } from "./solution.js";
import { listItems, wholeNumber } from "./text.js";

/** A sub-question before it is answered. */
export interface AtomicQuestion {
  question: string;
  /** The 0-based indices of the sub-questions whose answers it needs, all before it. */
  dependsOn: readonly number[];
}

/** A sub-question with the answer that a solution gave it. */
export interface LabelledQuestion extends AtomicQuestion {
  answer: string;
}

export interface LabelInput extends QuestionInput {
  /** A solution of the question by sub-questions. */
  solution: Solution;
}

/** More than any problem needs; a model that loops writes more. */
const MOST_QUESTIONS = 50;

/**
 * Split a question into sub-questions, each with those it depends on: a graph in topological order (AoT §3.2, arXiv
 * 2502.12018). Its last one is the question itself. Graphs with a cycle or with a dependency that is not there fail.
 */
export const decompose = defineOperation<QuestionInput, readonly AtomicQuestion[]>({
  name: "decompose",
  instruction: `Split the question into the smallest sub-questions that have to be answered to solve it, in an order in which they can be answered; the last one is what the question asks. A sub-question depends on another one if it needs its answer; what the question itself says is no dependency. Do not answer them. Write only JSON:
{"questions": [{"id": 1, "question": "...", "depends_on": []}, {"id": 2, "question": "...", "depends_on": [1]}]}`,
  render: renderQuestion,
  write: (questions) =>
    questions
      .map(
        ({ question, dependsOn }, index) => `${index + 1}. ${question} [${dependsOn.map((at) => at + 1).join(", ")}]`,
      )
      .join("\n"),
  read(text, _, complete) {
    const fromJson = mayHoldJson(text) ? readJson(text, listSchema) : fail("no JSON");
    if (fromJson.ok) return validated(fromJson.value.map(({ question, dependsOn }) => ({ question, dependsOn })));
    if (!complete) return fail("the list was cut off");
    const fromLines = readLines(text);
    if (fromLines.ok) return validated(fromLines.value);
    return fromLines.reason === "no list" ? fail(fromJson.reason) : fromLines;
  },
});

/**
 * AoT's labels, as in its released code: the sub-questions that a solution answered, with their answers and with what each
 * depends on. They are read from the solution; nothing is solved anew.
 */
export const label = defineOperation<LabelInput, readonly LabelledQuestion[]>({
  name: "label",
  instruction: `Below are a question and a solution of it. List the sub-questions that the solution answers, in its order, each with its answer; the last one is what the question asks. A sub-question depends on another one if it needs information that is not in the question and comes from that one's answer. Write only JSON:
{"sub-questions": [{"id": 1, "description": "...", "answer": "...", "depend": []}, {"id": 2, "description": "...", "answer": "...", "depend": [1]}]}`,
  render: ({ question, solution }) => `${question.trim()}\nSolution:\n${writeSolution(solution)}`,
  write: (questions) =>
    JSON.stringify({
      "sub-questions": questions.map(({ question, answer, dependsOn }, index) => ({
        ...{ id: index + 1, description: question, answer, depend: dependsOn.map((at) => at + 1) },
      })),
    }),
  read(text) {
    const listed = mayHoldJson(text) ? readJson(text, listSchema) : fail("no JSON");
    if (!listed.ok) return listed;
    const without = listed.value.findIndex(({ answer }) => answer === undefined);
    if (without >= 0) return fail(`sub-question ${without + 1} has no answer`);
    return validated(listed.value as LabelledQuestion[]);
  },
});

const answerSchema = z.union([z.string(), z.number(), z.boolean()]).transform((value) => String(value).trim());

const questionSchema = z
  .looseObject({
    id: wholeNumber.optional(),
    question: z.string().optional(),
    description: z.string().optional(),
    answer: answerSchema.nullish().catch(undefined),
    depends_on: z.array(wholeNumber).nullish(),
    dependsOn: z.array(wholeNumber).nullish(),
    depend: z.array(wholeNumber).nullish(),
  })
  .transform(({ id, question, description, answer, depends_on, dependsOn, depend }, context) => {
    const needed = depends_on ?? dependsOn ?? depend;
    const text = (question ?? description ?? "").trim();
    if (text !== "" && needed) return { id, question: text, answer: answer || undefined, needed };
    context.addIssue({ code: "custom", message: "expected a question and what it depends on" });
    return z.NEVER;
  });

/** With ids, dependencies name ids; without, they count from 1, or from 0 as AoT's do if there is a 0. */
const listSchema = z
  .preprocess(
    (value) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? (Object.entries(value).find(([key]) => /^(?:sub[-_ ]?)?(?:questions|problems)$/i.test(key))?.[1] ?? value)
        : value,
    z.array(questionSchema).min(1).max(MOST_QUESTIONS),
  )
  .transform((items): (AtomicQuestion & { answer: string | undefined })[] => {
    const ids = items.map(({ id }) => id);
    const named = ids.every((id) => id !== undefined) && new Set(ids).size === ids.length;
    const first = items.some(({ needed }) => needed.includes(0)) ? 0 : 1;
    return items.map(({ question, answer, needed }) => ({
      ...{ question, answer },
      dependsOn: needed.map((id) => (named ? ids.indexOf(id) : id - first)),
    }));
  });

/** How a line ends that says what it depends on; the first form that fits counts. */
const DEPENDENCIES = [
  /\[([^[\]]{0,200})\]\s{0,3}[.;]?$/,
  /\(((?:depends|needs|requires|independent|none)[^()]{0,200})\)\s{0,3}[.;]?$/i,
  /(?<=[?.:;,–—-]\s{0,3})(?:depends? on|dependencies)\b([^?]{0,200})$/i,
];

function readLines(text: string): Result<AtomicQuestion[]> {
  const items = listItems(text);
  if (items.length === 0) return fail("no list");
  if (items.length > MOST_QUESTIONS) return fail(`${items.length} sub-questions, more than ${MOST_QUESTIONS}`);
  const questions: AtomicQuestion[] = [];
  for (const { number, text: item } of items) {
    const end = item.slice(-300);
    const match = DEPENDENCIES.map((form) => form.exec(end)).find((found) => found !== null);
    if (!match) return fail(`sub-question ${number} does not say what it depends on`);
    const question = item.slice(0, item.length - match[0].length).replace(/[\s*–—-]+$/, "");
    if (question === "") return fail(`sub-question ${number} is empty`);
    questions.push({
      question,
      dependsOn: Array.from(match[1]!.matchAll(/\d{1,6}/g), ([digits]) => Number(digits) - 1),
    });
  }
  return { ok: true, value: questions };
}

function validated<Q extends AtomicQuestion>(questions: readonly Q[]): Result<readonly Q[]> {
  const unique = questions.map((each) => ({ ...each, dependsOn: [...new Set(each.dependsOn)] }));
  const problem = graphProblems(unique.map(({ dependsOn }) => dependsOn))[0];
  if (!problem) return { ok: true, value: unique };
  const kind = problem.kind === "out-of-range" ? "one that is not there" : "one that does not come before it";
  return fail(`sub-question ${problem.node + 1} depends on ${kind}`);
}
