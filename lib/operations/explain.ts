import { z } from "zod";
import { fail, type Result } from "../answer/index.js";
import { type Action, actionNamed, actionsOf, type Trajectory, trajectoryOf } from "./actions.js";
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
    const json = mayHoldJson(text) ? readJson(text, schema) : fail("no JSON");
    if (json.ok) return json;
    return readLine(text, complete);
  },
});

const known = (names: readonly string[]): Action[] => names.flatMap((name) => actionNamed(name) ?? []);

const schema = z
  .looseObject({ explanation: z.string().default(""), actions: z.array(z.string()) })
  .transform(({ explanation, actions }, context): Explanation => {
    const named = known(actions);
    if (named.length > 0) return { explanation: explanation.trim(), trajectory: trajectoryOf(named) };
    context.addIssue({ code: "custom", message: "expected known actions" });
    return z.NEVER;
  });

const LINE = /^[\s*_#]{0,8}(?:required\s{1,3})?actions?[*_]{0,2}\s{0,3}:(.{0,500})$/i;

/** The last line "Actions: …"; where it is empty, the lines after it. */
function readLine(text: string, complete: boolean): Result<Explanation> {
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
  return {
    ok: true,
    value: { explanation: lines.slice(0, at).join("\n").trim(), trajectory: trajectoryOf(actions) },
  };
}
