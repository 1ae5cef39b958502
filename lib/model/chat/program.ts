import { Environment, Interpreter, Template } from "@huggingface/jinja";
import { badInput, ThoughtbookError } from "../../core/index.js";
import { formatDate } from "./date.js";
import { type Evaluator, markOutputs, type Node, usePythonOperators } from "./operators.js";

/** A parsed template: takes the variables and returns the text. */
export type Program = (variables: Readonly<Record<string, unknown>>, now: Date) => string;

/** What is used of the package, whose own types do not resolve under NodeNext: their imports lack file endings. */
interface Scope {
  set(name: string, value: unknown): void;
}

const newScope = Environment as new () => Scope;
const newInterpreter = Interpreter as new (scope: Scope) => Evaluator & { run(program: Node): { value: string } };

/** Names that every template knows, and that no variable may have. */
const CONSTANTS = { true: true, false: false, none: null, True: true, False: false, None: null };

/** As in the sandbox of Python's Jinja: a longer loop in a chat template is an attack, or an error. */
const MAX_RANGE = 100_000;

/**
 * Parse a Jinja template with the functions that Python's transformers gives chat templates. As in Python's Jinja, CRLF
 * and CR in it are line feeds, and what `+` joins are two strings, two lists or two numbers.
 *
 * @param source name of the template in error messages
 * @throws corrupt-data if it does not parse; the program throws bad-input where the template refuses its variables
 *   (`raise_exception`) or fails
 */
export function parseTemplate(text: string, source: string): Program {
  let program: Node;
  try {
    // The scope is created here rather than by its render, which formats dates in the machine's language.
    program = new Template(text.replace(/\r\n?/g, "\n")).parsed as Node;
    keepArgumentsOfStrip(program);
    markOutputs(program);
  } catch (cause) {
    throw new ThoughtbookError("corrupt-data", `${source} does not parse: ${(cause as Error).message}`, {
      hint: "Correct the template, or take the one of the original model.",
      cause,
    });
  }
  return (variables, now) => {
    const values = { ...variables, ...CONSTANTS, ...functions(source, now) };
    try {
      const scope = new newScope();
      for (const [name, value] of Object.entries(values)) scope.set(name, value);
      const interpreter = new newInterpreter(scope);
      usePythonOperators(interpreter);
      return interpreter.run(program).value;
    } catch (cause) {
      if (cause instanceof ThoughtbookError) throw cause;
      throw new ThoughtbookError("bad-input", `${source} fails on these messages: ${(cause as Error).message}`, {
        hint: "Compare the messages with what the template expects, or give another template.",
        cause,
      });
    }
  };
}

function functions(source: string, now: Date) {
  return {
    raise_exception: (message: unknown) => {
      throw badInput(`${source} refuses these messages: ${message}`, "Change the roles or the order of the messages.");
    },
    strftime_now: (pattern: string) => formatDate(now, pattern),
    range: (...bounds: number[]) => range(bounds),
    ...STRIPS,
  };
}

function range(bounds: readonly number[]): number[] {
  const [start, stop, step] = bounds.length === 1 ? [0, bounds[0]!, 1] : [bounds[0]!, bounds[1]!, bounds[2] ?? 1];
  const length = Math.max(0, Math.ceil((stop - start) / step));
  if (!(length <= MAX_RANGE)) throw new Error(`range(${bounds.join(", ")}) has more than ${MAX_RANGE} items`);
  return Array.from({ length }, (_, index) => start + index * step);
}

/** `text.strip(characters)` and its like, by the names that {@link keepArgumentsOfStrip} gives them. */
const STRIPS: Record<string, (text: unknown, characters: unknown) => string> = {
  "strip()": (text, characters) => strip(text, characters, { start: true, end: true }),
  "lstrip()": (text, characters) => strip(text, characters, { start: true }),
  "rstrip()": (text, characters) => strip(text, characters, { end: true }),
};

function strip(text: unknown, characters: unknown, { start = false, end = false }): string {
  if (typeof text !== "string") throw new Error("only a string can be stripped");
  const letters = [...text];
  const stays =
    typeof characters === "string"
      ? (letter: string) => !characters.includes(letter)
      : (letter: string) => letter.trim() !== "";
  const first = start ? letters.findIndex(stays) : 0;
  const last = end ? letters.findLastIndex(stays) : letters.length - 1;
  return first === -1 ? "" : letters.slice(first, last + 1).join("");
}

/**
 * The package ignores the argument of `strip`, `lstrip` and `rstrip`, and takes all white space away: Qwen3's template
 * would lose the indentation of answers. Turns these calls into calls of functions, which no template can name.
 */
function keepArgumentsOfStrip(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  // Object literals are Maps.
  const children = value instanceof Map ? [...value].flat() : Object.values(value);
  for (const child of children) keepArgumentsOfStrip(child);
  const { type, callee, args } = value as { type?: string; callee?: Node; args?: Node[] };
  if (type !== "CallExpression" || callee?.type !== "MemberExpression" || callee.computed || args?.length !== 1) return;
  const name = `${(callee.property as Node).value}()`;
  if (!Object.hasOwn(STRIPS, name)) return;
  Object.assign(value, { callee: { type: "Identifier", value: name }, args: [callee.object, ...args] });
}
