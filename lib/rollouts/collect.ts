import { z } from "zod";
import { badInput, checkWhole, openRun, type ProgressDisplay, startProgress } from "../core/index.js";
import { type Completion, numericalPath, type Prompt, UNNAMED_PATH } from "../llm/index.js";
import { askedModel, askingSettings, withUnseen } from "../operations/index.js";
import type { Problem, Task } from "../tasks/index.js";
import type { Attempt, Call, Strategy } from "./attempt.js";

import { type Reward, rewardParts, rewardSettings } from "./rewards.js";
import { type AttemptOptions, openProgramSandbox, runAttempts } from "./run-attempts.js";

/** A rewarded attempt, as it is stored. */
export interface Rollout extends Attempt {
  /** `POLICY/ROUND/PROBLEM#SAMPLE`. */
  id: string;
  /** The model that made it: its hash, or the name given by the caller. */
  policy: string;
  round: number;
  reward: number;
  /** The parts of a combined reward by name. */
  rewards: Record<string, number>;
}

export interface CollectOptions extends AttemptOptions {
  /** Attempts at each problem. Default: 8. */
  groupSize?: number | undefined;
  /** Name of the weights in the rollouts' ids. Default: the model's hash; required if there is none, as in training. */
  policy?: string | undefined;
  /** Index of the pass over the task; each has random numbers of its own. Default: 0. */
  round?: number | undefined;
  /** Problems in progress at the same time; an interruption loses at most those. Default: 64. */
  problemsAtOnce?: number | undefined;
  /** Append-only store: a finished round in it is not collected again. Without it nothing is stored. */
  folder?: string | undefined;
  /** Where progress is shown. */
  display?: ProgressDisplay | undefined;
}

const completionSchema = z.looseObject({
  text: z.string(),
  finishReason: z.string(),
  promptTokens: z.int(),
  completionTokens: z.int(),
}) as unknown as z.ZodType<Completion>;
const callSchema = z.object({
  operation: z.string(),
  prompt: z.unknown() as z.ZodType<Prompt>,
  completion: completionSchema,
});
const rolloutSchema = z.object({
  id: z.string(),
  policy: z.string(),
  round: z.int(),
  problem: z.string(),
  sample: z.int(),
  text: z.string(),
  begun: z.string().optional(),
  solution: z.string().optional(),
  failure: z.object({ kind: z.string(), message: z.string() }).optional(),
  trace: z.unknown().optional(),
  reward: z.number(),
  rewards: z.record(z.string(), z.number()),
  calls: z.array(callSchema),
}) as unknown as z.ZodType<Rollout>;

/**
 * Collect rollouts: attempt each problem of a task several times and reward each group. A group is written once it is
 * rewarded; calling it again resumes from what is there, and gives the same groups in the same order.
 *
 * Prompts of embeddings are stored as their shape.
 *
 * @throws bad-input for options out of range, a model without a hash or a name, a store of other settings (the
 *   names and weights of a combined reward among them); interrupted; as
 *   {@link runAttempts} and the reward
 *
 * @example
 * ```ts
 * import { loadModel } from "thoughtbook/llm";
 * import { answerReward, collect } from "thoughtbook/rollouts";
 * import { cot } from "thoughtbook/strategies";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const model = await loadModel("mini");
 * const task = await loadTask("word-problems:2", { limit: 2 });
 * const options = { model, groupSize: 4, sampling: { temperature: 1 }, maxNewTokens: 64 };
 * for await (const group of collect(cot(), task, answerReward, options)) {
 *   console.log(group.map(({ id, reward }) => [id, reward]));
 * }
 * ```
 */
export async function* collect(
  strategy: Strategy,
  task: Task,
  reward: Reward,
  options: CollectOptions,
): AsyncGenerator<Rollout[], void, undefined> {
  const { seed = 0, groupSize = 8, round = 0, problemsAtOnce = 64, folder, signal } = options;
  const { maxNewTokens = 256, sampling = {} } = options;
  const model = withUnseen(await askedModel(options.model, { signal }), task);
  const asking = askingSettings(model);
  checkWhole("groupSize", groupSize, 1);
  checkWhole("round", round, 0);
  checkWhole("problemsAtOnce", problemsAtOnce, 1);
  const policy = options.policy ?? (await model.hash());
  if (policy === undefined) {
    throw badInput(`the model ${model.name} has no hash, by which its rollouts could be told`, "Name it: policy.");
  }
  if (groupSize > 1 && !sampling.temperature) {
    throw badInput(`${groupSize} attempts at temperature 0 are all the same`, "Give a temperature such as 1.");
  }
  const config = {
    strategy: { name: strategy.name, ...strategy.settings },
    task: task.settings,
    reward: rewardSettings(reward),
    ...{ groupSize, maxNewTokens, sampling },
    ...(asking ? { asking } : {}),
    ...numericalPath(model),
  };
  const run =
    folder === undefined
      ? undefined
      : await openRun<Rollout>({
          folder,
          config,
          seed,
          unnamed: UNNAMED_PATH,
          idOf: ({ id }) => id,
          schema: rolloutSchema,
        });
  const idOf = (problem: Problem, sample: number) => `${policy}/${round}/${problem.id}#${sample}`;
  const progress = startProgress(`Collecting ${strategy.name} on ${task.name}, round ${round}`, {
    total: task.problems.length * groupSize,
    unit: "rollouts",
    display: options.display,
  });
  let done = 0;
  const sandbox = options.sandbox ?? openProgramSandbox();
  try {
    const stored = new Map<string, Rollout>();
    const wanted = new Set(task.problems.flatMap((problem) => samplesOf(groupSize).map((at) => idOf(problem, at))));
    for await (const rollout of run?.records() ?? []) if (wanted.has(rollout.id)) stored.set(rollout.id, rollout);
    for (let first = 0; first < task.problems.length; first += problemsAtOnce) {
      const problems = task.problems.slice(first, first + problemsAtOnce);
      const storedOf = (problem: Problem) => samplesOf(groupSize).flatMap((at) => stored.get(idOf(problem, at)) ?? []);
      const missing = problems.filter((problem) => storedOf(problem).length < groupSize);
      const places = missing.flatMap((problem) => samplesOf(groupSize).map((sample) => ({ problem, sample })));
      const attempts = await runAttempts(
        strategy,
        places,
        { ...options, model, sandbox, seed: `${seed}/round ${round}` },
        () => progress.update(++done),
      );
      const made = new Map<string, Rollout[]>();
      for (const [at, problem] of missing.entries()) {
        const group = attempts.slice(at * groupSize, (at + 1) * groupSize);
        const rewards = await rewardParts(reward, problem, group, { model, seed, sandbox, signal });
        const rollouts = group.map((attempt, sample): Rollout => {
          const id = idOf(problem, sample);
          const rollout = { id, policy, round, ...attempt, ...rewards[sample]!, calls: attempt.calls.map(storedCall) };
          // What is stored stays, also if a server answers otherwise the second time.
          return stored.get(id) ?? rollout;
        });
        // Complete a group that was truncated by a kill.
        for (const rollout of rollouts) if (run && !run.done.has(rollout.id)) await run.append(rollout);
        made.set(problem.id, rollouts);
      }
      done = (first + problems.length) * groupSize;
      progress.update(done);
      for (const problem of problems) yield made.get(problem.id) ?? storedOf(problem);
    }
    progress.succeed(`${done.toLocaleString("en-US")} rollouts`);
  } finally {
    // Changes nothing after success; a caller may also leave the loop early.
    progress.fail();
    if (!options.sandbox) await sandbox.close();
    await run?.close();
  }
}

const samplesOf = (groupSize: number): number[] => Array.from({ length: groupSize }, (_, sample) => sample);

function storedCall(call: Call): Call {
  const { prompt } = call;
  if (typeof prompt === "string" || !("embeddings" in prompt)) return call;
  const { shape } = prompt.embeddings;
  return { ...call, prompt: `embeddings [${shape.join(", ")}]` };
}
