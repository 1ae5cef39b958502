import { badInput, createRandom, type Random } from "../../core/index.js";
import { emptyTensor } from "../../tensor/index.js";
import { type Example, type ExampleSize, sizeOfExample } from "../examples/examples.js";
import type { BATCH_SPEC } from "../objectives/sft.js";
import { type BatchPlan, bucketPlans, chooseGrid, type Grid, packBatches } from "./batch-plan.js";
import type { TrainingBatch } from "./source.js";

/** How texts become batches: several in a row, or one a row beside others of like length. */
export type Batching = "pack" | "bucket";

export type Batch = TrainingBatch<typeof BATCH_SPEC>;

export interface BatchSource {
  /** Tokens of all examples. */
  tokens: number;
  /** What all batches of a run share, so that few programs are compiled. */
  shapes: BatchShapes;
  /** Batches of one epoch, in the order of training. */
  epoch(random?: Random): BatchPlan[];
  tensorsOf(plan: BatchPlan): Batch;
  /** Tokens of a batch that are put in. */
  tokensOf(plan: BatchPlan): number;
}

export interface BatchShapes {
  /** Grid of packed batches. */
  grid: Grid;
  /** Room for counted tokens, by the length of rows. */
  capacities: ReadonlyMap<number, number>;
}

export interface BatchSourceOptions {
  batching: Batching;
  /** Examples a batch; packed, on average. */
  batchSize: number;
  /** Width of the model: it determines what attention costs relative to the rest. */
  hiddenSize: number;
  /** Tokens that the longest example may have. Default: those that the longest has. */
  longest?: number | undefined;
  /** Take the shapes of other batches, whose examples are of the same kind, with the same `longest`. */
  shapes?: BatchShapes | undefined;
}

/** Room for counted tokens beyond the most in one epoch, as another one is shuffled otherwise. */
const COUNTED_SLACK = 1.05;
const CAPACITY_STEP = 8;

/**
 * Batches of examples. Each example must have a token that is counted.
 *
 * @throws bad-input for branches where rows hold one text each
 */
export function createBatches(
  examples: readonly Example[],
  { batching, batchSize, hiddenSize, longest, shapes: given }: BatchSourceOptions,
): BatchSource {
  if (batching === "bucket" && examples.some(({ branches }) => branches)) {
    throw badInput("examples with branches need packed batches", 'Set batching to "pack".');
  }
  const sizes = examples.map(sizeOfExample);
  const grid = given?.grid ?? chooseGrid(sizes, { batchSize, hiddenSize, longest });
  const epoch = (random?: Random) =>
    batching === "pack" ? packBatches(sizes, grid, random) : bucketPlans(sizes, batchSize, random);
  const countedOf = ({ placed }: BatchPlan) => placed.reduce((sum, { example }) => sum + sizes[example]!.counted, 0);
  const capacities = given?.capacities ?? capacitiesOf(epoch(createRandom("counted")), countedOf);
  return {
    tokens: sizes.reduce((sum, { tokens }) => sum + tokens, 0),
    shapes: { grid, capacities },
    epoch,
    tokensOf: ({ placed }) => placed.reduce((sum, { example }) => sum + sizes[example]!.tokens, 0),
    tensorsOf(plan) {
      const places = plan.rows * plan.length;
      const capacity = Math.min(capacities.get(plan.length) ?? places, places);
      const counted = countedOf(plan);
      return tensorsOf(plan, examples, sizes, { counted, capacity: counted > capacity ? places : capacity });
    },
  };
}

/** The list of counted tokens has one size for each size of batches: a shape is a program. */
function capacitiesOf(plans: readonly BatchPlan[], countedOf: (plan: BatchPlan) => number): Map<number, number> {
  const capacities = new Map<number, number>();
  for (const plan of plans) {
    const room = Math.ceil((countedOf(plan) * COUNTED_SLACK) / CAPACITY_STEP) * CAPACITY_STEP;
    capacities.set(plan.length, Math.max(capacities.get(plan.length) ?? 0, room));
  }
  return capacities;
}

function tensorsOf(
  { rows, length, placed }: BatchPlan,
  examples: readonly Example[],
  sizes: readonly ExampleSize[],
  { counted, capacity }: { counted: number; capacity: number },
): Batch {
  const byPlace = () => emptyTensor([rows, length], "int32");
  const [ids, positions, segments, prefixes] = [byPlace(), byPlace(), byPlace(), byPlace()];
  const places = emptyTensor([capacity], "int32");
  const labels = emptyTensor([capacity], "int32");
  labels.data.fill(-1, counted);
  let next = 0;
  let tokens = 0;
  let segment = 0;
  for (const { example, row, column } of placed) {
    const { ids: source, labels: targets, branches = [] } = examples[example]!;
    const size = sizes[example]!.tokens;
    const start = row * length + column;
    ids.data.set(source.subarray(0, size), start);
    const prefix = ++segment;
    const prefixEnd = branches[0] ?? size;
    prefixes.data.fill(prefix, start, start + size);
    let branch = 0;
    for (let i = 0, position = 0; i < size; i++, position++) {
      if (i === branches[branch]) {
        branch++;
        segment++;
        position = prefixEnd;
      }
      segments.data[start + i] = segment;
      positions.data[start + i] = position;
      if (targets[i + 1]! < 0) continue;
      places.data[next] = start + i;
      labels.data[next++] = targets[i + 1]!;
    }
    tokens += size;
  }
  return { tensors: { ids, positions, segments, prefixes, places, labels }, tokens };
}
