import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { badInput, checkWhole, fileSystemError, strictJson, withoutUndefined, writeWhole } from "../core/index.js";
import {
  compareRecords,
  type EvaluateOptions,
  type EvaluationRecord,
  type EvaluationSummary,
  evaluate,
  type PairedOutcomes,
} from "../eval/index.js";
import { optimizeSoftPrompt, withQuestionPrompts } from "../grpo/index.js";
import { type LocalModel, withSoftPrompt } from "../llm/index.js";
import { answerReward, majorityReward, type Reward, type Strategy } from "../rollouts/index.js";
import type { Task } from "../tasks/index.js";
import type { TrainingRecord } from "../train/index.js";
import { aot } from "./aot.js";
import { atomChains } from "./traces.js";

/** What an attempt is worth: whether its final answer is right, or how many of its group have the same. */
export type AnswerReward = "answer" | "majority";

export interface AotGrpoOptions
  extends Pick<EvaluateOptions, "seed" | "batchSize" | "signal" | "display" | "temperature"> {
  model: LocalModel;
  /** Problems that are evaluated, without the prompt and with it. */
  task: Task;
  /** Problems that one prompt is learned on. Without it each question of `task` gets a prompt of its own, at test time. */
  training?: Task | undefined;
  /** Updates of the prompt, or of each question's; 0 evaluates only. Default: 5. */
  steps?: number | undefined;
  /** Default: answer; for prompts of questions, whose labels must not be seen, majority. */
  reward?: AnswerReward | undefined;
  /** What is optimised and evaluated. Default: `aot()`. */
  strategy?: Strategy | undefined;
  /** Problems of an update. Default: 4, or all questions where each has a prompt. */
  problems?: number | undefined;
  /** Attempts at each problem of an update. Default: 8. */
  groupSize?: number | undefined;
  /** Vectors of a prompt. Default: 16. */
  vectors?: number | undefined;
  /** Text whose token embeddings the vectors begin with. Default: as `optimizeSoftPrompt`; of a model that is asked by tags, words of its problems. */
  text?: string | undefined;
  /** Peak learning rate. Default: as `optimizeSoftPrompt`. */
  learningRate?: number | undefined;
  /** Weight of the divergence from the model without a prompt. Default: 0. */
  beta?: number | undefined;
  /** Maximum new tokens of a call. Default: 256. */
  maxNewTokens?: number | undefined;
  threads?: number | undefined;
  /** Folder of the run, which resumes. */
  folder: string;
  /** Called with each update. */
  onRecord?: ((record: TrainingRecord) => unknown) | undefined;
}

/** An update of the prompt: the mean reward of the attempts that it learned from, and what else was measured. */
export interface PromptUpdate {
  step: number;
  loss: number;
  [metric: string]: number;
}

export interface AotGrpoResult {
  model: string;
  modelHash?: string;
  task: string;
  samples: number;
  steps: number;
  per: "task" | "question";
  reward: AnswerReward;
  strategy: string;
  /** The strategy without a prompt, and with the optimised one; the latter unless there were no steps. */
  plain: EvaluationSummary;
  optimised?: EvaluationSummary;
  /** With the prompt against without, problem by problem. */
  comparison?: PairedOutcomes;
  updates: PromptUpdate[];
}

/**
 * AOT-GRPO: optimise a soft prompt that precedes every call of Atom of Thoughts (decompose, solve, contract, judge) by
 * group-relative advantages, with a reward from the final answer, and evaluate the strategy without and with it. The model
 * stays frozen.
 *
 * In the folder: `plain` and `optimised` (evaluations), `training` (the run, with the prompt in `prompt`), `records.jsonl` (a
 * line for each problem, with both answers and their scores) and `result.json`. The same call goes on after an interruption.
 *
 * @throws bad-input for options out of range, or labelled rewards for the questions that are evaluated; interrupted; as
 *   `optimizeSoftPrompt` and `evaluate`
 *
 * @example
 * ```ts
 * import { aotGrpo } from "thoughtbook/aot";
 * import { loadLocalModel } from "thoughtbook/llm";
 * import { loadTask } from "thoughtbook/tasks";
 *
 * const model = await loadLocalModel("mini");
 * const task = await loadTask("word-problems:2", { limit: 4 });
 * const training = await loadTask("word-problems:2", { limit: 8, split: "train" });
 * const small = { problems: 2, groupSize: 4, vectors: 4, maxNewTokens: 64 };
 * const { plain, optimised } = await aotGrpo({ model, task, training, steps: 1, ...small, seed: 1, folder: "runs/aot-grpo" });
 * console.log(plain.budgets[0]?.accuracy.strict, optimised?.budgets[0]?.accuracy.strict);
 * ```
 */
export async function aotGrpo(options: AotGrpoOptions): Promise<AotGrpoResult> {
  const { model, task, training, steps = 5, strategy = aot(), groupSize = 8, vectors = 16, folder } = options;
  const { seed = 0, maxNewTokens = 256, batchSize, signal, display, temperature } = options;
  const per = training ? "task" : "question";
  const reward = options.reward ?? (training ? "answer" : "majority");
  checkWhole("steps", steps, 0);
  if (!training && reward === "answer") {
    throw badInput(
      "a prompt for each question cannot be rewarded with the labels of these questions",
      "Choose the reward majority, or give problems to learn on.",
    );
  }
  const evaluated = { budgets: [maxNewTokens], seed, temperature, batchSize, signal, display };
  const plain = await evaluate(strategy, task, { ...evaluated, model, folder: join(folder, "plain"), label: "plain" });
  const updates: PromptUpdate[] = [];
  let optimised: Awaited<ReturnType<typeof evaluate>> | undefined;
  if (steps > 0) {
    const learned = training ?? task;
    const { prompts } = await optimizeSoftPrompt({
      ...{ model, task: learned, strategy, per, vectors, seed, maxNewTokens, groupSize, batchSize, signal, display },
      ...withoutUndefined({
        text: options.text ?? (model.operations?.size ? WORDS : undefined),
        learningRate: options.learningRate,
        beta: options.beta,
        threads: options.threads,
      }),
      reward: REWARDS[reward],
      collections: steps,
      problems: options.problems ?? (training ? Math.min(4, learned.problems.length) : learned.problems.length),
      folder: join(folder, "training"),
      saveEvery: 1,
      async onRecord(record) {
        // JSON, which a resumed run reads, knows no −0.
        updates.push({ step: record.step, loss: record.loss + 0, ...record.metrics });
        await options.onRecord?.(record);
      },
    });
    const prompted = training
      ? { model: withSoftPrompt(model, prompts[0]!.vectors), strategy }
      : withQuestionPrompts(model, strategy, prompts);
    optimised = await evaluate(prompted.strategy, task, {
      ...{ ...evaluated, model: prompted.model, label: "optimised" },
      folder: join(folder, "optimised"),
    });
  }
  const hash = plain.summary.modelHash;
  const result: AotGrpoResult = {
    model: model.name,
    ...(hash === undefined ? {} : { modelHash: hash }),
    ...{ task: task.name, samples: task.problems.length, steps, per, reward, strategy: strategy.name },
    plain: plain.summary,
    ...(optimised
      ? { optimised: optimised.summary, comparison: compareRecords(optimised.records, plain.records) }
      : {}),
    updates,
  };
  await writeResults(folder, result, scoredRecords(task, plain.records, optimised?.records));
  return result;
}

/** A model that is asked by tags knows no instructions: one before its problems makes it worse, and this does not. */
const WORDS = "Here is some news.";

const REWARDS: Record<AnswerReward, Reward> = { answer: answerReward, majority: majorityReward };

/** What became of a problem, under the keys of the original program, which scored nothing. */
interface ScoredRecord {
  id: string;
  question: string;
  ground_truth: string | readonly string[];
  aot_answer: string | null;
  optimized_answer: string | null;
  /** Under the strict policy: 1 for a right answer, 0 for another one or none. */
  score: { aot: number; optimized: number | null };
  method: string;
  /** Of the first graph of the attempt that is scored last. */
  sub_questions: { description: string; depend: readonly number[]; answer: string | null }[];
  log: unknown;
}

function scoredRecords(
  { problems }: Task,
  plain: readonly EvaluationRecord[],
  optimised: readonly EvaluationRecord[] | undefined,
): ScoredRecord[] {
  const last = new Map(optimised?.map((record) => [record.problem, record]));
  const questions = new Map(problems.map((problem) => [problem.id, problem]));
  return plain.map((record) => {
    const { question, references } = questions.get(record.problem)!;
    const own = last.get(record.problem);
    const trace = (own ?? record).trace;
    const graph = atomChains(trace)[0]?.transitions[0]?.graph ?? [];
    return {
      id: record.problem,
      question,
      ground_truth: references.length === 1 ? references[0]! : references,
      aot_answer: record.answer ?? null,
      optimized_answer: own?.answer ?? null,
      score: { aot: Number(record.correct.strict), optimized: own ? Number(own.correct.strict) : null },
      method: own ? "aot-grpo" : "aot",
      sub_questions: graph.map(({ question: description, dependsOn, answer }) => ({
        ...{ description, depend: dependsOn, answer: answer ?? null },
      })),
      log: trace ?? null,
    };
  });
}

async function writeResults(folder: string, result: AotGrpoResult, records: readonly ScoredRecord[]): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileSystemError(error, "make the folder", folder);
  });
  await writeWhole(join(folder, "records.jsonl"), records.map((record) => `${strictJson(record)}\n`).join(""));
  await writeWhole(join(folder, "result.json"), `${JSON.stringify(result, null, 2)}\n`);
}
