import { extractAnswer, type Policy } from "./extract.js";
import { equalAot } from "./released/aot.js";
import { equalAstar, equalAstarGsm8k } from "./released/astar-equality.js";
import { normalizeAstar } from "./released/astar-extract.js";
import { equalDots } from "./released/dots.js";
import type { AnswerKind } from "./strict/answer-kind.js";
import { equalValues } from "./strict/equality.js";
import { equalChoice, equalYesNo } from "./strict/multiple-choice.js";
import { parseAnswer } from "./strict/parse.js";
import { equalStatedChoice, equalStatedYesNo, statedYesNo } from "./strict/stated-choice.js";
import type { AnswerValue } from "./strict/value.js";
import { equalWords } from "./token-f1.js";

export interface GradeTask {
  completion: string;
  /** The reference answer alone, or a reference solution with the answer in `\boxed{}` or after `####`. */
  reference: string;
  policy: Policy;
  /** Default: "math". */
  kind?: AnswerKind | undefined;
}

export interface Grade {
  /** The answer read from the completion; undefined if there is none. */
  extracted: string | undefined;
  correct: boolean;
  /**
   * "unparseable": the completion has no answer, or one that the policy cannot read. Never correct under "strict".
   */
  status: "correct" | "wrong" | "unparseable";
  /** The reason for the verdict, in a few words. */
  reason: string;
}

/**
 * Grade a completion against its reference under a policy. Executes nothing in the text, and never throws because of
 * it.
 *
 * @example
 * ```ts
 * import { grade } from "thoughtbook/answer";
 *
 * const completion = "Half of 36 is 18. The answer is $18.0$.";
 * const { correct, extracted } = grade({ completion, reference: "18", policy: "strict" });
 * console.log(correct, extracted); // true 18.0
 * ```
 */
export function grade({ completion, reference, policy, kind = "math" }: GradeTask): Grade {
  if (policy === "strict" && (kind === "math" || kind === "gsm8k")) return gradeStrict(completion, reference, kind);
  const extracted = extractAnswer(completion, policy, { kind });
  if (!extracted.ok) return unparseable(undefined, extracted.reason);
  const answer = extracted.value;
  const correct = equality(policy, kind)(answer, referenceAnswer(reference, policy, kind));
  return verdict(answer, correct);
}

/** Mathematics. Where the reference is a letter or yes or no, a completion may also state it as it does for a choice. */
function gradeStrict(completion: string, reference: string, kind: AnswerKind): Grade {
  const truth = referenceAnswer(reference, "strict", kind);
  const graded = gradeValue(completion, truth, kind);
  const wanted = graded.correct ? undefined : wantedKind(truth);
  if (wanted === undefined) return graded;
  const stated = extractAnswer(completion, "strict", { kind: wanted });
  return stated.ok && equality("strict", wanted)(stated.value, truth) ? verdict(stated.value, true) : graded;
}

/** Beside a plain number the m of "5 m" is no variable; that of "5m" may be one. */
const measured = (value: AnswerValue, written: string): AnswerValue =>
  (value.kind === "expression" && /\d\s+[a-z]/i.test(written) ? value.quantity : undefined) ?? value;

function gradeValue(completion: string, truth: string, kind: AnswerKind): Grade {
  const extracted = extractAnswer(completion, "strict", { kind });
  if (!extracted.ok) return unparseable(undefined, extracted.reason);
  const answer = extracted.value;
  const said = parseAnswer(answer);
  if (!said.ok) return unparseable(answer, said.reason);
  const wanted = parseAnswer(truth);
  if (wanted.ok) {
    const [a, b] = [said.value, wanted.value];
    return verdict(
      answer,
      equalValues(b.kind === "number" ? measured(a, answer) : a, a.kind === "number" ? measured(b, truth) : b),
    );
  }
  return { extracted: answer, correct: false, status: "wrong", reason: `the reference: ${wanted.reason}` };
}

/** What a reference for mathematics asks for if it is a choice, such as `\\text{(C)}`, or yes or no. */
function wantedKind(truth: string): "choice" | "yes-no" | undefined {
  if (truth.length > 40) return undefined;
  if (/^(?:\\[a-z]+\{)?\s*\(?[A-Z]\)?\s*\}?$/.test(truth.trim())) return "choice";
  return /^\W*(?:\\?text\{)?\w+\W*$/.test(truth) && statedYesNo(truth) !== undefined ? "yes-no" : undefined;
}

const unparseable = (extracted: string | undefined, reason: string): Grade => ({
  extracted,
  correct: false,
  status: "unparseable",
  reason,
});

function verdict(extracted: string, correct: boolean): Grade {
  return {
    extracted,
    correct,
    status: correct ? "correct" : "wrong",
    reason: correct ? "equals the reference" : "differs from the reference",
  };
}

function equality(policy: Policy, kind: AnswerKind): (answer: string, reference: string) => boolean {
  switch (kind) {
    case "choice":
      return policy === "strict" ? equalStatedChoice : equalChoice;
    case "words":
      return equalWords;
    case "yes-no":
      return policy === "strict" ? equalStatedYesNo : equalYesNo;
    default:
      if (policy === "astar") return kind === "gsm8k" ? equalAstarGsm8k : equalAstar;
      return policy === "dots" ? equalDots : equalAot;
  }
}

/** A reference solution is read by the extractor of the policy; A*-Thought normalises its references as well. */
function referenceAnswer(reference: string, policy: Policy, kind: AnswerKind): string {
  const isSolution = reference.includes("####") || reference.includes("\\boxed");
  const hashes = reference.lastIndexOf("####");
  const found = !isSolution
    ? undefined
    : hashes >= 0
      ? reference.slice(hashes + 4).trim()
      : extractAnswer(reference, policy);
  const whole = typeof found === "string" ? found : found?.ok ? found.value : reference;
  // Below a heading "#### Answer", or with more after it.
  const below = policy === "strict" && whole.includes("\n") ? extractAnswer(reference, policy, { kind }) : undefined;
  const answer = below?.ok ? below.value : whole;
  return policy === "astar" && kind === "math" ? normalizeAstar(answer) : answer;
}
