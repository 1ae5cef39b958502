import { z } from "zod";
import type { CodeRecord } from "../records.js";
import { hasField, malformed, type RowReader, rowReader } from "./row-reader.js";

/** The layout of MultiPL-E, used by Reflexion for HumanEval and MBPP: the tests call themselves. */
const multiplE: RowReader<CodeRecord> = rowReader(
  z.object({
    name: z.string(),
    language: z.literal("py"),
    prompt: z.string(),
    entry_point: z.string(),
    test: z.string(),
  }),
  ({ name, prompt, entry_point, test }) => ({
    kind: "code",
    key: name,
    prompt,
    entryPoint: entry_point,
    tests: test,
    language: "python",
  }),
);

const humanEvalOriginal: RowReader<CodeRecord> = rowReader(
  z.object({
    task_id: z.string(),
    prompt: z.string(),
    canonical_solution: z.string(),
    test: z.string(),
    entry_point: z.string(),
  }),
  ({ task_id, prompt, canonical_solution, test, entry_point }) => ({
    kind: "code",
    key: task_id,
    prompt,
    entryPoint: entry_point,
    tests: `${test.trimEnd()}\n\ncheck(${entry_point})\n`,
    language: "python",
    reference: prompt + canonical_solution,
  }),
);

/** `text` is `prompt` in the sanitized version, which also keeps its imports as a list. */
const mbppOriginal: RowReader<CodeRecord> = rowReader(
  z.object({
    task_id: z.int(),
    text: z.string().optional(),
    prompt: z.string().optional(),
    code: z.string(),
    test_list: z.array(z.string()).min(1),
    test_setup_code: z.string().optional(),
    test_imports: z.array(z.string()).optional(),
  }),
  ({ task_id, text, prompt, code, test_list, test_setup_code, test_imports = [] }) => {
    const question = text ?? prompt;
    if (question === undefined) return malformed("text: expected the task");
    const functions = [...code.matchAll(/^def\s+(\w+)/gm)].map((match) => match[1]!);
    const entryPoint = functions.find((name) => new RegExp(`\\b${name}\\s*\\(`).test(test_list[0]!));
    if (entryPoint === undefined) return malformed("test_list: the first test calls no function that the code defines");
    const setup = [...test_imports, ...(test_setup_code ? [test_setup_code] : [])];
    return {
      kind: "code",
      key: task_id,
      prompt: question,
      entryPoint,
      tests: `${[...setup, ...test_list].join("\n")}\n`,
      language: "python",
      reference: code,
    };
  },
);

/** HumanEval, in MultiPL-E's layout or the original one. */
export const humanEval: RowReader<CodeRecord> = (row) => (hasField(row, "task_id") ? humanEvalOriginal : multiplE)(row);

/** MBPP, in MultiPL-E's layout or the original one, full or sanitized. */
export const mbpp: RowReader<CodeRecord> = (row) => (hasField(row, "task_id") ? mbppOriginal : multiplE)(row);
