import { checkWhole, sum } from "../core/index.js";
import type { Completion } from "../llm/index.js";
import { defineOperation, OPERATIONS, operationPrompt, type Solution } from "../operations/index.js";
import { type Answer, ask, type Context, type Strategy } from "../rollouts/index.js";
import { beamSearch, type SearchTree } from "../search/index.js";
import { type Problem, votes } from "../tasks/index.js";
import { answerWith } from "./calls.js";

export interface TreeOfThoughtsOptions {
  /** Partial solutions that are kept after each step. Default: 3. */
  width?: number | undefined;
  /** Next steps that are sampled for each. Default: 3. */
  branches?: number | undefined;
  /** Maximum steps of a solution. Default: 10. */
  steps?: number | undefined;
  /** Temperature of the steps, where the attempt is greedy. Default: 0.7. */
  temperature?: number | undefined;
  /**
   * How a partial solution is valued: by asking the model (arXiv 2305.10601 §3), or by the mean probability of its tokens,
   * which costs nothing and needs log-probabilities. Default: the model is asked.
   */
  value?: "model" | "probability" | undefined;
}

/** A solution as far as it is written. */
interface Partial {
  /** Its lines, each with its line break except the last of a complete one. */
  text: string;
  steps: number;
  /** Whether the model ended it. */
  complete: boolean;
  /** Sum of the log-probabilities of its tokens, and their number. */
  logProb: number;
  tokens: number;
}

/** Asks how promising a partial solution is. */
const valueOperation = defineOperation<{ question: string; steps: string }, number>({
  name: "value",
  instruction: `Below are a problem and the beginning of a solution. Is what it says right, and does it lead to the answer? Answer with one word: sure, likely or impossible.`,
  render: ({ question, steps }) => `${question.trim()}\nSolution so far:\n${steps.trim()}`,
  write: (value) => (value === 1 ? "sure" : value === 0 ? "impossible" : "likely"),
  read(text) {
    const said = /\b(sure|likely|impossible)\b/i.exec(text)?.[1]?.toLowerCase();
    return said === undefined
      ? { ok: false, reason: "neither sure, likely nor impossible" }
      : { ok: true, value: { sure: 1, likely: 0.5, impossible: 0 }[said]! };
  },
});

/** The solution of a complete text; undefined if it has no answer. */
function solutionOf(text: string, problem: Problem): Solution | undefined {
  const read = OPERATIONS.cot.parse(text, problem);
  return read.ok ? read.value : undefined;
}

/**
 * Search solutions step by step, a line each: from each kept beginning several next steps are sampled, all are valued, and
 * the best are kept (Tree of Thoughts with breadth-first search, arXiv 2305.10601). All calls count. The trace is the
 * tree.
 *
 * @throws bad-input for a number that is no whole number above 0
 */
export function treeOfThoughts(options: TreeOfThoughtsOptions = {}): Strategy {
  const { value = "model" } = checked(options);
  return {
    name: "tree-of-thoughts",
    settings: { ...options },
    needs: value === "probability" ? ["tokenLogProbs"] : [],
    async attempt(problem, context) {
      const { answer, tree } = await searchTree(problem, context, options, "");
      return { ...answer, trace: { tree: keptTree(tree) } };
    },
  };
}

/**
 * Search several trees and vote among their answers (Forest of Thoughts, arXiv 2412.09078, without its learned parts). The
 * trace is the list of trees and answers.
 */
export function forestOfThoughts({ trees = 2, ...options }: TreeOfThoughtsOptions & { trees?: number } = {}): Strategy {
  checkWhole("trees", trees, 1);
  const { needs = [] } = treeOfThoughts(options);
  return {
    name: `forest-of-thoughts-${trees}`,
    settings: { ...options, trees },
    needs,
    async attempt(problem, context) {
      const found = await Promise.all(
        Array.from({ length: trees }, (_, index) => searchTree(problem, context, options, `tree ${index}/`)),
      );
      const answers = found.map(({ solution }) => solution?.answer);
      const best = votes(problem.kind, answers)[0]?.[0] ?? 0;
      const trace = {
        trees: found.map(({ tree }) => keptTree(tree)),
        answers: answers.map((answer) => answer ?? null),
      };
      return { ...found[best]!.answer, trace };
    },
  };
}

function checked(options: TreeOfThoughtsOptions): TreeOfThoughtsOptions {
  for (const name of ["width", "branches", "steps"] as const) checkWhole(name, options[name], 1);
  return options;
}

/** Numbers rounded: sums of probabilities depend, in their last digits, on what else is computed. */
const keptTree = ({ nodes }: SearchTree<Partial>): SearchTree<Partial> => ({
  nodes: nodes.map(({ state, value, ...node }) => ({
    ...node,
    state: { ...state, logProb: Number(state.logProb.toFixed(2)) },
    ...(value === undefined ? {} : { value: Number(value.toFixed(3)) }),
  })),
});

interface Found {
  answer: Answer;
  solution: Solution | undefined;
  tree: SearchTree<Partial>;
}

async function searchTree(
  problem: Problem,
  context: Context,
  { width = 3, branches = 3, steps = 10, temperature = 0.7, value = "model" }: TreeOfThoughtsOptions,
  key: string,
): Promise<Found> {
  const { seed, sampling, signal } = context;
  const writer = context.as("step");
  const root: Partial = { text: "", steps: 0, complete: false, logProb: 0, tokens: 0 };
  const expand = async (state: Partial) => {
    const [completions] = await writer.generate([
      {
        ...sampling,
        prompt: operationPrompt(writer, OPERATIONS.cot, problem, undefined, { prefill: state.text || undefined }),
        stopStrings: ["\n"],
        samples: branches,
        temperature: sampling.temperature || temperature,
        maxNewTokens: Math.max(1, context.maxNewTokens - state.tokens),
        seed: `${seed}/step/${problem.id}/${key}${state.text}`,
      },
    ]);
    return completions!.flatMap((completion) => {
      const next = withStep(state, completion, problem, steps);
      return next ? [{ state: next }] : [];
    });
  };
  const { best, tree } = await beamSearch<Partial>(
    {
      root,
      key: ({ text, complete }) => `${complete} ${text}`,
      isEnd: ({ complete }) => complete,
      expand,
      value: (states) => (value === "model" ? valueByModel(states, problem, context, key) : byProbability(states)),
    },
    { width },
    { expansions: width * steps, signal },
  );
  const solution = best && solutionOf(best.text, problem);
  return { answer: answerWith(best?.text ?? "", solution), solution, tree };
}

/** The beginning with one more line; undefined for an empty line, which would go on for ever, or without an end. */
function withStep(state: Partial, completion: Completion, problem: Problem, most: number): Partial | undefined {
  const { text, tokens, completionTokens, finishReason } = completion;
  const line = text.trimEnd();
  const written = `${state.text}${line}`;
  // A line with the answer is the last one, whether or not the model would go on.
  const complete = line !== "" && solutionOf(written, problem) !== undefined;
  if (!complete && (line === "" || finishReason === "length" || state.steps + 1 >= most)) return undefined;
  return {
    text: complete ? written : `${written}\n`,
    steps: state.steps + 1,
    complete,
    logProb: state.logProb + sum([...(tokens?.logProbs ?? [])]),
    tokens: state.tokens + completionTokens,
  };
}

async function valueByModel(
  states: readonly Partial[],
  problem: Problem,
  context: Context,
  key: string,
): Promise<number[]> {
  return Promise.all(
    states.map(async ({ text }) => {
      if (text === "") return 0.5;
      const input = { question: problem.question, steps: text };
      const outcome = await ask(context, valueOperation, input, { attempts: 1, maxNewTokens: 8, key });
      // What cannot be read says nothing for or against it.
      return outcome.ok ? outcome.value : 0.5;
    }),
  );
}

/** The geometric mean of the tokens' probabilities. */
const byProbability = async (states: readonly Partial[]): Promise<number[]> =>
  states.map(({ logProb, tokens }) => (tokens === 0 ? 1 : Math.exp(logProb / tokens)));
