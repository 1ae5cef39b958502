import { expect, it } from "vitest";
import { likenessOf } from "../../../lib/dist/operations/asking/likeness.js";

it("finds the questions with the rarest words in common, whatever their numbers", () => {
  const texts = [
    "Ana buys 3 pens at the shop. How many pens does she have?",
    "A train goes 60 miles in 2 hours. How far does it go?",
    "Ben buys 7 books at the shop. How many books does he have?",
  ];
  const { likest } = likenessOf(texts);
  expect(likest("A train goes 90 miles. How long does it take?", 1)).toEqual([1]);
  expect(likest("Cleo buys 90 books.", 2)).toEqual([2, 0]);
  expect(likest("Xyzzy", 2)).toEqual([0, 1]);
  expect(likest("", 3)).toHaveLength(3);
});
