import { z } from "zod";
import { fail, type Result } from "../answer/index.js";
import { mayHoldJson, readJson } from "./json.js";
import { defineOperation } from "./operation.js";
import type { QuestionInput } from "./solution.js";
import { answerIn, wholeNumber, withoutLastLine } from "./text.js";

export interface JudgeInput extends QuestionInput {
  /** What to choose among: bare answers, or solutions. */
  answers: readonly string[];
}

export interface Judgement {
  /** What was considered before the choice. */
  work: string;
  /** The index of the best answer, from 0. */
  best: number;
}

/** Choose the best among several answers to a question. */
export const judge = defineOperation<JudgeInput, Judgement>({
  name: "judge",
  instruction: `Below are a question and several answers to it. Solve the question yourself in a few short lines, compare, and choose the best answer. End with one line: "Best:" and the number of that answer (for example "Best: 2").`,
  render: ({ question, answers }) =>
    [question.trim(), ...answers.map((each, index) => `Answer ${index + 1}:${separator(each)}${each.trim()}`)].join(
      "\n",
    ),
  write: ({ work, best }) => (work === "" ? `Best: ${best + 1}` : `${work}\nBest: ${best + 1}`),
  read(text, { answers }, complete) {
    const number = readNumber(complete ? text : withoutLastLine(text));
    if (!number.ok) return number;
    if (number.value < 1 || number.value > answers.length) {
      return fail(`answer ${number.value} of ${answers.length} does not exist`);
    }
    const at = text.search(/^[*_ ]{0,4}Best[*_ ]{0,4}:/m);
    return { ok: true, value: { work: (at < 0 ? text : text.slice(0, at)).trim(), best: number.value - 1 } };
  },
});

const separator = (answer: string): string => (answer.trim().includes("\n") ? "\n" : " ");

const schema = z
  .looseObject({ best: wholeNumber.optional(), choice: wholeNumber.optional(), answer: wholeNumber.optional() })
  .transform(({ best, choice, answer }, context) => {
    const number = best ?? choice ?? answer;
    if (number !== undefined) return number;
    context.addIssue({ code: "custom", message: "expected the number of the best answer" });
    return z.NEVER;
  });

const CHOICE =
  /\b(?:best|choice|choose|chosen|correct)\b(?:\s{1,3}(?:answer|solution|one|option|choice))?(?:\s{0,3}(?:is|number|:|=|answer|solution|option|#|\*|\(|"|\[)){0,6}\s{0,3}(\d{1,4})(?![\d.]*\d)/gi;

/** The last choice that is stated; else an answer in the usual forms; else a number alone. */
function readNumber(text: string): Result<number> {
  if (mayHoldJson(text)) {
    const json = readJson(text, schema);
    if (json.ok) return json;
  }
  const stated = [...text.matchAll(CHOICE)].at(-1)?.[1];
  if (stated !== undefined) return { ok: true, value: Number(stated) };
  const answer = answerIn(text, true);
  const alone = /^\D{0,20}(\d{1,4})\D{0,5}$/.exec((answer.ok ? answer.value : text).trim())?.[1];
  return alone === undefined ? fail("no choice") : { ok: true, value: Number(alone) };
}
