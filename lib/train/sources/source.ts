import type { Adapter, BlockParameters, ModelConfig, ModelParameters } from "../../model/index.js";
import type { Inputs } from "../../tensor/index.js";

/** The model in the middle of its training. The next update overwrites its numbers: copy what you keep. */
export interface Snapshot {
  /** Updates made. */
  step: number;
  config: ModelConfig;
  parameters: ModelParameters;
  /** The other weights, in blocks, which are not trained. */
  blocks?: Readonly<BlockParameters>;
  adapter?: Adapter;
  /** Further parameters of the objective, if it has some. */
  extra?: ModelParameters;
}

/** Tensors of a batch, and the number of input tokens without padding. */
export interface TrainingBatch<Spec> {
  tensors: Inputs<Spec>;
  tokens: number;
}

/** Batches of one update. */
export interface Update<Spec> {
  /** Number of the update, from 1. */
  step: number;
  /** Epoch, from 1; of a stream the number of the chunk. */
  epoch: number;
  /** Micro-batches: their gradients are added up before the update. */
  batches: readonly [TrainingBatch<Spec>, ...TrainingBatch<Spec>[]];
  /** Further numbers for the update's record, such as the mean reward of what it learns from. */
  metrics?: Readonly<Record<string, number>> | undefined;
}

/** Source of batches: rows, a stream, or the policy itself. */
export interface Source<Spec> {
  /** Everything that determines the batches, as JSON: large values by a hash. */
  fingerprint: Readonly<Record<string, unknown>>;
  /** Number of updates of the whole run. */
  steps: number;
  /** Input tokens of the whole run, or an estimate; undefined if unknown. */
  tokens?: number | undefined;
  /**
   * All updates after the given one, each requested once the previous one has been made. A resumed run must get the
   * same updates as one that was never stopped.
   *
   * @param policy the model as it is when an update is requested
   * @param signal stops the run: work that takes long ends with an error, and is done again when the run goes on
   */
  updatesAfter(step: number, policy: () => Snapshot, signal?: AbortSignal): AsyncIterable<Update<Spec>>;
}

/**
 * On-policy source: builds each update with the current weights, for objectives that learn from what the policy itself
 * writes. It must be reproducible: `next` depends on the step and the weights alone, or stores what it made.
 */
export const onPolicySource = <Spec>({
  fingerprint,
  steps,
  next,
}: {
  fingerprint: Readonly<Record<string, unknown>>;
  steps: number;
  /** The batches of an update, counted from 1. */
  next(step: number, policy: Snapshot): Promise<Update<Spec>["batches"]>;
}): Source<Spec> => ({
  fingerprint,
  steps,
  async *updatesAfter(done, policy) {
    for (let step = done + 1; step <= steps; step++) yield { step, epoch: 1, batches: await next(step, policy()) };
  },
});
