import { contractions } from "thoughtbook/data";
import { describe, expect, it } from "vitest";
import { RELATION_KINDS } from "../../../lib/dist/data/word-problems/kinds.js";
import { SCENARIOS } from "../../../lib/dist/data/word-problems/scenarios.js";
import { readAnswer, varied } from "./helpers.js";

describe("a question", () => {
  it("has one reading, and that gives the answer", () => {
    for (const problem of varied(500)) {
      expect(readAnswer(problem.question, problem.scenario), problem.question).toBeCloseTo(problem.answer, 6);
    }
  });

  it("would be found out otherwise", () => {
    const solve = (question: string) => readAnswer(question, "orchard");
    const [ana, ben, asked] = [
      "Ana picks 12 apples.",
      "Ben picks twice as many apples as Ana.",
      "How many apples does Ben pick?",
    ];
    expect(solve([ana, ben, asked].join(" "))).toBe(24);
    expect(solve([ana!.replace("12", "13"), ben, asked].join(" "))).toBe(26);
    expect(solve([ben, asked].join(" "))).toMatch(/never stated: Ana/);
    expect(solve([ana, ana, ben, asked].join(" "))).toMatch(/stated twice: Ana/);
    expect(solve([ana, "Ben likes them.", asked].join(" "))).toMatch(/0 readings/);
    const baskets = "Ana fills 3 baskets per apple.";
    expect(solve([ana, baskets, "How many baskets does Ana fill?"].join(" "))).toBe(36);
    expect(solve([ana, ben, baskets, "How many baskets does Ana fill?"].join(" "))).toMatch(/which apples/);
    const circle = ["Ana picks twice as many apples as Ben.", ben, asked].join(" ");
    expect(solve(circle)).toMatch(/stated by itself/);
    for (const text of ["", "?", "How many?", "Split the x into 2 equal parts: ", ana!])
      expect(solve(text)).toMatch(/./);
    expect(() => readAnswer(ana!, "nowhere")).toThrow('no scenario is called "nowhere"');
  });

  it("is read in a time that does not double with each sentence", () => {
    const people = [
      "Ana",
      "Ben",
      "Cora",
      "Dan",
      "Eva",
      "Finn",
      "Gus",
      "Hana",
      "Ivy",
      "Jack",
      "Kim",
      "Leo",
      "Mia",
      "Nora",
    ];
    const names = people.flatMap((name) => [name, `${name}a`, `${name}o`]);
    const twice = names
      .slice(1)
      .map((name, i) => `${name} picks as many apples as ${names[i]} and ${names[i]} together.`);
    const text = ["Ana picks 1 apple.", ...twice, `How many apples does ${names.at(-1)} pick?`].join(" ");
    const started = performance.now();
    expect(readAnswer(text, "orchard")).toBe(2 ** 41);
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it("is English: articles, plurals, capitals, no pronouns", () => {
    const plurals = new Set(
      SCENARIOS.flatMap(({ units }) => units.filter(({ one, many }) => one !== many).map(({ many }) => many)),
    );
    for (const { question, scenario } of varied(400)) {
      for (const [, noun] of question.matchAll(/(?<![\d.$])1 (?:more |fewer )?([a-z]+)/g))
        expect(plurals, question).not.toContain(noun);
      for (const [, noun] of question.matchAll(/(?<![\d/])(?:[02-9]|\d\d+) (?:more |fewer )?([a-z]+s?)\b/g)) {
        expect(
          SCENARIOS.find(({ name }) => name === scenario)!.units.some(({ one, many }) => one === noun && many !== noun),
          question,
        ).toBe(false);
      }
      expect(question).not.toMatch(/\ba [aeio]|\ban (?!hour)[^aeio]|\b(\w+) \1\b| {2}|undefined/);
      expect(question).not.toMatch(/\b(?:he|she|they|them|his|hers?|their|who|which|each other|others?)\b/i);
      for (const sentence of question.split(/(?<=[.?]) /)) expect(sentence).toMatch(/^[A-Z0-9].*[.?]$/);
    }
  });

  it("has several phrasings for each relation", () => {
    const forms = new Map<string, Set<string>>();
    for (const { quantities, facts, question, opening } of varied(600)) {
      const sentences = question
        .slice(opening.length)
        .trim()
        .split(/(?<=[.?]) (?=[A-Z0-9])/);
      for (const [at, fact] of facts.entries()) {
        const kind = quantities[fact]!.relation?.kind ?? "given";
        // What is left of the sentence without holders, units and numbers.
        const words = quantities.flatMap(({ unit, holder }) => [holder, unit.verbs, unit.verb, unit.one, unit.many]);
        const names = new RegExp(`\\b(?:${words.sort((a, b) => b.length - a.length).join("|")})\\b`, "gi");
        const form = sentences[at]!.replace(names, "_").replace(/\d+(?:\/\d+)?/g, "n");
        forms.set(kind, (forms.get(kind) ?? new Set()).add(form));
      }
    }
    expect([...forms.keys()].sort()).toEqual(["given", ...RELATION_KINDS].sort());
    for (const [kind, found] of forms) expect(found.size, kind).toBeGreaterThanOrEqual(3);
  });

  it("has one reading after every contraction", () => {
    for (const problem of varied(150)) {
      for (const { question, scenario, answer } of contractions(problem)) {
        expect(readAnswer(question, scenario), question).toBeCloseTo(answer, 6);
      }
    }
  });
});
