import { badInput, sum, ThoughtbookError } from "../../core/index.js";
import { type LanguageModel, requireCapability, type Score, type ScoreRequest, tokenizerOf } from "../../llm/index.js";
import type { Tokenizer } from "../../model/index.js";
import type { ChainSignals, ConditionSignals, StepSignals } from "./formulas.js";

/** A chain whose steps are weighed. */
export interface Chain {
  question: string;
  /** As `splitSteps` gives them. */
  steps: readonly string[];
  solution: string;
}

/** Sentences appended to question and solution that say where they come from; "" for none. */
export interface ConditionSentences {
  question: string;
  solution: string;
}

/** Our own wording of what the released code appends. */
export const CONDITION_SENTENCES: ConditionSentences = {
  question: " The question can be obtained from the given step.",
  solution: " The solution can be obtained from the given step.",
};

/** Settings that the signals depend on, besides texts and model. */
export interface SignalSettings {
  /** Default: {@link CONDITION_SENTENCES}. */
  sentences?: ConditionSentences | undefined;
  /**
   * Put the token that begins texts (or else the one that ends them) before each step: models park attention on the
   * first token, which otherwise belongs to the step. Default: false, as in the released code.
   */
  sink?: boolean | undefined;
}

export interface SignalOptions extends SignalSettings {
  /** Cache of signals: read from and written to. */
  cache?: ImportanceCache | undefined;
  /** Maximum pairs of step and condition computed at once. Default: chosen by the model. */
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the number of chains finished so far, cached ones included. */
  onProgress?: ((done: number) => void) | undefined;
}

/** Signals of a chain, and what the model did not see of it. */
export interface MeasuredChain extends ChainSignals {
  /** Number of steps of which only the last tokens that fit were used. */
  cutSteps: number;
  /** Whether only the last tokens of the question or of the solution were used. */
  cutQuestion: boolean;
  cutSolution: boolean;
}

/** Signals of chains in a file, in the order of the chains; cached ones are not computed again. */
export interface ImportanceCache {
  /**
   * Signals of the next chain; undefined at the end of the file. Throws bad-input if the file has another chain there.
   */
  take(chain: Chain): Promise<MeasuredChain | undefined>;
  /** Resolves once the signals of the chain are written. */
  append(chain: Chain, signals: MeasuredChain): Promise<void>;
  close(): Promise<void>;
}

/** Characters of chains that are computed together (about 300,000 tokens). */
const GROUP_CHARACTERS = 2 ** 20;

/**
 * Measure how much attention question and solution pay to each step before them, and how probable the step makes them:
 * the raw signals of bidirectional importance (A*-Thought, section 3.1), one result per chain, in order. Ids are
 * joined, never texts: `[sink] step ⊕ condition ⊕ sentence`.
 *
 * Where step and condition exceed the context, the condition keeps its last tokens, up to half of the context, and all
 * steps of the chain keep the last tokens that then fit beside the longer condition; both cases are counted. Equal
 * steps of a chain are computed once. Chains are computed in groups that depend on the texts only, so that a resumed
 * run gives the same numbers.
 *
 * @throws bad-input before any work (a model without `score`, `attention` or a tokenizer), for a question or solution
 *   without tokens, or a cache of other data; interrupted, execution, file-system
 */
export async function* importanceSignals<C extends Chain>(
  model: LanguageModel,
  chains: Iterable<C> | AsyncIterable<C>,
  options: SignalOptions = {},
): AsyncGenerator<{ chain: C; signals: MeasuredChain }, void, undefined> {
  const purpose = "bidirectional importance";
  for (const capability of ["score", "attention", "tokenIds", "text"] as const) {
    requireCapability(model, capability, purpose);
  }
  const tokenizer = tokenizerOf(model, purpose);
  const sink = options.sink ? [sinkToken(model, tokenizer)] : [];
  let done = 0;
  for await (const group of grouped(chains)) {
    const known: (MeasuredChain | undefined)[] = [];
    for (const chain of group) known.push(await options.cache?.take(chain));
    const missing = known.some((each) => each === undefined);
    const computed = missing ? await measure(model, group, { ...options, tokenizer, sink }) : [];
    // Write to the cache first: processing a chain may take long before the next one is asked for.
    for (const [i, chain] of group.entries()) if (!known[i]) await options.cache?.append(chain, computed[i]!);
    for (const [i, chain] of group.entries()) {
      options.onProgress?.(++done);
      yield { chain, signals: known[i] ?? computed[i]! };
    }
  }
}

function sinkToken(model: LanguageModel, { special }: Tokenizer): number {
  const token = special.bos ?? special.eos;
  if (token) return token.id;
  throw badInput(`${model.name} has no token that begins or ends a text`, "Leave the sink out.");
}

async function* grouped<C extends Chain>(chains: Iterable<C> | AsyncIterable<C>): AsyncGenerator<C[]> {
  let group: C[] = [];
  let characters = 0;
  for await (const chain of chains) {
    group.push(chain);
    const conditions = chain.question.length + chain.solution.length;
    characters += chain.steps.reduce((sum, step) => sum + 2 * step.length + conditions, 0);
    if (characters < GROUP_CHARACTERS) continue;
    yield group;
    group = [];
    characters = 0;
  }
  if (group.length > 0) yield group;
}

interface Work extends Omit<SignalOptions, "sink"> {
  tokenizer: Tokenizer;
  sink: readonly number[];
}

async function measure(model: LanguageModel, chains: readonly Chain[], work: Work): Promise<MeasuredChain[]> {
  const plans = chains.map((chain) => planChain(chain, model.contextLength ?? Number.POSITIVE_INFINITY, work));
  const requests = plans.flatMap(({ requests }) => requests);
  const { batchSize, signal } = work;
  const scores = requests.length === 0 ? [] : await model.score(requests, { attention: true, batchSize, signal });
  let next = 0;
  return plans.map((plan) => {
    const own = scores.slice(next, next + plan.requests.length);
    next += plan.requests.length;
    return signalsOf(plan, own, work.sink.length, model.name);
  });
}

interface ChainPlan extends Pick<MeasuredChain, "cutSteps" | "cutQuestion" | "cutSolution"> {
  /** For each distinct step that has tokens, that of the question, then that of the solution. */
  requests: ScoreRequest[];
  /** For each step the place of its requests; undefined for one without tokens. */
  places: (number | undefined)[];
}

function planChain(
  chain: Chain,
  context: number,
  { tokenizer, sink, sentences = CONDITION_SENTENCES }: Work,
): ChainPlan {
  const encode = (text: string, continues: boolean) =>
    tokenizer.encode(text, { addSpecialTokens: false, specialTokensAsText: true, continues });
  const half = Math.floor(context / 2);
  const condition = (side: keyof ConditionSentences) => {
    const ids = [...encode(chain[side], true), ...(sentences[side] ? encode(sentences[side], true) : [])];
    if (ids.length > 0) return { ids: ids.length > half ? ids.slice(-half) : ids, cut: ids.length > half };
    throw badInput(`a chain has no ${side}: there is nothing to measure after its steps`, "Leave the row out.");
  };
  const [question, solution] = [condition("question"), condition("solution")];
  const room = context - sink.length - Math.max(question.ids.length, solution.ids.length);
  const requests: ScoreRequest[] = [];
  const placeOf = new Map<string, number>();
  let cutSteps = 0;
  const places = chain.steps.map((step) => {
    const known = placeOf.get(step);
    if (known !== undefined) return known;
    const ids = encode(step, false);
    if (ids.length === 0) return undefined;
    if (ids.length > room) cutSteps += 1;
    const prompt = { ids: [...sink, ...(ids.length > room ? ids.slice(-room) : ids)] };
    const place = requests.length;
    placeOf.set(step, place);
    requests.push(...[question, solution].map(({ ids }) => ({ prompt, continuation: { ids } })));
    return place;
  });
  return { requests, places, cutSteps, cutQuestion: question.cut, cutSolution: solution.cut };
}

function signalsOf(plan: ChainPlan, scores: readonly Score[], sinkTokens: number, model: string): MeasuredChain {
  const { places, cutSteps, cutQuestion, cutSolution } = plan;
  const steps = places.map((place): StepSignals | null => {
    if (place === undefined) return null;
    const [question, solution] = [scores[place]!, scores[place + 1]!];
    return {
      tokens: question.attention!.mass.length - sinkTokens,
      question: conditionSignals(question, sinkTokens, model),
      solution: conditionSignals(solution, sinkTokens, model),
    };
  });
  return { heads: scores[0]?.attention?.heads ?? 0, sinkTokens, cutSteps, cutQuestion, cutSolution, steps };
}

function conditionSignals({ logProbs, attention }: Score, sinkTokens: number, model: string): ConditionSignals {
  const [logProb, mass] = [sum(logProbs), sum(attention!.mass.subarray(sinkTokens))];
  if (!Number.isFinite(logProb) || !Number.isFinite(mass)) {
    throw new ThoughtbookError(
      "execution",
      `${model} gives a log-probability of ${logProb} and an attention of ${mass}`,
      {
        hint: "Its weights are broken: train or load it again.",
      },
    );
  }
  return { tokens: logProbs.length, nll: sevenDigits(-logProb / logProbs.length), mass: sevenDigits(mass) };
}

/** Keep the digits of a float32: the file is half as large, and reads back as the same numbers. */
const sevenDigits = (value: number): number => Number(value.toPrecision(7));
