import { join } from "node:path";
import { badInput, checkWhole, createRandom, withoutUndefined } from "../core/index.js";
import { isWholeText } from "../llm/index.js";
import type { ChatMessage } from "../model/index.js";
import { OPERATIONS, writeSolution } from "../operations/index.js";
import { type CollectOptions, collect, type Reward, type Strategy } from "../rollouts/index.js";
import type { Task } from "../tasks/index.js";
import { type ArmScore, dropWorst, scoreArms } from "./pool.js";

/** A written instruction, with solved examples before the question. */
export interface InstructionArm {
  name: string;
  instruction: string;
  demonstrations?: readonly { question: string; solution: string }[] | undefined;
}

/**
 * Answer with an instruction in words and, before the question, demonstrations as turns of the conversation.
 *
 * @example
 * ```ts
 * import { instructed } from "thoughtbook/grpo";
 *
 * const arm = instructed({ name: "steps", instruction: "Solve step by step. End with #### and the answer." });
 * console.log(arm.name); // steps
 * ```
 */
export function instructed({ name, instruction, demonstrations = [] }: InstructionArm): Strategy {
  const ask = (question: string) => `${instruction}\n\n${question}`;
  const turns = demonstrations.flatMap(({ question, solution }): ChatMessage[] => [
    { role: "user", content: ask(question) },
    { role: "assistant", content: solution },
  ]);
  return {
    name,
    settings: { instruction, demonstrations: demonstrations.map(({ question, solution }) => ({ question, solution })) },
    needs: ["chat"],
    async attempt(problem, { as, seed, sample, sampling, maxNewTokens }) {
      const prompt = { messages: [...turns, { role: "user", content: ask(problem.question) }] };
      const request = { prompt, maxNewTokens, ...sampling, seed: `${seed}/${name}/${problem.id}/${sample}` };
      const [[completion] = []] = await as(name).generate([request]);
      if (!completion) return { text: "" };
      const { text } = completion;
      const parsed = OPERATIONS.cot.parse(text, problem, isWholeText(completion));
      const solution = parsed.ok === true && isWholeText(completion) ? writeSolution(parsed.value) : undefined;
      return { text, solution };
    },
  };
}

export interface OptimizeInstructionsOptions
  extends Pick<
    CollectOptions,
    | "model"
    | "seed"
    | "maxNewTokens"
    | "sampling"
    | "batchSize"
    | "sandbox"
    | "signal"
    | "groupSize"
    | "display"
    | "policy"
  > {
  /** The pool: strategies of different names, such as those of `instructed`. */
  arms: readonly Strategy[];
  task: Task;
  reward: Reward;
  /** Problems of the first round; each later one has as many attempts in all, so more problems an arm. Default: 8. */
  problems?: number | undefined;
  /** Share of the arms that a round keeps. Default: 0.5. */
  keep?: number | undefined;
  /** The most rounds. Default: until one arm is left. */
  rounds?: number | undefined;
  /** Store of the attempts, from which a run resumes. */
  folder: string;
  /** Called with each round. */
  onRound?: ((round: PoolRound) => unknown) | undefined;
}

export interface PoolRound {
  /** From 0. */
  round: number;
  /** Number of problems that all arms attempted. */
  problems: number;
  scores: ArmScore[];
  /** Names of the arms that go on, best first. */
  kept: string[];
}

/**
 * Optimise over a pool of written instructions by the same groups and advantages as GRPO, with successive halving
 * (Karnin et al. 2013): in each round all arms attempt the same problems, and the worst are dropped. A round has about as
 * many attempts as the first one, so that those that are left are measured better and better.
 *
 * Everything follows from the seed, and what is stored is not attempted again.
 *
 * @returns the rounds; the last one's first kept name is the best arm
 * @throws bad-input for fewer than two arms, equal names, or options out of range; as `collect`
 *
 * @example
 * ```ts
 * import { optimizeInstructions } from "thoughtbook/grpo";
 * import { loadModel } from "thoughtbook/llm";
 * import { answerReward } from "thoughtbook/rollouts";
 * import { cot, direct } from "thoughtbook/strategies";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const model = await loadModel("mini");
 * const task = await loadTask("word-problems:3", { limit: 32 });
 * const arms = [direct(), cot()];
 * const pool = { arms, problems: 8, groupSize: 2, sampling: { temperature: 1 }, maxNewTokens: 64, folder: "pool" };
 * const rounds = await optimizeInstructions({ ...pool, model, task, reward: answerReward });
 * console.log(rounds.at(-1)?.kept);
 * ```
 */
export async function optimizeInstructions(options: OptimizeInstructionsOptions): Promise<PoolRound[]> {
  const { arms, task, reward, folder, seed = 0, problems: first = 8, keep = 0.5, groupSize = 2, onRound } = options;
  const rounds = options.rounds ?? Number.POSITIVE_INFINITY;
  checkWhole("problems", first, 1);
  if (options.rounds !== undefined) checkWhole("rounds", options.rounds, 1);
  const names = arms.map(({ name }) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (arms.length < 2 || twice !== undefined) {
    throw badInput(
      twice === undefined ? `the pool has ${arms.length} arms` : `two arms of the pool are named ${twice}`,
      "Give at least two arms of different names.",
    );
  }
  const order = createRandom(seed).stream("pool").shuffle(task.problems);
  const done: PoolRound[] = [];
  let left = [...arms];
  for (let round = 0; round < rounds && left.length > 1; round++) {
    const problems = Math.min(order.length, Math.round((first * arms.length) / left.length));
    // A window that moves on, so that a round does not choose by the luck of the one before.
    const start = done.reduce((sum, each) => sum + each.problems, 0);
    const chosen = Array.from({ length: problems }, (_, at) => order[(start + at) % order.length]!);
    const rewards: Record<string, number[][]> = {};
    for (const arm of left) {
      rewards[arm.name] = [];
      const collected = collect(arm, { ...task, problems: chosen }, reward, {
        ...withoutUndefined(options),
        model: options.model,
        groupSize,
        round,
        folder: join(folder, `arm-${names.indexOf(arm.name)}`),
      });
      for await (const group of collected) rewards[arm.name]!.push(group.map((each) => each.reward));
    }
    const scores = scoreArms(rewards);
    const kept = dropWorst(scores, keep).map(({ name }) => name);
    left = kept.map((name) => left.find((arm) => arm.name === name)!);
    const result = { round, problems, scores, kept };
    done.push(result);
    await onRound?.(result);
  }
  return done;
}
