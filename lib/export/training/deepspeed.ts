import { badInput } from "../../core/index.js";
import { type ExportFile, jsonText } from "./config-text.js";
import type { TrainingRecipe } from "./recipes.js";

/** Batches that a device accumulates for an update. @throws bad-input if the rows of an update cannot be dealt to the devices */
export function accumulation({ batchSize, perDevice, nodes, devices }: TrainingRecipe): number {
  const steps = batchSize / (perDevice * nodes * devices);
  if (Number.isInteger(steps) && steps >= 1) return steps;
  throw badInput(
    `${batchSize} rows an update cannot be dealt to ${nodes} × ${devices} devices, ${perDevice} at a time`,
    "Choose another number of nodes or devices, or another --batch-size.",
  );
}

/** DeepSpeed's ZeRO-3 with weights and optimizer offloaded; sizes of batches are the engine's ("auto"). */
export const deepspeedConfig = (): ExportFile => ({
  name: "deepspeed.json",
  text: jsonText({
    train_batch_size: "auto",
    train_micro_batch_size_per_gpu: "auto",
    gradient_accumulation_steps: "auto",
    gradient_clipping: "auto",
    zero_allow_untested_optimizer: true,
    bf16: { enabled: "auto" },
    fp16: { enabled: "auto" },
    zero_optimization: {
      stage: 3,
      offload_optimizer: { device: "cpu", pin_memory: true },
      offload_param: { device: "cpu", pin_memory: true },
      overlap_comm: false,
      contiguous_gradients: true,
      sub_group_size: 1e9,
      reduce_bucket_size: "auto",
      stage3_prefetch_bucket_size: "auto",
      stage3_param_persistence_threshold: "auto",
      stage3_max_live_parameters: 1e9,
      stage3_max_reuse_distance: 1e9,
      stage3_gather_16bit_weights_on_model_save: true,
    },
  }),
});
