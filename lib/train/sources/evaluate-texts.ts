import type { Adapter, BlockParameters, ModelConfig, ModelParameters } from "../../model/index.js";
import { type Compiled, compile, type SessionOptions, spec, type TensorData } from "../../tensor/index.js";
import type { Example } from "../examples/examples.js";
import type { PolicyObjective } from "../objectives/policy-objective.js";
import { BATCH_SPEC } from "../objectives/sft.js";
import { createBatches } from "./batches.js";
import type { BatchSizes } from "./policy-batches.js";

/** A model whose texts are evaluated, as numbers. */
export interface EvaluatedModel {
  config: ModelConfig;
  parameters: ModelParameters;
  blocks?: Readonly<BlockParameters> | undefined;
  adapter?: Pick<Adapter, "scale" | "parameters"> | undefined;
  extra?: ModelParameters | undefined;
}

export interface TextEvaluator {
  /** Numbers of each example's counted tokens by name; see `PolicyObjective.evaluate`. */
  run(model: EvaluatedModel, examples: readonly Example[], sizes: BatchSizes): Promise<Record<string, Float32Array>[]>;
  dispose(): Promise<void>;
}

/** Compiles what an objective computes of texts when they were sampled; without gradients. */
export function createTextEvaluator(
  { evaluate }: Pick<PolicyObjective<unknown>, "evaluate">,
  session: SessionOptions = {},
): TextEvaluator {
  // One program for the policy and one for the reference, which has no adapter.
  const programs = new Map<string, Compiled<unknown, unknown>>();
  const programOf = ({ config, parameters, blocks, adapter, extra = {} }: EvaluatedModel) => {
    const signature = {
      weights: specsOf({ ...parameters, ...blocks }),
      adapter: specsOf(adapter?.parameters ?? {}),
      extra: specsOf(extra),
      batch: BATCH_SPEC,
    };
    const key = JSON.stringify([Object.keys(signature.adapter), Object.keys(extra)]);
    const found = programs.get(key);
    if (found) return found;
    const program = compile(
      ({ weights, adapter: own, extra, batch }) => ({
        numbers: evaluate(
          {
            policy: { config, weights, ...(adapter ? { adapters: { scale: adapter.scale, weights: own } } : {}) },
            extra,
          },
          batch,
        ),
      }),
      signature,
      session,
    ) as unknown as Compiled<unknown, unknown>;
    programs.set(key, program);
    return program;
  };
  return {
    async run(model, examples, { batchSize, hiddenSize, shapes }) {
      const source = createBatches(examples, { batching: "pack", batchSize, hiddenSize, shapes });
      const results: Record<string, Float32Array>[] = examples.map(() => ({}));
      const program = programOf(model);
      for (const plan of source.epoch()) {
        const inputs = {
          weights: { ...model.parameters, ...model.blocks },
          adapter: model.adapter?.parameters ?? {},
          extra: model.extra ?? {},
          batch: source.tensorsOf(plan).tensors,
        };
        const { numbers } = (await program(inputs)) as { numbers: Record<string, TensorData<"float32">> };
        let first = 0;
        for (const { example } of plan.placed) {
          const count = examples[example]!.labels.reduce((sum, label) => sum + (label >= 0 ? 1 : 0), 0);
          for (const [name, { data }] of Object.entries(numbers)) {
            results[example]![name] = data.slice(first, first + count);
          }
          first += count;
        }
      }
      return results;
    },
    async dispose() {
      await Promise.all([...programs.values()].map((program) => program.dispose()));
    },
  };
}

const specsOf = (parameters: Readonly<Record<string, TensorData>>) =>
  Object.fromEntries(Object.entries(parameters).map(([name, { shape, dtype }]) => [name, spec(shape, dtype)]));
