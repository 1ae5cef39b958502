import type { Policy } from "../answer/index.js";
import { groupBy, sum, withoutUndefined } from "../core/index.js";
import type { LanguageModel, Prompt } from "../llm/index.js";
import { systemPromptName } from "../operations/index.js";
import type { Strategy } from "../rollouts/index.js";
import type { Task } from "../tasks/index.js";
import { passAtK, passSizes } from "./metrics.js";
import type { EvaluationRecord } from "./records.js";

/*
 * Results in the layout of A*-Thought's evaluation (arXiv 2505.24550, after SkyThought's), with the same keys, so that
 * programs that read its files can read ours.
 */

/**
 * A problem with its texts, under its id in `results.json`; besides these keys it holds all other fields of the data
 * set.
 */
export interface ReleasedResult extends Record<string, unknown> {
  /** Index in the task, from 0. */
  _index: number;
  /** The user's message. */
  prompt: string;
  input_conversation: readonly Readonly<Record<string, unknown>>[];
  /** One entry per sample. */
  responses: { content: string; correctness: boolean; reason: string }[];
  token_usages: { completion_tokens: number; prompt_tokens: number }[];
}

/** Content of `summary.json` for one budget. */
export interface ReleasedSummary {
  configuration: {
    task: { name: string; config: Record<string, unknown>; start: number; end: number };
    model: { name: string; config: Record<string, unknown> };
    backend: { name: string; backend_args: Readonly<Record<string, unknown>> };
    sampling_params: Record<string, number | string>;
  };
  total_completion_tokens: number;
  /** One entry per text, to 3 decimals; prompts that were too long for the model have none. */
  avg_completion_tokens: number;
  total_prompt_tokens: number;
  avg_prompt_tokens: number;
  /** Share of texts that are right, to 4 decimals. */
  accuracy: number;
  /** With several samples: percent by "k=1", "k=2", …, to 3 decimals. */
  pass_at_k?: Record<string, number>;
}

export interface ReleasedParts {
  model: LanguageModel;
  task: Task;
  strategy: Strategy;
  backend: { name: string; args: Readonly<Record<string, unknown>> };
  modelHash: string | undefined;
  sampling: {
    temperature: number;
    topP?: number;
    topK?: number;
    minP?: number;
    samples: number;
    seed: number | string;
  };
}

/** The policy that texts are right under: `astar`, as there, where it applies to all of them; else `strict`. */
const releasedPolicy = (records: readonly EvaluationRecord[]): Policy =>
  records.every(({ correct }) => correct.astar !== undefined) ? "astar" : "strict";

/** Content of `results.json`, from the records of one budget, in the order of the problems. */
export function releasedResults(
  records: readonly EvaluationRecord[],
  { model, task, strategy }: ReleasedParts,
): Record<string, ReleasedResult> {
  const policy = releasedPolicy(records);
  const byProblem = groupBy(records, ({ problem }) => problem);
  const entries = task.problems.map((problem, index): [string, ReleasedResult] => {
    const { fields, ...own } = problem;
    const prompt = strategy.firstPrompt?.(model, problem) ?? problem.question;
    const samples = (byProblem.get(problem.id) ?? []).toSorted((a, b) => a.sample - b.sample);
    const result = {
      ...fields,
      ...own,
      _index: index,
      prompt: userText(prompt),
      input_conversation: conversationOf(prompt),
      responses: samples.map((record) => ({
        content: record.completion,
        correctness: record.correct[policy] ?? false,
        reason: reasonOf(record, policy),
      })),
      token_usages: samples.map(({ completionTokens, promptTokens }) => ({
        completion_tokens: completionTokens,
        prompt_tokens: promptTokens,
      })),
    };
    return [problem.id, result];
  });
  return Object.fromEntries(entries);
}

/** Content of `summary.json`, from the records of one budget. */
export function releasedSummary(
  records: readonly EvaluationRecord[],
  { model, task, strategy, backend, modelHash, sampling }: ReleasedParts,
): ReleasedSummary {
  const policy = releasedPolicy(records);
  const { temperature, topP, topK, minP, samples, seed } = sampling;
  const { systemPrompt, assistantPrefill, ...settings } = strategy.settings ?? {};
  const budget = records[0]!.budget;
  const asked = records.filter(({ calls }) => calls.length > 0).length;
  const total = (of: (record: EvaluationRecord) => number) => sum(records.map(of));
  const average = (sum: number) => (asked === 0 ? 0 : rounded(sum / asked, 3));
  const completionTokens = total((record) => record.completionTokens);
  const promptTokens = total((record) => record.promptTokens);
  const byProblem = groupBy(records, ({ problem }) => problem);
  const counts = Array.from(byProblem.values(), (own) => own.filter(({ correct }) => correct[policy]).length);
  const passed = (k: number) => counts.reduce((sum, count) => sum + passAtK(samples, count, k), 0) / counts.length;
  return {
    configuration: {
      task: { name: task.name, config: { ...task.settings, policy }, start: 0, end: task.problems.length },
      model: {
        name: model.name,
        config: withoutUndefined({
          hash: modelHash,
          parameter_count: model.parameterCount,
          strategy: strategy.name,
          ...settings,
          system_prompt_name: typeof systemPrompt === "string" ? systemPromptName(systemPrompt) : undefined,
          system_prompt: systemPrompt,
          assistant_prefill: assistantPrefill,
        }),
      },
      backend: { name: backend.name, backend_args: backend.args },
      sampling_params: withoutUndefined({
        temperature,
        top_p: topP ?? 1,
        top_k: topK,
        min_p: minP,
        max_tokens: budget,
        n: samples,
        seed,
      }),
    },
    total_completion_tokens: completionTokens,
    avg_completion_tokens: average(completionTokens),
    total_prompt_tokens: promptTokens,
    avg_prompt_tokens: average(promptTokens),
    accuracy: rounded(total(({ correct }) => (correct[policy] ? 1 : 0)) / records.length, 4),
    ...(samples > 1
      ? { pass_at_k: Object.fromEntries(passSizes(samples).map((k) => [`k=${k}`, rounded(100 * passed(k), 3)])) }
      : {}),
  };
}

function reasonOf({ calls, correct, finishReason, budget }: EvaluationRecord, policy: Policy): string {
  if (correct[policy]) return "";
  if (calls.length === 0) return "The prompt is too long for the model.";
  return finishReason === "length" ? `Solution is incorrect; cut off at ${budget} tokens.` : "Solution is incorrect.";
}

function conversationOf(prompt: Prompt): Readonly<Record<string, unknown>>[] {
  if (typeof prompt === "string") return [{ role: "user", content: prompt }];
  if (!("messages" in prompt)) throw new TypeError("an answer is asked for in words");
  const { messages, answer } = prompt;
  return answer ? [...messages, { role: "assistant", content: answer }] : [...messages];
}

const userText = (prompt: Prompt): string =>
  String(conversationOf(prompt).findLast(({ role }) => role === "user")!.content);

const rounded = (value: number, decimals: number): number => Number(value.toFixed(decimals));
