import { actionsOf } from "../actions.js";
import { OPERATIONS, type OperationName } from "../all.js";
import type { AtomicQuestion } from "../decompose.js";
import type { Explanation } from "../explain.js";
import type { Operation } from "../operation.js";
import type { Solution } from "../solution.js";
import type { Verification } from "../verify.js";
import type { Form } from "./table.js";

/**
 * Write an output in a form that a model is asked for; `parse` of the operation reads each of them. Forms that an
 * operation does not have are written as models trained on it do.
 */
export function writeAs(name: OperationName, output: unknown, form: Form | undefined): string {
  const plain = (OPERATIONS[name] as unknown as Operation<unknown, unknown>).write(output);
  switch (form) {
    case "boxed":
      return name === "answer" ? `\\boxed{${output as string}}` : boxed(name, output, plain);
    case "python":
    case "javascript":
      return `\`\`\`${form}\n${plain}\n\`\`\``;
    case "json":
      return jsonOf(name, output) ?? plain;
    case "tags":
      return `<question>${plain}</question>`;
    default:
      return plain;
  }
}

function boxed(name: OperationName, output: unknown, plain: string): string {
  if (name !== "cot" && name !== "revise" && name !== "think") return plain;
  const { reasoning, answer } = output as Solution;
  return `${reasoning === "" ? "" : `${reasoning}\n`}The answer is \\boxed{${answer}}.`;
}

function jsonOf(name: OperationName, output: unknown): string | undefined {
  switch (name) {
    case "decompose": {
      const rows = (output as readonly AtomicQuestion[]).map(
        ({ question, dependsOn }, at) =>
          `{"id": ${at + 1}, "question": ${JSON.stringify(question)}, "depends_on": [${dependsOn.map((each) => each + 1).join(", ")}]}`,
      );
      return `{"questions": [${rows.join(", ")}]}`;
    }
    case "verify": {
      const verification = output as Verification;
      const work = verification.work === "" ? "" : `${verification.work}\n`;
      if (verification.verdict === "right") return `${work}{"verdict": "right"}`;
      const { step, reason } = verification;
      return `${work}{"verdict": "wrong"${step === undefined ? "" : `, "step": ${step + 1}`}, "reason": ${JSON.stringify(reason)}}`;
    }
    case "explain": {
      const { explanation, trajectory } = output as Explanation;
      return JSON.stringify({ explanation, actions: actionsOf(trajectory) });
    }
    case "contract":
    case "rewrite":
      return JSON.stringify({ question: output });
    default:
      return undefined;
  }
}
