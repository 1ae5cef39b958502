import { createRandom, ThoughtbookError } from "../../core/index.js";
import type { BatchPlan } from "../batch-plan.js";
import { type Batch, type BatchSource, type BatchSourceOptions, createBatches } from "../batches.js";
import { checkExamples, type Example, type ExampleStream } from "../examples/examples.js";
import type { Settings } from "../options.js";

/** What one update is made with. */
export interface Update {
  /** Number of the update, from 1. */
  step: number;
  /** From 1; of a stream the number of the chunk. */
  epoch: number;
  batches: readonly [Batch, ...Batch[]];
}

export interface Course {
  /** Updates of the whole run. */
  steps: number;
  /** All updates after the given one. The order of an epoch follows from the seed and its number. */
  updatesAfter(step: number): AsyncGenerator<Update, void, undefined>;
  /** Tokens that the run puts in; of a stream an estimate. */
  tokens: number;
}

type CourseSettings = Pick<Settings, "seed" | "epochs" | "maxSteps" | "accumulation" | "batching" | "batchSize">;

/** Which batches a run trains on, and in which order. */
export function planCourse(
  examples: readonly Example[],
  { seed, epochs, maxSteps, accumulation, ...batching }: CourseSettings,
  hiddenSize: number,
): Course {
  const source = createBatches(examples, { ...batching, hiddenSize });
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
  if (steps === 0) throw new ThoughtbookError("bad-input", "there is nothing to train on", { hint: "Give examples." });
  return {
    steps,
    tokens,
    async *updatesAfter(done) {
      for (const { plans, ...update } of plansAfter(done)) yield { ...update, batches: batchesOf(source, plans) };
    },
  };
}

/**
 * The course of a run on a stream: each chunk gives as many updates as the stream says, in an order that the seed and the
 * number of the chunk decide; where its examples are too few for them, they are seen again. A run that goes on makes only
 * the chunks that are left.
 *
 * @throws bad-input without a number of updates, or for a chunk that does not fit the model
 */
export async function planStreamCourse(
  stream: ExampleStream,
  { seed, maxSteps, accumulation, ...batching }: CourseSettings,
  model: { hiddenSize: number; vocabularySize: number; maxPositions: number },
): Promise<Course> {
  if (!Number.isFinite(maxSteps)) {
    throw new ThoughtbookError("bad-input", "a stream of examples has no end: maxSteps is missing", {
      hint: "Say how many updates are to be made.",
    });
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

function batchesOf(source: BatchSource, plans: readonly BatchPlan[]): [Batch, ...Batch[]] {
  return plans.map(source.tensorsOf) as [Batch, ...Batch[]];
}
