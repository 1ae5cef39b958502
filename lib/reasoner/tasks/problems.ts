import type { Language, SandboxCase } from "../../sandbox/index.js";
import type { CodeTests, Problem } from "../../tasks/index.js";
import type { CodeTask, MathTask } from "./schema.js";

/** A value as a literal of a language. */
function literal(language: Language, value: unknown): string {
  if (language === "javascript") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((each) => literal(language, each)).join(", ")}]`;
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value !== "object") return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${literal(language, each)}`);
  return `{${entries.join(", ")}}`;
}

type TaskFunction = CodeTask["functions"][number];

const callOf = (language: Language, { entry }: TaskFunction, args: readonly unknown[]): string =>
  `${entry}(${args.map((each) => literal(language, each)).join(", ")})`;

const signature = ({ entry, parameters }: TaskFunction): string => `${entry}(${parameters.join(", ")})`;

const casesOf = (cases: TaskFunction["visible"]): SandboxCase[] =>
  cases.map(({ args, expect }) => ({ args, result: expect }));

/** A task of code as a problem. */
export function codeProblem({ id, language, functions, reference }: CodeTask): Problem {
  const [first, ...others] = functions as [TaskFunction, ...TaskFunction[]];
  const beside = others.map((each) => `Beside it write ${signature(each)}, which ${each.does}.`);
  const specification = [`it ${first.does}.`, ...beside].join(" ");
  const show = (own: TaskFunction, of: "visible" | "hidden") =>
    own[of].map(({ args, expect }) =>
      language === "python"
        ? `assert ${callOf(language, own, args)} == ${literal(language, expect)}`
        : `${callOf(language, own, args)} = ${literal(language, expect)}`,
    );
  const shown = functions.flatMap((each) => show(each, "visible"));
  const hidden = functions.flatMap((each) => show(each, "hidden"));
  const title = language === "python" ? "Python" : "JavaScript";
  const examples = functions.flatMap((own) => casesOf(own.visible).map((each) => ({ name: own.entry, ...each })));
  const code: CodeTests =
    language === "python"
      ? { language, prompt: "", entryPoint: first.entry, tests: [...shown, ...hidden].join("\n"), examples }
      : {
          language,
          name: first.entry,
          parameters: first.parameters,
          specification,
          examples: casesOf(first.visible),
          tests: casesOf(first.hidden),
          ...(others.length === 0
            ? {}
            : {
                beside: others.map((own) => ({
                  name: own.entry,
                  examples: casesOf(own.visible),
                  tests: casesOf(own.hidden),
                })),
              }),
        };
  const asked = language === "python" ? ["Your code should pass these tests:", "", ...shown] : shown;
  return {
    id,
    question: [`Write the ${title} function ${signature(first)}: ${specification}`, ...asked].join("\n"),
    kind: "code",
    references: [[...shown, ...hidden].join("\n")],
    code,
    ...(reference === undefined ? {} : { solution: reference }),
  };
}

/** A math task as a problem. */
export const mathProblem = ({ id, question, steps, answer }: MathTask): Problem => ({
  id,
  question,
  kind: "gsm8k",
  references: [answer],
  operations: steps.length,
  steps: steps.map(({ expr, value }) => ({ expression: expr, value })),
});
