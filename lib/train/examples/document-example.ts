import type { Random } from "../../core/index.js";
import { longChain, type ProceduralProblem } from "../../data/index.js";
import type { Tokenizer } from "../../model/index.js";
import { type Example, exampleOf } from "./examples.js";

/** Paragraphs that come before a question or a solution, at most. */
const MOST_BEFORE = 3;
const BLANK_LINE = "\n\n";

/**
 * A text about a problem, with no tags and every token counted: what a model learns that is to judge texts, not to answer
 * (GPT-2's part in A*-Thought). Half of them are in order: question, thought, solution, cut where `longest` is reached.
 * The others are some paragraphs of the thought in a row, and then the question or the solution.
 */
export function documentExample(
  tokenizer: Tokenizer,
  problem: ProceduralProblem,
  random: Random,
  longest: number,
): Example {
  const { paragraphs, thought, solution } = longChain(problem);
  const parts = [problem.question, thought, solution];
  if (random.uniform() < 0.5) {
    const first = random.integer(paragraphs.length);
    const count = 1 + random.integer(MOST_BEFORE);
    const before = paragraphs.slice(first, first + count).map(({ text }) => text);
    parts.splice(0, parts.length, ...before, random.choice([problem.question, solution]));
  }
  // Parts are encoded each: scores of texts that follow each other join ids, not letters.
  const ids = parts.flatMap((part, i) =>
    tokenizer.encode(i === 0 ? part : BLANK_LINE + part, { addSpecialTokens: false }),
  );
  return exampleOf([...ids, ...tokenizer.endIds.slice(0, 1)].slice(0, longest), (i) => i > 0);
}
