import { bracedGroup, lastNumber } from "../braces.js";
import { fail, type Result } from "../math/expression.js";

/**
 * The answer that the released A*-Thought evaluation reads (spec §1.2.6): the first of the Minerva form, the last
 * "boxed", the last "he answer is" or "final answer is", the Chinese form, and, with nothing else, the last number;
 * then normalised. An unbalanced box is read to the end of the text.
 */
export function extractAstar(text: string): Result<string> {
  const cleaned = locate(text).replace(/\n\s*/g, "").replace(/^:/, "").replace(/\.$/, "").replace(/\/$/, "");
  const answer = normalizeAstar(cleaned);
  return answer === "" ? fail("no answer of a known form and no number") : { ok: true, value: answer };
}

function locate(text: string): string {
  const minerva = text.indexOf("final answer is $");
  if (minerva >= 0 && text.includes("$. I hope"))
    return text
      .slice(minerva + 17)
      .split("$. I hope", 1)[0]!
      .trim();
  const box = text.lastIndexOf("boxed");
  if (box >= 0) {
    const rest = text.slice(box + 5);
    return rest.startsWith("{") ? bracedGroup(rest, 0).content : rest.split("$", 1)[0]!.trim();
  }
  for (const phrase of ["he answer is", "final answer is"]) {
    const at = text.lastIndexOf(phrase);
    if (at >= 0) return text.slice(at + phrase.length).trim();
  }
  const chinese = text.indexOf("答案是");
  if (chinese >= 0)
    return text
      .slice(chinese + 3)
      .split("答案是", 1)[0]!
      .trim()
      .split("\n\n", 1)[0]!
      .trim();
  return lastNumber(text);
}

// Answers beyond this stay as they are: some of the patterns take time quadratic in the length.
const MAX_LENGTH = 2000;

/** An answer in the form in which A*-Thought compares strings; the order of the steps matters (spec §1.2.6). */
export function normalizeAstar(answer: string): string {
  if (answer.length > MAX_LENGTH) return answer;
  let text = answer.trim().replaceAll("\n", "").replace(/\.+$/, "").replaceAll("\\!", "");
  text = text
    .replace(/\\begin\{array\}\{.*?\}/g, "\\begin{pmatrix}")
    .replace(/\\end\{array\}/g, "\\end{pmatrix}")
    .replaceAll("bmatrix", "pmatrix")
    .replace(/[td]frac/g, "frac")
    .replace(/\\(n|l|g)eq/g, "\\$1e")
    .replace(/\\left|\\right/g, "")
    .replace(/\\([{}])/g, "$1")
    .replace(/\\text\{([a-zA-Z]+)\}/g, (whole, word: string) => wordNumber(word) ?? whole);
  const unitless = text.replace(/\\text\{.*?\}$/, "").trim();
  if (unitless !== "") text = unitless;
  text = text.replace(/\^\{\\circ\}|\^\\circ|\\?\$|\\[()]/g, "");
  text = wordNumber(text) ?? text;
  text = text
    .replace(/\\text\{(.*?)\}/g, "$1")
    .replace(/[xyz]=|[xyz]\\in|[xyz]\\to/g, "")
    .replace(/\\?%/g, "")
    .replaceAll(" .", " 0.")
    .replaceAll("{.", "{0.")
    .replaceAll("infinity", "\\infty");
  if (!text.includes("\\infty")) text = text.replaceAll("inf", "\\infty");
  text = text
    .replaceAll("and", "")
    .replaceAll("\\mathbf", "")
    .replace(/\\mbox\{.*?\}/g, "");
  if (text.includes("j") && !text.includes("i")) text = text.replaceAll("j", "i");
  text = text.replace(/(?<!\d)(\d+)\.0*(?!\d)/g, "$1").replace(/^\./, "0.");
  const sides = text.split("=");
  if (sides.length === 2 && sides[0]!.length <= 2) text = sides[1]!;
  text = withoutShorthand(text.replace(/\\sqrt(?!\{)\s*(\w)/g, "\\sqrt{$1}").replaceAll(" ", ""));
  // Only lists of whole numbers are sorted.
  if (/^-?\d+(?:,-?\d+)+$/.test(text)) {
    text = text
      .split(",")
      .sort((a, b) => Number(a) - Number(b))
      .join(",");
  }
  return text;
}

/** `\frac12` and `a/b` in full. */
function withoutShorthand(text: string): string {
  const fractions = text.replace(
    /\\frac(?!\{)(\w)(?:\{([^{}]*)\}|(\w))/g,
    (_, over: string, group?: string, under?: string) => {
      return `\\frac{${over}}{${group ?? under}}`;
    },
  );
  return fractions.replace(
    /^(-?\d+)\/(-?\d+)$/,
    (_, over: string, under: string) => `\\frac{${Number(over)}}{${Number(under)}}`,
  );
}

const SMALL = (
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " +
  "eighteen nineteen"
).split(" ");
const TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");

/** The digits of an English number in words, up to the hundreds; undefined if the text is anything else. */
function wordNumber(text: string): string | undefined {
  const words = text
    .trim()
    .toLowerCase()
    .split(/[\s-]+/);
  if (words.length > 6) return undefined;
  let total = 0;
  for (const word of words.filter((each) => each !== "and")) {
    const value = SMALL.includes(word)
      ? SMALL.indexOf(word)
      : TENS.includes(word)
        ? 20 + 10 * TENS.indexOf(word)
        : undefined;
    if (value === undefined && word !== "hundred") return undefined;
    total = value === undefined ? Math.max(1, total) * 100 : total + value;
  }
  return words.length > 0 ? String(total) : undefined;
}
