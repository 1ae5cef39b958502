import { fail } from "../answer/index.js";
import { defineOperation, OPERATIONS, type Operation, type QuestionInput } from "../operations/index.js";
import { type ActionSpace, actionIn, type Turn } from "./actions.js";
import { DOTS_SPACE } from "./dots-space.js";
import { type Plan, planOperation } from "./planner.js";

/** A part of what a solver with an internalised planner writes: an action and its output. */
export interface Section {
  action: string;
  text: string;
}

/** What it writes in its first turn: the plan, and the outputs of the actions up to what has to be waited for. */
export interface PlannedText extends Plan {
  sections: readonly Section[];
}

const HEADINGS: Readonly<Record<string, string>> = {
  rewrite: "Question",
  plan: "Plan",
  cot: "Solution",
  program: "Program",
  verify: "Check",
  revise: "Solution",
};

const headingOf = (action: string): string =>
  HEADINGS[action] ?? `${action[0]!.toUpperCase()}${action.slice(1).replaceAll("-", " ")}`;

const actionOf = (space: ActionSpace, heading: string): string | undefined =>
  space.actions.find(({ name }) => headingOf(name).toLowerCase() === heading.toLowerCase())?.name ??
  actionIn(space, heading);

export const writeSections = (sections: readonly Section[]): string =>
  sections.map(({ action, text }) => `${headingOf(action)}:\n${text.trim()}`).join("\n");

/** The sections of a text, each under a line "Solution:"; what stands before the first is `before`. */
export function readSections(text: string, space: ActionSpace): { before: string; sections: Section[] } {
  const parts: { heading: string | undefined; lines: string[] }[] = [{ heading: undefined, lines: [] }];
  for (const line of text.split("\n")) {
    const heading = /^([A-Z][a-z -]{2,40}):\s*$/.exec(line)?.[1];
    const action = heading === undefined ? undefined : actionOf(space, heading);
    if (action === undefined) parts.at(-1)!.lines.push(line);
    else parts.push({ heading: action, lines: [] });
  }
  const [first, ...rest] = parts;
  return {
    before: first!.lines.join("\n").trim(),
    sections: rest.map(({ heading, lines }) => ({ action: heading!, text: lines.join("\n").trim() })),
  };
}

/**
 * The operation of a solver that plans by itself (arXiv 2410.03864, §3.3): it explains which actions fit, names them, and goes on with
 * them. For models trained on operations it has the tag of the planner, whose text it continues.
 */
export function plannedTextOperation(space: ActionSpace = DOTS_SPACE): Operation<QuestionInput, PlannedText> {
  const planning = planOperation(space);
  const { name, render } = OPERATIONS.explain;
  return defineOperation<QuestionInput, PlannedText>({
    name,
    instruction: `Solve the question by the actions that fit it. ${planning.instruction}
Then take them: for each action a line with its heading (${[...new Set(space.actions.map((action) => headingOf(action.name)))].join(", ")}) and a colon, and below it what it gives. After a program stop: its result will be told. The last line is "####", a space, and the answer alone.`,
    render,
    write: ({ sections, ...plan }) => `${planning.write(plan)}\n${writeSections(sections)}`,
    read(text, input, complete) {
      const { before, sections } = readSections(text, space);
      if (before === "") return fail("no plan");
      const plan = planning.parse(before, input, complete || sections.length > 0);
      return plan.ok ? { ok: true, value: { ...plan.value, sections } } : plan;
    },
  });
}

/** Turns of a conversation after the question: what the model writes, and what it is told in between. */
export function conversationOf(
  plan: string | undefined,
  turns: readonly Turn[],
  answer: string,
): { role: "assistant" | "user"; content: string }[] {
  const messages: { role: "assistant" | "user"; content: string }[] = [];
  let sections: Section[] = [];
  const write = (last: string[]) => {
    const head = messages.length === 0 && plan !== undefined ? [plan] : [];
    const content = [...head, ...(sections.length > 0 ? [writeSections(sections)] : []), ...last].join("\n");
    if (content !== "") messages.push({ role: "assistant", content });
    sections = [];
  };
  for (const { action, text, observed } of turns) {
    sections.push({ action, text });
    if (observed === undefined) continue;
    write([]);
    messages.push({ role: "user", content: observed });
  }
  // A solution in words ends in its answer; after a program the answer is still to be written.
  const isAnswered = turns.some(({ action }) => action === "revise" || action === "cot");
  write(isAnswered ? [] : [`#### ${answer}`]);
  return messages;
}
