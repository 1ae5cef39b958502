import { badInput, createRandom } from "../../core/index.js";
import { checkExamples, type Example, type ExampleStream, hashExamples } from "../examples/examples.js";
import type { BATCH_SPEC } from "../objectives/sft.js";
import type { Settings } from "../options.js";
import type { BatchPlan } from "./batch-plan.js";
import { type BatchSource, type BatchSourceOptions, createBatches } from "./batches.js";
import type { Source, TrainingBatch, Update } from "./source.js";

type ExampleSource = Source<typeof BATCH_SPEC> & { tokens: number };

export type SourceSettings = Pick<Settings, "seed" | "epochs" | "maxSteps" | "accumulation" | "batching" | "batchSize">;

/**
 * Batches of examples, epoch by epoch; the order of an epoch follows from the seed and its number.
 *
 * @throws bad-input without examples
 */
export function exampleSource(
  examples: readonly Example[],
  { seed, epochs, maxSteps, accumulation, ...batching }: SourceSettings,
  hiddenSize: number,
): ExampleSource {
  const batches = createBatches(examples, { ...batching, hiddenSize });
  const fingerprint = { count: examples.length, hash: hashExamples(examples) };
  return epochSource(batches, { seed, epochs, maxSteps, accumulation, fingerprint });
}

/** Batches that are made from the plans of several epochs. */
export function epochSource<Spec>(
  source: Pick<BatchSource, "epoch" | "tokensOf"> & { tensorsOf(plan: BatchPlan): TrainingBatch<Spec> },
  {
    seed,
    epochs,
    maxSteps,
    accumulation,
    fingerprint,
  }: Omit<SourceSettings, "batching" | "batchSize"> & Pick<Source<Spec>, "fingerprint">,
): Source<Spec> & { tokens: number } {
  const random = createRandom(seed).stream("batches");
  function* plansAfter(done: number) {
    let step = 0;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      const plans = source.epoch(random.stream(`epoch ${epoch}`));
      for (let first = 0; first < plans.length; first += accumulation) {
        if (step === maxSteps) return;
        step++;
        if (step > done) yield { step, epoch, plans: plans.slice(first, first + accumulation) };
      }
    }
  }
  let [steps, tokens] = [0, 0];
  for (const { plans } of plansAfter(0)) {
    steps++;
    for (const plan of plans) tokens += source.tokensOf(plan);
  }
  if (steps === 0) throw badInput("there is nothing to train on", "Give examples.");
  return {
    fingerprint,
    steps,
    tokens,
    async *updatesAfter(done) {
      for (const { plans, ...update } of plansAfter(done)) yield { ...update, batches: batchesOf(source, plans) };
    },
  };
}

/**
 * Batches of a stream: each chunk gives as many updates as the stream says, in an order that the seed and the
 * number of the chunk decide; where its examples are too few for them, they are seen again. A run that goes on makes only
 * the chunks that are left.
 *
 * @throws bad-input without a number of updates, or for a chunk that does not fit the model
 */
export async function streamSource(
  stream: ExampleStream,
  { seed, maxSteps, accumulation, ...batching }: SourceSettings,
  model: { hiddenSize: number; vocabularySize: number; maxPositions: number },
): Promise<ExampleSource> {
  if (!Number.isFinite(maxSteps)) {
    throw badInput("a stream of examples has no end: maxSteps is missing", "Say how many updates are to be made.");
  }
  const { updatesPerChunk, longest } = stream;
  const needed = updatesPerChunk * accumulation;
  const random = createRandom(seed).stream("batches");
  let shapes: BatchSourceOptions["shapes"];
  const open = async (index: number) => {
    const examples = await stream.chunk(index);
    checkExamples(`chunk ${index} of the examples`, examples, {
      ...model,
      maxPositions: Math.min(longest, model.maxPositions),
    });
    const source = createBatches(examples, { ...batching, hiddenSize: model.hiddenSize, longest, shapes });
    const order = random.stream(`chunk ${index}`);
    const plans: BatchPlan[] = [];
    for (let time = 1; plans.length < needed; time++) plans.push(...source.epoch(order.stream(`epoch ${time}`)));
    return { source, plans };
  };
  // All chunks have the shapes of the first one.
  const first = await open(0);
  shapes = first.source.shapes;
  const sample = first.plans.slice(0, needed);
  const tokens = sample.reduce((sum, plan) => sum + first.source.tokensOf(plan), 0);
  return {
    fingerprint: { stream: stream.fingerprint, updatesPerChunk },
    steps: maxSteps,
    tokens: Math.round((tokens / updatesPerChunk) * maxSteps),
    async *updatesAfter(done) {
      for (let index = Math.floor(done / updatesPerChunk); index * updatesPerChunk < maxSteps; index++) {
        const { source, plans } = index === 0 ? first : await open(index);
        for (let i = 0; i < updatesPerChunk; i++) {
          const step = index * updatesPerChunk + i + 1;
          if (step <= done) continue;
          if (step > maxSteps) return;
          const chosen = plans.slice(i * accumulation, (i + 1) * accumulation);
          yield { step, epoch: index + 1, batches: batchesOf(source, chosen) };
        }
      }
    },
  };
}

function batchesOf<Spec>(
  source: { tensorsOf(plan: BatchPlan): TrainingBatch<Spec> },
  plans: readonly BatchPlan[],
): Update<Spec>["batches"] {
  return plans.map((plan) => source.tensorsOf(plan)) as unknown as Update<Spec>["batches"];
}
