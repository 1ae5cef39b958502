import { leaves } from "../../answer/index.js";
import type { Contraction } from "../../graph/index.js";
import { givenNumbers, includesNumber } from "./given-numbers.js";

/**
 * Write the contracted question in words, by rule and without a model: answered steps become known conditions,
 * sentences whose numbers no remaining step needs are left out, and the question asked stays. (AoT §3.2 has a model
 * write it; this is the reference that is right by construction.)
 */
export function contractQuestion(question: string, { known, remaining }: Contraction): string {
  const sentences = splitSentences(question);
  const asked = sentences.at(-1) ?? "";
  const needed = remaining.nodes.flatMap(({ expression }) =>
    expression ? leaves(expression).flatMap((leaf) => (leaf.kind === "number" ? [leaf.value] : [])) : [],
  );
  const context = sentences.slice(0, -1).filter((sentence) => {
    const numbers = givenNumbers(sentence);
    return numbers.length === 0 || numbers.some((number) => includesNumber(needed, number));
  });
  return [...context, ...known.map(({ node }) => asSentence(withoutArithmetic(node.answer))), asked].join(" ");
}

/** Many steps of GSM8K end without a full stop. */
const asSentence = (text: string): string => (/[\p{L}\d%)]$/u.test(text) ? `${text}.` : text);

/** "The buses cost 3 * 280 = $840." says as a known condition "The buses cost $840." */
export const withoutArithmetic = (answer: string): string =>
  answer.replace(/[-\d$.,%()+−*/×÷\s]*\d[)\s]*=\s*(?=[$\d.-])/g, " ").trim();

export const splitSentences = (text: string): string[] =>
  [...new Intl.Segmenter("en", { granularity: "sentence" }).segment(text)].map(({ segment }) => segment.trim());
