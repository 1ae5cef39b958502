import { bracedGroup, lastNumber } from "../braces.js";
import { fail, type Result } from "../math/expression.js";

/**
 * The answer that the released DOTS search reads from a reply to a MATH question (spec §2.6): the content of the last
 * `\boxed{…}` if its braces balance, else the last number of the text.
 */
export function extractDots(text: string): Result<string> {
  const at = Math.max(text.lastIndexOf("\\boxed{"), text.lastIndexOf("\\fbox{"));
  const group = at < 0 ? undefined : bracedGroup(text, text.indexOf("{", at));
  const answer = group?.closed ? cleanDots(group.content) : lastNumber(text);
  return answer === "" ? fail("no \\boxed{} and no number") : { ok: true, value: answer };
}

// Answers beyond this are compared as they are: some of the patterns take time quadratic in the length.
const MAX_LENGTH = 2000;

/** The "light LaTeX clean-up"; the spec does not list it, these are the usual steps of the MATH scripts. */
function cleanDots(answer: string): string {
  if (answer.length > MAX_LENGTH) return answer;
  return answer
    .replace(/\\[dt]frac/g, "\\frac")
    .replace(/\\left|\\right|\\[!,;:]|\\?\$|\\?%|\^\{?\\circ\}?/g, "")
    .replace(/(?<=\S)\s*\\(?:text|mbox)\{[^{}]*\}$/, "")
    .replace(/(\d),(?=\d{3})/g, "$1")
    .replace(/\s+/g, "")
    .replace(/\.$/, "");
}

/**
 * Equality of the released DOTS search for MATH (spec §2.6): equal strings, or numbers where a whole reference equals
 * the rounded prediction (Python's `round`, half to even) and another one is met within ±4 %. Only decimals are
 * numbers: `\frac{1}{2}` is not 0.5.
 */
export function equalDots(prediction: string, reference: string): boolean {
  const [said, truth] = [cleanDots(prediction), cleanDots(reference)];
  if (said === truth) return true;
  const [p, t] = [decimal(said), decimal(truth)];
  if (p === undefined || t === undefined) return false;
  if (Number.isInteger(t)) return roundHalfEven(p) === t;
  return Math.abs(p - t) <= 0.04 * Math.abs(t);
}

/** What Python's `float` reads, but not nan and inf. */
function decimal(text: string): number | undefined {
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined;
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * The released DOTS check of a BIG-Bench Hard answer (spec §2.6): the text after the last "Answer:" without `**`, `$`
 * and spaces, cut at the first ")", a letter without its parenthesis. word_sorting compares letters only,
 * dyck_languages the end, salient_translation_error_detection and penguins_in_a_table without parentheses.
 */
export function equalDotsBbh(task: string, reply: string, target: string): boolean {
  const said = bbhAnswer(reply.slice(reply.lastIndexOf("Answer:") + (reply.includes("Answer:") ? 7 : 0)));
  switch (task) {
    case "word_sorting":
      return said.replace(/[^a-z]/gi, "") === target.replace(/[^a-z]/gi, "");
    case "dyck_languages":
      return bbhStripped(reply).endsWith(bbhStripped(target));
    case "salient_translation_error_detection":
    case "penguins_in_a_table":
      return said.replace(/[()]/g, "") === bbhStripped(target).replace(/[()]/g, "");
    default:
      return said === bbhAnswer(target);
  }
}

const bbhStripped = (text: string): string => text.replace(/\*\*|\$|\s/g, "");

function bbhAnswer(text: string): string {
  const cut = bbhStripped(text).split(")", 1)[0]!;
  return /^\(([A-Za-z])$/.exec(cut)?.[1] ?? cut;
}
