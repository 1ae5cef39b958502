import { compile, type Inputs, type TensorSpec } from "../tensor/index.js";
import type { Example } from "./examples/examples.js";
import { BATCH_SPEC, languageModelLoss } from "./objectives/sft.js";
import { type Batching, createBatches } from "./sources/batches.js";
import type { TrainableModel } from "./trainable.js";

export interface HeldOut {
  /** Mean negative log-probability, in nats, of all counted tokens. */
  loss(params: Inputs<Specs>, frozen: Inputs<Specs>): Promise<number>;
  dispose(): Promise<void>;
}

type Specs = Record<string, TensorSpec>;

/** The loss on examples that are not trained on. */
export function createHeldOut(
  model: TrainableModel,
  examples: readonly Example[],
  options: { batching: Batching; batchSize: number; threads?: number | undefined },
): HeldOut {
  const { batching, batchSize, threads } = options;
  const source = createBatches(examples, { batching, batchSize, hiddenSize: model.config.hiddenSize });
  const batches = source.epoch().map((plan) => source.tensorsOf(plan).tensors);
  const evaluate = compile(
    ({ params, frozen, batch }) => {
      const { loss, weight } = languageModelLoss(model.assemble(params, frozen).policy, batch, {
        packed: batching === "pack",
      });
      return { loss, weight: weight! };
    },
    { params: model.paramSpecs, frozen: model.frozenSpecs, batch: BATCH_SPEC },
    threads === undefined ? {} : { threads },
  );
  return {
    async loss(params, frozen) {
      let [sum, count] = [0, 0];
      for (const batch of batches) {
        const { loss, weight } = await evaluate({ params, frozen, batch });
        sum += loss.data[0]! * weight.data[0]!;
        count += weight.data[0]!;
      }
      return sum / count;
    },
    dispose: () => evaluate.dispose(),
  };
}
