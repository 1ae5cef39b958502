import { join } from "node:path";
import {
  badInput,
  checkInterrupt,
  createRandom,
  interruptible,
  keptResult,
  openRun,
  type ProgressDisplay,
  withoutUndefined,
} from "../../core/index.js";
import { type EvaluationSummary, evaluate } from "../../eval/index.js";
import { type LocalModel, loadLocalModel } from "../../llm/index.js";
import { resolveModel } from "../../model/index.js";
import { askedModel, OPERATIONS, operationPrompt } from "../../operations/index.js";
import { type CombinedReward, collect, openProgramSandbox, type Rollout, type Strategy } from "../../rollouts/index.js";
import { cot, program } from "../../strategies/index.js";
import { createTask, type Problem, type Task } from "../../tasks/index.js";
import { encoderOf } from "../../train/index.js";
import { reasonerReward } from "../rewards.js";
import { searchStrategy } from "../search/search.js";
import { chooseTasks, type StoreStatistics, storeStatistics } from "../store/aggregate.js";
import { foundIn } from "../store/from-rollouts.js";
import { type StoredSolution, solutionId, storedPrompt } from "../store/solutions.js";
import { openStore, type SolutionStore } from "../store/store.js";
import { loadReasonerTask } from "../tasks/load.js";
import { learn } from "./learn.js";
import { openPolicy, type PolicyPlace, savePolicy, weakened } from "./policy.js";
import { type CompleteLoop, completeLoop, type LoopSettings } from "./settings.js";

export interface LoopOptions {
  /** Specification of a model on this library's engine. */
  model: string;
  settings: LoopSettings;
  /** Default: 0. */
  seed?: number | undefined;
  folder: string;
  batchSize?: number | undefined;
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
  onRound?: ((round: RoundRecord) => unknown) | undefined;
}

/** What is known after a round. Round 0 is the model before any. */
export interface RoundRecord {
  round: number;
  /** On tasks that no round learns from. */
  heldOut: {
    problems: number;
    /** Greedy. */
    accuracy: number;
    interval: readonly [number, number];
    /** With samples: the probability that one of k is right. */
    passAtK?: readonly { k: number; value: number }[];
    /** Mean new tokens of a greedy solution. */
    tokens: number;
  };
  /** Attempts of the round. */
  collected?: { tasks: number; attempts: number; reward: number; stepReward: number; tokens: number };
  store?: StoreStatistics;
  /** Null where there was nothing to learn from, and the policy stayed. */
  learned?: { examples: number; updates: number; firstLoss?: number; lastLoss?: number } | null;
}

export interface LoopResult {
  model: string;
  modelHash: string;
  seed: number;
  settings: CompleteLoop;
  rounds: RoundRecord[];
}

/** Round r: attempt, reward, aggregate, learn, measure. */
interface Loop {
  options: LoopOptions;
  settings: CompleteLoop;
  seed: number;
  base: LocalModel;
  reward: CombinedReward;
  strategy: Strategy;
  pool: Task;
  heldOut: Task;
  store: SolutionStore;
  signal: AbortSignal | undefined;
}

/**
 * Run the loop: the policy attempts tasks, its attempts are rewarded and aggregated, it learns from the aggregated solutions, and is
 * measured on held-out tasks; then again. Everything is in the folder: `records.jsonl` (a record for each round), `store/`
 * (solutions and attempts), `rounds/R/` (attempts, training, weights, evaluation). A run that was killed goes on
 * where it stopped, and ends with the same numbers.
 *
 * @throws bad-input for settings out of range, or a folder with other ones; interrupted; as `collect`, `train` and `evaluate`
 */
export async function runLoop(options: LoopOptions): Promise<LoopResult> {
  const { model: spec, folder, seed = 0, threads, onRound } = options;
  const settings = completeLoop(options.settings);
  const signal = interruptible(options.signal);
  const session = threads === undefined ? undefined : { threads };
  const loaded = await loadLocalModel(spec, { session, ...(signal ? { signal } : {}) });
  const modelHash = (await loaded.hash())!;
  const base = settings.weaken === 0 ? loaded : await weakened(loaded, settings.weaken, seed);
  const [pool, heldOut] = [await poolOf(settings, seed, signal), await heldOutOf(settings, signal)];
  checkDisjoint(pool, heldOut);
  const run = await openRun<RoundRecord>({
    folder,
    seed,
    config: { ...settings, rounds: null, model: modelHash, pool: pool.settings, heldOut: heldOut.settings },
    idOf: ({ round }) => String(round),
  });
  const store = await openStore(join(folder, "store"));
  const reward = reasonerReward({ lambda: settings.lambda, weights: settings.weights });
  const loop: Loop = {
    ...{ options, settings, seed, base, reward, pool, heldOut, store, signal },
    strategy: strategyOf(settings, pool, reward),
  };
  const rounds: RoundRecord[] = [];
  try {
    for await (const record of run.records()) if (record.round <= settings.rounds) rounds.push(record);
    for (const record of rounds) await onRound?.(record);
    let place: PolicyPlace = { kind: "base" };
    for (let round = 0; round <= settings.rounds; round++) {
      checkInterrupt(signal, "the loop", "The same call goes on from there.");
      const isDone = rounds.some((record) => record.round === round);
      if (isDone && round === 0) continue;
      const made: { record: RoundRecord; place: PolicyPlace } = await oneRound(loop, round, place, isDone);
      place = made.place;
      if (isDone) continue;
      await run.append(made.record);
      rounds.push(made.record);
      await onRound?.(made.record);
    }
  } finally {
    await run.close();
    await store.close();
    await base.dispose();
  }
  return { model: spec, modelHash, seed, settings, rounds };
}

async function oneRound(
  loop: Loop,
  round: number,
  before: PolicyPlace,
  isDone: boolean,
): Promise<{ record: RoundRecord; place: PolicyPlace }> {
  const { options, settings, base, store } = loop;
  const folder = join(options.folder, "rounds", String(round));
  if (round === 0)
    return { place: before, record: { round, heldOut: await measure(loop, base, folder, { round, isEnd: true }) } };
  const kept = async () => {
    const policy = await openPolicy(base, before, {
      merged: settings.learner === "ppo" || settings.learner === "grpo",
    });
    try {
      const { groups, task } = await attempted(loop, round, policy, folder);
      return await learned(loop, round, { policy, groups, task }, { folder, before });
    } finally {
      if (policy !== base) await policy.dispose();
    }
  };
  const { place, ...rest } = await keptResult(
    join(folder, "round.json"),
    { round, settings: { ...settings, rounds: null } },
    kept,
  );
  if (isDone) return { place, record: undefined as never };
  const now = await openPolicy(base, place);
  try {
    const known = store.attempts().filter((each) => each.round <= round);
    const solutions = store.solutions().filter((each) => each.round <= round);
    const heldOut = await measure(loop, now, folder, { round, isEnd: round === settings.rounds });
    return { place, record: { round, heldOut, ...rest, store: storeStatistics(solutions, known) } };
  } finally {
    if (now !== base) await now.dispose();
  }
}

async function attempted(
  { options, settings, seed, pool, reward, strategy, store, signal }: Loop,
  round: number,
  policy: LocalModel,
  folder: string,
): Promise<{ groups: Rollout[][]; task: Task }> {
  const { tasks: count, learner, samples, temperature, maxNewTokens } = settings;
  // A run that goes on must choose as the first one did.
  const known = settings.active ? store.attempts().filter((each) => each.round < round) : [];
  const chosen = chooseTasks(pool.problems, known, {
    count: Math.min(count, pool.problems.length),
    seed: `${seed}/${round}`,
  });
  const task = createTask(pool.name, chosen);
  if (learner === "gold") return { groups: [], task };
  const sandbox = openProgramSandbox();
  try {
    const groups: Rollout[][] = [];
    const collected = collect(strategy, task, reward, {
      ...{
        model: policy,
        policy: `round-${round - 1}`,
        round,
        groupSize: samples,
        maxNewTokens,
        seed,
        sandbox,
        signal,
      },
      ...{
        sampling: { temperature },
        batchSize: options.batchSize,
        folder: join(folder, "attempts"),
        display: options.display,
      },
    });
    const byId = new Map(chosen.map((problem) => [problem.id, problem]));
    for await (const group of collected) {
      groups.push(group);
      const problem = byId.get(group[0]!.problem)!;
      await store.add(await foundIn(problem, group, reward, { model: policy, seed, sandbox, signal }));
    }
    return { groups, task };
  } finally {
    await sandbox.close();
  }
}

async function learned(
  loop: Loop,
  round: number,
  { policy, groups, task }: { policy: LocalModel; groups: readonly (readonly Rollout[])[]; task: Task },
  { folder, before }: { folder: string; before: PolicyPlace },
): Promise<{ place: PolicyPlace } & Pick<RoundRecord, "collected" | "learned">> {
  const { options, settings, seed, base, reward, strategy, store, signal } = loop;
  if (settings.learner === "gold") await store.add({ solutions: await goldOf(base, task, round), attempts: [] });
  const { trained, examples, firstLoss, lastLoss } = await learn({
    ...{ base, settings, signal, display: options.display, threads: options.threads },
    encoder: encoderOf(await resolveModel(base.name)),
    solutions: store.solutions().filter((each) => each.round <= round),
    attempts: { policy, groups, strategy, task, reward },
    seed: `${seed}/${round}`,
    folder: join(folder, "training"),
  });
  const all = groups.flat();
  const mean = (of: (rollout: Rollout) => number) =>
    all.reduce((sum, each) => sum + of(each), 0) / Math.max(1, all.length);
  const tokens = ({ calls }: Rollout) => calls.reduce((sum, { completion }) => sum + completion.completionTokens, 0);
  return {
    place: trained ? await savePolicy(folder, base, trained) : before,
    ...(all.length === 0
      ? {}
      : {
          collected: {
            ...{ tasks: groups.length, attempts: all.length, tokens: mean(tokens) },
            ...{ reward: mean(({ rewards }) => rewards.outcome!), stepReward: mean(({ rewards }) => rewards.partial!) },
          },
        }),
    learned: trained ? { examples, updates: trained.steps, ...withoutUndefined({ firstLoss, lastLoss }) } : null,
  };
}

/** Reference solutions as what was found. */
async function goldOf(base: LocalModel, { problems }: Task, round: number): Promise<StoredSolution[]> {
  const model = await askedModel(base);
  return problems.flatMap((problem): StoredSolution[] => {
    const { id, solution: completion, kind } = problem;
    if (completion === undefined) return [];
    const domain = kind === "code" ? "code" : "math";
    const asked =
      domain === "code" ? program().firstPrompt!(model, problem) : operationPrompt(model, OPERATIONS.cot, problem);
    const prompt = storedPrompt(asked);
    if (prompt === undefined) return [];
    const record = { id: solutionId(id, domain, completion), task: id, domain, prompt, completion } as const;
    return [{ ...record, reward: 1, stepReward: 1, round, source: "reference", tokens: 0 }];
  });
}

/** Accuracy on held-out tasks, greedy; and pass@k where it is asked for. */
async function measure(
  { options, settings, seed, heldOut, signal }: Loop,
  model: LocalModel,
  folder: string,
  { round, isEnd }: { round: number; isEnd: boolean },
): Promise<RoundRecord["heldOut"]> {
  const { maxNewTokens, heldOutSamples, temperature } = settings;
  const strategy = solverOf(heldOut);
  const common = {
    label: `${options.model}, round ${round}`,
    model,
    budgets: [maxNewTokens],
    seed,
    signal,
    batchSize: options.batchSize,
    display: options.display,
  };
  const greedy = await evaluate(strategy, heldOut, { ...common, folder: join(folder, "held-out") });
  const [measures] = greedy.summary.budgets;
  const { value, interval } = measures!.accuracy.strict!;
  const sampled =
    heldOutSamples === 0 || !isEnd
      ? undefined
      : await evaluate(strategy, heldOut, {
          ...{ ...common, samples: heldOutSamples, temperature },
          folder: join(folder, "held-out-samples"),
        });
  const passes = sampled && passesOf(sampled.summary);
  return {
    problems: heldOut.problems.length,
    accuracy: value,
    interval: interval!,
    ...(passes ? { passAtK: passes } : {}),
    tokens: measures!.length?.value ?? 0,
  };
}

function passesOf({ budgets: [measures] }: EvaluationSummary): { k: number; value: number }[] {
  const single = { k: 1, value: measures!.accuracy.strict!.value };
  return measures!.passAtK?.map(({ k, strict }) => ({ k, value: strict! })) ?? [single];
}

/** One sample: a program for tasks of code, else steps and an answer. */
const solverOf = ({ problems }: Task): Strategy => (problems[0]!.kind === "code" ? program() : cot());

function strategyOf({ search, budget, temperature }: CompleteLoop, pool: Task, reward: CombinedReward): Strategy {
  return search === "sample"
    ? solverOf(pool)
    : searchStrategy({ search, budget, temperature, score: "reward" }, { reward });
}

/** All tasks that may be learned from. */
async function poolOf(
  { task, split, tasks, pool = 4 * tasks }: CompleteLoop,
  seed: number,
  signal: AbortSignal | undefined,
) {
  const isDrawn = /^(?:code|math|word-problems|functions)(?::|$)/.test(task);
  if (isDrawn) return loadReasonerTask(task, { split, limit: pool, seed, signal });
  const all = await loadReasonerTask(task, task.endsWith(".json") ? { signal } : { split, signal });
  const chosen = createRandom(seed).stream("pool").shuffle(all.problems).slice(0, pool);
  return createTask(all.name, chosen, { split });
}

function heldOutOf(
  { heldOut, heldOutSplit: split, heldOutTasks: limit }: CompleteLoop,
  signal: AbortSignal | undefined,
) {
  return loadReasonerTask(heldOut, heldOut.endsWith(".json") ? { limit, signal } : { split, limit, signal });
}

function checkDisjoint(pool: Task, heldOut: Task): void {
  const questions = new Set(pool.problems.map(({ question }: Problem) => question));
  const both = heldOut.problems.find(({ question }) => questions.has(question));
  if (both) {
    throw badInput(`${both.id} is among the tasks that are learned from`, "Hold out another split, or other tasks.");
  }
}
