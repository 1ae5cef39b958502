import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type AnswerKind, grade } from "thoughtbook/answer";
import { describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

interface Pair {
  id: string;
  kind?: AnswerKind;
  completion: string;
  reference: string;
  correct: boolean;
}

/** Completions and references as people write them, with the verdict that each must have. */
const pairs: Pair[] = readFileSync(join(root, "test", "answer", "graded-pairs.jsonl"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

describe("graded pairs", () => {
  it("are many, of both verdicts", () => {
    expect(pairs.filter(({ correct }) => correct).length).toBeGreaterThan(100);
    expect(pairs.filter(({ correct }) => !correct).length).toBeGreaterThan(80);
    expect(new Set(pairs.map(({ id }) => id)).size).toBe(pairs.length);
  });

  it.each(pairs)("$id: $completion, $reference: $correct", ({ kind, completion, reference, correct }) => {
    expect(grade({ completion, reference, policy: "strict", kind }).correct).toBe(correct);
  });
});
