import { createRandom, type Random } from "../../core/index.js";
import { inverseEquation, otherEquation } from "./check-step.js";
import { capitalize, listed } from "./english.js";
import { DOUBTS, LONG_CHAIN, SAID, type Way } from "./long-chain-profile.js";
import type { ProceduralProblem, Quantity, Relation } from "./problem.js";
import { scenarioNamed } from "./scenarios.js";
import { relationClause } from "./sentences.js";
import { type ProblemStep, problemSteps, shortChain, stepStatement } from "./steps.js";
import { clauseOf, numberOf, sentence, stateOf, thingsOf } from "./wording.js";
import { drawWrongStep } from "./wrong-step.js";

/**
 * - step: what the answer needs
 * - restate: a fact of the question, or the question
 * - plan: what to find next
 * - check: the same arithmetic again, or from the result backwards
 * - alternative: the same value another way
 * - false-start: a wrong step; correction: it is noticed (the right step follows)
 * - doubt: nothing but doubt
 * - recap: a value found before
 * - conclude: the answer
 */
export type ParagraphKind =
  | "step"
  | "restate"
  | "plan"
  | "check"
  | "alternative"
  | "false-start"
  | "correction"
  | "doubt"
  | "recap"
  | "conclude";

export interface ChainParagraph {
  kind: ParagraphKind;
  text: string;
  /**
   * Without a necessary paragraph the chain has a gap: these are the steps. Dropping all others leaves a coherent
   * chain.
   */
  necessary: boolean;
  /** The step it is about, as a position in `problemSteps`. */
  step?: number;
}

export interface LongChain {
  paragraphs: readonly ChainParagraph[];
  /** The paragraphs with blank lines between. */
  thought: string;
  /** What comes after the thought: the short chain. */
  solution: string;
}

/**
 * Write a long chain of thought in the style of DeepSeek-R1: the necessary steps, and around them the detours of such
 * models. Their amounts are fixed by `LONG_CHAIN`, from measured chains. The same problem and variant give the same
 * chain.
 */
export function longChain(problem: ProceduralProblem, variant = 0): LongChain {
  const random = createRandom(`long chain/${variant}/${problem.id}`);
  const solution = shortChain(problem, "plain");
  const rest = LONG_CHAIN.mostTokensInAll - countRoughly(problem.question) - countRoughly(solution);
  const paragraphs = new ChainWriter(problem, random).write(Math.min(LONG_CHAIN.mostTokens, rest));
  return { paragraphs, thought: paragraphs.map(({ text }) => text).join("\n\n"), solution };
}

/** Estimate the tokens of a text for a tokenizer with whole words and single digits; a blank line is one. */
export function countRoughly(text: string): number {
  let count = 0;
  let inWord = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isLetter = (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
    const isSpace = code === 32 || (code === 10 && text.charCodeAt(at + 1) !== 10);
    if (!isSpace && !(isLetter && inWord)) count += 1;
    inWord = isLetter;
  }
  return count;
}

type Extra = keyof typeof LONG_CHAIN.extras;
const EXTRAS = Object.keys(LONG_CHAIN.extras) as readonly Extra[];
const EXTRA_WEIGHTS = EXTRAS.map((extra) => LONG_CHAIN.extras[extra]);

/** Builds the paragraphs of one chain from one random sequence. */
class ChainWriter {
  private readonly steps: readonly ProblemStep[];
  private readonly relations: (string | undefined)[];
  private readonly names: string[];

  constructor(
    private readonly problem: ProceduralProblem,
    private readonly random: Random,
  ) {
    this.steps = problemSteps(problem);
    this.relations = this.steps.map((_, at) => this.relationOf(at));
    this.names = this.steps.map((_, at) => this.nameOf(at));
  }

  /** The chain with at most this many tokens; necessary steps are never dropped. */
  write(mostTokens: number): ChainParagraph[] {
    const { steps } = this;
    const before: ChainParagraph[][] = steps.map(() => []);
    const after: ChainParagraph[][] = steps.map(() => []);
    const { perStep, spread } = LONG_CHAIN;
    const wordy = Math.exp(spread * this.random.normal());
    const own: ChainParagraph[] = steps.map((_, at) => this.step(at));
    const opening = this.openingParagraph();
    const conclusion = this.paragraph("conclude", SAID.conclude, `the answer is ${this.problem.answer}`);
    const total = Math.max(steps.length + 2, Math.round(steps.length * perStep * wordy));

    let room = mostTokens;
    for (const { text } of [opening, conclusion, ...own]) room -= countRoughly(text) + 1;
    for (let count = steps.length + 2; count < total; ) {
      const extras = this.extra(before, after);
      if (extras.slot.at(-1)?.text === extras.paragraphs[0]!.text) continue;
      room -= extras.paragraphs.reduce((sum, { text }) => sum + countRoughly(text) + 1, 0);
      if (room < 0) break;
      extras.slot.push(...extras.paragraphs);
      count += extras.paragraphs.length;
    }
    return [opening, ...steps.flatMap((_, at) => [...before[at]!, own[at]!, ...after[at]!]), conclusion];
  }

  /** Paragraphs to add, and their places: before a step or after it. */
  private extra(
    before: ChainParagraph[][],
    after: ChainParagraph[][],
  ): { slot: ChainParagraph[]; paragraphs: ChainParagraph[] } {
    const { random, steps } = this;
    const at = random.integer(steps.length);
    const kind = EXTRAS[random.weighted(EXTRA_WEIGHTS)]!;
    // Retrospective paragraphs follow right after their step, or later, most often at the end.
    const later =
      random.uniform() < 0.5 ? at : random.uniform() < 0.5 ? steps.length - 1 : at + random.integer(steps.length - at);
    switch (kind) {
      case "restate":
        return { slot: before[at]!, paragraphs: [this.restated(at)] };
      case "plan":
        return { slot: before[at]!, paragraphs: [this.paragraph("plan", SAID.plan, this.names[at]!, at)] };
      case "doubt":
        return { slot: random.uniform() < 0.5 ? before[at]! : after[at]!, paragraphs: [this.doubt(at)] };
      case "falseStart":
        return { slot: before[at]!, paragraphs: this.falseStart(at) };
      case "check":
        return { slot: after[later]!, paragraphs: [this.check(at)] };
      case "inverse":
        return { slot: after[later]!, paragraphs: [this.inverse(at)] };
      case "alternative":
        return { slot: after[later]!, paragraphs: [this.alternative(at)] };
      case "recap":
        return { slot: after[later]!, paragraphs: [this.paragraph("recap", SAID.recap, this.found(at), at)] };
    }
  }

  private step(at: number): ChainParagraph {
    const { quantity, expression, value } = this.steps[at]!;
    const statement = this.plain(stepStatement(this.problem, quantity, `${expression}=${value}`));
    const relation = this.random.uniform() < LONG_CHAIN.explained ? this.relations[at] : undefined;
    const text = relation === undefined ? this.said(SAID.step, statement) : sentence(`${relation}, so ${statement}`);
    return { kind: "step", text, necessary: true, step: at };
  }

  private openingParagraph(): ChainParagraph {
    return this.paragraph("restate", SAID.opening, this.names.at(-1)!);
  }

  /** A fact that the step needs: how it follows, or an input that is given. */
  private restated(at: number): ChainParagraph {
    const { quantities } = this.problem;
    const inputs = this.quantityOf(at).relation!.inputs.map((input) => quantities[input]!);
    const facts = inputs.filter(({ relation }) => !relation).map((quantity) => stateOf(quantity));
    const relation = this.relations[at];
    if (relation !== undefined) facts.push(relation, relation);
    return this.paragraph(
      "restate",
      SAID.restate,
      facts.length === 0 ? this.names[at]! : this.random.choice(facts),
      at,
    );
  }

  private doubt(at: number): ChainParagraph {
    return { kind: "doubt", text: this.random.choice(DOUBTS), necessary: false, step: at };
  }

  private falseStart(at: number): ChainParagraph[] {
    const { problem, random } = this;
    const { quantity } = this.steps[at]!;
    const { expression, value } = drawWrongStep(random, this.quantityOf(at), problem.quantities);
    // The noun agrees with the wrong value.
    const quantities = problem.quantities.map((each, index) => (index === quantity ? { ...each, value } : each));
    const wrong = this.plain(stepStatement({ ...problem, quantities }, quantity, `${expression}=${value}`));
    return [
      this.paragraph("false-start", SAID.falseStart, wrong, at),
      this.paragraph("correction", SAID.correction, this.relations[at] ?? `I need ${this.names[at]!}`, at),
    ];
  }

  private check(at: number): ChainParagraph {
    const { expression, value } = this.steps[at]!;
    return this.paragraph("check", SAID.check, `${expression}=${value}`, at);
  }

  private inverse(at: number): ChainParagraph {
    const inverse = inverseEquation(this.quantityOf(at), this.problem.quantities);
    return inverse === undefined ? this.check(at) : this.paragraph("check", SAID.inverse, inverse, at);
  }

  private alternative(at: number): ChainParagraph {
    const other = otherEquation(this.quantityOf(at), this.problem.quantities);
    return other === undefined ? this.inverse(at) : this.paragraph("alternative", SAID.alternative, other, at);
  }

  /** What the question says about the step's quantity; undefined for the one asked for directly. */
  private relationOf(at: number): string | undefined {
    const { quantities, asked, askedDirectly } = this.problem;
    const { quantity } = this.steps[at]!;
    if (askedDirectly && quantity === asked) return undefined;
    const { holderPlural } = scenarioNamed(this.problem.scenario);
    return relationClause(quantities[quantity]!, quantities[quantity]!.relation!, quantities, holderPlural);
  }

  /** "the number of apples Ben picks". */
  private nameOf(at: number): string {
    const { quantities, asked, askedDirectly } = this.problem;
    const quantity = this.quantityOf(at);
    if (!askedDirectly || this.steps[at]!.quantity !== asked) return `${numberOf(quantity.unit)} ${clauseOf(quantity)}`;
    const things = quantity.relation!.inputs.map((input) => thingsOf(quantities[input]!));
    if (quantity.relation!.kind === "total") return `the total of ${listed(things)}`;
    return `the difference between ${things.join(" and ")}`;
  }

  private found(at: number): string {
    return this.plain(stepStatement(this.problem, this.steps[at]!.quantity));
  }

  private quantityOf(at: number): Quantity & { relation: Relation } {
    return this.problem.quantities[this.steps[at]!.quantity] as Quantity & { relation: Relation };
  }

  private paragraph(kind: ParagraphKind, ways: readonly Way[], what: string, step?: number): ChainParagraph {
    return { kind, text: this.said(ways, what), necessary: false, ...(step === undefined ? {} : { step }) };
  }

  private said(ways: readonly Way[], what: string): string {
    const { before, after } = this.random.choice(ways);
    return before === "" ? capitalize(what) + after : before + what + after;
  }

  /** A sentence as part of another one. */
  private plain(text: string): string {
    return text.replace(/\.$/, "").replace(/^The /, "the ");
  }
}
