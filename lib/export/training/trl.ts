import { type ConfigValue, type ExportFile, scriptText, shellWord, yamlText } from "./config-text.js";
import { accumulation, deepspeedConfig } from "./deepspeed.js";
import type { LearnedReply } from "./engine-rows.js";
import type { Method, TrainingRecipe } from "./recipes.js";

/** A row of prompt and completion; TRL counts the completion. */
export const trlRow = (reply: LearnedReply): Record<string, unknown> =>
  reply.form === "texts"
    ? { prompt: reply.prompt, completion: reply.completion }
    : { prompt: reply.before, completion: [reply.reply] };

/**
 * Configurations of TRL's scripts (checked with TRL 1.16): the run, how Accelerate starts it with DeepSpeed ZeRO-3, and the
 * lines that start it on one node or several.
 */
export function trlFiles(method: Method, recipe: TrainingRecipe): ExportFile[] {
  return [
    { name: `${method}.yaml`, text: yamlText({ ...shared(recipe), ...OF_METHOD[method](recipe) }) },
    { name: "accelerate.yaml", text: yamlText(accelerateConfig(recipe)) },
    deepspeedConfig(),
    { name: "train.sh", text: launchScript(method, recipe) },
  ];
}

const shared = (recipe: TrainingRecipe): Record<string, ConfigValue> => ({
  model_name_or_path: recipe.model,
  dtype: "bfloat16",
  dataset_name: "data",
  output_dir: "trained",
  num_train_epochs: recipe.epochs,
  per_device_train_batch_size: recipe.perDevice,
  gradient_accumulation_steps: accumulation(recipe),
  gradient_checkpointing: true,
  learning_rate: recipe.learningRate,
  lr_scheduler_type: recipe.schedule,
  // A share below 1, else a number of updates.
  warmup_steps: recipe.warmup,
  weight_decay: recipe.weightDecay,
  adam_beta1: recipe.betas[0],
  adam_beta2: recipe.betas[1],
  bf16: true,
  seed: recipe.seed,
  logging_steps: 1,
  ...(recipe.save === "epoch" ? { save_strategy: "epoch" } : { save_strategy: "steps", save_steps: recipe.save }),
  report_to: "none",
});

const OF_METHOD: Record<Method, (recipe: TrainingRecipe) => Record<string, ConfigValue>> = {
  sft: ({ context }) => ({ max_length: context, completion_only_loss: true, packing: false }),
  // The learning rate and β of TRL's own defaults: a hundredth of what supervised training takes.
  dpo: ({ context }) => ({ learning_rate: 5e-7, beta: 0.1, loss_type: ["sigmoid"], max_length: context }),
  grpo: ({ context }) => ({
    learning_rate: 1e-6,
    reward_funcs: ["rewards.answer_reward"],
    num_generations: 8,
    max_completion_length: Math.floor(context / 2),
    temperature: 1,
    beta: 0,
    epsilon: 0.2,
    loss_type: "grpo",
    scale_rewards: "group",
  }),
};

const accelerateConfig = ({ nodes, devices }: TrainingRecipe): Record<string, ConfigValue> => ({
  compute_environment: "LOCAL_MACHINE",
  distributed_type: "DEEPSPEED",
  deepspeed_config: {
    deepspeed_config_file: "deepspeed.json",
    deepspeed_multinode_launcher: "standard",
    zero3_init_flag: true,
  },
  num_machines: nodes,
  num_processes: nodes * devices,
  main_training_function: "main",
  rdzv_backend: "static",
  same_network: true,
  use_cpu: false,
});

const launchScript = (method: Method, { nodes }: TrainingRecipe): string =>
  scriptText([
    ...(nodes > 1
      ? [
          `# On each of ${nodes} nodes, which share this folder: NODE_RANK=0 … ${nodes - 1}, and the first one's address as MASTER_ADDR.`,
          `PLACE=(--machine_rank "\${NODE_RANK:?}" --main_process_ip "\${MASTER_ADDR:?}" --main_process_port "\${MASTER_PORT:-29500}")`,
        ]
      : ["PLACE=()"]),
    `accelerate launch --config_file accelerate.yaml "\${PLACE[@]}" -m trl.scripts.${method} --config ${shellWord(`${method}.yaml`)} "$@"`,
  ]);
