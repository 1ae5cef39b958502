import { finalQuestionOf, subQuestionOf } from "thoughtbook/data";
import { describe, expect, it } from "vitest";

describe("subQuestionOf", () => {
  it.each([
    ["Ana sold 48/2 = 24 cards in May.", "How many cards did Ana sell in May?"],
    ["So she has 5 + 9 = 14 roses.", "How many roses does she have?"],
    ["The total cost of the pens is 22 * $1.50 = $33", "What is the total cost of the pens?"],
    ["Therefore, Ben spent a total of $5 + $2 = $7.", "How much money did Ben spend?"],
    ["There are 20 - 5 = 15 red balls in the box.", "How many red balls are there in the box?"],
    ["There were 3*120=360 calories in the package", "How many calories were there in the package?"],
    ["They need 3*4=12 chairs.", "How many chairs do they need?"],
    ["Then his age is 30-2 = 28 years", "What is his age?"],
    ["Each pack costs 2*3 = $6", "How much money does each pack cost?"],
  ])("puts %j as a question", (statement, question) => {
    expect(subQuestionOf(statement)).toBe(question);
  });

  it.each([
    "25-17=8 sessions.",
    "Since Ana ate 2/3 of them, she ate 2/3 * 12 = 8 slices.",
    "Ana picked 27 - 20 = 7 apples more than Ben.",
    "He gets 3*20=60 feet of wire",
    "Ana has 5 pens and Ben has 3 pens.",
    "Let x be the number of pens.",
    "",
  ])("leaves %j alone", (statement) => {
    expect(subQuestionOf(statement)).toBeUndefined();
  });
});

describe("finalQuestionOf", () => {
  it("is what is asked, without a condition before it", () => {
    expect(finalQuestionOf("Ana has 3 pens. If each costs $8, how much did she pay?")).toBe("How much did she pay?");
    expect(finalQuestionOf("Ana has 3 pens.  How many are that?")).toBe("How many are that?");
    expect(finalQuestionOf("How much does he make, in dollars?")).toBe("How much does he make, in dollars?");
    expect(finalQuestionOf("Find the number of pens.")).toBeUndefined();
  });
});
