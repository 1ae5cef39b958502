import { fail, type Result } from "../answer/index.js";
import { defineOperation } from "./operation.js";
import { renderSolve, type SolveInput } from "./solution.js";
import { declaredFunctions, readSource, withoutExports } from "./source.js";
import { fences } from "./text.js";

/**
 * Solve a question by a program (arXiv 2211.12588). The output is the body of a JavaScript function without parameters
 * that returns the answer; to be run in a sandbox.
 */
export const program = defineOperation<SolveInput, string>({
  name: "program",
  instruction: `Write a JavaScript program that computes the answer. Do not compute anything yourself: give each number of the question a name and let the program do all arithmetic. It must be a function without parameters that returns the answer alone:
\`\`\`js
function solve() {
  ...
  return answer;
}
\`\`\``,
  render: renderSolve,
  write: (body) => body,
  read(text, _, complete) {
    const source = readSource(text, complete);
    return source.ok ? asBody(withoutExports(source.value)) : source;
  },
});

/** A program as a function's body: one that declares functions returns what the last of them returns. */
function asBody(source: string): Result<string> {
  const functions = declaredFunctions(source);
  const returns = functions.length === 0 ? /\breturn\b/ : /^(?:[^\s{}][^{}\n]{0,500};\s{0,4})?return\b/m;
  if (returns.test(source)) return { ok: true, value: source };
  const main = functions.findLast((name) => /^(?:solve|solution|main|answer)$/i.test(name)) ?? functions.at(-1);
  if (main !== undefined) return { ok: true, value: `${source}\nreturn ${main}();` };
  // What is printed last is the answer.
  const printed = source.lastIndexOf("console.log(");
  const end = printed < 0 ? -1 : closingParenthesis(source, printed + "console.log".length);
  if (end < 0 || source.slice(end + 1).replace(/[;\s]/g, "") !== "") return fail("the program returns nothing");
  return {
    ok: true,
    value: `${source.slice(0, printed)}return ${source.slice(printed + "console.log(".length, end)};`,
  };
}

function closingParenthesis(source: string, open: number): number {
  let depth = 0;
  for (let at = open; at < source.length; at++) {
    if (source[at] === "(") depth++;
    else if (source[at] === ")" && --depth === 0) return at;
  }
  return -1;
}

/**
 * Solve a question by a program in Python, for kinds of models that are asked for one: the source, to be run in a sandbox. It
 * ends in a call of its last function without parameters, whose value is the answer.
 */
export const pythonProgram = defineOperation<SolveInput, string>({
  name: "program",
  instruction: "Write a Python function solution() without parameters that computes the answer and returns it.",
  render: renderSolve,
  write: (source) => source,
  read(text, _, complete) {
    const blocks = fences(text).filter(({ content }) => content.trim() !== "");
    const block = blocks.find(({ language }) => /^(?:python|py|python3|)$/.test(language));
    if (block && !complete && !block.closed) return fail("the program was cut off");
    if (!block && !complete) return fail("the program was cut off");
    const source = (block?.content ?? text).trimEnd();
    const functions = Array.from(
      source.matchAll(/^def\s{1,4}([A-Za-z_]\w{0,80})\s{0,4}\(\s{0,4}\)/gm),
      (match) => match[1]!,
    );
    const main = functions.includes("solution") ? "solution" : functions.at(-1);
    if (main !== undefined) return { ok: true, value: `${source}\n\n${main}()` };
    return /^\s{0,8}(?:print\(|[A-Za-z_]\w{0,80}\s{0,4}=)/m.test(source)
      ? { ok: true, value: source }
      : fail("no function without parameters");
  },
});

/** A function to write. */
export interface FunctionInput {
  /** Its name. */
  name: string;
  parameters: readonly string[];
  /** What it does, in words. */
  specification: string;
  /** Calls and what they give; values as JSON has them. */
  examples: readonly { args: readonly unknown[]; result: unknown }[];
}

/** Write a small JavaScript function, in the manner of HumanEval and MBPP. The output is its source, to be tested in a sandbox. */
export const code = defineOperation<FunctionInput, string>({
  name: "code",
  instruction: `Write the JavaScript function described below. Write only the function, in plain JavaScript without imports, between \`\`\`js and \`\`\`.`,
  render({ name, parameters, specification, examples }) {
    const calls = examples.map(
      ({ args, result }) =>
        `${name}(${args.map((each) => JSON.stringify(each)).join(", ")}) = ${JSON.stringify(result)}`,
    );
    return [`${name}(${parameters.join(", ")}): ${specification.trim()}`, ...calls].join("\n");
  },
  write: (source) => source,
  read(text, { name }, complete) {
    const found = readSource(text, complete);
    if (!found.ok) return found;
    const source = withoutExports(found.value);
    const functions = declaredFunctions(source);
    if (functions.includes(name)) return { ok: true, value: source };
    // The only function may have got another name.
    return functions.length === 1
      ? { ok: true, value: `${source}\nconst ${name} = ${functions[0]};` }
      : fail(`no function ${name}`);
  },
});
