import { choiceLetter } from "./multiple-choice.js";

// An answer is short; what stands further on explains it.
const MAX_LENGTH = 500;

/** Words after a letter that explain the answer, or say that it is one: then the letter stands for the choice. */
const EXPLAINS =
  /^(?:because|since|as|which|that|due|given|where|so|not|rather|instead|over|with|from|on|by|(?:is|was|must be) (?:therefore |clearly |indeed )?(?:the )?(?:correct|right|best|answer|true|only|most)|for (?:the|this|these|that|it|all))\b/i;
const BEFORE_LETTER =
  /^(?:(?:therefore|thus|clearly|indeed|definitely|simply|actually|hence|so|then|probably|most likely|likely)\b[,:]? ?)?(?:the )?(?:(?:final |correct |right |best )?answer(?: is|:) ?)?(?:the )?(?:(?:correct |right |best )?(?:option|choice|letter)(?: is)?:? ?)?/i;
/** Another choice beside the first: "or (B)", ", B", "/C", "and option D". */
const ANOTHER =
  /^\s?(?:[,;/&|+]|(?:,\s?)?(?:or|and|and\/or)\b)\s?(?:(?:or|and|also|maybe|perhaps|possibly|either|both)\b\s?)*(?:option |choice )?(?:[([]\s?[a-zA-Z]\s?[)\]]|[A-Z](?![\w'’])|[a-z](?:$|[).,;:]))/;
const ANOTHER_LATER =
  /(?:[,;/&]|\b(?:or|and))\s?(?:option |choice )?(?:[([]\s?[a-zA-Z]\s?[)\]]|[A-Z](?:\)|$|[.,;:](?:\s|$)| (?:or|and) ))/;

/**
 * The letter, lower case, of the choice that a model states, bare or with what it says of it: "(C) 42", "C: a trait",
 * "option C", "C because …", `\textbf{(C)}\ 42`. A bare letter must stand alone or be followed by a mark or by a word
 * that explains it: "A country" and "C = 5" state no choice, nor does "(A) or (B)". Undefined where none is stated.
 */
export function statedChoice(answer: string): string | undefined {
  const text = plain(answer);
  const bare = choiceLetter(text);
  if (bare !== undefined) return bare;
  const stated = text.replace(BEFORE_LETTER, "");
  const enclosed = /^[([]\s?([a-z])\s?[)\]](?![\w([^_!'’])/i.exec(stated);
  const [found, letter] = enclosed ?? /^([a-z])(?![\w'’])/i.exec(stated) ?? [];
  if (found === undefined) return undefined;
  const rest = stated.slice(found.length);
  if (ANOTHER.test(rest) || !(enclosed ? followsEnclosed(rest) : followsBare(rest, letter!))) return undefined;
  return letter!.toLowerCase();
}

function followsEnclosed(rest: string): boolean {
  if (/^\s?(?:[+*/^=<>≤≥≠∪∩→&|×÷·−]|[-–—](?! ?[a-z]{2}))/i.test(rest)) return /^\s?= ?\S/.test(rest);
  return !/^\s?[([]\s?[a-z]\s?[)\]]/i.test(rest) && !namesAnother(rest);
}

function followsBare(rest: string, letter: string): boolean {
  if (/^\s?[.,;:!)]*$/.test(rest)) return true;
  const pronoun = /^[ai]$/i.test(letter);
  const [, mark, after] = /^(\s?\)[:.,]?|[:;](?!=)|\.(?=\s)|,| [-–—](?=[ ]))\s?(.*)$/.exec(rest) ?? [];
  if (mark === undefined) {
    const words = /^ (.*)$/.exec(rest)?.[1];
    return words !== undefined && (EXPLAINS.test(words) || /^\([^()]{2,}\)[.]?$/.test(words));
  }
  // "I, for one", "A, B"; a ratio A:B; a difference C - 42.
  if (mark === "," && pronoun) return EXPLAINS.test(after!);
  const lone = mark.trim().startsWith(")") ? /^[([]?[a-z](?:$|[)\].:])/i : /^[a-z](?:$|\W)/i;
  if (lone.test(after!) && mark !== "." && !/^[ai] [a-z]/i.test(after!)) return false;
  if (mark === " -" && !/^[a-z]{2}/i.test(after!)) return false;
  return !namesAnother(rest);
}

/** What a choice such as "(D) both A and B" says. */
const OF_OTHERS = /^\s?(?:both |either |neither |only |[([]?[A-Z][)\]]?,? ?(?:and|or|nor|&) )/;

/** Whether another choice is named before anything is explained. */
function namesAnother(rest: string): boolean {
  if (OF_OTHERS.test(rest)) return false;
  const explained = /\b(?:because|since|not|as|which|whereas|while|rather|instead|unlike)\b/i.exec(rest);
  return ANOTHER_LATER.test(explained ? rest.slice(0, explained.index) : rest);
}

const YES_NO_EXPLAINED =
  /^(?:$|[.,;:!)\]–—]|\s?[-–—] |\s?\(|\s(?:because|since|as|it|they|he|she|we|you|i|this|that|there|these|those|the|its|their|his|her|both|due|given)\b)/i;

const BEFORE_YES_NO =
  /^(?:(?:therefore|thus|clearly|indeed|definitely|hence|so|then|probably|most likely|likely)\b[,:]? ?)?(?:(?:the )?(?:final |correct )?answer(?: is|:) ?)?/i;

/**
 * What a model states to a question for yes or no, bare or explained: "Yes", `\text{No}`, "yes, because it floats", "No it
 * does not"; "true" and "false" mean the same. Undefined for anything else: "no one", "yes and no", "yes or no".
 */
export function statedYesNo(answer: string): boolean | undefined {
  const text = plain(answer).replace(BEFORE_YES_NO, "");
  const [found, word] = /^[\s"'([]{0,5}(yes|no|true|false)(?![\w'’])/i.exec(text) ?? [];
  if (found === undefined) return undefined;
  const rest = text.slice(found.length).replace(/^["']/, "");
  const another =
    /^[\s,;:/.([]{0,5}(?:(?:or|and|but|and\/or)\b ?)?(?:also |maybe |perhaps )?(?:yes|no|true|false)\b/i.exec(rest);
  const repeated = another && says(another[0].match(/[a-z]+/gi)!.at(-1)!) === says(word!);
  if ((another && !repeated) || !YES_NO_EXPLAINED.test(rest)) return undefined;
  return says(word!);
}

const says = (word: string): boolean => /^(?:yes|true)$/i.test(word);

/** Whether two answers state the same choice; one that states none equals nothing. */
export function equalStatedChoice(a: string, b: string): boolean {
  const letter = statedChoice(a);
  return letter !== undefined && letter === statedChoice(b);
}

/** Whether two answers both state yes or both state no; one that states neither equals nothing. */
export function equalStatedYesNo(a: string, b: string): boolean {
  const said = statedYesNo(a);
  return said !== undefined && said === statedYesNo(b);
}

/** Whether a text speaks of choices without stating one: of several, or of what it is not. */
export const leavesChoiceOpen = (text: string): boolean =>
  /(?:[([]\s?[a-z]\s?[)\]]|(?<![\w'’])[A-Z])\s?(?:[,/&]|\bor\b|\band\b|,\s?(?:or|and)\b)\s?(?:option |choice )?(?:[([]\s?[a-z]\s?[)\]]|[A-Z](?![\w'’]))/.test(
    plain(text),
  ) || /^(?:not|neither|none|both|either|all|unclear|unknown|cannot)\b/i.test(plain(text));

/** Whether a text says yes or no somewhere; asked where it states neither. */
export const leavesYesNoOpen = (text: string): boolean => /\b(?:yes|no|not|true|false)\b/i.test(plain(text));

/** Without fonts, braces, emphasis, mathematics' dollars and wide characters. */
function plain(answer: string): string {
  const short = answer.slice(0, MAX_LENGTH).normalize("NFKC");
  return short
    .replace(
      /\\(?:text[a-z]*|math(?:rm|bf|it|sf|tt|bb|cal)|mbox|hbox|operatorname|boldsymbol|bm|boxed|fbox|left|right|displaystyle|rm|bf)(?![a-zA-Z])/g,
      "",
    )
    .replace(/\\(?:q?quad)(?![a-zA-Z])|\\[ ,;:!]|~/g, " ")
    .replace(/\\[()[\]]|[{}$*_`"“”]/g, (mark) => (mark === "_" ? "_" : ""))
    .replace(/^[_\s]+|[_\s]+$/g, "")
    .replace(/\s+/g, " ")
    .replace(/^['‘](.*)['’]$/, "$1")
    .replace(/[.]$/, "");
}
