import { OPERATIONS, type Operation } from "../../operations/index.js";
import { LEAST_CALL } from "./budget.js";
import type { Candidate } from "./candidates.js";
import { draftSolution, faultOf, type SearchFrame, scored, solving } from "./frame.js";

/**
 * Solve, and revise what has a known fault: the revision is told which step or test fails, never the answer. Where no fault is known, or
 * after the most revisions, the next solution is begun, until the budget is spent; with labels a right solution ends it.
 */
export async function reviseSolutions(frame: SearchFrame): Promise<Candidate[]> {
  const { budget, settings, context } = frame;
  const found: Candidate[] = [];
  const hasRoom = () => budget.left >= LEAST_CALL && found.length < settings.samples;
  for (let chain = 0; hasRoom(); chain++) {
    const first = await draftSolution(frame, `sample ${chain}`, budget.reserve(context.maxNewTokens));
    if (first.tokens === 0) break;
    found.push(await scored(frame, first));
    for (let turn = 0; turn < settings.revisions && hasRoom(); turn++) {
      const last = found.at(-1)!;
      const fault = await faultOf(frame, last);
      if (fault === undefined) {
        if (settings.score === "reward") return found;
        break;
      }
      if (!hasRoom()) break;
      const granted = budget.reserve(context.maxNewTokens);
      const asked = revising(frame, last, fault);
      found.push(
        await scored(frame, await draftSolution(frame, `revision ${chain}.${turn}`, granted, asked, "revision")),
      );
    }
    if (settings.score === "reward" && (await faultOf(frame, found.at(-1)!)) === undefined) break;
  }
  return found;
}

/** Ask for a better solution. */
function revising(
  { problem, context }: SearchFrame,
  { text, solution }: Candidate,
  feedback: string,
): { operation: Operation<unknown, unknown>; input: unknown } {
  if (problem.kind !== "code") {
    const input = { question: problem.question, solution: solution ?? text, feedback };
    return { operation: OPERATIONS.revise as unknown as Operation<unknown, unknown>, input };
  }
  const { operation, input } = solving(problem, context);
  return {
    input,
    operation: {
      ...operation,
      name: "revise-program",
      tag: "<|revise-program|>",
      instruction: `Below are a task, a program that is wrong, and what is known of its fault. Write the whole program anew, right this time, between \`\`\` and \`\`\`.`,
      render: (task) =>
        `${operation.render(task)}\n\nThe program:\n\`\`\`\n${(solution ?? text).trim()}\n\`\`\`\nFault: ${feedback}`,
    },
  };
}
