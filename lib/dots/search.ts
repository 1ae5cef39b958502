import { badInput, checkWhole, openRun, type ProgressDisplay, startProgress } from "../core/index.js";
import { askedModel, askingSettings } from "../operations/index.js";
import {
  type AttemptOptions,
  type AttemptRunner,
  attemptRunner,
  checkStrategy,
  openProgramSandbox,
} from "../rollouts/index.js";
import type { Sandbox } from "../sandbox/index.js";
import type { PulledArm } from "../search/index.js";
import { gradeAttempt, type Problem, type Task } from "../tasks/index.js";
import { type ActionSpace, type Trajectory, trajectoriesOf, trajectoryKey } from "./actions.js";
import { DOTS_SPACE } from "./dots-space.js";
import { rememberTexts } from "./remember-texts.js";
import { droppedFor, type SearchedQuestion, type SearchSample, searchSampleSchema } from "./search-results.js";
import { allocationOf, type SearchSettings, searchSettingsSchema } from "./search-settings.js";
import { type TrajectoryTrace, trajectoryStrategy } from "./trajectory-strategy.js";

export interface TrajectorySearchOptions
  extends Pick<AttemptOptions, "model" | "maxNewTokens" | "batchSize" | "signal" | "sandbox"> {
  /** How samples are spent; what is left out has its default. */
  search?: Partial<SearchSettings> | undefined;
  /** Default: 0.4, as in DOTS. */
  temperature?: number | undefined;
  seed?: number | string | undefined;
  /** Which grading counts as right; strict where it does not apply to a problem. Default: "strict". */
  policy?: "strict" | "dots" | undefined;
  space?: ActionSpace | undefined;
  /** Append-only store of the attempts, from which the same search resumes. Without it nothing is stored. */
  folder?: string | undefined;
  /** Questions that are searched at the same time. Default: 64. */
  questionsAtOnce?: number | undefined;
  display?: ProgressDisplay | undefined;
}

const TEMPERATURE = 0.4;

/**
 * Search the best trajectory of actions for each question of a task (DOTS, arXiv 2410.03864, §3.1). Attempts are independent samples; the
 * random numbers of one depend on the seed, the question, what it was asked before, and its index, so that trajectories with the same
 * beginning share it, computed once. Questions that every trajectory solves in all attempts, or none in any, are told as dropped, and
 * take no second round. Questions are searched many at a time, so that the model is asked in large batches.
 *
 * With a folder each attempt is stored as soon as it is graded; the same call goes on from there and gives the same results.
 *
 * @throws bad-input for options out of range, or a folder with other settings; interrupted; as the model
 *
 * @example
 * ```ts
 * import { searchTrajectories } from "thoughtbook/dots";
 * import { loadModel } from "thoughtbook/llm";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const model = await loadModel("mini");
 * const task = await loadTask("word-problems:2", { split: "train", limit: 2 });
 * const search = { perRound: 2, keep: [3, 1] };
 * for await (const { best, dropped } of searchTrajectories(task, { model, search, maxNewTokens: 64 })) console.log(best ?? dropped);
 * ```
 */
export async function* searchTrajectories(
  task: Task,
  options: TrajectorySearchOptions,
): AsyncGenerator<SearchedQuestion, void, undefined> {
  const {
    seed = 0,
    temperature = TEMPERATURE,
    policy = "strict",
    space = DOTS_SPACE,
    folder,
    questionsAtOnce = 64,
  } = options;
  const { maxNewTokens = 256, signal, batchSize } = options;
  checkWhole("questionsAtOnce", questionsAtOnce, 1);
  const search = searchSettingsSchema.parse(options.search ?? {});
  const arms = trajectoriesOf(space);
  const { pulls } = allocationOf(search, arms.length, "");
  if (temperature === 0 && pulls > arms.length) {
    throw badInput(
      "attempts at temperature 0 are all the same",
      "Give a temperature such as 0.4, or one sample of each trajectory.",
    );
  }
  const given = await askedModel(options.model, { signal });
  const { model, forget } = rememberTexts(given);
  const config = {
    model: (await given.hash()) ?? given.name,
    task: { ...task.settings, problems: undefined },
    actions: space.actions.map(({ name }) => name),
    ...{ search, temperature, policy, maxNewTokens, asking: askingSettings(given) },
  };
  const run =
    folder === undefined
      ? undefined
      : await openRun<SearchSample>({
          folder,
          config: JSON.parse(JSON.stringify(config)),
          seed,
          idOf: ({ id }) => id,
          schema: searchSampleSchema,
        });
  const sandbox = options.sandbox ?? openProgramSandbox();
  const progress = startProgress(`Searching ${task.name}`, {
    total: task.problems.length,
    unit: "questions",
    display: options.display,
  });
  try {
    const stored = new Map<string, SearchSample>();
    for await (const sample of run?.records() ?? []) stored.set(sample.id, sample);
    const sampling = { temperature };
    const runner = await attemptRunner(task.problems, {
      model,
      seed,
      maxNewTokens,
      sampling,
      batchSize,
      signal,
      sandbox,
    });
    await checkStrategy(trajectoryStrategy(arms[0]!, space), runner.model, task.problems);
    let attempts = 0;
    let done = 0;
    const work: SearchWork = {
      ...{ runner, sandbox, space, arms, search, seed, policy, stored },
      async onSample(sample) {
        await run?.append(sample);
        progress.update(done, `${(++attempts).toLocaleString("en-US")} attempts`);
      },
    };
    for (let first = 0; first < task.problems.length; first += questionsAtOnce) {
      const problems = task.problems.slice(first, first + questionsAtOnce);
      const found = await Promise.allSettled(
        problems.map(async (problem) => {
          try {
            return await searchQuestion(problem, task.name, work);
          } catch (error) {
            runner.abort(error);
            throw error;
          }
        }),
      );
      runner.throwFailure();
      forget();
      done = first + problems.length;
      progress.update(done);
      for (const each of found) yield (each as PromiseFulfilledResult<SearchedQuestion>).value;
    }
    progress.succeed(`${attempts.toLocaleString("en-US")} attempts`);
  } finally {
    // Changes nothing after success; a caller may also leave the loop early.
    progress.fail();
    if (!options.sandbox) await sandbox.close();
    await run?.close();
  }
}

interface SearchWork {
  runner: AttemptRunner;
  sandbox: Sandbox;
  space: ActionSpace;
  arms: readonly Trajectory[];
  search: SearchSettings;
  seed: number | string;
  policy: "strict" | "dots";
  stored: Map<string, SearchSample>;
  onSample(sample: SearchSample): Promise<void>;
}

async function searchQuestion(problem: Problem, dataset: string, work: SearchWork): Promise<SearchedQuestion> {
  const { arms, search, seed, runner } = work;
  const samples: SearchSample[] = [];
  const pull = async (trajectory: Trajectory, count: number, from: number): Promise<number[]> => {
    const pulled = await Promise.all(
      Array.from({ length: count }, (_, at) => sampleOf(problem, trajectory, from + at, work)),
    );
    samples.push(...pulled);
    return pulled.map(({ right }) => Number(right));
  };
  const { allocate, pulls } = allocationOf(search, arms.length, `${seed}/${problem.id}`);
  const isSettled = (pulled: readonly Pick<PulledArm<Trajectory>, "rewards">[]) =>
    pulled.every(({ rewards }) => rewards.length > 0) &&
    droppedFor(pulled.map(({ rewards }) => rateOf(rewards))) !== undefined;
  const { best, arms: pulled } = await allocate(arms, pull, { pulls, signal: runner.signal, isSettled });
  const trajectories = pulled.map(({ arm, rewards, rounds }) => ({
    trajectory: [...arm],
    rate: rateOf(rewards),
    samples: rewards.length,
    rounds,
  }));
  const dropped = droppedFor(trajectories.map(({ rate }) => rate));
  const { id, question: query, kind, references, operations, fields } = problem;
  const order = new Map(arms.map((arm, at) => [trajectoryKey(arm), at]));
  samples.sort(
    (a, b) => order.get(trajectoryKey(a.trajectory))! - order.get(trajectoryKey(b.trajectory))! || a.sample - b.sample,
  );
  return {
    ...{ id, dataset, query, kind, references: [...references] },
    ...(operations === undefined ? {} : { operations }),
    ...(typeof fields?.group === "string" ? { group: fields.group } : {}),
    trajectories,
    ...(dropped ? { dropped } : { best: [...best] }),
    samples,
  };
}

const rateOf = (rewards: readonly number[]): number =>
  rewards.reduce((sum, value) => sum + value, 0) / Math.max(1, rewards.length);

/** An attempt along a trajectory: the stored one, or a new one. */
async function sampleOf(
  problem: Problem,
  trajectory: Trajectory,
  sample: number,
  { runner, sandbox, space, policy, stored, onSample }: SearchWork,
): Promise<SearchSample> {
  const id = `${problem.id}/${trajectoryKey(trajectory)}#${sample}`;
  const known = stored.get(id);
  if (known) return known;
  const attempt = await runner.attempt(trajectoryStrategy(trajectory, space), { problem, sample });
  const { answer, correct } = await gradeAttempt(problem, attempt, { sandbox, signal: runner.signal });
  const total = (of: "completionTokens" | "promptTokens") =>
    attempt.calls.reduce((sum, { completion }) => sum + completion[of], 0);
  const { strict, dots } = correct;
  const made: SearchSample = {
    ...{ id, problem: problem.id, trajectory: [...trajectory], sample },
    right: (policy === "dots" ? (dots ?? strict) : strict) ?? false,
    correct: { ...(strict === undefined ? {} : { strict }), ...(dots === undefined ? {} : { dots }) },
    ...(answer === undefined ? {} : { answer }),
    tokens: total("completionTokens"),
    promptTokens: total("promptTokens"),
    calls: attempt.calls.length,
    turns: (attempt.trace as TrajectoryTrace).turns.map((turn) => ({ ...turn })),
  };
  stored.set(id, made);
  await onSample(made);
  return made;
}
