import { badInput } from "../../core/index.js";
import { type ExportFile, jsonText, scriptText, yamlText } from "./config-text.js";
import { accumulation, deepspeedConfig } from "./deepspeed.js";
import type { Form, LearnedReply } from "./engine-rows.js";
import type { TrainingRecipe } from "./recipes.js";

const DATASET = "thoughtbook";
const ROLES: Readonly<Record<string, string>> = { user: "user", assistant: "assistant" };

/**
 * A row of LLaMA-Factory: ShareGPT's turns with the system prompt beside them, or an instruction with its output.
 *
 * @param end the text of the token that ends texts, which the template `empty` does not add
 * @throws bad-input naming a conversation that ShareGPT's layout cannot hold
 */
export function llamaFactoryRow(reply: LearnedReply, place: string, end = ""): Record<string, unknown> {
  if (reply.form === "texts") {
    return { instruction: reply.prompt, output: `${reply.completion}${reply.ended ? "" : end}` };
  }
  const [first, ...rest] = reply.before;
  const system = first?.role === "system" ? first.content : "";
  const turns = [...(first?.role === "system" ? rest : reply.before), reply.reply];
  const odd = turns.findIndex(({ role }, at) => ROLES[role] !== (at % 2 === 0 ? "user" : "assistant"));
  if (odd >= 0) {
    throw badInput(
      `${place}: turn ${odd} is of ${turns[odd]!.role}; LLaMA-Factory takes user and assistant in turn`,
      "Correct that row, or write all rows as texts.",
    );
  }
  return { system, conversations: turns.map(({ role, content }) => ({ from: role, value: content })) };
}

/**
 * Configurations of LLaMA-Factory (checked with 0.9.5): the data set's entry, the run as A*-Thought's `qwen2_full_sft.yaml` has it,
 * DeepSpeed ZeRO-3 with offload, and the lines that start it on one node or several.
 */
export function llamaFactoryFiles(form: Form, recipe: TrainingRecipe): ExportFile[] {
  const entry =
    form === "texts"
      ? { file_name: "train.jsonl", columns: { prompt: "instruction", response: "output" } }
      : {
          file_name: "train.jsonl",
          formatting: "sharegpt",
          columns: { messages: "conversations", system: "system" },
          tags: { role_tag: "from", content_tag: "value", user_tag: "user", assistant_tag: "assistant" },
        };
  const config = {
    model_name_or_path: recipe.model,
    stage: "sft",
    do_train: true,
    finetuning_type: "full",
    deepspeed: "deepspeed.json",
    dataset_dir: "data",
    dataset: DATASET,
    // Texts are the template's output already.
    template: form === "texts" ? "empty" : recipe.template.llamaFactory,
    // A row is one reply with all before it: only the last is learned.
    mask_history: true,
    cutoff_len: recipe.context,
    max_samples: 1_000_000,
    overwrite_cache: true,
    preprocessing_num_workers: 16,
    output_dir: "trained",
    logging_steps: 1,
    ...(recipe.save === "epoch" ? { save_strategy: "epoch" } : { save_strategy: "steps", save_steps: recipe.save }),
    per_device_train_batch_size: recipe.perDevice,
    gradient_accumulation_steps: accumulation(recipe),
    learning_rate: recipe.learningRate,
    num_train_epochs: recipe.epochs,
    lr_scheduler_type: recipe.schedule,
    ...(recipe.warmup < 1 ? { warmup_ratio: recipe.warmup } : { warmup_steps: recipe.warmup }),
    weight_decay: recipe.weightDecay,
    adam_beta1: recipe.betas[0],
    adam_beta2: recipe.betas[1],
    bf16: true,
    seed: recipe.seed,
    report_to: "none",
  };
  return [
    { name: "data/dataset_info.json", text: jsonText({ [DATASET]: entry }) },
    { name: "sft.yaml", text: yamlText(config) },
    deepspeedConfig(),
    { name: "train.sh", text: launchScript(recipe) },
  ];
}

const launchScript = ({ nodes, devices }: TrainingRecipe): string =>
  scriptText([
    ...(nodes > 1
      ? [
          `# On each of ${nodes} nodes, which share this folder: NODE_RANK=0 … ${nodes - 1}, and the first one's address as MASTER_ADDR.`,
          `export NNODES=${nodes} NODE_RANK="\${NODE_RANK:?}" MASTER_ADDR="\${MASTER_ADDR:?}" MASTER_PORT="\${MASTER_PORT:-29500}"`,
        ]
      : []),
    `export FORCE_TORCHRUN=1 NPROC_PER_NODE=${devices}`,
    'llamafactory-cli train sft.yaml "$@"',
  ]);
