import { isAbsolute } from "node:path";
import { badInput } from "../../core/index.js";
import { type ExportFile, scriptText, shellWord, yamlText } from "./config-text.js";
import { accumulation } from "./deepspeed.js";
import type { Form, LearnedReply } from "./engine-rows.js";
import type { TrainingRecipe } from "./recipes.js";

/**
 * A row of LitGPT: an instruction with its output, of one exchange. LitGPT adds the token that ends texts.
 *
 * @param end the text of that token
 * @throws bad-input naming a conversation of several exchanges, which LitGPT's rows cannot hold
 */
export function litgptRow(reply: LearnedReply, place: string, end = ""): Record<string, unknown> {
  if (reply.form === "texts") {
    const output =
      end !== "" && reply.completion.endsWith(end) ? reply.completion.slice(0, -end.length) : reply.completion;
    return { instruction: reply.prompt, output };
  }
  const system = reply.before[0]?.role === "system" ? reply.before[0].content : undefined;
  const turns = system === undefined ? reply.before : reply.before.slice(1);
  if (turns.length !== 1 || turns[0]!.role !== "user") {
    throw badInput(
      `${place}: ${turns.length} turns before the reply; LitGPT takes one of the user`,
      "Write all rows as texts, which hold any conversation.",
    );
  }
  return {
    instruction: turns[0]!.content,
    output: reply.reply.content,
    ...(system === undefined ? {} : { sys_prompt: system }),
  };
}

/**
 * Configuration of LitGPT's full fine-tuning (checked with 0.5.13), and the lines that download or convert the model and
 * start it on one node or several.
 *
 * @param rows number of rows, of which a warm-up by a share of the updates follows
 * @throws bad-input for a schedule other than the cosine, which is LitGPT's only one
 */
export function litgptFiles(form: Form, recipe: TrainingRecipe, rows: number): ExportFile[] {
  const { warmup, schedule } = recipe;
  const updates = Math.ceil((rows * (1 - recipe.validation)) / recipe.batchSize) * recipe.epochs;
  if (schedule !== "cosine") {
    throw badInput(`the schedule is ${schedule}; LitGPT fine-tunes with a cosine only`, "Choose another recipe.");
  }
  // Only to check that the rows can be dealt: LitGPT computes it itself.
  accumulation(recipe);
  const config = {
    out_dir: "trained",
    precision: "bf16-true",
    devices: recipe.devices,
    num_nodes: recipe.nodes,
    data: {
      class_path: "litgpt.data.JSON",
      init_args: {
        json_path: "data/train.jsonl",
        mask_prompt: true,
        val_split_fraction: recipe.validation,
        // Texts are the template's output already; the style that adds nothing has no name.
        prompt_style: form === "texts" ? { class_path: "litgpt.prompts.Default" } : recipe.template.litgpt,
        ignore_index: -100,
        seed: recipe.seed,
        num_workers: 4,
      },
    },
    train: {
      save_interval: recipe.save === "epoch" ? null : recipe.save,
      log_interval: 1,
      global_batch_size: recipe.batchSize,
      micro_batch_size: recipe.perDevice,
      // Fine-tuning takes no share of the updates, and divides by their number.
      lr_warmup_steps: warmup < 1 ? Math.max(1, Math.round(warmup * updates)) : warmup,
      epochs: recipe.epochs,
      max_seq_length: recipe.context,
      min_lr: recipe.minLearningRate,
    },
    eval: { interval: 600, max_new_tokens: 100, max_iters: 100, initial_validation: false, final_validation: true },
    optimizer: {
      class_path: "torch.optim.AdamW",
      init_args: { lr: recipe.learningRate, weight_decay: recipe.weightDecay, betas: [...recipe.betas] },
    },
    logger_name: "csv",
    seed: recipe.seed,
  };
  return [
    { name: "sft.yaml", text: yamlText(config) },
    { name: "train.sh", text: launchScript(recipe) },
  ];
}

/** A folder stays where it is; a model of the hub is downloaded beside the configuration. */
const checkpointOf = (model: string): string => (isAbsolute(model) ? model : `checkpoints/${model}`);

const launchScript = ({ model, nodes }: TrainingRecipe): string =>
  scriptText([
    `CHECKPOINT=${shellWord(checkpointOf(model))}`,
    isAbsolute(model)
      ? `[ -f "$CHECKPOINT/lit_model.pth" ] || litgpt convert_to_litgpt "$CHECKPOINT" --model_name "\${MODEL_NAME:?its name in LitGPT, such as SmolLM2-135M-Instruct}"`
      : `[ -f "$CHECKPOINT/lit_model.pth" ] || litgpt download ${shellWord(model)}`,
    ...(nodes > 1
      ? [
          `# On each of ${nodes} nodes, which share this folder: NODE_RANK=0 … ${nodes - 1}, and the first one's address as MASTER_ADDR.`,
          `export NODE_RANK="\${NODE_RANK:?}" MASTER_ADDR="\${MASTER_ADDR:?}" MASTER_PORT="\${MASTER_PORT:-29500}"`,
        ]
      : []),
    'litgpt finetune_full "$CHECKPOINT" --config sft.yaml "$@"',
  ]);
