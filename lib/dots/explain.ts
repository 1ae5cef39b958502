import { z } from "zod";
import { type ProgressDisplay, readJsonl, startProgress, ThoughtbookError } from "../core/index.js";
import { isWholeText, type LanguageModel } from "../llm/index.js";
import {
  type Action,
  actionNamed,
  askedModel,
  defineOperation,
  explainSteps,
  type Operation,
  runOperation,
} from "../operations/index.js";
import { PROBLEM_KINDS } from "../tasks/index.js";
import { type ActionSpace, actionsOf } from "./actions.js";
import { DOTS_SPACE } from "./dots-space.js";
import type { SelectedQuestion } from "./select.js";

const explainedSchema = z.strictObject({
  id: z.string(),
  dataset: z.string(),
  query: z.string(),
  kind: z.enum(PROBLEM_KINDS),
  references: z.array(z.string()),
  group: z.string().optional(),
  /** The actions that are explained. */
  action: z.array(z.string()),
  trajectory: z.array(z.string()).min(1),
  /** What the attempt wrote, turn by turn; or the conversation of the released code. */
  solution: z.array(
    z.union([
      z.strictObject({ action: z.string(), text: z.string(), observed: z.string().optional() }),
      z.looseObject({ role: z.string(), content: z.string() }),
    ]),
  ),
  explanation: z.string(),
  /** Who wrote it: the model, or the rule that word problems are explained by, for models that are asked by tags. */
  explainedBy: z.enum(["model", "rule"]),
});

/** A question with the actions that solve it, why they do, and an attempt along them: a line of `thoughtbook dots explain`. */
export type ExplainedQuestion = z.infer<typeof explainedSchema>;

/**
 * Read what `thoughtbook dots explain` wrote.
 *
 * @throws corrupt-data naming the line, not-found
 */
export async function readExplained(file: string): Promise<ExplainedQuestion[]> {
  const rows: ExplainedQuestion[] = [];
  for await (const { value } of readJsonl(file, { schema: explainedSchema })) rows.push(value);
  if (rows.length > 0) return rows;
  throw new ThoughtbookError("corrupt-data", `${file} holds no explained questions`, {
    hint: 'Give what "thoughtbook dots explain" wrote.',
  });
}

export interface WhyInput {
  question: string;
  /** Names of the actions, in order. */
  actions: readonly string[];
}

const WHY: Record<string, string> = {
  plan: "why is it good to split the problem into steps first",
  rewrite: "why is it good to rewrite the question first",
  cot: "why are words better than a program",
  program: "why is a program better than words",
  verify: "why can the solution be checked, and why does it matter",
};

/** The operation that asks why actions fit a question, with one question for each action. */
export function whyOperation(space: ActionSpace = DOTS_SPACE): Operation<WhyInput, string> {
  const catalogue = space.actions.map(({ name, about }) => `- ${name}: ${about}`).join("\n");
  return defineOperation<WhyInput, string>({
    name: "why",
    instruction: `Questions are solved by these actions:
${catalogue}
For the question below some of them were found to be best. Say why, in one short paragraph that speaks of this question. Do not solve it and compute nothing.`,
    render: ({ question, actions }) =>
      [
        question.trim(),
        `Best actions: ${actions.join(", ")}`,
        ...actionsOf(space, actions).map(({ name, about }) => `- ${WHY[name] ?? `why is it good to ${about}`}?`),
      ].join("\n"),
    write: (text) => text,
    read: (text) => ({ ok: true, value: text.replace(/\s+/g, " ").trim() }),
  });
}

export interface ExplainOptions {
  model: LanguageModel;
  /** Most new tokens of an explanation. Default: 200. */
  maxNewTokens?: number | undefined;
  space?: ActionSpace | undefined;
  seed?: number | string | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
}

/**
 * Explain why the selected actions fit each question: the model is asked, greedily, why each of them does. A model that is asked by tags
 * cannot be asked that; then the rule explains that word problems' explanations are written by.
 */
export async function* explainTrajectories(
  selected: readonly SelectedQuestion[],
  options: ExplainOptions,
): AsyncGenerator<ExplainedQuestion, void, undefined> {
  const { space = DOTS_SPACE, maxNewTokens = 200, seed = 0, signal } = options;
  const model = await askedModel(options.model, { signal });
  const byRule = (model.operations?.size ?? 0) > 0;
  const operation = whyOperation(space);
  const progress = startProgress("Explaining", { total: selected.length, unit: "questions", display: options.display });
  const atOnce = 64;
  try {
    for (let first = 0; first < selected.length; first += atOnce) {
      const group = selected.slice(first, first + atOnce);
      const texts = byRule
        ? group.map(explainedByRule)
        : (
            await runOperation(
              model,
              operation,
              group.map(({ question, actions }) => ({ question: question.query, actions })),
              { maxNewTokens, seeds: group.map(({ question }) => `${seed}/${question.id}`), attempts: 1, signal },
            )
          ).map(([outcome]) => (outcome?.ok ? wholeSentences(outcome.value, isWholeText(outcome)) : ""));
      for (const [at, each] of group.entries()) yield explained(each, texts[at]!, byRule ? "rule" : "model");
      progress.update(first + group.length);
    }
    progress.succeed();
  } finally {
    progress.fail();
  }
}

/** A text that was cut off ends with its last whole sentence. */
const wholeSentences = (text: string, isWhole: boolean): string =>
  isWhole
    ? text
    : text
        .slice(0, Math.max(text.lastIndexOf(". "), text.lastIndexOf(".") === text.length - 1 ? text.length : 0) + 1)
        .trim();

function explainedByRule({ question, trajectory }: SelectedQuestion): string {
  const known = trajectory.flatMap((name) => actionNamed(name) ?? ([] as Action[]));
  const { query, operations, group } = question;
  const steps = operations ?? Math.max(1, query.split(/[.?!]\s/).length - 1);
  const has = (action: Action) => known.includes(action);
  return explainSteps(
    { question: query, steps, distractors: group === "distractors" },
    {
      analysis: has("plan") ? "plan" : has("rewrite") ? "rewrite" : "none",
      solution: has("program") ? "program" : "cot",
      verification: has("verify") ? "verify" : "none",
    },
  ).explanation;
}

function explained(
  { question, trajectory, actions, sample }: SelectedQuestion,
  explanation: string,
  explainedBy: ExplainedQuestion["explainedBy"],
): ExplainedQuestion {
  const { id, dataset, query, kind, references, group } = question;
  return {
    ...{ id, dataset, query, kind, references },
    ...(group === undefined ? {} : { group }),
    action: [...actions],
    trajectory: [...trajectory],
    solution: sample.dialogue ?? sample.turns,
    explanation,
    explainedBy,
  };
}
