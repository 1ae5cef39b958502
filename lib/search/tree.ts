import { badInput, ThoughtbookError } from "../core/index.js";

/** A state that a search has met. Numbers that a search does not know are omitted; all are finite. */
export interface TreeNode<State> {
  state: State;
  /** Index in the tree of the node that it was made from; null for the root. */
  parent: number | null;
  /** Probability that the policy gives the step from the parent to this node. */
  prior?: number;
  /** Visits of a tree search. */
  visits?: number;
  /** Value of the state, higher is better; in a tree search the mean over its visits. */
  value?: number;
  /** Cost of the path from the root. */
  g?: number;
  /** Bound on, or estimate of, the remaining cost. */
  h?: number;
  /** Priority in the search, lower first; g + h in A*. */
  f?: number;
  /** Whether the search continued with the node: it lies on the way to the result, or was taken from the open states. */
  chosen: boolean;
  /** Position in expansion order, from 0. */
  expanded?: number;
  /** Result of a check of the state. */
  verdict?: "accepted" | "rejected";
}

/** All nodes in the order in which they were proposed, parents before children; plain data. */
export interface SearchTree<State> {
  nodes: TreeNode<State>[];
}

/** Defines a search space. States are immutable. */
export interface SearchProblem<State> {
  root: State;
  /** Key of a state: equal for equal states; a search keeps only the first of them. */
  key(state: State): string;
  /** Whether the state is complete, such as a solution with its answer; it is not expanded. */
  isEnd(state: State): boolean;
  /** The states one step further. Several states may be expanded concurrently. */
  expand(state: State): Promise<readonly { state: State; prior?: number }[]>;
  /** The value of each state, from 0 to 1; called with many states at once. */
  value(states: readonly State[]): Promise<readonly number[]>;
}

export interface SearchLimits {
  /** Maximum states to expand. */
  expansions: number;
  /** Called between rounds: whether a budget of another kind, such as tokens, is used up. */
  isSpent?: (() => boolean) | undefined;
  /** Aborts the search with an error. */
  signal?: AbortSignal | undefined;
}

export interface SearchFound<State> {
  /** The complete state of highest value, the first one among equals; undefined if none was met. */
  best: State | undefined;
  tree: SearchTree<State>;
}

/** Throws execution unless there is one finite value for each state. */
export function checkValues(values: readonly number[], expected: number): readonly number[] {
  checkAnswers("value", values, expected);
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong === undefined) return values;
  throw new ThoughtbookError("execution", `value gave ${wrong}`, { hint: "Give a finite number, from 0 to 1." });
}

/** Throws bad-input unless the priors that `expand` gave are omitted, or finite numbers from 0. */
export function checkPriors(children: readonly { prior?: number }[]): void {
  const wrong = children.find(({ prior }) => prior !== undefined && !(Number.isFinite(prior) && prior >= 0));
  if (wrong) throw badInput(`expand gave the prior ${wrong.prior}`, "Give a probability, from 0 to 1, or omit it.");
}

/** Throws execution unless a caller's function gave one value for each state, and none that is NaN. */
export function checkAnswers<T>(
  what: string,
  answers: readonly T[],
  expected: number,
  states = "states",
): readonly T[] {
  if (answers.length !== expected || answers.some((answer) => Number.isNaN(answer))) {
    throw new ThoughtbookError("execution", `${what} gave [${answers.join(", ")}] for ${expected} ${states}`, {
      hint: "It must give one value for each state, and none that is NaN.",
    });
  }
  return answers;
}

/** Mark the nodes from the root to a node as chosen. */
export function choosePath<State>({ nodes }: SearchTree<State>, end: number): void {
  for (let at: number | null = end; at !== null; at = nodes[at]!.parent) nodes[at]!.chosen = true;
}

/** The states from the root to a node. */
export function pathTo<State>({ nodes }: SearchTree<State>, end: number): State[] {
  const path: State[] = [];
  for (let at: number | null = end; at !== null; at = nodes[at]!.parent) path.unshift(nodes[at]!.state);
  return path;
}
