import { badInput, checkWhole } from "../core/index.js";
import type { Answer, Strategy } from "../rollouts/index.js";
import { type Problem, sameAnswer, votes } from "../tasks/index.js";
import { ATOM_PARTS, type AtomPart, type ChainOptions, type ChainResult, runChain } from "./chain.js";
import { type Chooser, solutionText } from "./choose.js";
import type { AtomTrace } from "./record.js";
import { releasedPlugin, runReleased } from "./released.js";
import { judge, type Solved, type Steps, type StepsOfChain } from "./steps.js";

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
  without?: readonly AtomPart[] | undefined;
  /**
   * How the graph is made: the question is decomposed and the graph solved in its order (the paper), or the sub-questions of a
   * solution are labelled with what they depend on (the released code, for `single` and the plug-in: six calls an attempt).
   * Default: decompose.
   */
  graph?: "decompose" | "label" | undefined;
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
  const { graph = "decompose" } = options;
  checkWhole("transitions", transitions, 1);
  checkWhole("chains", chains, 1);
  checkWhole("attempts", attempts, 1);
  if (mode !== "iterate" && mode !== "single" && mode !== "best-of-k") {
    throw badInput(`there is no mode ${JSON.stringify(mode)} of AoT`, "Choose iterate, single or best-of-k.");
  }
  const unknown = without.find((part) => !ATOM_PARTS.includes(part));
  if (unknown !== undefined) {
    throw badInput(`AoT has no part ${JSON.stringify(unknown)} to leave out`, `Choose among ${ATOM_PARTS.join(", ")}.`);
  }
  if (!["model", "majority", "verifier"].includes(chooser)) {
    throw badInput(`there is no judge ${JSON.stringify(chooser)}`, "Choose model, majority or verifier.");
  }
  if (graph === "label" && mode !== "single") {
    throw badInput(`a labelled graph is for one transition, and the mode is ${mode}`, "Choose the mode single.");
  }
  const chain: ChainOptions = { mostTransitions: transitions, chooser, without, once: mode === "single" };
  return {
    name: nameOf(mode, options),
    settings: { ...options, mode },
    async attempt(_, context) {
      const steps = { context, key: "", options: { attempts } };
      if (mode === "best-of-k") return bestOf(steps, chains, chain);
      return answerOf(await (graph === "label" ? runReleased : runChain)(steps, chain), mode);
    },
  };
}

/** The mode and what is left out or put in its place: "aot-single", "aot-no-graph", "aot-majority". */
function nameOf(mode: AtomMode, { without = [], judge = "model", graph = "decompose" }: AtomOptions): string {
  const parts = [
    "aot",
    ...(mode === "iterate" ? [] : [graph === "label" ? "released" : mode]),
    ...without.map((part) => `no-${part}`),
    ...(judge === "model" ? [] : [judge]),
  ];
  return parts.join("-");
}

/** The answer of a chain; without a solution none is guessed. */
function answerOf({ best, transitions, stopped, failures, costs }: ChainResult, mode: string): Answer {
  const trace: AtomTrace = { mode, transitions, stopped, failures, costs };
  return best ? { text: best.text, solution: solutionText(best), trace } : { text: "", trace };
}

async function bestOf(steps: StepsOfChain, chains: number, chain: ChainOptions): Promise<Answer> {
  const results = await sampledChains(steps, chains, chain);
  const solved = results.flatMap(({ best }) => (best ? [best] : []));
  const failures = results.flatMap((each) => each.failures);
  const best = await bestSolution({ ...steps, failures, costs: [], transition: 0 }, solved);
  const trace = {
    mode: "best-of-k",
    chains: results.map(({ best, question: _, ...rest }) => ({ ...rest, answer: best?.solution.answer })),
    failures,
  };
  return best ? { text: best.text, solution: solutionText(best), trace } : { text: "", trace };
}

/** The steps of several chains of one attempt, each with random numbers of its own. */
function sampledSteps(steps: StepsOfChain, count: number): StepsOfChain[] {
  const temperature = steps.context.sampling.temperature || CHAIN_TEMPERATURE;
  const options = { ...steps.options, temperature };
  return Array.from({ length: count }, (_, index) => ({ ...steps, key: `chain ${index}`, options }));
}

const sampledChains = (steps: StepsOfChain, count: number, chain: ChainOptions) =>
  Promise.all(sampledSteps(steps, count).map((own) => runChain(own, chain)));

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
  { chains = 3, attempts, judge: chooser = "model", graph = "decompose" }: AtomOptions = {},
): Strategy {
  checkWhole("chains", chains, 1);
  const chain: ChainOptions = { mostTransitions: 1, chooser, without: [], once: true };
  return {
    ...inner,
    name: `aot-plugin-${inner.name}`,
    settings: { ...inner.settings, chains, ...(attempts === undefined ? {} : { attempts }), judge: chooser, graph },
    singleCall: false,
    firstPrompt: undefined,
    async attempt(problem, context) {
      const steps = { context, key: "", options: { attempts } };
      const found =
        graph === "label"
          ? await releasedPlugin(steps, sampledSteps(steps, chains))
          : await decomposedPlugin(steps, await sampledChains(steps, chains, chain));
      const { question, contractions, failures } = found;
      const contracted: Problem = { ...problem, question };
      const answer = await inner.attempt(contracted, { ...context, problem: contracted });
      const trace = { mode: "plugin", contractions, contracted: question, failures, inner: answer.trace };
      return { ...answer, trace };
    },
  };
}

async function decomposedPlugin(steps: StepsOfChain, results: readonly ChainResult[]) {
  const failures = results.flatMap((each) => each.failures);
  const question = await contractedQuestion({ ...steps, failures, costs: [], transition: 0 }, results);
  const contractions = results.flatMap(({ transitions }) => transitions.flatMap((each) => each.contracted ?? []));
  return { question, contractions, failures };
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
