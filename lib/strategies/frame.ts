import { type PromptFrame, requireSystemRole } from "../operations/index.js";
import type { Strategy } from "../rollouts/index.js";

/** Text around the question in a strategy of one call. */
export interface AnswerStrategyOptions {
  /** System prompt, such as one of `SYSTEM_PROMPTS`, for models that follow instructions. Default: none. */
  systemPrompt?: string | undefined;
  /** Prefill of each text. The strict policy grades it as the model's text; records and lengths exclude it. */
  assistantPrefill?: string | undefined;
}

/** What the options mean for the prompts, the settings and the check of a strategy of one call. */
export function framed({ systemPrompt, assistantPrefill }: AnswerStrategyOptions): {
  frame: PromptFrame;
  common: Pick<Strategy, "settings" | "singleCall" | "check">;
} {
  return {
    frame: { system: systemPrompt, prefill: assistantPrefill },
    common: {
      settings: {
        ...(systemPrompt === undefined ? {} : { systemPrompt }),
        ...(assistantPrefill === undefined ? {} : { assistantPrefill }),
      },
      singleCall: true,
      check: async (model) => {
        if (systemPrompt !== undefined) await requireSystemRole(model);
      },
    },
  };
}
