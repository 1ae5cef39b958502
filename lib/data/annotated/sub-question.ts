import { splitSentences, withoutArithmetic } from "./contract-question.js";

/**
 * What a problem asks in the end, in a sentence by itself: "If each costs $8, how much did he pay?" asks "How much did he
 * pay?". Undefined if its last sentence asks nothing.
 */
export function finalQuestionOf(question: string): string | undefined {
  const last = splitSentences(question.trim()).at(-1) ?? "";
  const [, asks] =
    /(?:^|,\s)((?:in total, |on average, )?(?:how|what|which|who)\b[^,]*(?:, in \w+)?\?)$/i.exec(last) ?? [];
  return asks && asks.charAt(0).toUpperCase() + asks.slice(1);
}

/** Verbs of solutions and their base forms; regular ones are made by rule. */
// biome-ignore format: a table
const IRREGULAR: Readonly<Record<string, string>> = {
  has: "have", had: "have", made: "make", sold: "sell", bought: "buy", spent: "spend", paid: "pay", pays: "pay", ate: "eat",
  got: "get", drove: "drive", read: "read", took: "take", gave: "give", ran: "run", drank: "drink", slept: "sleep",
  lost: "lose", won: "win", found: "find", kept: "keep", left: "leave", grew: "grow", wrote: "write", caught: "catch",
  swam: "swim", threw: "throw", went: "go", goes: "go", does: "do", did: "do", drew: "draw", sent: "send", brought: "bring",
};
// biome-ignore format: a table
const REGULAR = [
  "need", "earn", "save", "use", "cost", "work", "walk", "pick", "collect", "receive", "owe", "produce", "weigh", "plant",
  "bake", "make", "sell", "spend", "eat", "get", "drive", "take", "give", "run", "drink", "sleep", "buy", "read", "donate",
  "pay", "charge", "travel", "play", "watch", "cook", "fill", "lay", "live", "jump", "cut", "want", "order", "finish",
  "complete", "practice", "score", "hold", "contain", "add", "burn", "lose", "win", "find", "keep", "grow", "write", "catch",
  "swim", "throw", "bring", "raise", "serve", "wash", "clean", "paint", "build", "knit", "invite", "feed", "consume",
];
const VERBS = new Map<string, { base: string; past: boolean }>();
for (const base of REGULAR) {
  const stem = base.endsWith("e") ? base.slice(0, -1) : /[^aeiou]y$/.test(base) ? `${base.slice(0, -1)}i` : base;
  VERBS.set(`${stem}ed`, { base, past: true });
  VERBS.set(/(?:[sx]|ch|sh)$/.test(base) ? `${base}es` : stem.endsWith("i") ? `${stem}es` : `${base}s`, {
    base,
    past: false,
  });
  VERBS.set(base, { base, past: false });
}
for (const [form, base] of Object.entries(IRREGULAR)) {
  VERBS.set(form, { base, past: !/^(?:has|pays|goes|does)$/.test(form) });
}
VERBS.delete("read");
VERBS.delete("cost");
VERBS.delete("cut");

const OPENING =
  /^(?:so|then|thus|therefore|hence|next|first|second|finally|and|now|also|altogether|in total|in all|that means|this means|which means|this leaves|and so)\b,?\s+/i;
const NUMBER = String.raw`(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?`;
/** One to three words of what is counted, up to a word that goes on. */
const COUNTED = String.raw`((?!(?:in|of|on|at|for|per|each|a|an|the|to|from|with|by|every|after|before|left|that|total|and|more|less|fewer|extra|times|percent)\b)[a-z][a-z'-]*(?:\s(?!(?:in|of|on|at|for|per|each|a|an|the|to|from|with|by|every|after|before|left|that|total|and|more|because|during|this|last|so|when|if|yesterday|already|worth|long|tall|old|later|ago|altogether|left)\b)[a-z][a-z'-]*){0,2})`;
const SUBJECT = String.raw`([A-Z][\w']*(?:\s[a-z][\w']*){0,4}?)`;

/**
 * Turn the statement of a solution's step into the question that it answers, by rule: "Ana sold 48/2 = 24 cards in May."
 * answers "How many cards did Ana sell in May?". Undefined where no rule fits: most steps are not worded so simply.
 */
export function subQuestionOf(statement: string): string | undefined {
  let text = withoutArithmetic(statement.replace(/\s+/g, " ").trim()).replace(/\s*[.!]$/, "");
  for (let opening = OPENING.exec(text); opening; opening = OPENING.exec(text)) text = text.slice(opening[0].length);
  text = text.charAt(0).toUpperCase() + text.slice(1);
  if (/[=*;:?()]|\d.*\d\D*\d/.test(text.replace(new RegExp(NUMBER), ""))) return undefined;
  return thereAre(text) ?? verbQuestion(text) ?? whatIs(text);
}

function thereAre(text: string): string | undefined {
  const [, verb, counted, rest] =
    new RegExp(String.raw`^There (are|were|will be|is) (?:a total of )?${NUMBER} ${COUNTED}\b\s?(.*)$`).exec(text) ??
    [];
  if (counted === undefined) return undefined;
  const asks = verb === "will be" ? "will there be" : verb === "is" ? undefined : `${verb} there`;
  return asks && asked(`How many ${counted} ${asks}`, rest);
}

function whatIs(text: string): string | undefined {
  const [, subject, verb, unit = ""] =
    new RegExp(
      String.raw`^((?:The|Her|His|Their|Its|[A-Z]\w*'s) [^,\d]{3,60}?) (is|was|will be|would be) (?:equal to )?\$?${NUMBER}%?((?: [a-z]+){0,2})$`,
    ).exec(text) ?? [];
  if (subject === undefined || /\b(?:is|was|are|were|then|than|he|she|they|it)\b/.test(subject)) return undefined;
  if (/\b(?:more|less|times|in|of|for|per|on)\b/.test(unit)) return undefined;
  const [first, ...others] = verb!.split(" ");
  return asked(`What ${first} ${lowered(subject)}`, others.join(" "));
}

function verbQuestion(text: string): string | undefined {
  const money = new RegExp(String.raw`^${SUBJECT} (\w+) (?:a total of )?\$${NUMBER}\b\s?(.*)$`).exec(text);
  const count = new RegExp(String.raw`^${SUBJECT} (\w+) (?:a total of )?${NUMBER} ${COUNTED}\b\s?(.*)$`).exec(text);
  const [, subject, form, ...tail] = money ?? count ?? [];
  const verb = form === undefined ? undefined : VERBS.get(form.toLowerCase());
  if (subject === undefined || verb === undefined || /^(?:There|That|This|If|Since|After|Which|It)\b/.test(subject))
    return undefined;
  if (/\b(?:and|is|was|are|were|will|would|can|then|that|which|who|has|have|had|to|of)\b/.test(subject))
    return undefined;
  const [what, rest] = money ? ["How much money", tail[0]] : [`How many ${tail[0]}`, tail[1]];
  const plural = /^(?:They|We|I|You|The \w+s)$/.test(subject) || (subject.split(" ").length > 1 && /s$/.test(subject));
  const does = verb.past ? "did" : plural ? "do" : "does";
  return asked(`${what} ${does} ${lowered(subject)} ${verb.base}`, rest);
}

/** The question with the rest of the statement; undefined where the rest tells more than where, when or for what. */
function asked(question: string, rest = ""): string | undefined {
  const tail = rest.trim();
  if (/^(?:of|more|less|fewer)\b|\w+ing\b/.test(tail) || /\b\w+ing (?:did|does|do) /.test(question)) return undefined;
  if (/[,\d$%]|\b(?:because|so|which|since|and|but|than|times|is|was|are|were)\b/.test(tail)) return undefined;
  return `${question}${tail === "" ? "" : ` ${tail}`}?`;
}

const lowered = (subject: string): string =>
  /^(?:The|Her|His|Their|Its|He|She|They|It|Each|All|Both|Every)\b/.test(subject)
    ? subject.charAt(0).toLowerCase() + subject.slice(1)
    : subject;
