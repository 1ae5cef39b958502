import { join } from "node:path";
import {
  badInput,
  canonicalJson,
  checkWhole,
  createRandom,
  mean,
  type ProgressDisplay,
  sha256,
  ThoughtbookError,
  withoutUndefined,
} from "../../core/index.js";
import type { LocalModel } from "../../llm/index.js";
import type { ModelParameters } from "../../model/index.js";
import {
  type AttemptOptions,
  type CollectOptions,
  collect,
  type Reward,
  type Rollout,
  rewardSettings,
  type Strategy,
} from "../../rollouts/index.js";
import type { Problem, Task } from "../../tasks/index.js";
import { isEqualGroup } from "../objectives/advantages.js";
import type { PolicyData, PolicyObjective, PolicyText } from "../objectives/policy-objective.js";
import { tokenScores } from "../objectives/token-scores.js";
import { hashParameters } from "../run-config.js";
import { createTextEvaluator, type TextEvaluator } from "./evaluate-texts.js";
import { type AssignedText, exampleOfText, partsOfPass, policyShapes, updateBatches } from "./policy-batches.js";
import { policyModel } from "./policy-model.js";
import { loadPrepared, type PreparedTexts, savePrepared } from "./prepared.js";
import type { Snapshot, Source, Update } from "./source.js";

export interface RolloutSourceOptions<Spec>
  extends Pick<AttemptOptions, "seed" | "maxNewTokens" | "batchSize" | "sandbox" | "signal">,
    Pick<CollectOptions, "groupSize" | "problemsAtOnce"> {
  objective: PolicyObjective<Spec>;
  /** The model before training: its tokenizer and templates, and the reference. */
  model: LocalModel;
  /** How a problem is attempted; every call of an attempt is learned from. */
  strategy: Strategy;
  task: Task;
  reward: Reward;
  /** Folder of the rollouts, and of what was computed of them: the run resumes from it. */
  folder: string;
  /** Times that the policy attempts problems. */
  collections: number;
  /** Groups that the policy has collected already, in place of the only collection. Default: it attempts the task's problems. */
  groups?: readonly (readonly Rollout[])[] | undefined;
  /** Problems of a collection. Default: 8, or all if there are fewer. */
  problems?: number | undefined;
  /** Passes over the texts of a collection. Default: 1. */
  passes?: number | undefined;
  /** Updates of a pass. Default: 1. */
  updates?: number | undefined;
  /** Texts of a micro-batch, on average. Default: 16. */
  textsAtOnce?: number | undefined;
  /** Threads inside an operator, as of the training. */
  threads?: number | undefined;
  display?: ProgressDisplay | undefined;
}

/**
 * On-policy source: the policy attempts problems in groups, which are rewarded and stored; some updates learn from them,
 * then it attempts the next ones. Problems come in a shuffled order, epoch by epoch.
 *
 * It resumes: rollouts that are stored are not collected again, and a run that was killed in the middle of the updates on a
 * collection ends with the same numbers. Records tell, besides what the objective does: mean `reward` (and its parts,
 * `reward/NAME`), `completionTokens` of an attempt, the share that was `truncated`, and of groups with `equalGroups` rewards.
 *
 * @throws bad-input for options out of range or a task without problems; from the updates as `collect`
 *
 * @example
 * ```ts
 * import { loadLocalModel } from "thoughtbook/llm";
 * import { answerReward } from "thoughtbook/rollouts";
 * import { cot } from "thoughtbook/strategies";
 * import { loadTask } from "thoughtbook/tasks";
 * import { grpo, rolloutSource, train } from "thoughtbook/train";
 *
 * const model = await loadLocalModel("mini");
 * const { config, weights: parameters } = await model.host();
 * const objective = grpo();
 * const source = rolloutSource({
 *   ...{ objective, model, strategy: cot(), reward: answerReward, folder: "run/rollouts" },
 *   task: await loadTask("word-problems:4", { limit: 8 }),
 *   ...{ collections: 1, problems: 2, groupSize: 4, maxNewTokens: 64, seed: 1 },
 * });
 * const settings = { seed: 1, learningRate: 1e-3 };
 * const { steps } = await train({ model: { config, parameters }, objective, source, trainable: { lora: { rank: 4 } }, settings, folder: "run" });
 * console.log(steps); // 1
 * ```
 */
export function rolloutSource<Spec>(options: RolloutSourceOptions<Spec>): Source<Spec> {
  const { objective, strategy, task, reward, collections, passes = 1, updates = 1, groupSize = 8, seed = 0 } = options;
  const { maxNewTokens = 256, textsAtOnce = 16 } = options;
  const problems = options.groups?.length ?? options.problems ?? Math.min(8, task.problems.length);
  if (options.groups && collections !== 1) {
    throw badInput(`given groups are one collection, and collections is ${collections}`, "Make it 1.");
  }
  for (const [name, value] of Object.entries({ collections, problems, passes, updates, textsAtOnce })) {
    checkWhole(name, value, 1);
  }
  checkWhole("groupSize", groupSize, 2);
  if (problems > task.problems.length) {
    throw badInput(
      `problems is ${problems}, and ${task.name} has ${task.problems.length}`,
      "Take fewer problems at a time, or a larger task.",
    );
  }
  const perCollection = passes * updates;
  return {
    fingerprint: withoutUndefined({
      strategy: { name: strategy.name, ...strategy.settings },
      task: task.settings,
      reward: rewardSettings(reward),
      ...{ seed, collections, problems, passes, updates, groupSize, maxNewTokens, textsAtOnce },
      groups: options.groups && sha256(canonicalJson(options.groups.flat().map(({ id, reward }) => [id, reward]))),
    }),
    steps: collections * perCollection,
    async *updatesAfter(done, policy, signal) {
      const evaluators = openEvaluators(options);
      try {
        for (let index = Math.floor(done / perCollection); index < collections; index++) {
          const first = index * perCollection;
          const place = { index, problems, isResumed: done > first, signal };
          const data = await collected(options, place, evaluators, policy);
          for (const update of updatesOn(data, index)) {
            if (update.step > done) yield update;
          }
        }
      } finally {
        await Promise.all([evaluators.policy.dispose(), evaluators.reference.dispose()]);
      }
    },
  };

  /** All updates on a collection: a pass has fewer where there are fewer attempts than updates, and the last is repeated. */
  function* updatesOn({ texts, metrics, prepared }: Collected, index: number): Generator<Update<Spec>> {
    const { shapes } = prepared;
    const sizes = { batchSize: textsAtOnce, hiddenSize: options.model.config.hiddenSize, shapes };
    const tokens = texts.reduce((sum, { text }) => sum + text.completionIds.length, 0);
    for (let pass = 0; pass < passes; pass++) {
      const parts = partsOfPass(texts, { parts: updates, seed: `${seed}/${index}/${pass}` });
      for (let at = 0; at < updates; at++) {
        const part = parts[at % parts.length]!;
        const batches = updateBatches<Spec>(part, {
          ...sizes,
          lossType: objective.lossType,
          maxNewTokens,
          meanTokens: tokens / parts.length,
        });
        yield { step: index * perCollection + pass * updates + at + 1, epoch: index + 1, batches, metrics };
      }
    }
  }
}

interface Collected {
  texts: readonly AssignedText[];
  metrics: Record<string, number>;
  prepared: PreparedTexts;
}

interface Evaluators {
  policy: TextEvaluator;
  reference: TextEvaluator;
}

function openEvaluators<Spec>({ objective, threads }: RolloutSourceOptions<Spec>): Evaluators {
  const session = threads === undefined ? {} : { threads };
  const { temperature } = objective;
  return {
    policy: createTextEvaluator(objective, session),
    reference: createTextEvaluator(
      { evaluate: (models, batch) => ({ reference: tokenScores(models, batch, { temperature }).logProbs }) },
      session,
    ),
  };
}

/** Which collection is made, and how. */
interface CollectionPlace {
  index: number;
  /** Number of problems. */
  problems: number;
  /** Whether updates on it have been made, so that the weights that wrote it are gone. */
  isResumed: boolean;
  signal: AbortSignal | undefined;
}

/** Collect, or read back, what the updates of a collection learn from. */
async function collected<Spec>(
  options: RolloutSourceOptions<Spec>,
  { index, problems, isResumed, signal }: CollectionPlace,
  evaluators: Evaluators,
  policyNow: () => Snapshot,
): Promise<Collected> {
  const { objective, folder, model, strategy, task, reward } = options;
  const snapshot = policyNow();
  const before = isResumed ? await loadPrepared(folder, index) : undefined;
  if (isResumed && !before) {
    throw new ThoughtbookError("corrupt-data", `${folder} lacks what was computed of the rollouts of round ${index}`, {
      hint: "The policy has changed since: remove the folder of the run to start anew.",
    });
  }
  // Rollouts of other weights, such as those of another run, have other ids: they are never taken for its own.
  const policy = before?.policy ?? fingerprintOf(snapshot);
  const groups: (readonly Rollout[])[] = [...(options.groups ?? [])];
  const rollouts = options.groups
    ? []
    : collect(strategy, { ...task, problems: problemsOf(task, { ...options, index, problems }) }, reward, {
        ...options,
        ...(signal ? { signal: options.signal ? AbortSignal.any([signal, options.signal]) : signal } : {}),
        model: policyModel(model, snapshot),
        folder: join(folder, "rollouts"),
        policy,
        round: index,
        sampling: { temperature: objective.temperature },
      });
  for await (const group of rollouts) groups.push(group);
  const all = textsOf(groups, model.name);
  const ended = objective.maskTruncated ? all.filter(({ truncated }) => !truncated) : all;
  // Where no text has ended, nothing is learned about which attempt was better; the run goes on.
  const texts = ended.length > 0 ? ended : all;
  const prepared = await prepare(options, { index, policy, texts, snapshot }, evaluators);
  const data: PolicyData = {
    rewards: groups.map((group) => group.map(({ reward }) => reward)),
    texts: texts.map((text, at) => ({ ...text, ...(prepared.numbers[at] as Pick<PolicyText, "old">) })),
  };
  const assigned = objective.assign(data).flatMap((numbers, at) => {
    const text = data.texts[at]!;
    if (ended.length === 0) numbers?.advantages?.fill(0);
    return numbers ? [{ text, example: exampleOfText(text.promptIds, text.completionIds), numbers }] : [];
  });
  return { texts: assigned, metrics: metricsOf(groups), prepared };
}

/** Problems of a collection: the task's in a new order for each epoch, of which the last, incomplete part is left out. */
function problemsOf(
  { problems: all }: Task,
  { seed = 0, index, problems }: { seed?: number | string | undefined; index: number; problems: number },
): Problem[] {
  const parts = Math.floor(all.length / problems);
  const order = createRandom(seed)
    .stream(`problems ${Math.floor(index / parts)}`)
    .shuffle(all);
  const first = (index % parts) * problems;
  return order.slice(first, first + problems);
}

function textsOf(groups: readonly (readonly Rollout[])[], name: string): Omit<PolicyText, "old">[] {
  return groups.flatMap((rollouts, group) =>
    rollouts.flatMap(({ calls }, attempt) =>
      calls.flatMap(({ completion: { tokens, finishReason } }) => {
        if (!tokens || tokens.promptIds.length === 0) {
          throw badInput(
            `a call of the policy ${name} has no prompt ids, so that nothing can be learned from it`,
            "Ask the model with texts, conversations or ids, not with embeddings.",
          );
        }
        const { promptIds, completionIds } = tokens;
        const truncated = finishReason === "length";
        return completionIds.length === 0 ? [] : [{ group, attempt, promptIds, completionIds, truncated }];
      }),
    ),
  );
}

/** Everything trained in a snapshot, by a hash. */
function fingerprintOf({ parameters, adapter, extra }: Snapshot): string {
  const trained = adapter || extra ? { ...adapter?.parameters, ...extra } : parameters;
  return hashParameters(trained).slice(0, 16);
}

interface CollectedTexts {
  index: number;
  policy: string;
  texts: readonly Omit<PolicyText, "old">[];
  snapshot: Snapshot;
}

/** Compute, or read back, what is known of the tokens of a collection. */
async function prepare<Spec>(
  options: RolloutSourceOptions<Spec>,
  { index, policy, texts, snapshot }: CollectedTexts,
  evaluators: Evaluators,
): Promise<PreparedTexts> {
  const { folder, model, objective, textsAtOnce: batchSize = 16 } = options;
  const { config } = model;
  const wanted = canonicalJson({ name: objective.name, ...objective.settings });
  const found = await loadPrepared(folder, index);
  if (found?.policy === policy && found.objective === wanted) {
    const lengths = texts.map(({ completionIds }) => completionIds.length);
    return (await loadPrepared(folder, index, lengths))!;
  }
  const examples = texts.map(({ promptIds, completionIds }) => exampleOfText(promptIds, completionIds));
  const before = index === 0 ? undefined : await shapesBefore(folder, index);
  const sizes = { batchSize, hiddenSize: config.hiddenSize };
  const shapes = policyShapes(examples, { ...sizes, ...(before ? { before } : {}), most: config.maxPositions });
  const own = await evaluators.policy.run(snapshot, examples, { ...sizes, shapes });
  const reference = objective.needsReference ? await referenceOf() : undefined;
  const numbers = own.map((each, at) => ({ ...each, ...reference?.[at] }));
  await savePrepared(folder, index, { numbers, shapes, policy, objective: wanted });
  return { numbers, shapes, policy, objective: wanted };

  /** The model before training has no soft prompt. */
  async function referenceOf() {
    const { weights, blocks } = await model.host();
    const plain = texts.map(({ promptIds, completionIds }) =>
      exampleOfText(
        promptIds.filter((id) => id < config.vocabularySize),
        completionIds,
      ),
    );
    const base = { config, parameters: weights as ModelParameters, blocks };
    return evaluators.reference.run(base, plain, { ...sizes, shapes });
  }
}

/** The shapes of the batches of the collection before, which are taken on. */
async function shapesBefore(folder: string, index: number) {
  return (await loadPrepared(folder, index - 1))?.shapes;
}

function metricsOf(groups: readonly (readonly Rollout[])[]): Record<string, number> {
  const all = groups.flat();
  const parts = Object.keys(all[0]!.rewards);
  const tokens = all.map(({ calls }) => calls.reduce((sum, { completion }) => sum + completion.completionTokens, 0));
  const isTruncated = ({ calls }: Rollout) => calls.some(({ completion }) => completion.finishReason === "length");
  return {
    reward: mean(all.map(({ reward }) => reward)),
    ...Object.fromEntries(parts.map((name) => [`reward/${name}`, mean(all.map(({ rewards }) => rewards[name]!))])),
    completionTokens: mean(tokens),
    truncated: mean(all.map((each) => Number(isTruncated(each)))),
    equalGroups: mean(groups.map((group) => Number(isEqualGroup(group.map(({ reward }) => reward))))),
  };
}
