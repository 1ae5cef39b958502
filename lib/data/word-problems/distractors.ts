import type { Random } from "../../core/index.js";
import { drawHolder } from "./holders.js";
import { AS_NUMBER, equation, KINDS } from "./kinds.js";
import type { Quantity, Relation, RelationKind } from "./problem.js";
import type { Scenario } from "./scenarios.js";
import { PHRASINGS } from "./sentences.js";
import { LARGEST_VALUE } from "./values.js";

/** Relations that a distractor may state, and their numbers; which fit depends on the value they start from. */
const NUMBERS: readonly (readonly [RelationKind, readonly (readonly number[])[]])[] = [
  ["more", [[2], [3], [4], [5], [6], [7], [8], [9], [12], [15]]],
  ["fewer", [[2], [3], [4], [5], [6], [7], [8], [9], [12], [15]]],
  ["times", [[2], [3], [4], [5]]],
  ["rate", [[2], [3], [4], [5]]],
  ["share", [[2], [3], [4], [5]]],
  ["pack", [[2], [3], [4], [5]]],
  [
    "fraction",
    [
      [1, 2],
      [1, 3],
      [1, 4],
      [2, 3],
    ],
  ],
  ["percent", [[10], [20], [25], [50]]],
  ["percent-change", [[10], [20], [25], [50], [-10], [-20], [-25], [-50]]],
];

/** A whole number from the range, all equally likely. */
export const between = (random: Random, [low, high]: readonly [number, number]): number =>
  low + random.integer(high - low + 1);

/**
 * Add facts that the answer does not need: given quantities, and relations to any quantity of the problem. In a
 * shuffled text they stand anywhere, else after what they refer to.
 */
export function addDistractors(
  random: Random,
  quantities: Quantity[],
  facts: number[],
  {
    scenario,
    shuffled,
    distractors,
  }: { scenario: Scenario; shuffled: boolean; distractors: readonly [number, number] },
): void {
  for (let left = between(random, distractors); left > 0; left--) {
    while (!addDistractor(random, quantities, scenario));
    const index = quantities.length - 1;
    const inputs = quantities[index]!.relation?.inputs ?? [];
    const least = shuffled ? 0 : 1 + Math.max(-1, ...inputs.map((input) => facts.indexOf(input)));
    facts.splice(between(random, [least, facts.length]), 0, index);
  }
}

function addDistractor(random: Random, quantities: Quantity[], scenario: Scenario): boolean {
  const input = random.integer(quantities.length);
  const source = quantities[input]!;
  const relation = random.uniform() < 0.6 ? drawRelation(random, source.value, input) : undefined;
  const changes = relation !== undefined && KINDS[relation.kind].changesUnit;
  const others = scenario.units.filter((unit) => unit !== source.unit);
  const unit = changes || (!relation && random.uniform() < 0.3) ? random.choice(others) : source.unit;
  const holder = drawHolder(random, quantities, scenario, unit, changes ? source : undefined);
  if (holder === undefined) return false;
  const gets = unit.shareable && relation?.kind === "share";
  const value = relation
    ? equation(relation.kind, [source.value], relation.numbers, AS_NUMBER)
    : 2 + random.integer(40);
  quantities.push({ holder, unit, gets, value, relation, phrasing: random.integer(PHRASINGS), needed: false });
  return true;
}

/** A relation that gives a whole number; undefined if the kind drawn has none. */
function drawRelation(random: Random, value: number, input: number): Relation | undefined {
  const [kind, all] = random.choice(NUMBERS);
  const fitting = all.filter((numbers) => {
    const result = equation(kind, [value], numbers, AS_NUMBER);
    return Number.isInteger(result) && result >= 1 && result <= LARGEST_VALUE;
  });
  return fitting.length === 0 ? undefined : { kind, inputs: [input], numbers: random.choice(fitting) };
}
