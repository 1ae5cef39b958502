import type { Random } from "../../core/index.js";
import { KINDS, RELATION_KINDS } from "./kinds.js";
import type { RelationKind } from "./problem.js";

/** A computation without names and numbers: quantities in an order in which they can be computed. */
export interface Structure {
  /** Undefined for a quantity that is given. */
  nodes: readonly ({ kind: RelationKind; inputs: readonly number[] } | undefined)[];
}

/** Probability that the operations form one chain, without branches that are merged later. */
const CHAIN = 0.35;
/** Otherwise, the probability that an operation begins a new branch where a later one can merge it. */
const BRANCH = 0.8;
/** Where a branch begins: at a new given quantity, at one in use, at a result in use (which makes a diamond). */
const BRANCH_FROM = [0.55, 0.15, 0.3];
/** How many quantities a total has: 2, 3, 4. */
const TOTAL_SIZES = [0.72, 0.2, 0.08];

const MERGING = RELATION_KINDS.filter((kind) => KINDS[kind].merges);
const OTHERS = RELATION_KINDS.filter((kind) => !KINDS[kind].merges);

/**
 * Draw a computation with this number of operations whose last one needs all others. The kinds are drawn first: a
 * quarter of the operations, at random places, merge (3 of the 12 kinds do), so all kinds are equally frequent at every
 * place whatever the number of operations. Then they are wired. An operation that continues one of two open branches
 * takes the deeper one, so that merging both does not add depth.
 */
export function drawStructure(random: Random, operations: number): Structure {
  const branch = random.uniform() < CHAIN ? 0 : BRANCH;
  let mergesLeft = Math.floor((operations * MERGING.length) / RELATION_KINDS.length + random.uniform());
  const merging = new Set(random.sample([...Array(operations).keys()], mergesLeft));
  const kinds = Array.from({ length: operations }, (_, place) => random.choice(merging.has(place) ? MERGING : OTHERS));
  const nodes: ({ kind: RelationKind; inputs: number[] } | undefined)[] = [];
  const layer: number[] = [];
  const results: number[] = [];
  let open: number[] = []; // Results that nothing has used yet.

  const given = (): number => {
    layer.push(0);
    return nodes.push(undefined) - 1;
  };
  const inUse = (of: "given" | "results", except: readonly number[]): number[] =>
    nodes.flatMap((node, index) =>
      (node === undefined) === (of === "given") && !open.includes(index) && !except.includes(index) ? [index] : [],
    );
  /** A quantity beside the open branches. */
  const other = (except: readonly number[]): number => {
    const from = random.weighted(BRANCH_FROM);
    const candidates = from === 0 ? [] : inUse(from === 1 ? "given" : "results", except);
    return candidates.length === 0 ? given() : random.choice(candidates);
  };

  for (const kind of kinds) {
    const { merges } = KINDS[kind];
    if (merges) mergesLeft -= 1;
    const begins = results.length === 0 || (open.length <= mergesLeft && random.uniform() < branch);
    const inputs: number[] = [];
    if (begins) inputs.push(other([]));
    else {
      const drawn = random.sample(open, Math.min(open.length, 2));
      if (!merges && drawn.length === 2) drawn.splice(layer[drawn[0]!]! >= layer[drawn[1]!]! ? 1 : 0, 1);
      inputs.push(...drawn);
    }
    const size = kind === "total" ? 2 + random.weighted(TOTAL_SIZES) : merges ? 2 : 1;
    while (inputs.length < size) inputs.push(other(inputs));
    open = open.filter((index) => !inputs.includes(index));
    const node = nodes.push({ kind, inputs: random.shuffle(inputs) }) - 1;
    layer[node] = 1 + Math.max(...inputs.map((index) => layer[index]!));
    open.push(node);
    results.push(node);
  }
  return { nodes };
}

/**
 * The structure as text, seen from its result: "more(total(given,times(given)))". A quantity in use twice is written
 * twice, and the inputs of totals and differences are sorted: structures that compute alike have one signature.
 */
export function structureSignature({ nodes }: Pick<Structure, "nodes">, result = nodes.length - 1): string {
  const texts: string[] = [];
  for (const node of nodes) {
    const inputs = node?.inputs.map((index) => texts[index]!) ?? [];
    if (node?.kind === "total" || node?.kind === "difference") inputs.sort();
    texts.push(node ? `${node.kind}(${inputs.join(",")})` : "given");
  }
  return texts[result]!;
}

/**
 * Depth and width of the graph of operations, as `graphStatistics` counts them: edges on the longest path from operation
 * to operation, and operations in the largest layer.
 */
export function structureShape(nodes: Structure["nodes"]): { depth: number; width: number } {
  const layers: number[] = [];
  const sizes: number[] = [];
  for (const node of nodes) {
    let layer = node ? 0 : -1;
    for (const input of node?.inputs ?? []) layer = Math.max(layer, layers[input]! + 1);
    layers.push(layer);
    if (node) sizes[layer] = (sizes[layer] ?? 0) + 1;
  }
  return { depth: sizes.length - 1, width: Math.max(...sizes) };
}
