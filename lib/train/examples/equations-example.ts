import type { Random } from "../../core/index.js";
import { groupBy } from "../../core/index.js";
import { generateWordProblem, problemSteps, type WordProblemOptions } from "../../data/index.js";
import type { Tokenizer } from "../../model/index.js";
import { type Example, exampleOf } from "./examples.js";

export interface EquationsOptions {
  /** Those whose steps are taken. */
  problems: WordProblemOptions;
  /** Tokens at most. */
  longest: number;
  /** Draw the forms of expressions, such as n+n+n, equally often, from this; else they are as frequent as in problems. */
  balancedBy?: Random | undefined;
}

interface Equation {
  expression: string;
  value: number;
}

/** Problems of whose steps balanced equations are drawn: enough that rare forms are among them. */
const POOL = 24;

/**
 * An example of equations only, one a line: "12*3=36", drawn as steps of word problems are. The loss counts what stands
 * right of the equals signs. A question with its chain has one equation in thirty tokens, this has one in nine: arithmetic
 * is learned at a fraction of the cost.
 *
 * @returns undefined if the first equation is longer
 */
export function equationsExample(
  tokenizer: Tokenizer,
  { problems, longest, balancedBy }: EquationsOptions,
): Example | undefined {
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const newline = encode("\n");
  const ids: number[] = [];
  const counted: boolean[] = [];
  for (const { expression, value } of balancedBy ? balanced(problems, balancedBy) : stepsOf(problems)) {
    const question = encode(`${expression}=`);
    const result = [...encode(String(value)), ...newline];
    if (ids.length + question.length + result.length > longest) break;
    ids.push(...question, ...result);
    counted.push(...question.map(() => false), ...result.map(() => true));
  }
  return ids.length === 0 ? undefined : exampleOf(ids, (i) => counted[i]!);
}

function* stepsOf(problems: WordProblemOptions): Generator<Equation> {
  for (let index = 0; ; index++) yield* problemSteps(generateWordProblem({ ...problems, index }));
}

function* balanced(problems: WordProblemOptions, random: Random): Generator<Equation> {
  const steps = Array.from({ length: POOL }, (_, index) => problemSteps(generateWordProblem({ ...problems, index })));
  const pools = [...groupBy(steps.flat(), ({ expression }) => expression.replaceAll(/\d+/g, "n")).values()];
  for (;;) yield random.choice(random.choice(pools));
}
