import type { ProgressDisplay } from "../../core/index.js";
import type { LocalModel } from "../../llm/index.js";
import type { ModelParameters } from "../../model/index.js";
import type { CombinedReward, Rollout, Strategy } from "../../rollouts/index.js";
import type { Task } from "../../tasks/index.js";
import {
  dpo,
  exampleSource,
  grpo,
  type Objective,
  type PolicyObjective,
  pairSource,
  ppo,
  type RowEncoder,
  rewardWeighted,
  rolloutSource,
  type Source,
  sft,
  type Trained,
  train,
  weightedSource,
  withReference,
} from "../../train/index.js";
import { aggregate, preferencePairs } from "../store/aggregate.js";
import type { StoredSolution } from "../store/solutions.js";
import { exampleOfSolution, pairsOf } from "./examples.js";
import { type CompleteLoop, rateOf } from "./settings.js";

export type LearnSettings = Pick<
  CompleteLoop,
  | "learner"
  | "lora"
  | "learningRate"
  | "epochs"
  | "batchSize"
  | "beta"
  | "passes"
  | "updates"
  | "rows"
  | "mostRight"
  | "mostNear"
  | "temperature"
  | "maxNewTokens"
>;

/** What the learners of attempts need besides: how, and what, the policy attempted in this round. */
export interface RoundAttempts {
  /** The policy that made them. */
  policy: LocalModel;
  groups: readonly (readonly Rollout[])[];
  strategy: Strategy;
  task: Task;
  reward: CombinedReward;
}

export interface LearnOptions {
  /** The model before any round: what `bc`, `weighted`, `gold` and `dpo` start from, each time with all solutions so far. */
  base: LocalModel;
  encoder: RowEncoder;
  solutions: readonly StoredSolution[];
  /** For `ppo` and `grpo`, which go on with the policy. */
  attempts?: RoundAttempts | undefined;
  settings: LearnSettings;
  seed: number | string;
  folder: string;
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
}

export interface Learned {
  /** Undefined where there was nothing to learn from. */
  trained: Pick<Trained, "parameters" | "adapter" | "extra" | "steps"> | undefined;
  /** Solutions, pairs or attempts that were learned from. */
  examples: number;
  firstLoss?: number;
  lastLoss?: number;
}

/**
 * Train a policy on what was collected. It resumes from its folder.
 *
 * @throws as `train`
 */
export async function learn(options: LearnOptions): Promise<Learned> {
  const { learner, mostRight, mostNear, rows = Number.POSITIVE_INFINITY } = options.settings;
  const kept = aggregate(options.solutions, { mostRight, mostNear });
  const limited = [...kept].sort((a, b) => (a.id < b.id ? -1 : 1));
  const right = limited.filter(({ reward }) => reward === 1).slice(0, rows);
  if (learner === "bc" || learner === "gold") {
    if (right.length === 0) return { trained: undefined, examples: 0 };
    const examples = await examplesOf(right, options);
    const source = exampleSource(examples, { ...plan(options), batching: "pack" }, options.base.config.hiddenSize);
    return { ...(await run(options, sft({ packed: true }), source)), examples: examples.length };
  }
  if (learner === "weighted") {
    const weighed = limited.slice(0, rows);
    if (weighed.length === 0) return { trained: undefined, examples: 0 };
    const examples = await examplesOf(weighed, options);
    const weighted = examples.map((example, at) => ({ example, weight: weighed[at]!.stepReward }));
    const source = weightedSource(weighted, plan(options), options.base.config.hiddenSize);
    return { ...(await run(options, rewardWeighted(), source)), examples: weighted.length };
  }
  return learner === "dpo" ? learnPairs(options, kept, rows) : learnAttempts(options);
}

async function learnPairs(options: LearnOptions, kept: readonly StoredSolution[], rows: number): Promise<Learned> {
  const { base, encoder, settings } = options;
  const chosen = preferencePairs(kept).slice(0, rows);
  const pairs = await pairsOf(chosen, encoder, base.config.maxPositions);
  if (pairs.length === 0) return { trained: undefined, examples: 0 };
  const given = await withReference(await base.host(), pairs, options.signal ? { signal: options.signal } : {});
  const source = pairSource(given, plan(options), base.config);
  const objective = dpo({ beta: settings.beta, reference: "given" });
  return { ...(await run(options, objective, source)), examples: pairs.length };
}

async function learnAttempts(options: LearnOptions): Promise<Learned> {
  const { settings, attempts, seed, folder, threads, display, signal } = options;
  const { policy, groups, strategy, task, reward } = attempts!;
  const { temperature, learner, passes, updates, maxNewTokens, batchSize } = settings;
  const run1 = <Spec>(objective: PolicyObjective<Spec>) =>
    run(
      options,
      objective,
      rolloutSource({
        ...{ objective, model: policy, strategy, task, reward, groups, collections: 1, groupSize: groups[0]!.length },
        ...{ passes, updates, maxNewTokens, seed, folder: `${folder}/attempts`, textsAtOnce: batchSize },
        ...{ threads, display, signal },
      }),
      policy,
    );
  const count = groups.reduce((sum, group) => sum + group.length, 0);
  const learned = learner === "ppo" ? await run1(ppo({ temperature })) : await run1(grpo({ temperature }));
  return { ...learned, examples: count };
}

const examplesOf = (solutions: readonly StoredSolution[], { encoder }: LearnOptions) =>
  Promise.all(solutions.map((each) => exampleOfSolution(each, encoder)));

const plan = ({ settings: { epochs, batchSize }, seed }: LearnOptions) => ({
  ...{ seed, epochs, batchSize, maxSteps: Number.POSITIVE_INFINITY, accumulation: 1 },
});

async function run<Spec>(
  { base, settings, seed, folder, threads, signal, display }: LearnOptions,
  objective: Objective<Spec>,
  source: Source<Spec>,
  start: LocalModel = base,
): Promise<Omit<Learned, "examples">> {
  const { config, weights } = await start.host();
  const losses: number[] = [];
  const trained = await train({
    model: { config, parameters: { ...weights } as ModelParameters },
    objective,
    source,
    trainable: settings.lora === undefined ? "all" : { lora: { rank: settings.lora } },
    settings: {
      seed,
      learningRate: rateOf(settings),
      weightDecay: 0,
      schedule: settings.learner === "ppo" || settings.learner === "grpo" ? "constant" : "cosine",
    },
    folder,
    onRecord: ({ loss }) => losses.push(loss),
    ...{ threads, signal, display },
  });
  return { trained, ...(losses.length > 0 ? { firstLoss: losses[0]!, lastLoss: losses.at(-1)! } : {}) };
}
