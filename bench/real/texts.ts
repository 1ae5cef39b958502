import { ThoughtbookError } from "thoughtbook/core";
import { type ProceduralProblem, shortChain, wordProblems } from "thoughtbook/data";
import type { TokenModel } from "thoughtbook/llm";

/** As many as GSM8K's problems take. */
const OPERATIONS: [number, number] = [2, 6];

/** Word problems like those of GSM8K. A seed has problems of its own. */
export const problems = (count: number, seed: string): ProceduralProblem[] => [
  ...wordProblems({ seed, operations: OPERATIONS, split: "test" }, count),
];

/** Questions as a user asks them in a chat, as ids. */
export const questions = (model: TokenModel, count: number, seed: string): number[][] =>
  problems(count, seed).map(({ question }) => model.encode({ messages: [{ role: "user", content: question }] }));

/** A problem with its solution, as a text. */
export const solved = (problem: ProceduralProblem): string => `${problem.question}\n${shortChain(problem)}\n\n`;

/** Texts of exactly so many tokens that have no beginning in common. */
export function textsOfLength(model: TokenModel, count: number, length: number, seed: string): number[][] {
  return Array.from({ length: count }, (_, i) => {
    const ids: number[] = [];
    // The number at the beginning keeps them apart from the first tokens on.
    let text = `${seed} ${i}. `;
    for (let more = 0; ids.length < length; more++) {
      text += problems(4, `${seed}/${i}/${more}`).map(solved).join("");
      const encoded = model.encode(text);
      if (encoded.length === ids.length) throw new ThoughtbookError("execution", "the tokenizer gives no tokens");
      ids.splice(0, ids.length, ...encoded);
    }
    return ids.slice(0, length);
  });
}

/** The same four solved problems before each question. */
export function demonstrated(model: TokenModel, count: number, seed: string): number[][] {
  const shots = problems(4, `${seed}/demonstrations`).flatMap((shot) => [
    { role: "user", content: shot.question },
    { role: "assistant", content: shortChain(shot) },
  ]);
  return problems(count, seed).map(({ question }) =>
    model.encode({ messages: [...shots, { role: "user", content: question }] }),
  );
}

/** Problems with their solutions, as rows to train on. */
export const trainingRows = (model: TokenModel, count: number, seed: string): number[][] =>
  problems(count, seed).map((problem) => model.encode(solved(problem)));
