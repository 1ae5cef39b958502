import { type DatasetRecord, FUNCTION_STEPS, type FunctionProblem, generateFunctionProblem } from "../data/index.js";
import type { SandboxCase } from "../sandbox/index.js";
import type { Problem } from "./problems.js";

/** The problem of a row of HumanEval or MBPP. */
export function datasetCodeProblem({
  id,
  prompt,
  entryPoint,
  tests,
}: Extract<DatasetRecord, { kind: "code" }>): Problem {
  const begins = new RegExp(`^\\s*(?:async\\s+)?def\\s+${entryPoint}\\b`, "m").test(prompt);
  // MBPP's own rows say in words what to do, and its tests what the function is called, as its paper asks.
  const question = begins ? prompt : `${prompt.trim()}\nYour code should pass these tests:\n\n${tests.trim()}`;
  const code = { language: "python", prompt: begins ? prompt : "", entryPoint, tests } as const;
  return { id, question, kind: "code", references: [tests], code };
}

/** Functions of JavaScript by their number of steps, in a range each number in turn; see `generateFunctionProblem`. */
export function functionProblem(
  at: number,
  { low, high, seed, split }: { low: number; high: number; seed: number; split: FunctionProblem["split"] },
): Problem {
  const range = high - low + 1;
  const place = { steps: low + (at % range), index: Math.floor(at / range) };
  const { id, name, parameters, specification, examples, tests, steps } = generateFunctionProblem({
    ...{ seed, split },
    ...place,
  });
  const shown = examples.map((each) => callOf(name, each));
  const question = [`Write the JavaScript function ${name}(${parameters.join(", ")}): ${specification}`, ...shown].join(
    "\n",
  );
  const code = { language: "javascript", name, parameters, specification, examples, tests } as const;
  const references = [[...examples, ...tests].map((each) => callOf(name, each)).join("\n")];
  return { id, question, kind: "code", references, operations: steps, code };
}

export const [LEAST_STEPS, MOST_STEPS] = FUNCTION_STEPS;

const callOf = (name: string, { args, result }: SandboxCase): string =>
  `${name}(${args.map((each) => JSON.stringify(each)).join(", ")}) = ${JSON.stringify(result)}`;
