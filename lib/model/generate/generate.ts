import { badInput } from "../../core/index.js";
import type { TensorData } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import type { HostModel } from "../network/host-model.js";
import { checkIds } from "../network/model-inputs.js";
import { blockNames, lookUpBlocks } from "../quantised/block-parameters.js";
import { disposeFrozen } from "./frozen.js";
import { openGenerator } from "./generator.js";
import { disposePrefixes } from "./prefixes.js";
import { disposePrograms } from "./programs.js";
import type { GenerateOptions, Generation, GenerationRequest } from "./request.js";

/**
 * Generate texts, many at a time: when a text is complete, the next request takes its row of the batch. Samples of one
 * request share the computation of its prompt. The result for a request does not depend on the others, on the size of
 * the batch or on the order of work, up to rounding (about 1e-6 in log-probabilities).
 *
 * @returns one for each sample, ordered by request and sample
 * @throws before any work: bad-input (an empty prompt, an id outside the vocabulary, a prompt that leaves no room in the
 *   context, an option out of its range, stop strings without a tokenizer); while working: interrupted, execution
 *
 * @example
 * ```ts
 * import { generate, loadTokenizer, openCheckpoint, readParameters, resolveModel } from "thoughtbook/model";
 *
 * const folder = await resolveModel("mini");
 * const checkpoint = await openCheckpoint(folder);
 * const model = { config: checkpoint.config, weights: await readParameters(checkpoint) };
 * const tokenizer = await loadTokenizer(folder);
 * const prompt = tokenizer.encode("Ana picks 3 apples.");
 * const [first, second] = await generate(model, [{ prompt, samples: 2, seed: 1, maxNewTokens: 6 }], { tokenizer });
 * console.log(first?.ids.length, second?.text);
 * ```
 */
export async function generate(
  model: HostModel,
  requests: readonly GenerationRequest[],
  options: GenerateOptions = {},
): Promise<Generation[]> {
  const generator = openGenerator(model, options);
  const texts = generator.submit(requests, options);
  // Before the work begins, so that it knows that no more requests will come.
  const closed = generator.close();
  try {
    return await texts;
  } finally {
    await closed;
  }
}

/** Dispose of everything that was compiled for generating with models of a configuration. */
export async function disposeGenerationPrograms(config: ModelConfig): Promise<void> {
  disposePrefixes(config);
  await Promise.all([disposePrograms(config), disposeFrozen(config)]);
}

/**
 * Embeddings of token ids, for prompts that mix them with a soft prompt.
 *
 * @param before embeddings to put in front, `[length, hidden]`
 * @returns `[length + ids, hidden]`
 * @throws bad-input for an id outside the vocabulary, or a width that is not the model's
 */
export function promptEmbeddings(
  { config, weights, blocks, quantised }: HostModel,
  ids: readonly number[],
  before?: TensorData<"float32">,
): TensorData<"float32"> {
  checkIds(ids, config, "the prompt");
  const width = config.hiddenSize;
  if (before && (before.shape.length !== 2 || before.shape[1] !== width)) {
    throw badInput(
      `the soft prompt is [${before.shape.join(", ")}], expected [length, ${width}]`,
      "Train it for this model.",
    );
  }
  const start = before?.shape[0] ?? 0;
  const data = new Float32Array((start + ids.length) * width);
  if (before) data.set(before.data);
  if (quantised) {
    quantised.embed(ids, data.subarray(start * width));
    return { shape: [start + ids.length, width], dtype: "float32", data };
  }
  const name = config.family === "gpt2" ? "transformer.wte.weight" : "model.embed_tokens.weight";
  if (blocks?.[blockNames(name).quants]) {
    lookUpBlocks(blocks, name, ids, data.subarray(start * width));
    return { shape: [start + ids.length, width], dtype: "float32", data };
  }
  const table = weights[name]!.data;
  for (const [i, id] of ids.entries()) data.set(table.subarray(id * width, (id + 1) * width), (start + i) * width);
  return { shape: [start + ids.length, width], dtype: "float32", data };
}
