import { type AnswerKind, grade } from "../../answer/index.js";
import { badInput, checkWhole } from "../../core/index.js";
import type { Completion, LanguageModel, Prompt } from "../../llm/index.js";
import type { RequestOptions } from "../../model/index.js";
import { OPERATIONS, operationPrompt } from "../../operations/index.js";
import { joinSteps } from "../chains/split-steps.js";
import { roomAfter } from "./path-parts.js";
import { checkStepSet, keptSteps, type StepSet, stepKey } from "./step-set.js";

export interface PathVerifierOptions extends Omit<RequestOptions, "samples" | "seed"> {
  steps: readonly string[];
  /** Prompt for writing a solution, from the texts of the kept steps; for example from `thoughtPrompt`. */
  prompt(kept: readonly string[]): Prompt;
  /** The reference answer, or a solution with the answer in `\boxed{}` or after `####`. */
  reference: string;
  /** Default: "math". */
  kind?: AnswerKind | undefined;
  /** Number of solutions generated. Default: 1. */
  samples?: number | undefined;
  /** Number of them that must be right. Default: more than half. */
  needed?: number | undefined;
  /** Default: 0 (greedy) for one sample, else 0.6. */
  temperature?: number | undefined;
  /** Seed. Default: 0. Every path has its own random stream, whatever else is verified before or beside it. */
  seed?: number | string | undefined;
  /** Maximum number of texts in progress at the same time. Default: chosen by the model. */
  batchSize?: number | undefined;
}

/** Verifies paths of one text, each path once. */
export interface PathVerifier {
  /**
   * For each set of kept steps whether enough generated solutions are right. All new sets go in one call.
   *
   * @throws bad-input for what is no set; interrupted, and as `generate` of the model
   */
  verify(sets: readonly StepSet[], options?: { signal?: AbortSignal | undefined }): Promise<boolean[]>;
  /** Number of paths that the model was asked to solve. */
  readonly asked: number;
  /** Number of paths rejected without a call because their prompt leaves no room in the context. */
  readonly tooLong: number;
}

/**
 * Verify paths with the model that is to read them: it writes a solution after the question and the kept steps, and its
 * answer must equal the reference under the strict grader. A truncated solution is not right, nor is one without an
 * answer.
 *
 * @throws bad-input for numbers of samples that make no sense
 */
export function createPathVerifier(model: LanguageModel, options: PathVerifierOptions): PathVerifier {
  const { steps, prompt, reference, kind, samples = 1, seed = 0, batchSize, ...request } = options;
  const { needed = Math.floor(samples / 2) + 1, temperature = samples > 1 ? 0.6 : 0, ...sampling } = request;
  checkWhole("samples", samples, 1);
  checkWhole("needed", needed, 1);
  if (needed > samples)
    throw badInput(`needed is ${needed} of ${samples} samples`, "Ask for at least as many samples.");
  if (samples > 1 && temperature === 0) {
    throw badInput(`${samples} samples at temperature 0 are all the same`, "Take one, or a temperature above 0.");
  }
  const memory = new Map<string, boolean>();
  let [asked, tooLong] = [0, 0];

  const isRight = ({ text, finishReason }: Completion): boolean =>
    finishReason === "stop" && grade({ completion: text, reference, policy: "strict", kind }).correct;

  return {
    get asked() {
      return asked;
    },
    get tooLong() {
      return tooLong;
    },
    async verify(sets, { signal } = {}) {
      for (const set of sets) checkStepSet(set, steps.length);
      const unknown = [...new Map(sets.map((set) => [stepKey(set), set]))].filter(([key]) => !memory.has(key));
      const requests: { key: string; prompt: Prompt }[] = [];
      for (const [key, set] of unknown) {
        const said = prompt(keptSteps(steps, set));
        const room = await roomAfter(model, said);
        if (room === undefined || room > 0) requests.push({ key, prompt: said });
        else {
          memory.set(key, false);
          tooLong++;
        }
      }
      if (requests.length > 0) {
        const completions = await model.generate(
          requests.map(({ key, prompt: said }) => ({
            ...sampling,
            prompt: said,
            temperature,
            samples,
            seed: `${seed}/path ${key}`,
          })),
          { batchSize, signal },
        );
        asked += requests.length;
        for (const [at, { key }] of requests.entries()) {
          memory.set(key, completions[at]!.filter(isRight).length >= needed);
        }
      }
      return sets.map((set) => memory.get(stepKey(set))!);
    },
  };
}

/** Prompt of the operation `think` with the thought already written; only the solution is missing. */
export function thoughtPrompt(
  model: Pick<LanguageModel, "name" | "capabilities" | "operations">,
  question: string,
  kept: readonly string[],
): Prompt {
  const thought = OPERATIONS.think.write({
    kind: "cut-off",
    thought: joinSteps(kept),
    thoughtEnded: true,
    partial: "",
  });
  const prompt = operationPrompt(model, OPERATIONS.think, { question });
  return typeof prompt === "object" && "messages" in prompt ? { ...prompt, answer: thought } : `${prompt}${thought}`;
}
