import { strictJson, writeWhole } from "../core/index.js";
import type { ChatMessage } from "../model/index.js";
import { OPERATIONS, operationMessage, type PromptStyle } from "../operations/index.js";
import { type ActionSpace, type Turn, trajectoryKey } from "./actions.js";
import { DOTS_SPACE } from "./dots-space.js";
import type { ExplainedQuestion } from "./explain.js";
import { conversationOf, plannedTextOperation } from "./internalised-text.js";
import { planOperation } from "./planner.js";

/**
 * What a model is trained to do:
 * - external: explain and name the actions, for a planner beside the solver
 * - internalised: the same, and then take them: all turns of an attempt that was right
 * - vanilla: the solution in words alone, without a plan: plain fine-tuning, to compare with
 */
export const PLANNERS = ["external", "internalised", "vanilla"] as const;
export type PlannerKind = (typeof PLANNERS)[number];

export interface RowOptions {
  planner: PlannerKind;
  /** By tags, for models trained on operations, or by instructions in words. */
  style: PromptStyle;
  /** Whether the explanation is learned; else the actions alone: the ablation. Default: true. */
  explanations?: boolean | undefined;
  /** Weights of rows by data set, in place of the copies that the released code makes. Default: 1. */
  weights?: Readonly<Record<string, number>> | undefined;
  space?: ActionSpace | undefined;
}

/** A conversation to train on; the loss counts the assistant's turns. */
export interface TrajectoryRow {
  id: string;
  dataset: string;
  /** "plan+program": what the plan names. */
  trajectory: string;
  messages: ChatMessage[];
  /** Weight of the row in the loss; left out where it is 1. */
  weight?: number;
}

/** The rows that a planner, or a solver that plans by itself, is trained on. Rows without what the kind needs are left out. */
export function trainingRows(explained: readonly ExplainedQuestion[], options: RowOptions): TrajectoryRow[] {
  const { weights = {} } = options;
  return explained.flatMap((each) => {
    const messages = messagesOf(each, options);
    if (!messages) return [];
    const { id, dataset, trajectory } = each;
    const weight = weights[dataset] ?? weights[dataset.split(":")[0]!] ?? 1;
    return [{ id, dataset, trajectory: trajectoryKey(trajectory), messages, ...(weight === 1 ? {} : { weight }) }];
  });
}

function messagesOf(
  { query, trajectory, explanation, solution, references }: ExplainedQuestion,
  { planner, style, explanations = true, space = DOTS_SPACE }: RowOptions,
): ChatMessage[] | undefined {
  const input = { question: query };
  const turns = solution.filter((turn): turn is Turn => "action" in turn);
  const dialogue = solution.filter((turn) => "role" in turn) as ChatMessage[];
  if (planner === "vanilla") {
    const words = turns.findLast(({ action }) => action === "cot" || action === "revise")?.text;
    const said =
      words ??
      (trajectory.includes("program") ? undefined : dialogue.find(({ role }) => role === "assistant")?.content);
    if (said === undefined) return undefined;
    return [operationMessage(OPERATIONS.cot, input, style), { role: "assistant", content: said as string }];
  }
  const plan = planOperation(space).write({ explanation: explanations ? explanation : "", trajectory });
  if (planner === "external") {
    return [operationMessage(planOperation(space), input, style), { role: "assistant", content: plan }];
  }
  const asked = operationMessage(plannedTextOperation(space), input, style);
  if (turns.length > 0) return [asked, ...conversationOf(plan, turns, references[0]!)];
  const from = dialogue.findIndex(({ role }) => role === "assistant");
  if (from < 0) return undefined;
  const [first, ...rest] = dialogue.slice(from);
  return [asked, { role: "assistant", content: `${plan}\n${first!.content}` }, ...rest];
}

/** Write rows as the JSONL that `trainPlanner` and `thoughtbook train` read. */
export const saveRows = (file: string, rows: readonly TrajectoryRow[]): Promise<void> =>
  writeWhole(file, rows.map((row) => `${strictJson(row)}\n`).join(""));

/**
 * Rows for other trainers, which have no weights: a row of a whole weight n stands n times, as the released code writes it.
 * - litgpt: Alpaca rows, one for each of the assistant's turns, with the conversation before it as the instruction
 * - llama-factory: ShareGPT conversations, all of the assistant's turns learned
 */
export function exportRows(
  rows: readonly TrajectoryRow[],
  format: "litgpt" | "llama-factory",
): Record<string, unknown>[] {
  return rows.flatMap(({ messages, weight = 1, dataset }) => {
    const own = format === "litgpt" ? alpacaRows(messages, dataset) : [{ conversations: messages.map(shareGptTurn) }];
    return Array.from({ length: Math.max(1, Math.round(weight)) }, () => own).flat();
  });
}

const alpacaRows = (messages: readonly ChatMessage[], dataset: string): Record<string, unknown>[] =>
  messages.flatMap(({ role, content }, at) =>
    role === "assistant"
      ? [
          {
            dataset,
            instruction: messages
              .slice(0, at)
              .map((turn) => turn.content)
              .join("\n\n"),
            input: "",
            output: content,
          },
        ]
      : [],
  );

const shareGptTurn = ({ role, content }: ChatMessage) => ({
  from: role === "assistant" ? "gpt" : role === "system" ? "system" : "human",
  value: content,
});
