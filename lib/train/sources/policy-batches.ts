import { createRandom } from "../../core/index.js";
import { emptyTensor } from "../../tensor/index.js";
import { type Example, NOT_COUNTED } from "../examples/examples.js";
import type { LossType, PolicyText, TokenNumbers } from "../objectives/policy-objective.js";
import type { BatchPlan } from "./batch-plan.js";
import { type BatchShapes, type BatchSource, createBatches } from "./batches.js";
import type { TrainingBatch, Update } from "./source.js";
import { roomFor, tokenList } from "./token-lists.js";

/** A prompt and a completion as an example of which the completion counts. */
export function exampleOfText(promptIds: readonly number[], completionIds: readonly number[]): Example {
  return {
    ids: Int32Array.from([...promptIds, ...completionIds]),
    labels: Int32Array.from([...promptIds.map(() => NOT_COUNTED), ...completionIds]),
  };
}

export interface BatchSizes {
  batchSize: number;
  hiddenSize: number;
  shapes: BatchShapes;
}

/** How much longer than the longest text so far rows are made: longer texts would need other programs. */
const LENGTH_SLACK = 1.25;

/** Shapes for the batches of a run, from its first texts, or anew where a text has become longer than a row. */
export function policyShapes(
  examples: readonly Example[],
  {
    batchSize,
    hiddenSize,
    before,
    most,
  }: { batchSize: number; hiddenSize: number; before?: BatchShapes; most: number },
): BatchShapes {
  const longest = examples.reduce((length, { ids }) => Math.max(length, ids.length), 1);
  if (before && before.grid.length >= longest) return before;
  const room = Math.max(longest, Math.min(most, Math.ceil(longest * LENGTH_SLACK)));
  return createBatches(examples, { batching: "pack", batchSize, hiddenSize, longest: room }).shapes;
}

/** A text with the numbers that the objective learns from. */
export interface AssignedText {
  text: PolicyText;
  example: Example;
  numbers: TokenNumbers;
}

export interface UpdateOptions extends BatchSizes {
  lossType: LossType;
  /** The most tokens that a call may write: Dr. GRPO's divisor. */
  maxNewTokens: number;
  /** New tokens of an update, on average over those of the pass: DAPO's divisor. */
  meanTokens: number;
}

/** The micro-batches of an update on some texts. */
export function updateBatches<Spec>(texts: readonly AssignedText[], options: UpdateOptions): Update<Spec>["batches"] {
  const source = createBatches(
    texts.map(({ example }) => example),
    { batching: "pack", batchSize: options.batchSize, hiddenSize: options.hiddenSize, shapes: options.shapes },
  );
  const plans = source.epoch();
  return plans.map((plan) =>
    policyBatch(plan, texts, source, { ...options, batches: plans.length }),
  ) as unknown as Update<Spec>["batches"];
}

function policyBatch(
  plan: BatchPlan,
  texts: readonly AssignedText[],
  source: BatchSource,
  options: UpdateOptions & { batches: number },
): TrainingBatch<unknown> {
  const { tensors, tokens } = source.tensorsOf(plan);
  const capacity = tensors.places.shape[0]!;
  const countOf = (example: number) => texts[example]!.text.completionIds.length;
  const floats = (numbers: (example: number) => ArrayLike<number>) => tokenList(plan, numbers, capacity, "float32");
  const lengths = emptyTensor([roomFor(plan.placed.length)], "float32");
  lengths.data.fill(1);
  for (const [nth, { example }] of plan.placed.entries()) lengths.data[nth] = countOf(example);
  const counted = plan.placed.reduce((sum, { example }) => sum + countOf(example), 0);
  const weightOf = (example: number) => {
    const { lossType, batches, maxNewTokens, meanTokens } = options;
    // The gradient of an update is the mean of those of its batches, so a share of the update is `batches` times as much.
    if (lossType === "grpo") return batches / (texts.length * countOf(example));
    if (lossType === "bnpo") return 1 / counted;
    return lossType === "dapo" ? batches / meanTokens : batches / (texts.length * maxNewTokens);
  };
  const names = Object.keys(texts[plan.placed[0]!.example]!.numbers);
  const numbers = names.map((name) => [name, floats((example) => texts[example]!.numbers[name]!)] as const);
  return {
    tensors: {
      ...tensors,
      texts: tokenList(plan, (example, nth) => new Int32Array(countOf(example)).fill(nth), capacity, "int32"),
      lengths,
      weights: floats((example) => new Float32Array(countOf(example)).fill(weightOf(example))),
      old: floats((example) => texts[example]!.text.old),
      reference: floats((example) => texts[example]!.text.reference ?? new Float32Array(countOf(example))),
      ...Object.fromEntries(numbers),
    },
    tokens,
  } as unknown as TrainingBatch<unknown>;
}

/** Texts in the order of a pass, in nearly equal parts; attempts stay whole. */
export function partsOfPass(
  texts: readonly AssignedText[],
  { parts, seed }: { parts: number; seed: string },
): AssignedText[][] {
  const keyOf = ({ text }: AssignedText) => `${text.group}/${text.attempt}`;
  const attempts = [...new Set(texts.map(keyOf))];
  const order = new Map(
    createRandom(seed)
      .shuffle(attempts)
      .map((key, at) => [key, at]),
  );
  const split = Array.from({ length: Math.min(parts, attempts.length) }, (): AssignedText[] => []);
  for (const text of texts) {
    split[Math.floor((order.get(keyOf(text))! * split.length) / attempts.length)]!.push(text);
  }
  return split;
}
