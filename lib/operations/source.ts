import { fail, type Result } from "../answer/index.js";
import { type Fence, fences } from "./text.js";

/**
 * JavaScript that a model wrote: the last fenced block in that language, or else in none, or else the text itself if it
 * looks like a program. It is text; nothing is executed.
 */
export function readSource(text: string, complete: boolean): Result<string> {
  const blocks = fences(text).filter(({ content }) => content.trim() !== "");
  const scripts = blocks.filter(({ language }) => /^(?:js|javascript|mjs|ts|typescript|node)$/.test(language));
  const block: Fence | undefined = (scripts.length > 0 ? scripts : blocks.filter(({ language }) => language === "")).at(
    -1,
  );
  if (block)
    return complete || block.closed ? { ok: true, value: block.content.trim() } : fail("the program was cut off");
  if (blocks.length > 0) return fail(`the program is ${blocks[0]!.language}, not JavaScript`);
  if (!complete) return fail("the program was cut off");
  const lines = text.split("\n");
  const first = lines.findIndex((line) => STATEMENT.test(line));
  if (first < 0) return fail("no program");
  // Prose after it: a line that looks like no code, after an empty one.
  const end = lines.findIndex(
    (line, index) => index > first && lines[index - 1]!.trim() === "" && /^[A-Z][a-z]+ [a-z]+/.test(line),
  );
  return {
    ok: true,
    value: lines
      .slice(first, end < 0 ? lines.length : end)
      .join("\n")
      .trim(),
  };
}

const STATEMENT =
  /^\s{0,20}(?:(?:const|let|var|return|function|export|async)\s|(?:for|if)\s{0,2}\(|console\.|\/\/|\/\*)/;

const DECLARED = [
  /^[ \t]{0,8}(?:export\s{1,4})?(?:default\s{1,4})?(?:async\s{1,4})?function\s{0,4}\*?\s{1,4}([A-Za-z_$][\w$]{0,80})\s{0,4}\(/gm,
  /^[ \t]{0,8}(?:export\s{1,4})?(?:const|let|var)\s{1,4}([A-Za-z_$][\w$]{0,80})\s{0,4}=\s{0,4}(?:async\s{0,4})?(?:function\b|\(|[A-Za-z_$][\w$]{0,80}\s{0,4}=>)/gm,
];

/** The functions that a source declares at the beginning of a line. */
export const declaredFunctions = (source: string): string[] =>
  DECLARED.flatMap((form) => Array.from(source.matchAll(form), (match) => match[1]!));

/** Without `export`, which a plain script may not have. */
export const withoutExports = (source: string): string =>
  source.replace(/^([ \t]{0,8})export\s{1,4}(?:default\s{1,4})?(?=\S)/gm, "$1");
