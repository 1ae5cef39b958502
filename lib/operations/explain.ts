import { z } from "zod";
import { fail, type Result } from "../answer/index.js";
import { actionNamed, actionsOf, type Trajectory, trajectoryOf } from "./actions.js";
import { mayHoldJson, readJson } from "./json.js";
import { defineOperation } from "./operation.js";
import { type QuestionInput, renderQuestion } from "./solution.js";

/** Which actions fit a question, and why. */
export interface Explanation {
  explanation: string;
  trajectory: Trajectory;
}

/** DOTS's planner (arXiv 2410.03864): explain which reasoning actions fit a question, then name them. */
export const explain = defineOperation<QuestionInput, Explanation>({
  name: "explain",
  instruction: `Decide how to solve the question; do not solve it. The actions are:
- rewrite: first rewrite the question, without what is not needed; or plan: first split it into steps; or neither
- cot: solve it in words, step by step; or program: solve it by a program
- verify: check the solution at the end; or not
Say in a few sentences which actions fit this question and why. Then end with one line: "Actions:" and their names in order (for example "Actions: plan, cot, verify").`,
  render: renderQuestion,
  write: ({ explanation, trajectory }) =>
    `${explanation === "" ? "" : `${explanation}\n`}Actions: ${actionsOf(trajectory).join(", ")}`,
  read(text, _, complete) {
    const read = readActions(text, complete, actionNamed);
    if (!read.ok) return read;
    const { explanation, actions } = read.value;
    return { ok: true, value: { explanation, trajectory: trajectoryOf(actions) } };
  },
});

/** An explanation, and the actions that it ends with, as they were named. */
export interface NamedActions<Name> {
  explanation: string;
  actions: Name[];
}

/**
 * Read an explanation and its last line "Actions: …" (or the lines after it, where it is empty), or JSON with both.
 *
 * @param named the action of a name; undefined for a name that is no action
 */
export function readActions<Name>(
  text: string,
  complete: boolean,
  named: (name: string) => Name | undefined,
): Result<NamedActions<Name>> {
  const known = (names: readonly string[]): Name[] => names.flatMap((name) => named(name) ?? []);
  const json = mayHoldJson(text) ? readJson(text, schema) : fail("no JSON");
  const said = json.ok ? known(json.value.actions) : [];
  if (json.ok && said.length > 0)
    return { ok: true, value: { explanation: json.value.explanation.trim(), actions: said } };
  return readLine(text, complete, known);
}

const schema = z.looseObject({ explanation: z.string().default(""), actions: z.array(z.string()) });

const LINE = /^[\s*_#]{0,8}(?:required\s{1,3})?actions?[*_]{0,2}\s{0,3}:(.{0,500})$/i;

/** The last line "Actions: …"; where it is empty, the lines after it. */
function readLine<Name>(
  text: string,
  complete: boolean,
  known: (names: readonly string[]) => Name[],
): Result<NamedActions<Name>> {
  const lines = text.split("\n");
  const at = lines.findLastIndex((line) => LINE.test(line));
  if (at < 0) return fail('no line "Actions:"');
  if (!complete && at === lines.length - 1) return fail("the actions were cut off");
  const rest = LINE.exec(lines[at]!)![1]!;
  const named =
    rest.replace(/[\s*_]/g, "") === ""
      ? lines
          .slice(at + 1, at + 5)
          .join(",")
          .slice(0, 500)
      : rest;
  const actions = known(
    named.split(/[,;>→+&]|\band\b|\bthen\b/i).map((name) => name.replace(/^[\s\d*_."'`()[\]-]+/, "")),
  );
  if (actions.length === 0) return fail("no action that is known");
  return { ok: true, value: { explanation: lines.slice(0, at).join("\n").trim(), actions } };
}
