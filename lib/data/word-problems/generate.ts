import { createRandom, type Random, ThoughtbookError } from "../../core/index.js";
import { addDistractors, between } from "./distractors.js";
import { drawHolder } from "./holders.js";
import { KINDS } from "./kinds.js";
import type { Difficulty, ProceduralProblem, Quantity, Split } from "./problem.js";
import { SCENARIOS, type Scenario, scenarioNamed } from "./scenarios.js";
import { canAskDirectly, directQuestion, factSentence, PHRASINGS, quantityQuestion } from "./sentences.js";
import { scenariosOf } from "./split.js";
import { drawStructure, type Structure, structureShape, structureSignature } from "./structure.js";
import { assignUnits } from "./units.js";
import { drawValues, type Valued } from "./values.js";
import { sentence } from "./wording.js";

/** "mixed" is one or the other with equal chance. */
export type FactOrder = "computation" | "shuffled" | "mixed";

export interface WordProblemOptions {
  seed: number | string;
  /**
   * Index of the problem, counted from 0 within one seed and split; each is drawn from a stream of its own. Default 0.
   */
  index?: number;
  /** Number of operations, or a range (all equally likely): 1 to 12. */
  operations: number | readonly [number, number];
  /** Number of facts that the answer does not need, or a range; at most 6. Default 0. */
  distractors?: number | readonly [number, number];
  /** Order of the facts in the text. Default "mixed". */
  order?: FactOrder;
  /** Default "train". */
  split?: Split;
  /** Minimum and maximum depth, in edges between operations: a chain of 4 operations has depth 3. */
  depth?: readonly [number, number];
  /** Minimum and maximum width: operations in the largest layer. */
  width?: readonly [number, number];
}

export const MOST_OPERATIONS = 12;
export const MOST_DISTRACTORS = 6;
/** Structures drawn before giving up; a structure that occurs once in a thousand draws is found among this many. */
const MOST_STRUCTURES = 20_000;
/** Probability that a problem begins with a sentence about the place. */
const OPENING = 0.5;
/** Probability that a last total or difference is asked for without a name of its own. */
const ASKED_DIRECTLY = 0.6;

/**
 * Generate a word problem from a random computation graph, in the style of GSM8K (arXiv 2110.14168) and by the method
 * of iGSM (Physics of Language Models 2.1, arXiv 2407.20311): first a graph of quantities, then its wording. As in
 * GSM-Symbolic (arXiv 2410.05229) names and numbers vary freely, and irrelevant facts can be added.
 *
 * The same options give the same problem on every machine, whatever was generated before.
 *
 * @throws bad-input if an option is out of range, or (nearly) no computation has the requested depth and width
 *
 * @example
 * ```ts
 * import { generateWordProblem, shortChain } from "thoughtbook/data";
 *
 * const problem = generateWordProblem({ seed: 7, operations: 3 });
 * console.log(problem.question);
 * console.log(shortChain(problem));
 * ```
 */
export function generateWordProblem(options: WordProblemOptions): ProceduralProblem {
  const { seed, index = 0, order = "mixed", split = "train", depth, width } = options;
  const wanted = range(options.operations, "operations", 1, MOST_OPERATIONS);
  const counts = countsWithShape(wanted, options);
  const distractors = range(options.distractors ?? 0, "distractors", 0, MOST_DISTRACTORS);
  if (!Number.isSafeInteger(index) || index < 0) throw outOfRange("index", String(index), "a whole number from 0");
  if (typeof seed === "number" && !Number.isFinite(seed))
    throw outOfRange("seed", String(seed), "a finite number or a text");
  const place = [split, wanted.join("-"), ...limits("depth", depth), ...limits("width", width), index].join("/");
  const random = createRandom(JSON.stringify(["word problem", seed, place]));
  const count = counts[between(random, [0, counts.length - 1])]!;

  for (let attempt = 0; attempt < MOST_STRUCTURES; attempt++) {
    const structure = drawStructure(random, count);
    const graph = structureShape(structure.nodes);
    if (!hasShape(graph, options)) continue;
    const valued = drawValues(random, structure);
    if (!valued) continue;
    const signature = structureSignature(structure);
    const scenario = SCENARIOS[random.choice(scenariosOf(split, signature))]!;
    const quantities = nameQuantities(random, structure, valued, scenario);
    if (!quantities) continue;
    const asked = quantities.length - 1;
    const { relation } = quantities[asked]!;
    const inputs = relation!.inputs.map((input) => quantities[input]!);
    const askedDirectly = canAskDirectly(relation!, inputs) && random.uniform() < ASKED_DIRECTLY;
    const opening = random.uniform() < OPENING ? openingOf(random, scenario) : "";

    // Streams of their own: the same problem with other distractors or in another order is a pair to compare.
    const inOrder = random.stream("order");
    const shuffled = order === "mixed" ? inOrder.uniform() < 0.5 : order === "shuffled";
    const stated = quantities.flatMap((_, at) => (askedDirectly && at === asked ? [] : [at]));
    const facts = shuffled ? inOrder.shuffle(stated) : stated;
    if (distractors[1] > 0)
      addDistractors(random.stream("distractors"), quantities, facts, { scenario, shuffled, distractors });
    const id = [
      seed,
      place,
      ...(distractors[1] > 0 ? [`distractors ${distractors.join("-")}`] : []),
      ...(order === "mixed" ? [] : [order]),
    ].join("/");
    const difficulty = {
      operations: count,
      depth: graph.depth,
      width: graph.width,
      distractors: quantities.length - 1 - asked,
    };
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
  throw new ThoughtbookError("bad-input", `${place} has no problem`, { hint: "Leave depth or width more room." });
}

/** Problem after problem of one seed, from an index on; endless unless a count is given. */
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

function openingOf(random: Random, { place, name }: Scenario): string {
  return sentence(
    random.choice([
      `it is a busy day ${place}`,
      `here is some news from the ${name}`,
      `this happens ${place}`,
      `many people are busy ${place}`,
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
    const given = typeof value === "number" ? String(value) : value.join("-");
    throw outOfRange(name, given, `a whole number or a range from ${least} to ${most}`);
  }
  return [low, high];
}

function outOfRange(name: string, value: string, expected: string): ThoughtbookError {
  return new ThoughtbookError("bad-input", `${name} is ${value}`, { hint: `Give ${expected}.` });
}

type Shape = ReturnType<typeof structureShape>;
const hasShape = ({ depth, width }: Shape, options: Pick<WordProblemOptions, "depth" | "width">): boolean =>
  within(depth, options.depth) && within(width, options.width);

/** Numbers of operations that are possible with the depth and width. @throws bad-input if there are none */
function countsWithShape([low, high]: readonly [number, number], options: WordProblemOptions): number[] {
  const all = Array.from({ length: high - low + 1 }, (_, i) => low + i);
  if (options.depth === undefined && options.width === undefined) return all;
  const counts = all.filter((count) => shapesOf(count).some((shape) => hasShape(shape, options)));
  if (counts.length > 0) return counts;
  const shapes = all.flatMap(shapesOf);
  const span = (of: keyof Shape) => {
    const values = shapes.map((shape) => shape[of]);
    return `${Math.min(...values)}-${Math.max(...values)}`;
  };
  const shape = [...limits("depth", options.depth), ...limits("width", options.width)].join(" and ");
  throw new ThoughtbookError("bad-input", `no problem has ${shape} with ${low}-${high} operations`, {
    hint: `With so many there are depths of ${span("depth")} and widths of ${span("width")}; deep ones are narrow.`,
  });
}

/** Depths and widths that occur among a thousand random structures with this number of operations. */
function shapesOf(count: number): readonly Shape[] {
  const known = SHAPES.get(count);
  if (known) return known;
  const random = createRandom(`shapes/${count}`);
  const shapes = new Map<string, Shape>();
  for (let draw = 0; draw < 1000; draw++) {
    const shape = structureShape(drawStructure(random, count).nodes);
    shapes.set(`${shape.depth}/${shape.width}`, shape);
  }
  SHAPES.set(count, [...shapes.values()]);
  return SHAPES.get(count)!;
}
const SHAPES = new Map<number, readonly Shape[]>();

/** "depth 1-3", for ids and messages. */
const limits = (name: string, range: readonly [number, number] | undefined): string[] =>
  range ? [`${name} ${range.join("-")}`] : [];

const within = (value: number, range: readonly [number, number] | undefined): boolean =>
  range === undefined || (value >= range[0] && value <= range[1]);
