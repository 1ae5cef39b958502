import { createRandom } from "../../core/index.js";
import type { Split } from "../../data/index.js";
import type { Language } from "../../sandbox/index.js";
import type { CodeTask } from "../tasks/schema.js";
import type { DrawnFamily, Family, FamilyFunction } from "./family.js";
import { arraySum, LIST_FAMILIES } from "./lists.js";
import { fizzBuzz, NUMBER_FAMILIES } from "./numbers.js";
import { PAIR_FAMILIES } from "./pairs.js";
import { reverseString, TEXT_FAMILIES } from "./texts.js";

/** All families. Their order decides their split: append only. */
export const FAMILIES: readonly Family[] = [...NUMBER_FAMILIES, ...LIST_FAMILIES, ...TEXT_FAMILIES, ...PAIR_FAMILIES];

/** Whole families are held out: of every ten, two for test and one for validation. */
export const familiesOf = (split: Split): Family[] => FAMILIES.filter((_, at) => splitAt(at) === split);

const splitAt = (at: number): Split => (at % 5 === 4 ? "test" : at % 10 === 7 ? "validation" : "train");

export interface CodeTaskOptions {
  seed: number | string;
  /** Which task, counted from 0: family after family, in one language or in both in turn. */
  index: number;
  split: Split;
  languages: readonly Language[];
}

const VISIBLE = 3;
const HIDDEN = 8;
/** Inputs drawn before a task is taken with fewer different ones. */
const MOST_INPUTS = 200;

/**
 * Draw a task of a family: a function to write, with calls that the question shows and hidden ones. The same options
 * give the same task on every machine.
 */
export function drawCodeTask({ seed, index, split, languages }: CodeTaskOptions): CodeTask {
  const families = familiesOf(split);
  const language = languages[index % languages.length]!;
  const nth = Math.floor(index / languages.length);
  const family = families[nth % families.length]!;
  const id = `${family.name}/${language}/${seed}/${split}/${Math.floor(nth / families.length)}`;
  const random = createRandom(seed).stream(`code task/${id}`);
  return codeTask(id, family.name, language, family.draw(random.stream("constants")), random.stream("calls"));
}

/** A task from its functions; the calls are drawn. */
function codeTask(
  id: string,
  family: string,
  language: Language,
  { functions, ...programs }: DrawnFamily,
  random: ReturnType<typeof createRandom>,
): CodeTask {
  const names = functions.map(({ entry }) => nameIn(language, entry));
  return {
    id,
    family,
    language,
    functions: functions.map((each, at) => ({
      entry: names[at]!,
      parameters: [...each.parameters],
      does: each.does,
      ...drawCases(each, random.stream(each.entry)),
    })),
    reference: programs[language].replace(/\{(\d)\}/g, (_, at) => names[Number(at)]!),
  };
}

const nameIn = (language: Language, entry: string): string =>
  language === "python"
    ? entry.replaceAll(" ", "_")
    : entry.replace(/ (\w)/g, (_, letter: string) => letter.toUpperCase());

function drawCases({ run, input, edges = [] }: FamilyFunction, random: ReturnType<typeof createRandom>) {
  const calls = new Map<string, readonly unknown[]>();
  for (let draw = 0; draw < MOST_INPUTS && calls.size < VISIBLE + HIDDEN - edges.length; draw++) {
    const args = input(random);
    if (!edges.some((edge) => JSON.stringify(edge) === JSON.stringify(args))) calls.set(JSON.stringify(args), args);
  }
  const drawn = [...calls.values()].map((args) => caseOf(run, args));
  // Shown calls with different results say more.
  const seen = new Set<string>();
  const isNew = ({ expect }: { expect: unknown }) => {
    const key = JSON.stringify(expect);
    return !seen.has(key) && seen.add(key) !== undefined;
  };
  const [different, others] = [drawn.filter(isNew), [] as typeof drawn];
  others.push(...drawn.filter((each) => !different.includes(each)));
  const ordered = [...different, ...others];
  return {
    visible: ordered.slice(0, VISIBLE),
    hidden: [...edges.map((args) => caseOf(run, args)), ...ordered.slice(VISIBLE)],
  };
}

/** A call and its result as JSON has them: -0 is 0. */
const caseOf = (
  run: FamilyFunction["run"],
  args: readonly unknown[],
): CodeTask["functions"][number]["visible"][number] =>
  JSON.parse(JSON.stringify({ args, expect: run(...(args as never[])) }));

/** The three tasks that everybody knows, in both languages. */
export function classicTasks(): Record<"fizzbuzz" | "reverse-string" | "array-sum", CodeTask[]> {
  const both = (
    name: string,
    { javascript, python, ...one }: FamilyFunction & { javascript: string; python: string },
  ) =>
    (["javascript", "python"] as const).map((language) =>
      codeTask(
        `${name}/${language}`,
        name,
        language,
        { functions: [one], javascript, python },
        createRandom("classic").stream(`${name}/${language}`),
      ),
    );
  return {
    fizzbuzz: both("fizz-buzz", fizzBuzz(3, 5, "Fizz", "Buzz")),
    "reverse-string": both("reverse-string", reverseString("")),
    "array-sum": both("array-sum", arraySum(0)),
  };
}
