import { badInput, sha256 } from "../../core/index.js";
import { type HostModel, type ScoreOptions, score } from "../../model/index.js";
import { emptyTensor } from "../../tensor/index.js";
import { branchedExample, checkExamples, hashExamples } from "../examples/examples.js";
import type { PAIR_SPEC } from "../objectives/dpo.js";
import { createBatches } from "./batches.js";
import { epochSource, type SourceSettings } from "./example-sources.js";
import type { Source } from "./source.js";
import { roomFor, tokenList } from "./token-lists.js";

/** Two continuations of a prompt, of which the first is preferred. */
export interface PreferencePair {
  /** At least two ids. */
  promptIds: readonly number[];
  chosenIds: readonly number[];
  rejectedIds: readonly number[];
  /** Log-probabilities of both under the reference, where they were computed once. */
  reference?: { chosen: number; rejected: number } | undefined;
}

/**
 * Batches of preference pairs for `dpo`, epoch by epoch. The prompt of a pair is computed once for both texts.
 *
 * @param settings `batchSize` counts pairs
 * @throws bad-input without pairs, for a pair that does not fit the model or lacks a part, or where only some have a
 *   reference
 *
 * @example
 * ```ts
 * import { openCheckpoint, readParameters, resolveModel } from "thoughtbook/model";
 * import { dpo, pairSource, train } from "thoughtbook/train";
 *
 * const checkpoint = await openCheckpoint(await resolveModel("mini"));
 * const model = { config: checkpoint.config, parameters: await readParameters(checkpoint) };
 * const pairs = [{ promptIds: [5, 6], chosenIds: [7, 8], rejectedIds: [9] }];
 * const source = pairSource(pairs, { seed: 1, epochs: 2, maxSteps: 2, batchSize: 1, accumulation: 1 }, model.config);
 * const { steps } = await train({ model, objective: dpo(), source, settings: { seed: 1 }, folder: "run" });
 * console.log(steps); // 2
 * ```
 */
export function pairSource(
  pairs: readonly PreferencePair[],
  { batchSize, ...settings }: Omit<SourceSettings, "batching">,
  model: { hiddenSize: number; vocabularySize: number; maxPositions: number },
): Source<typeof PAIR_SPEC> & { tokens: number } {
  const examples = pairs.map(({ promptIds, chosenIds, rejectedIds }, at) => {
    if (promptIds.length < 2 || chosenIds.length === 0 || rejectedIds.length === 0) {
      throw badInput(
        `pair ${at} has ${promptIds.length} prompt ids, ${chosenIds.length} chosen and ${rejectedIds.length} rejected ones`,
        "A pair needs a prompt of at least two ids and two continuations.",
      );
    }
    // Both begin with the last token of the prompt, which predicts their first one.
    const prompt = promptIds.slice(-1);
    return branchedExample(promptIds.slice(0, -1), [
      { prompt, completion: chosenIds },
      { prompt, completion: rejectedIds },
    ]);
  });
  checkExamples("preference pairs", examples, model);
  const given = pairs.filter(({ reference }) => reference !== undefined).length;
  if (given > 0 && given < pairs.length) {
    throw badInput(`${pairs.length - given} of ${pairs.length} pairs have no reference`, "Give it for all, or none.");
  }
  const batches = createBatches(examples, { batching: "pack", batchSize, hiddenSize: model.hiddenSize });
  const references = pairs.map(({ reference }) => [reference?.chosen ?? 0, reference?.rejected ?? 0]);
  const hash = hashExamples(examples);
  return epochSource<typeof PAIR_SPEC>(
    {
      ...batches,
      tensorsOf(plan) {
        const { tensors, tokens } = batches.tensorsOf(plan);
        const room = roomFor(plan.placed.length);
        const [present, reference] = [emptyTensor([room], "float32"), emptyTensor([room, 2], "float32")];
        for (const [nth, { example }] of plan.placed.entries()) {
          present.data[nth] = 1;
          reference.data.set(references[example]!, 2 * nth);
        }
        const numbersOf = (example: number, nth: number) => {
          const { chosenIds, rejectedIds } = pairs[example]!;
          return [...chosenIds.map(() => 2 * nth), ...rejectedIds.map(() => 2 * nth + 1)];
        };
        const texts = tokenList(plan, numbersOf, tensors.places.shape[0]!, "int32");
        return { tensors: { ...tensors, texts, pairs: present, reference }, tokens };
      },
    },
    {
      ...settings,
      fingerprint: {
        pairs: pairs.length,
        hash: given > 0 ? sha256(JSON.stringify([hash, references])) : hash,
      },
    },
  );
}

/**
 * Compute the reference's log-probabilities of pairs once, for `dpo({ reference: "given" })`: the training then needs no
 * second model.
 *
 * @throws like `score`
 */
export async function withReference(
  model: HostModel,
  pairs: readonly PreferencePair[],
  options: ScoreOptions = {},
): Promise<PreferencePair[]> {
  const sequences = pairs.flatMap(({ promptIds, chosenIds, rejectedIds }) => [
    { prompt: promptIds, continuation: chosenIds },
    { prompt: promptIds, continuation: rejectedIds },
  ]);
  const sums = (await score(model, sequences, options)).map((logProbs) =>
    logProbs.reduce((sum, each) => sum + each, 0),
  );
  return pairs.map((pair, at) => ({ ...pair, reference: { chosen: sums[2 * at]!, rejected: sums[2 * at + 1]! } }));
}
