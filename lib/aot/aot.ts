import { badInput, checkWhole } from "../core/index.js";
import type { Answer, Strategy } from "../rollouts/index.js";
import { type Problem, sameAnswer, votes } from "../tasks/index.js";
import { type ChainOptions, type ChainResult, runChain } from "./chain.js";
import { type Chooser, solutionText } from "./choose.js";
import type { AtomTrace } from "./record.js";
import { judge, type Solved, type Steps } from "./steps.js";

/**
 * - iterate: the chain of the paper, while the contracted question wins
 * - single: one transition, and the solution that agrees with the judge's choice, as the released code
 * - best-of-k: several sampled chains, of whose answers the model chooses (AoT*)
 */
export type AtomMode = "iterate" | "single" | "best-of-k";

export interface AtomOptions {
  /** Default: iterate. */
  mode?: AtomMode | undefined;
  /** Maximum number of transitions. Default: 3 (AoT §4). */
  transitions?: number | undefined;
  /** Who chooses among the three solutions of a transition. Default: the model. */
  judge?: Chooser | undefined;
  /** Ablations: parts that are left out. Default: none. */
  without?: ChainOptions["without"] | undefined;
  /** Chains of best-of-k. Default: 3. */
  chains?: number | undefined;
  /** Maximum tries of a step whose output cannot be read, the first included. Default: 3. */
  attempts?: number | undefined;
}

/** Temperature of several chains of an attempt that is greedy itself: equal ones would be of no use. */
const CHAIN_TEMPERATURE = 0.7;

/**
 * Answer by Atom of Thoughts (arXiv 2502.12018): decompose a question into a graph of atomic questions, answer it layer
 * by layer, contract it to a simpler question with the same answer, and go on from there while that is judged better.
 *
 * The trace is an {@link AtomTrace}: each transition with its graph and answers, why it stopped, and what failed. A step
 * that fails after its retries falls back to the best solution so far, at the least the direct one.
 *
 * @throws bad-input for a number that is no whole number above 0
 *
 * @example
 * ```ts
 * import { aot } from "thoughtbook/aot";
 * import { loadModel } from "thoughtbook/llm";
 * import { runAttempts } from "thoughtbook/rollouts";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const model = await loadModel("mini");
 * const { problems } = await loadTask("word-problems:3", { limit: 1 });
 * const [attempt] = await runAttempts(aot(), [{ problem: problems[0]!, sample: 0 }], { model });
 * console.log(attempt?.solution, attempt?.calls.length);
 * ```
 */
export function aot(options: AtomOptions = {}): Strategy {
  const { mode = "iterate", judge: chooser = "model", transitions = 3, without = [], chains = 3, attempts } = options;
  checkWhole("transitions", transitions, 1);
  checkWhole("chains", chains, 1);
  checkWhole("attempts", attempts, 1);
  if (mode !== "iterate" && mode !== "single" && mode !== "best-of-k") {
    throw badInput(`there is no mode ${JSON.stringify(mode)} of AoT`, "Choose iterate, single or best-of-k.");
  }
  const chain: ChainOptions = { mostTransitions: transitions, chooser, without, once: mode === "single" };
  return {
    name: mode === "iterate" ? "aot" : `aot-${mode}`,
    settings: { ...options, mode },
    async attempt(_, context) {
      const steps = { context, key: "", options: { attempts } };
      if (mode === "best-of-k") return bestOf(steps, chains, chain);
      return answerOf(await runChain(steps, chain), mode);
    },
  };
}

/** The answer of a chain; without a solution none is guessed. */
function answerOf({ best, transitions, stopped, failures }: ChainResult, mode: string): Answer {
  const trace: AtomTrace = { mode, transitions, stopped, failures };
  return best ? { text: best.text, solution: solutionText(best), trace } : { text: "", trace };
}

async function bestOf(
  steps: Omit<Steps, "failures" | "transition">,
  chains: number,
  chain: ChainOptions,
): Promise<Answer> {
  const results = await sampledChains(steps, chains, chain);
  const solved = results.flatMap(({ best }) => (best ? [best] : []));
  const failures = results.flatMap((each) => each.failures);
  const trace = {
    mode: "best-of-k",
    chains: results.map(({ best, question: _, ...rest }) => ({ ...rest, answer: best?.solution.answer })),
  };
  const best = await bestSolution({ ...steps, failures, transition: 0 }, solved);
  return best ? { text: best.text, solution: solutionText(best), trace } : { text: "", trace };
}

const sampledChains = (steps: Omit<Steps, "failures" | "transition">, count: number, chain: ChainOptions) =>
  Promise.all(
    Array.from({ length: count }, (_, index) => {
      const temperature = steps.context.sampling.temperature || CHAIN_TEMPERATURE;
      return runChain({ ...steps, key: `chain ${index}`, options: { ...steps.options, temperature } }, chain);
    }),
  );

/** The model's choice among different answers, each shown once; without one the answer that most chains have. */
async function bestSolution(steps: Steps, solutions: readonly Solved[]): Promise<Solved | undefined> {
  const groups = votes(
    steps.context.problem.kind,
    solutions.map(({ solution }) => solution.answer),
  );
  if (groups.length < 2) return solutions[groups[0]?.[0] ?? 0];
  const shown = groups.map(([first]) => solutions[first!]!);
  const best = await judge(steps, steps.context.problem.question, shown);
  return shown[best ?? 0];
}

/**
 * Contract a question before another strategy answers it (AoT as a plug-in, arXiv 2502.12018 §4.3): several sampled
 * chains of one transition, and the contracted question of the one whose answer agrees with the chosen answer; of several
 * the one with the shortest solution. Without any it is the question as it is.
 */
export function aotPlugin(
  inner: Strategy,
  { chains = 3, attempts, judge: chooser = "model" }: AtomOptions = {},
): Strategy {
  checkWhole("chains", chains, 1);
  const chain: ChainOptions = { mostTransitions: 1, chooser, without: [], once: true };
  return {
    ...inner,
    name: `aot-plugin-${inner.name}`,
    settings: { ...inner.settings, chains, ...(attempts === undefined ? {} : { attempts }), judge: chooser },
    singleCall: false,
    firstPrompt: undefined,
    async attempt(problem, context) {
      const steps = { context, key: "", options: { attempts } };
      const results = await sampledChains(steps, chains, chain);
      const failures = results.flatMap((each) => each.failures);
      const chosen = await contractedQuestion({ ...steps, failures, transition: 0 }, results);
      const contracted: Problem = { ...problem, question: chosen };
      const answer = await inner.attempt(contracted, { ...context, problem: contracted });
      const contractions = results.flatMap(({ transitions }) => transitions.flatMap((each) => each.contracted ?? []));
      return { ...answer, trace: { contractions, contracted: chosen, failures, inner: answer.trace } };
    },
  };
}

async function contractedQuestion(steps: Steps, results: readonly ChainResult[]): Promise<string> {
  const { problem } = steps.context;
  const contracted = results.flatMap(({ best, transitions }) => {
    const last = transitions.at(-1);
    return best && last?.contracted !== undefined
      ? [{ question: last.contracted, best, answer: last.answers.contracted }]
      : [];
  });
  const best = await bestSolution(
    steps,
    results.flatMap((each) => (each.best ? [each.best] : [])),
  );
  if (!best) return problem.question;
  const agreeingOnes = contracted.filter(
    ({ answer }) => answer !== undefined && sameAnswer(problem.kind, answer, best.solution.answer),
  );
  const words = (text: string) => text.split(/\s+/).length;
  return agreeingOnes.toSorted((a, b) => words(a.best.text) - words(b.best.text))[0]?.question ?? problem.question;
}
