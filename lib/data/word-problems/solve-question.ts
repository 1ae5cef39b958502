import { fail, type Result } from "../../answer/index.js";
import { type Scenario, scenarioNamed } from "./scenarios.js";

/** Why a text is not a question of this domain. */
class Unreadable extends Error {}

/** A parsed and solved question. */
export interface SolvedQuestion {
  answer: number;
  /** Quantities that follow from others, with what is asked for if the question itself says how it follows. */
  operations: number;
  /** How many of these the text states before everything that they follow from. */
  late: number;
  /** Quantities that the answer does not need. */
  unused: number;
}

/**
 * Solve a question of the word problems from its text and its scenario's words alone, as a reader would: each sentence must
 * fit exactly one of the known forms, and each quantity must be stated once. It is for questions that a model wrote, such
 * as contracted ones; nothing in them is executed, and no text makes it throw.
 *
 * @param scenario the name of the scenario whose words the question uses
 * @throws bad-input for a scenario that does not exist
 */
export function solveQuestion(question: string, scenario: string): Result<SolvedQuestion> {
  const { name, units } = scenarioNamed(scenario);
  try {
    const solved = readAndSolve(question, name, units);
    return Number.isFinite(solved.answer) ? { ok: true, value: solved } : fail("the answer is no number");
  } catch (error) {
    if (error instanceof Unreadable) return fail(error.message);
    throw error;
  }
}

function readAndSolve(question: string, scenarioName: string, units: Scenario["units"]): SolvedQuestion {
  const verbs = new Map(units.flatMap(({ verb, verbs }) => [[verbs, verb] as const, [verb, verb] as const]));
  const counts = new Map<string, number>();
  for (const { many } of units) counts.set(many, (counts.get(many) ?? 0) + 1);

  /** The name of a quantity: a holder's nouns, with the verb where the scenario does several things with them. */
  const key = (holder: string, verb: string, noun: string): string => {
    const base = verb === "gets" || verb === "get" ? "get" : verbs.get(verb);
    if (base === undefined || !counts.has(noun)) throw new Unreadable(`nobody ${verb} ${noun} at the ${scenarioName}`);
    const name = holder.replace(/^The /, "the ");
    return counts.get(noun) === 1 ? `${name}: ${noun}` : `${name}: ${base} ${noun}`;
  };
  /** "Ana's apples", "the apples Ana picks". */
  const things = (text: string): string => {
    const own = /^(.+)'s ([a-z]+)$/.exec(text);
    if (own) {
      if (counts.get(own[2]!) !== 1) throw new Unreadable(`which ${text}?`);
      return `${own[1]!.replace(/^The /, "the ")}: ${own[2]}`;
    }
    const whose = new RegExp(`^the ([a-z]+) ${HOLDER} ([a-z]+)$`).exec(text);
    if (!whose) throw new Unreadable(`whose are ${text}?`);
    const [, noun, holder, verb] = whose;
    return key(holder!, verb!, noun!);
  };
  const listOf = (text: string) => text.split(/, | and /);

  const known = new Map<string, () => number>();
  const state = (name: string, value: () => number) => {
    if (known.has(name)) throw new Unreadable(`stated twice: ${name}`);
    known.set(name, value);
  };
  let given = 0;
  const give = (name: string, number: string) => {
    state(name, () => Number(number));
    given += 1;
  };
  const [used, late] = [new Set<string>(), new Set<string>()];
  /** Once each: a text in which every quantity is twice the one before it would take forever. */
  const computed = new Map<string, number>();
  /** The quantities that are being computed, each for the one before it. */
  const asked: string[] = [];
  const value = (name: string): number => {
    const found = known.get(name);
    if (!found) throw new Unreadable(`never stated: ${name}`);
    if (asked.includes(name)) throw new Unreadable(`stated by itself: ${name}`);
    const reader = asked.at(-1);
    const names = [...known.keys()];
    if (reader !== undefined && names.indexOf(name) > names.indexOf(reader)) late.add(reader);
    used.add(name);
    const earlier = computed.get(name);
    if (earlier !== undefined) return earlier;
    asked.push(name);
    const result = found();
    asked.pop();
    computed.set(name, result);
    return result;
  };
  /** Holders, each with a verb of its own or the common one. */
  const members = (text: string, verb: string, noun: string) =>
    listOf(text).map((part) => {
      const member = new RegExp(`^${HOLDER}(?: ([a-z]+))?$`).exec(part);
      if (!member) throw new Unreadable(`who is ${part}?`);
      return key(member[1]!, member[2] ?? verb, noun);
    });

  const forms: [RegExp, (...groups: string[]) => void][] = [
    [form("H V (?:exactly |a total of )?(\\d+) N"), (h, v, n, noun) => give(key(h!, v!, noun!), n!)],
    [form("the number of N H V is (\\d+)"), (noun, h, v, n) => give(key(h!, v!, noun!), n!)],
    [
      form("H V (\\d+)(%?) (more|fewer) N than H(?: V)?"),
      (h, v, n, percent, way, noun, g, w) =>
        state(key(h!, v!, noun!), () => changed(value(key(g!, w ?? v!, noun!)), n!, percent!, way!)),
    ],
    [
      form("compared with H, H V (\\d+)(%?) (more|fewer) N"),
      (g, h, v, n, percent, way, noun) =>
        state(key(h!, v!, noun!), () => changed(value(key(g!, v!, noun!)), n!, percent!, way!)),
    ],
    [
      form("the number of N H V is (\\d+)(%?) (more|fewer) than the number H V"),
      (noun, h, v, n, percent, way, g, w) =>
        state(key(h!, v!, noun!), () => changed(value(key(g!, w!, noun!)), n!, percent!, way!)),
    ],
    [
      form("H V F as many N as H(?: V)?"),
      (h, v, f, noun, g, w) => state(key(h!, v!, noun!), () => value(key(g!, w ?? v!, noun!)) * factor(f!)),
    ],
    [
      form("compared with H, H V F as many N"),
      (g, h, v, f, noun) => state(key(h!, v!, noun!), () => value(key(g!, v!, noun!)) * factor(f!)),
    ],
    [
      form("the number of N H V is F (?:of )?the number H V"),
      (noun, h, v, f, g, w) => state(key(h!, v!, noun!), () => value(key(g!, w!, noun!)) * factor(f!)),
    ],
    [form("H gets F of T"), (h, f, t) => state(key(h!, "gets", nounOf(t!)), () => value(things(t!)) * factor(f!))],
    [
      form("H gets one of (\\d+) equal shares of T"),
      (h, n, t) => state(key(h!, "gets", nounOf(t!)), () => value(things(t!)) / Number(n)),
    ],
    [
      form("(\\d+) [a-z]+ share T equally, and H gets one share"),
      (n, t, h) => state(key(h!, "gets", nounOf(t!)), () => value(things(t!)) / Number(n)),
    ],
    [
      form("T (?:is|are) split into (\\d+) equal shares, and H gets one share"),
      (t, n, h) => state(key(h!, "gets", nounOf(t!)), () => value(things(t!)) / Number(n)),
    ],
    [
      form("H V as many N as one of (\\d+) equal parts of T"),
      (h, v, noun, n, t) => state(key(h!, v!, noun!), () => value(things(t!)) / Number(n)),
    ],
    [
      form("split T into (\\d+) equal parts: H V as many N as one part"),
      (t, n, h, v, noun) => state(key(h!, v!, noun!), () => value(things(t!)) / Number(n)),
    ],
    [
      form("the number of N H V is the number H V divided by (\\d+)"),
      (noun, h, v, g, w, n) => state(key(h!, v!, noun!), () => value(key(g!, w!, noun!)) / Number(n)),
    ],
    // A rate: a number for each. With "1" for every N: a pack.
    [
      form("for (?:each|every) N H V, H V (\\d+) N"),
      (noun, g, w, h, v, n, to) => state(key(h!, v!, to!), () => value(key(g!, w!, noun!)) * Number(n)),
    ],
    [
      form("H V (\\d+) N (?:for each|for every|per) N (?:that )?H V"),
      (h, v, n, to, noun, g, w) => state(key(h!, v!, to!), () => value(key(g!, w!, noun!)) * Number(n)),
    ],
    [
      form("H V (\\d+) N (?:per|for each|for every|each|with each) N"),
      (h, v, n, to, noun) => state(key(h!, v!, to!), () => value(onlyOne(h!, noun!)) * Number(n)),
    ],
    [
      form("for every N, H V (\\d+) N"),
      (noun, h, v, n, to) => state(key(h!, v!, to!), () => value(onlyOne(h!, noun!)) * Number(n)),
    ],
    [
      form("each N costs H (\\d+) money"),
      (noun, h, n) => state(key(h!, "spend", "money"), () => value(onlyOne(h!, noun!)) * Number(n)),
    ],
    [
      form("for every (\\d+) N H V, H V 1 N"),
      (n, noun, g, w, h, v, to) => state(key(h!, v!, to!), () => value(key(g!, w!, noun!)) / Number(n)),
    ],
    [
      form("H V 1 N (?:for every|per) (\\d+) N (?:that )?H V"),
      (h, v, to, n, noun, g, w) => state(key(h!, v!, to!), () => value(key(g!, w!, noun!)) / Number(n)),
    ],
    [
      form("for every (\\d+) N, H V 1 N"),
      (n, noun, h, v, to) => state(key(h!, v!, to!), () => value(onlyOne(h!, noun!)) / Number(n)),
    ],
    [
      form("H V 1 N (?:for every|per) (\\d+) N"),
      (h, v, to, n, noun) => state(key(h!, v!, to!), () => value(onlyOne(h!, noun!)) / Number(n)),
    ],
    [
      form("H puts (\\d+) N into each N"),
      (h, n, noun, to) => state(key(h!, "fill", to!), () => value(onlyOne(h!, noun!)) / Number(n)),
    ],
    [
      form("H V as many N as (.+) (?:together|combined)"),
      (h, v, noun, all) => state(key(h!, v!, noun!), () => sum(members(all!, v!, noun!))),
    ],
    [
      form("the number of N H V is the total of (.+)"),
      (noun, h, v, all) => state(key(h!, v!, noun!), () => sum(listOf(all!).map(things))),
    ],
    [
      form("H V as many N as the difference between T and T"),
      (h, v, noun, t, u) => state(key(h!, v!, noun!), () => value(things(t!)) - value(things(u!))),
    ],
    [
      form("the number of N H V is the number H V minus the number H V"),
      (noun, h, v, g, w, k, x) =>
        state(key(h!, v!, noun!), () => value(key(g!, w!, noun!)) - value(key(k!, x!, noun!))),
    ],
    [
      form("together, H and H V as many N as H"),
      (b, h, v, noun, a) => state(key(h!, v!, noun!), () => value(key(a!, v!, noun!)) - value(key(b!, v!, noun!))),
    ],
    [
      form("for each N H V, H V as many N as H V in all"),
      (noun, g, w, h, v, to, k, x) =>
        state(key(h!, v!, to!), () => value(key(g!, w!, noun!)) * value(key(k!, x!, to!))),
    ],
    [
      form("H V, for every N H V, as many N as H V in all"),
      (h, v, noun, g, w, to, k, x) =>
        state(key(h!, v!, to!), () => value(key(g!, w!, noun!)) * value(key(k!, x!, to!))),
    ],
    [
      form("every time H V an? N, H V as many N as H V in all"),
      (g, w, noun, h, v, to, k, x) =>
        state(key(h!, v!, to!), () => value(key(g!, w!, noun!)) * value(key(k!, x!, to!))),
    ],
  ];
  const named: [RegExp, (...groups: string[]) => number][] = [
    [form("how many N does H V", "\\?"), (noun, h, v) => value(key(h!, v!, noun!))],
    [form("what is the number of N H V", "\\?"), (noun, h, v) => value(key(h!, v!, noun!))],
    [form("find the number of N H V"), (noun, h, v) => value(key(h!, v!, noun!))],
  ];
  // What is asked for has no name of its own: the question says how it follows.
  const direct: typeof named = [
    [form("how many N do (.+) V (?:together|in total)", "\\?"), (noun, all, v) => sum(members(all!, v!, noun!))],
    [form("what is the total number of N (.+) V", "\\?"), (noun, all, v) => sum(members(all!, v!, noun!))],
    [
      form("how many (more|fewer) N does H V than H", "\\?"),
      (way, noun, h, v, g) => (value(key(h!, v!, noun!)) - value(key(g!, v!, noun!))) * (way === "more" ? 1 : -1),
    ],
    [form("what is the difference between T and T", "\\?"), (t, u) => value(things(t!)) - value(things(u!))],
  ];

  /** "per apple" is clear if one quantity counts apples: that of the holder. */
  function onlyOne(holder: string, noun: string): string {
    const counting = [...known.keys()].filter((name) => name.endsWith(` ${noun}`));
    if (counting.length !== 1 || !counting[0]!.startsWith(holder.replace(/^The /, "the "))) {
      throw new Unreadable(`which ${noun} of ${counting}?`);
    }
    return counting[0]!;
  }
  const sum = (names: readonly string[]) => names.reduce((total, name) => total + value(name), 0);
  const nounOf = (text: string) => things(text).split(" ").at(-1)!;

  const sentences = question.split(/(?<=[.?]) (?=[A-Z0-9])/);
  const opening = /^(?:It is a busy day|Here is some news|This happens|Many people are busy) .*\.$/;
  let ask: (() => number) | undefined;
  let asksDirectly = false;
  for (const [at, original] of sentences.entries()) {
    if (at === 0 && opening.test(original)) continue;
    const last = at === sentences.length - 1;
    const text = normalize(original, units);
    const fitting = (last ? [...named, ...direct] : forms).flatMap(([pattern, read]) => {
      const match = pattern.exec(text);
      return match ? [() => read(...match.slice(1))] : [];
    });
    if (fitting.length !== 1) throw new Unreadable(`${fitting.length} readings of "${original}"`);
    if (!last) fitting[0]!();
    else {
      ask = fitting[0] as () => number;
      asksDirectly = direct.some(([pattern]) => pattern.test(text));
    }
  }
  if (!ask) throw new Unreadable("nothing is asked");
  const answer = ask();
  const operations = known.size - given + (asksDirectly ? 1 : 0);
  return { answer, operations, late: late.size, unused: known.size - used.size };
}

const HOLDER = "([Tt]he [a-z]+ [a-z]+|[A-Z][a-z]+)";
const WORDS: Record<string, string> = {
  H: HOLDER,
  V: "(?!as\\b|is\\b|are\\b)([a-z]+)",
  N: "([a-z]+)",
  T: "((?:[Tt]he [a-z]+ [a-z]+|[A-Z][a-z]+)'s [a-z]+|[Tt]he [a-z]+ (?:the [a-z]+ [a-z]+|[A-Z][a-z]+) [a-z]+)",
  F: "(twice|\\d+ times|half|one third|one quarter|\\d+/\\d+|\\d+%)",
};

/** A sentence with H for a holder, V for a verb, N for a noun, T for somebody's things, F for a factor. */
function form(text: string, end = "\\."): RegExp {
  const pattern = text.replace(/\b[HVNTF]\b/g, (letter) => WORDS[letter]!);
  return new RegExp(`^${pattern}${end}$`);
}

/** All nouns plural, money a noun like the others, no capital but in names. */
function normalize(sentence: string, units: readonly { one: string; many: string }[]): string {
  let text = sentence
    .replace(/\$(\d+) (more|less)/g, "$1 $2 money")
    .replace(/\$(\d+)/g, "$1 money")
    .replace(/is (\d+) money\.$/, "is $1.")
    .replace(/(\d+%?) (more|less) money than the amount/g, "$1 $2 than the amount")
    .replace(/much (more|less) money/g, "many $1 money")
    .replace(/much money/g, "many money")
    .replace(/[Tt]he (total )?amount of money/g, "the $1number of money")
    .replace(/the amount/g, "the number")
    .replace(/\bless\b/g, "fewer")
    .replace(/\bdollars?\b/g, "money");
  for (const { one, many } of units) {
    if (one !== many && one !== "dollar") text = text.replace(new RegExp(`\\b${one}\\b(?! [a-z]+(?:ly)?$)`, "g"), many);
  }
  const first = /^(?:The number|Compared|For|Each|Every|Together|Split|How|What|Find|The [a-z]+ (?:the|[A-Z]))/.exec(
    text,
  );
  return first ? text[0]!.toLowerCase() + text.slice(1) : text;
}

const changed = (base: number, amount: string, percent: string, way: string): number => {
  const change = percent === "%" ? (base * Number(amount)) / 100 : Number(amount);
  return way === "more" ? base + change : base - change;
};

function factor(text: string): number {
  const named: Record<string, number> = { twice: 2, half: 1 / 2, "one third": 1 / 3, "one quarter": 1 / 4 };
  if (text in named) return named[text]!;
  if (text.endsWith("%")) return Number(text.slice(0, -1)) / 100;
  const [numerator, denominator = "1"] = text.replace(" times", "").split("/");
  return Number(numerator) / Number(denominator);
}
