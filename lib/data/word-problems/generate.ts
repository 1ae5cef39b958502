import { createRandom, type Random, ThoughtbookError } from "../../core/index.js";
import { graphStatistics } from "../../graph/index.js";
import { addDistractors } from "./distractors.js";
import { drawHolder } from "./holders.js";
import { KINDS } from "./kinds.js";
import type { Difficulty, ProceduralProblem, Quantity, Split } from "./problem.js";
import { SCENARIOS, type Scenario, scenarioNamed } from "./scenarios.js";
import { canAskDirectly, directQuestion, factSentence, PHRASINGS, quantityQuestion } from "./sentences.js";
import { scenariosOf } from "./split.js";
import { drawStructure, operationDependencies, type Structure, structureSignature } from "./structure.js";
import { assignUnits } from "./units.js";
import { drawValues, type Valued } from "./values.js";
import { sentence } from "./wording.js";

/** "mixed" is one or the other with equal chance. */
export type FactOrder = "computation" | "shuffled" | "mixed";

export interface WordProblemOptions {
  seed: number | string;
  /** Problems of one seed and split are counted from 0; each is drawn from a stream of its own. Default 0. */
  index?: number;
  /** How many, or the least and the most (all equally likely): 1 to 12. */
  operations: number | readonly [number, number];
  /** Facts that the answer does not need, likewise; at most 6. Default 0. */
  distractors?: number | readonly [number, number];
  /** How the facts are ordered in the text. Default "mixed". */
  order?: FactOrder;
  /** Default "train". */
  split?: Split;
  /** Least and most depth, in edges between operations: a chain of 4 operations has depth 3. */
  depth?: readonly [number, number];
  /** Least and most width: operations in the largest layer. */
  width?: readonly [number, number];
}

export const MOST_OPERATIONS = 12;
const MOST_DISTRACTORS = 6;
/** Draws of a structure before it is said that depth and width cannot be had. */
const MOST_STRUCTURES = 20_000;
/** How often a problem begins with a sentence about the place. */
const OPENING = 0.5;
/** How often a last total or difference is asked for without a name of its own. */
const ASKED_DIRECTLY = 0.6;

/**
 * A word problem from a random computation graph, in the manner of GSM8K (arXiv 2110.14168) and made like iGSM (Physics
 * of Language Models 2.1, arXiv 2407.20311): first a graph of quantities, then its wording. As in GSM-Symbolic (arXiv
 * 2410.05229) names and numbers vary freely, and facts can be added that change nothing.
 *
 * The same options give the same problem on every machine, whatever was generated before.
 *
 * @throws bad-input if an option is out of range, or no structure has the depth and width asked for
 */
export function generateWordProblem(options: WordProblemOptions): ProceduralProblem {
  const { seed, index = 0, order = "mixed", split = "train" } = options;
  const operations = range(options.operations, "operations", 1, MOST_OPERATIONS);
  const distractors = range(options.distractors ?? 0, "distractors", 0, MOST_DISTRACTORS);
  const id = `${seed}/${split}/${index}`;
  const random = createRandom(seed).stream(`word problem/${split}/${index}`);
  const count = between(random, operations);

  for (let attempt = 0; attempt < MOST_STRUCTURES; attempt++) {
    const structure = drawStructure(random, count);
    const { depth, width } = graphStatistics(operationDependencies(structure));
    if (!within(depth, options.depth) || !within(width, options.width)) continue;
    const valued = drawValues(random, structure);
    if (!valued) continue;
    const signature = structureSignature(structure);
    const scenario = SCENARIOS[random.choice(scenariosOf(split, signature))]!;
    const quantities = nameQuantities(random, structure, valued, scenario);
    if (!quantities) continue;
    const asked = quantities.length - 1;
    addDistractors(random, quantities, scenario, between(random, distractors));
    const difficulty = { operations: count, depth, width, distractors: quantities.length - 1 - asked };
    const shuffled = order === "mixed" ? random.uniform() < 0.5 : order === "shuffled";
    const last = quantities[asked]!;
    const askedDirectly =
      canAskDirectly(
        last.relation!,
        last.relation!.inputs.map((input) => quantities[input]!),
      ) && random.uniform() < ASKED_DIRECTLY;
    const facts = orderFacts(random, quantities, askedDirectly ? asked : undefined, shuffled);
    const opening = random.uniform() < OPENING ? openingOf(random, scenario) : "";
    return assemble({
      id,
      split,
      scenario: scenario.name,
      signature,
      quantities,
      asked,
      askedDirectly,
      facts,
      opening,
      difficulty,
    });
  }
  const wanted = [
    options.depth && `depth ${options.depth.join("-")}`,
    options.width && `width ${options.width.join("-")}`,
  ];
  throw new ThoughtbookError("bad-input", `no problem found with ${wanted.filter(Boolean).join(" and ")}`, {
    hint: `The depth is below the number of operations (${operations.join("-")}); a wide graph needs more of them.`,
  });
}

/** Problem after problem of one seed, from an index on; without end unless a count is given. */
export function* wordProblems(
  { index = 0, ...options }: WordProblemOptions,
  count: number = Number.POSITIVE_INFINITY,
): Generator<ProceduralProblem, void, undefined> {
  for (let at = 0; at < count; at++) yield generateWordProblem({ ...options, index: index + at });
}

/** The problem with its text, frozen. */
export function assemble(parts: Omit<ProceduralProblem, "question" | "answer">): ProceduralProblem {
  const { quantities, asked, askedDirectly, facts, opening } = parts;
  const { holderPlural } = scenarioNamed(parts.scenario);
  const last = quantities[asked]!;
  const sentences = facts.map((fact) => factSentence(quantities[fact]!, quantities, holderPlural));
  const question = askedDirectly
    ? directQuestion(
        last,
        last.relation!,
        last.relation!.inputs.map((input) => quantities[input]!),
      )
    : quantityQuestion(last);
  return Object.freeze({
    ...parts,
    question: [...(opening === "" ? [] : [opening]), ...sentences, question].join(" "),
    answer: last.value,
  });
}

function nameQuantities(
  random: Random,
  { nodes }: Structure,
  valued: readonly Valued[],
  scenario: Scenario,
): Quantity[] | undefined {
  const units = assignUnits(random, nodes, scenario);
  const quantities: Quantity[] = [];
  for (const [index, { value, relation }] of valued.entries()) {
    const unit = units[index]!;
    const source = relation && KINDS[relation.kind].changesUnit ? quantities[relation.inputs[0]!] : undefined;
    const holder = drawHolder(random, quantities, scenario, unit, relation?.kind === "product" ? undefined : source);
    if (holder === undefined) return undefined;
    const phrasing = random.integer(PHRASINGS);
    const gets =
      unit.shareable &&
      (relation?.kind === "share" ||
        ((relation?.kind === "fraction" || relation?.kind === "percent") && random.uniform() < 0.25));
    quantities.push({ holder, unit, gets, value, relation, phrasing, needed: true });
  }
  return quantities;
}

/** All quantities but the one asked for directly, in the order of the text. */
function orderFacts(
  random: Random,
  quantities: readonly Quantity[],
  unstated: number | undefined,
  shuffled: boolean,
): number[] {
  const stated = quantities.flatMap((_, index) => (index === unstated ? [] : [index]));
  if (shuffled) return random.shuffle(stated);
  // Distractors come after what they refer to, each at a random place.
  const ordered = stated.filter((index) => quantities[index]!.needed);
  for (const index of stated) {
    const { needed, relation } = quantities[index]!;
    if (needed) continue;
    const after = Math.max(-1, ...(relation?.inputs.map((input) => ordered.indexOf(input)) ?? []));
    ordered.splice(after + 1 + random.integer(ordered.length - after), 0, index);
  }
  return ordered;
}

function openingOf(random: Random, { place, name }: Scenario): string {
  return sentence(
    random.choice([
      `it is a busy day ${place}`,
      `here is some news from the ${name}`,
      `this happens ${place}`,
      `the ${name} is open today`,
    ]),
  );
}

function range(
  value: number | readonly [number, number],
  name: keyof Difficulty,
  least: number,
  most: number,
): [number, number] {
  const [low, high] = typeof value === "number" ? [value, value] : value;
  if (!Number.isInteger(low) || !Number.isInteger(high) || low < least || high > most || low > high) {
    throw new ThoughtbookError("bad-input", `${name} is ${typeof value === "number" ? value : value.join("-")}`, {
      hint: `Give a whole number or a range from ${least} to ${most}.`,
    });
  }
  return [low, high];
}

const between = (random: Random, [low, high]: readonly [number, number]): number =>
  low + random.integer(high - low + 1);

const within = (value: number, limits: readonly [number, number] | undefined): boolean =>
  limits === undefined || (value >= limits[0] && value <= limits[1]);
