import { extractAnswer, type Policy } from "./extract.js";
import { equalChoice, equalYesNo } from "./multiple-choice.js";
import { equalAot } from "./released/aot.js";
import { equalAstar, equalAstarGsm8k } from "./released/astar-equality.js";
import { normalizeAstar } from "./released/astar-extract.js";
import { equalDots } from "./released/dots.js";
import { equalValues } from "./strict/equality.js";
import { parseAnswer } from "./strict/parse.js";
import { equalWords } from "./token-f1.js";

/** What kind of answer is wanted. Policies differ in mathematics only; the others have one equality each. */
export type AnswerKind = "math" | "gsm8k" | "choice" | "words" | "yes-no";
export const ANSWER_KINDS: readonly AnswerKind[] = ["math", "gsm8k", "choice", "words", "yes-no"];

export interface GradeTask {
  completion: string;
  /** The right answer alone, or a reference solution that has it in `\boxed{}` or after `####`. */
  reference: string;
  policy: Policy;
  /** "math" unless told otherwise. */
  kind?: AnswerKind | undefined;
}

export interface Grade {
  /** The answer read from the completion; undefined if there is none. */
  extracted: string | undefined;
  correct: boolean;
  /**
   * "unparseable": the completion has no answer, or one that means nothing to the policy. Never correct under "strict".
   */
  status: "correct" | "wrong" | "unparseable";
  /** Why it is so, in a few words. */
  reason: string;
}

/** Grade a completion against its reference under a policy. Nothing in it is executed; no text makes it throw. */
export function grade({ completion, reference, policy, kind = "math" }: GradeTask): Grade {
  const extracted = extractAnswer(completion, policy);
  if (!extracted.ok) return { extracted: undefined, correct: false, status: "unparseable", reason: extracted.reason };
  const answer = extracted.value;
  if (policy === "strict" && (kind === "math" || kind === "gsm8k")) return gradeStrict(answer, reference);
  const correct = equality(policy, kind)(answer, referenceAnswer(reference, policy, kind));
  return verdict(answer, correct);
}

function gradeStrict(answer: string, reference: string): Grade {
  const said = parseAnswer(answer);
  if (!said.ok) return { extracted: answer, correct: false, status: "unparseable", reason: said.reason };
  const wanted = parseAnswer(referenceAnswer(reference, "strict", "math"));
  if (!wanted.ok)
    return { extracted: answer, correct: false, status: "wrong", reason: `the reference: ${wanted.reason}` };
  return verdict(answer, equalValues(said.value, wanted.value));
}

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
      return equalChoice;
    case "words":
      return equalWords;
    case "yes-no":
      return equalYesNo;
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
  const answer = typeof found === "string" ? found : found?.ok ? found.value : reference;
  return policy === "astar" && kind === "math" ? normalizeAstar(answer) : answer;
}
