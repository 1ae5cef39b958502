import type { Unit } from "./scenarios.js";

/** Kind of a relation between quantities; see `KINDS` for the arithmetic. */
export type RelationKind =
  | "more"
  | "fewer"
  | "times"
  | "fraction"
  | "percent"
  | "percent-change"
  | "share"
  | "rate"
  | "pack"
  | "total"
  | "difference"
  | "product";

/** How a quantity follows from others: one operation. */
export interface Relation {
  kind: RelationKind;
  /** Indices of earlier quantities; for a difference the larger one first. */
  inputs: readonly number[];
  /**
   * The numbers that the sentence gives: more, fewer [amount]; times [factor]; fraction [numerator, denominator];
   * percent [percent]; percent-change [signed percent]; share [parts]; rate [each]; pack [size]; else none.
   */
  numbers: readonly number[];
}

/** A quantity of a problem: how many of a unit a holder picks, bakes, earns, … */
export interface Quantity {
  /** "Ana", "the red team". No two quantities of a problem have holder and unit in common. */
  holder: string;
  unit: Unit;
  /** Whether the holder "gets" it, as a share of another's, instead of the unit's own verb. */
  gets: boolean;
  /** A whole number from 0 to 9,999. */
  value: number;
  /** Undefined for a quantity that the question gives. */
  relation?: Relation | undefined;
  /** Chooses among the phrasings of its sentence, and of the question about it. */
  phrasing: number;
  /** Whether the answer depends on it; the others are distractors. */
  needed: boolean;
}

export type Split = "train" | "validation" | "test";

/** Measures of difficulty. Depth and width are those of the graph of operations, as `graphStatistics` counts them. */
export interface Difficulty {
  /** Relations that the answer needs; a total of several quantities is one. */
  operations: number;
  /** Edges on the longest path from operation to operation. */
  depth: number;
  /** Operations in the largest layer. */
  width: number;
  /** Facts that the answer does not need. */
  distractors: number;
}

/** A word problem made from a random computation graph. Everything else about it follows from this object. */
export interface ProceduralProblem {
  /** Seed, split, operations, further options and index, such as "7/train/2-6/12"; contracted problems append "+1", … */
  id: string;
  split: Split;
  scenario: string;
  /** The structure of the computation without names and numbers: what is held out together with the scenario. */
  signature: string;
  /** In an order in which they can be computed. */
  quantities: readonly Quantity[];
  /** The index of the quantity asked for. */
  asked: number;
  /** The question itself states the last relation: "How many apples do Ana and Ben pick together?" */
  askedDirectly: boolean;
  /** The quantities in the order in which the text states them; the one asked for directly is not among them. */
  facts: readonly number[];
  opening: string;
  difficulty: Difficulty;
  question: string;
  answer: number;
}
