/** What kind of answer is wanted. Policies differ in mathematics only; the others have one equality each. */
export type AnswerKind = "math" | "gsm8k" | "choice" | "words" | "yes-no";
export const ANSWER_KINDS: readonly AnswerKind[] = ["math", "gsm8k", "choice", "words", "yes-no"];
