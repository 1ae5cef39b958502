import { generateWordProblem, problemSteps, type WordProblemOptions } from "../data/index.js";
import type { Tokenizer } from "../model/index.js";
import { type Example, exampleOf } from "./examples.js";

/**
 * An example of equations only, one a line: "12*3=36", drawn as steps of word problems are. The loss counts what stands
 * right of the equals signs. A question with its chain has one equation in thirty tokens, this has one in nine: arithmetic
 * is learned at a fraction of the cost.
 *
 * @param problems those whose steps are taken
 * @param longest tokens at most
 * @returns undefined if the first equation is longer
 */
export function equationsExample(
  tokenizer: Tokenizer,
  problems: WordProblemOptions,
  longest: number,
): Example | undefined {
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const newline = encode("\n");
  const ids: number[] = [];
  const counted: boolean[] = [];
  for (let index = 0; ; index++) {
    for (const { expression, value } of problemSteps(generateWordProblem({ ...problems, index }))) {
      const question = encode(`${expression}=`);
      const result = [...encode(String(value)), ...newline];
      if (ids.length + question.length + result.length > longest) {
        return ids.length === 0 ? undefined : exampleOf(ids, (i) => counted[i]!);
      }
      ids.push(...question, ...result);
      counted.push(...question.map(() => false), ...result.map(() => true));
    }
  }
}
