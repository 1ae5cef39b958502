import { type SessionOptions, type TensorData, tensorData } from "../../tensor/index.js";
import type { HostModel } from "../network/host-model.js";
import { modelInputs } from "../network/model-inputs.js";
import type { Cache } from "./cache.js";
import { createStepRunner } from "./frozen.js";
import { generationPrograms, type NextScores } from "./programs.js";
import type { PromptTensor, Runner } from "./runner.js";

/** What the programs of prompts give. */
type Filled = { logProbs: TensorData; normaliser: TensorData; cache: unknown };

/**
 * Runs a model by the compiled programs of this library, with its weights in float32.
 *
 * @param expectedSteps number of decoding steps that may follow, which decides whether the weights are built into the
 * program of a step
 */
export function createTracedRunner(
  model: HostModel,
  session: SessionOptions | undefined,
  expectedSteps: number,
): Runner {
  const programs = generationPrograms(model, session);
  const steps = createStepRunner(model, programs, session, expectedSteps);
  const weights = modelInputs(model);
  const filled = (prompt: PromptTensor, { logProbs, normaliser, cache }: Filled) => ({
    cache: { rows: prompt.shape[0]!, capacity: prompt.shape[1]!, ...(cache as Pick<Cache, "keys" | "values">) },
    scores: { logProbs, normaliser } as NextScores,
  });
  const pieceOf = ({ prompt, count, from, cache: { keys, values } }: Parameters<Runner["piece"]>[0]) => ({
    program: prompt.dtype === "int32" ? programs.pieceIds : programs.pieceEmbeddings,
    inputs: {
      ...weights,
      prompt,
      lengths: tensorData(Int32Array.of(from + prompt.shape[1]!), [1]),
      last: tensorData(Int32Array.of(count - 1), [1]),
      cache: { keys, values },
    },
  });
  return {
    step: steps.step,
    async prefill({ prompt, last }) {
      const program = prompt.dtype === "int32" ? programs.prefillIds : programs.prefillEmbeddings;
      return filled(prompt, await program({ ...weights, prompt, last }));
    },
    async prefillAfter({ prompt, last, before: { keys, values }, from }) {
      const program = prompt.dtype === "int32" ? programs.restIds : programs.restEmbeddings;
      const inputs = { ...weights, prompt, last, from: tensorData(Int32Array.of(from), [1]), before: { keys, values } };
      return filled(prompt, await program(inputs));
    },
    async piece(given) {
      const { program, inputs } = pieceOf(given);
      const { logProbs, normaliser } = await program(inputs);
      return { logProbs, normaliser } as NextScores;
    },
    async preparePiece(given) {
      const { program, inputs } = pieceOf({ ...given, count: 1, from: 0 });
      return (await program.prepare(inputs)) > NOTHING_TO_DO;
    },
    release: steps.release,
  };
}

/** Milliseconds that finding a compiled program takes at most. */
const NOTHING_TO_DO = 20;
