import type { Random } from "../../core/index.js";
import { KINDS } from "./kinds.js";
import type { Scenario, Unit } from "./scenarios.js";
import type { Structure } from "./structure.js";

/**
 * A unit for each node. Quantities that are compared or added have one unit; a rate leads to another one where the
 * structure allows it. The first quantity has a unit that no other scenario has, so the text tells the scenario.
 */
export function assignUnits(random: Random, nodes: Structure["nodes"], { units }: Scenario): Unit[] {
  const group = nodes.map((_, index) => index);
  const find = (index: number): number => {
    let root = index;
    while (group[root] !== root) root = group[root]!;
    return root;
  };
  const join = (a: number, b: number) => {
    // The smaller index leads, so that the group of the first quantity is group 0.
    const [low, high] = [Math.min(find(a), find(b)), Math.max(find(a), find(b))];
    group[high] = low;
  };
  const changes: [number, number][] = [];
  for (const [index, node] of nodes.entries()) {
    if (!node) continue;
    const [first, ...rest] = node.inputs as [number, ...number[]];
    if (KINDS[node.kind].changesUnit) changes.push([first, index]);
    else join(first, index);
    for (const input of rest) join(input, index);
  }

  const chosen = new Map<number, Unit>();
  for (let index = 0; index < nodes.length; index++) {
    const root = find(index);
    if (chosen.has(root)) continue;
    if (root === 0) {
      chosen.set(0, random.choice(units.filter(({ own }) => own)));
      continue;
    }
    const neighbours = new Set<Unit | undefined>();
    for (const [from, to] of changes) {
      if (find(from) === root) neighbours.add(chosen.get(find(to)));
      if (find(to) === root) neighbours.add(chosen.get(find(from)));
    }
    const used = new Set(chosen.values());
    const unused = units.filter((unit) => !used.has(unit));
    const different = units.filter((unit) => !neighbours.has(unit));
    chosen.set(root, random.choice(unused.length > 0 ? unused : different.length > 0 ? different : units));
  }
  return nodes.map((_, index) => chosen.get(find(index))!);
}
