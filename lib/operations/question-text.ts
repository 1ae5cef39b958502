import { z } from "zod";
import { fail, type Result } from "../answer/index.js";
import { mayHoldJson, readJson } from "./json.js";
import { fences, inTag, withoutMarks } from "./text.js";

const schema = z.looseObject({ question: z.string().min(1) }).transform(({ question }) => question);
const LABEL =
  /^[\s*_#>]{0,8}(?:(?:simplified|simpler|new|contracted|rewritten|revised|final|updated)\s{1,3}){0,2}(?:question|problem|version)[*_]{0,2}\s{0,3}:[*_]{0,2}/i;
const PREAMBLE =
  /^(?:sure|okay|certainly|of course|here(?:'s| is)|the (?:simplified|simpler|new|rewritten))\b[^\n]{0,200}:$/i;

/**
 * A question that a model wrote: in `<question>` tags, as JSON with the field `question`, in a fence, after "Question:",
 * or the text itself, without a sentence that announces it.
 */
export function readQuestion(text: string, complete: boolean): Result<string> {
  const tagged = inTag(text, "question");
  if (tagged !== undefined) return nonEmpty(tagged);
  if (mayHoldJson(text)) {
    const json = readJson(text, schema);
    if (json.ok) return nonEmpty(json.value);
  }
  if (!complete) return fail("the question was cut off");
  if (text.includes("<question>")) return nonEmpty(text.slice(text.lastIndexOf("<question>") + "<question>".length));
  const block = fences(text).find(({ content }) => content.trim() !== "");
  return nonEmpty(withoutLabel(block?.content ?? text));
}

/** From the last label on, if there is one. */
function withoutLabel(text: string): string {
  const lines = text.split("\n");
  const at = lines.findLastIndex((line) => LABEL.test(line));
  if (at >= 0) return [lines[at]!.replace(LABEL, ""), ...lines.slice(at + 1)].join("\n");
  return PREAMBLE.test(lines[0]!.trim()) ? lines.slice(1).join("\n") : text;
}

function nonEmpty(text: string): Result<string> {
  const question = withoutMarks(text);
  return /\p{L}/u.test(question) ? { ok: true, value: question } : fail("the question is empty");
}
