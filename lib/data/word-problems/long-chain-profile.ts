/**
 * Parameters of the length and redundancy of long chains. Set once from the chains of DeepSeek-R1-Distill that
 * `data/word-problems/long-chains.json` measures, before any method ran on them; not to be tuned to a method.
 */
export const LONG_CHAIN = {
  /** Median number of paragraphs per necessary step. */
  perStep: 5,
  /** Standard deviation of the logarithm of that number between chains. */
  spread: 0.7,
  /** Probability that a step first says what it follows from. */
  explained: 0.25,
  /** Proportions of what is added to the steps. */
  extras: { restate: 13, plan: 5, doubt: 7, falseStart: 4, check: 11, inverse: 28, alternative: 12, recap: 11 },
  /** The most tokens of a thought, and of question, thought and solution together, by the rough count of
   * `countRoughly`. A tokenizer of 1,000 pieces makes 1.13 times as many: all fits a context of 1,024. */
  mostTokens: 640,
  mostTokensInAll: 850,
} as const;

/** What stands before and after the thing itself. */
export interface Way {
  before: string;
  after: string;
}

function ways(...texts: readonly string[]): readonly Way[] {
  return texts.map((text) => {
    const [before = "", after = ""] = text.split("…");
    return { before, after };
  });
}

/** The ways to say it; "…" is where the thing itself stands. */
export const SAID = {
  opening: ways(
    "Okay, so I need to find ….",
    "Okay, I need to find ….",
    "Let me see. I need ….",
    "So I have to find ….",
    "First, what is asked? I need ….",
  ),
  step: ways("….", "….", "So ….", "Then ….", "Now, …."),
  restate: ways(
    "The question says: ….",
    "It says: ….",
    "I know this: ….",
    "….",
    "So ….",
    "Wait, it says: ….",
    "Wait, but it says: ….",
    "But it says: ….",
    "I think it says: ….",
    "Maybe I should use this: ….",
  ),
  plan: ways(
    "Now I need ….",
    "Next, I need ….",
    "What is …?",
    "Now let me find ….",
    "I think I need … next.",
    "But first I need ….",
    "So I need ….",
    "Maybe I should find … first.",
  ),
  falseStart: ways("….", "So ….", "Maybe ….", "I think ….", "Then …."),
  correction: ways(
    "Wait, no, that is not right: ….",
    "Wait, that is wrong: ….",
    "But wait, that is not right: ….",
    "Hmm, that is a mistake: ….",
    "No, that is wrong: ….",
  ),
  check: ways(
    "Let me check: …. Yes.",
    "Let me check that again: ….",
    "Wait, is that right? Yes, ….",
    "…, so that is right.",
    "So …, yes.",
    "But let me make sure: ….",
    "Wait, …? Yes.",
    "Yes, ….",
  ),
  inverse: ways(
    "Let me check: …, so that fits.",
    "… fits.",
    "And …, so that is right.",
    "Wait, …? Yes, that fits.",
    "Wait, also ….",
    "But wait, is …? Yes.",
    "So … fits too.",
    "But is …? Yes.",
    "Then …, yes.",
    "To make sure: ….",
  ),
  alternative: ways("Alternatively, ….", "Another way: ….", "Alternatively, ….", "But also ….", "Maybe also …."),
  recap: ways(
    "So ….",
    "So far, ….",
    "I have found that ….",
    "Okay, ….",
    "Hmm, so ….",
    "But now ….",
    "I think I have it: ….",
    "Wait, …. Yes.",
  ),
  conclude: ways("So ….", "Therefore, ….", "Okay, so ….", "Yes, …."),
};

/** Nothing but doubt. */
export const DOUBTS = [
  "Hmm, let me read that again.",
  "Wait, did I read that right?",
  "But is that all I need?",
  "Maybe there is another way to read it.",
  "Hmm, I am not sure about that.",
  "Hmm, wait.",
  "Wait, let me think again.",
  "But maybe I read it too fast.",
  "I think that is right.",
  "Okay, let me go on.",
  "Yes, that is what it says.",
] as const;
