import type { Adapter, ModelConfig, ModelParameters } from "../../model/index.js";
import type { Inputs } from "../../tensor/index.js";

/** The model in the middle of its training. Its numbers are overwritten by the next update: copy what you keep. */
export interface Snapshot {
  /** Updates made. */
  step: number;
  config: ModelConfig;
  parameters: ModelParameters;
  adapter?: Adapter;
  /** Further parameters of the objective, if it has some. */
  extra?: ModelParameters;
}

/** Tensors of a batch, and how many tokens are put in, padding left out. */
export interface TrainingBatch<Spec> {
  tensors: Inputs<Spec>;
  tokens: number;
}

/** What one update is made with. */
export interface Update<Spec> {
  /** Number of the update, from 1. */
  step: number;
  /** From 1; of a stream the number of the chunk. */
  epoch: number;
  /** Pieces of one large batch: their gradients are added up before the update. */
  batches: readonly [TrainingBatch<Spec>, ...TrainingBatch<Spec>[]];
}

/** Where batches come from: rows, a stream, or the policy itself. */
export interface Source<Spec> {
  /** What decides the batches, as JSON: large things by a hash. */
  fingerprint: Readonly<Record<string, unknown>>;
  /** Updates of the whole run. */
  steps: number;
  /** Tokens that the run puts in, or an estimate; undefined where nobody can tell. */
  tokens?: number | undefined;
  /**
   * All updates after the given one, each asked for when the one before has been made. A run that goes on must get the
   * same updates as one that was never stopped.
   *
   * @param policy the model as it is when an update is asked for
   */
  updatesAfter(step: number, policy: () => Snapshot): AsyncIterable<Update<Spec>>;
}

/**
 * A source that asks for each update with the weights as they are then: for objectives that learn from what the policy
 * itself writes. It has to repeat exactly: `next` depends on the step and the weights alone, or keeps what it made.
 */
export const onPolicySource = <Spec>({
  fingerprint,
  steps,
  next,
}: {
  fingerprint: Readonly<Record<string, unknown>>;
  steps: number;
  /** The batches of an update, from 1. */
  next(step: number, policy: Snapshot): Promise<Update<Spec>["batches"]>;
}): Source<Spec> => ({
  fingerprint,
  steps,
  async *updatesAfter(done, policy) {
    for (let step = done + 1; step <= steps; step++) yield { step, epoch: 1, batches: await next(step, policy()) };
  },
});
