import { ThoughtbookError } from "../core/index.js";

/** Nested records and arrays with leaves of one kind: parameter trees, signatures, results. */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [key: string]: Tree<Leaf> };

/** The same tree with every leaf of type `From` replaced by `To`. */
export type MapTree<T, From, To> = T extends From ? To : { -readonly [K in keyof T]: MapTree<T[K], From, To> };

export interface Leaf<T> {
  /** Keys from the root, joined by dots: `params.layers.0.wq`; empty for a tree that is a leaf. */
  path: string;
  value: T;
}

/**
 * The leaves of a tree in the order of its keys, with their paths.
 *
 * @throws ThoughtbookError when something that is neither a leaf, a record nor an array stands in the tree.
 */
export function leavesOf<T>(tree: unknown, isLeaf: (value: unknown) => value is T, path = ""): Leaf<T>[] {
  if (isLeaf(tree)) return [{ path, value: tree }];
  if (tree === null || typeof tree !== "object") {
    throw new ThoughtbookError("bad-input", `${path || "the value"} is ${describe(tree)}, expected a tensor`, {
      hint: "Pass records or arrays whose leaves are all tensors.",
    });
  }
  return Object.entries(tree).flatMap(([key, value]) => leavesOf(value, isLeaf, path === "" ? key : `${path}.${key}`));
}

/** A tree of the same shape whose leaves are `map(leaf, path)`. */
export function mapTree<T, U>(
  tree: unknown,
  isLeaf: (value: unknown) => value is T,
  map: (value: T, path: string) => U,
): Tree<U> {
  const leaves = leavesOf(tree, isLeaf).map(({ value, path }) => map(value, path));
  return rebuildTree(tree, isLeaf, leaves);
}

/** Put leaves, in the order of {@link leavesOf}, into the shape of a tree. */
export function rebuildTree<T, U>(
  tree: unknown,
  isLeaf: (value: unknown) => value is T,
  leaves: readonly U[],
): Tree<U> {
  let next = 0;
  const build = (node: unknown): Tree<U> => {
    if (isLeaf(node)) return leaves[next++] as U;
    if (Array.isArray(node)) return node.map(build);
    return Object.fromEntries(Object.entries(node as object).map(([key, value]) => [key, build(value)]));
  };
  return build(tree);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return `a ${typeof value}`;
}
