import { fail, type Result } from "../math/expression.js";

/**
 * The final answer of a completion under the strict policy: what stands in the last balanced `\boxed{…}` (or `\fbox`,
 * or `\boxed 5`), else on the line after the last `####`, else after the last "answer is" or "answer:" up to the end of
 * the sentence. There is no fallback to the last number: a completion cut off before any of these has no answer.
 */
export function extractStrict(completion: string): Result<string> {
  const answer = lastBox(completion) ?? afterHashes(completion) ?? afterAnswerIs(completion);
  if (answer === undefined) return fail("no \\boxed{}, no #### and no “answer is”");
  return answer.trim() === "" ? fail("the answer is empty") : { ok: true, value: answer.trim() };
}

/** Braces, boxes and escaped braces, in one pass: text with a million boxes must not take quadratic time. */
const BRACES = /\\(?:boxed|fbox)\s{0,20}(\{)?|\\[\\{}]|[{}]/g;

/** The content of the last `\boxed{…}` or `\fbox{…}` whose braces balance, or of a last `\boxed 5`. */
export function lastBox(text: string): string | undefined {
  if (!text.includes("box")) return undefined;
  const open: (number | undefined)[] = []; // Where the content of each open brace begins, if it is a box.
  let [from, to] = [-1, -1];
  for (const match of text.matchAll(BRACES)) {
    const [found] = match;
    const end = match.index + found.length;
    if (found === "{") open.push(undefined);
    else if (found === "}") {
      const start = open.pop();
      if (start !== undefined && start > from) [from, to] = [start, match.index];
    } else if (match[1] !== undefined) open.push(end);
    else if (/^\\f?box/.test(found)) {
      const bare = /[^\s${}]{1,100}/y;
      bare.lastIndex = end;
      const content = bare.exec(text);
      if (content && end > from) [from, to] = [end, bare.lastIndex];
    }
  }
  if (from < 0) return undefined;
  return text[to] === "}" ? text.slice(from, to) : withoutMarks(text.slice(from, to));
}

function afterHashes(text: string): string | undefined {
  const at = text.lastIndexOf("####");
  if (at < 0) return undefined;
  const line = withoutMarks(
    text
      .slice(at + 4)
      .split("\n", 1)[0]!
      .replace(/^#+/, ""),
  );
  return line === "" ? undefined : line;
}

const ANSWER_IS = /\banswer[\s*_]{0,20}(?:is\b[\s*_]{0,20}:?|:)[\s*_]{0,20}/gi;
const MATHEMATICS = /^(?:\$\$([^$]+)\$\$|\$([^$]+)\$|\\\(([\s\S]*?)\\\)|\\\[([\s\S]*?)\\\])/;

function afterAnswerIs(text: string): string | undefined {
  let at = -1;
  for (const match of text.matchAll(ANSWER_IS)) at = match.index + match[0].length;
  if (at < 0) return undefined;
  const rest = text.slice(at, at + 2000);
  const [whole, ...contents] = MATHEMATICS.exec(rest) ?? [];
  const content = contents.find((each) => each !== undefined);
  // "$5 and not $6" has dollars, not mathematics.
  if (whole !== undefined && content !== undefined && !/(?<![\\a-z])[a-z]{3,}\s/i.test(content)) {
    const after = /^[^\n.,;!]{0,100}/.exec(rest.slice(whole.length))![0];
    return withoutMarks(
      /^\s*(?:,|and|or)?\s*[$\\]/.test(after) ? sentence(rest) : content + (/^\s*\w+\s*$/.test(after) ? after : ""),
    );
  }
  return sentence(rest);
}

/** Up to the first sentence end; a closing bold mark may stand inside: "**5** apples". */
const sentence = (text: string): string =>
  withoutMarks(text.replace(/\*\*(?=[\s.,;!]|$)/g, "").split(/\n|[.!?](?=[\s*$)"”]|$)/, 1)[0]!);

/** Without the marks around it: bold, quotes, a period at the end. */
function withoutMarks(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && /[\s*_"“”`]/.test(text[start]!)) start++;
  while (end > start && /[\s*_"“”`.,;]/.test(text[end - 1]!)) end--;
  return text.slice(start, end);
}
