import { existsSync } from "node:fs";
import { type Command, Option } from "@commander-js/extra-typings";
import { resolveUserPath, withoutUndefined } from "../../core/index.js";
import type { Engine, Form, Method, RecipeName } from "../../export/index.js";
import type { Flags } from "../flags.js";
import { count } from "../numbers.js";
import { abortable } from "../resumable.js";

// Written out so that the help loads no engine.
const METHODS: readonly Method[] = ["sft", "dpo", "grpo"];
const FORMS: readonly Form[] = ["conversations", "texts"];
const RECIPES: readonly RecipeName[] = ["astar", "dots", "dots-released", "plain"];

const ROWS = `
Rows of sft are those of "thoughtbook train", such as what "compress --output-path" and "--training-path" write. Each of the
assistant's turns that is learned becomes a row with everything before it.
  --form conversations   turns; the engine's own template writes them, and may count white space behind a turn as well
  --form texts           what the model's chat template writes, and of it what "thoughtbook train" counts;
                         a model with that template must be at hand

Recipes: astar (A*-Thought: QwQ-32B, ZeRO-3 with offload on 8 devices, 64 rows an update), dots (DOTS as its paper says: Llama-3-8B,
64 rows, 4 epochs), dots-released (as its released configuration says: 32 rows, 2 epochs), plain (a 0.5 B model on one device).

The folder gets data/train.jsonl, the configurations, and train.sh, which starts the run; arguments behind it override single
settings. With --nodes, it is started on every node. docs/engines.md shows each engine.`;

const ABOUT: Record<Engine, string> = {
  trl: "write data and configurations to train a model with TRL (sft, dpo, grpo)",
  "llama-factory": "write data and configurations to train a model with LLaMA-Factory",
  litgpt: "write data and configurations to train a model with LitGPT",
};

export function addTrainingExports(exports: Command): void {
  trainingCommand(exports, "trl")
    .addOption(new Option("--method <method>", "how it is trained").choices(METHODS).default("sft" as const))
    .addHelpText("after", PAIRS)
    .action((flags) => exportRun("trl", flags));
  trainingCommand(exports, "llama-factory").action((flags) => exportRun("llama-factory", flags));
  trainingCommand(exports, "litgpt").action((flags) => exportRun("litgpt", flags));
}

const PAIRS = `
Rows of dpo: {"prompt", "chosen", "rejected"}, texts or turns; or {"conversations", "chosen", "rejected"} as LLaMA-Factory has them.
Rows of grpo: {"question" or "prompt", "answer"}; rewards.py compares final answers.`;

const trainingCommand = (exports: Command, engine: Engine) =>
  exports
    .command(engine)
    .description(ABOUT[engine])
    .requiredOption("--data <file>", "the rows to train on")
    .requiredOption("--out <folder>", "the folder that is written")
    .addOption(
      new Option(
        "--recipe <name>",
        "the settings (default: dots for litgpt, plain for dpo and grpo, else astar)",
      ).choices(RECIPES),
    )
    .option("--model <model>", "a name on the Hugging Face hub, or a folder (default: the recipe's)")
    .option("--template <name>", "the engine's name of the model's template (default: the recipe's)")
    .addOption(
      new Option("--form <form>", "how conversations are written").choices(FORMS).default("conversations" as const),
    )
    .option(
      "--tokenizer <model>",
      "whose chat template writes texts, such as a smaller one of the family (default: the model)",
    )
    .option("--epochs <n>", "how often each row is seen (default: the recipe's)", count)
    .option("--batch-size <n>", "rows an update over all devices (default: the recipe's)", count)
    .option("--per-device <n>", "rows that a device computes at once (default: the recipe's)", count)
    .option("--context <n>", "the most tokens of a row (default: the recipe's)", count)
    .option("--nodes <n>", "machines (default: 1)", count)
    .option("--devices <n>", "devices of a machine (default: the recipe's)", count)
    .addHelpText("after", ROWS);

async function exportRun(
  engine: Engine,
  { method = "sft", ...flags }: Flags<(exports: Command) => ReturnType<typeof trainingCommand>> & { method?: Method },
): Promise<void> {
  const { defaultRecipe, exportTraining, RECIPES } = await import("../../export/index.js");
  const { epochs, batchSize, perDevice, context, nodes, devices, template, form, tokenizer } = flags;
  const model = flags.model === undefined ? undefined : pathOrName(flags.model);
  const named = RECIPES[flags.recipe ?? defaultRecipe(engine, method)];
  const recipe = {
    ...named,
    ...withoutUndefined({ epochs, batchSize, perDevice, context, nodes, devices, model }),
    template: template === undefined ? named.template : { llamaFactory: template, litgpt: template },
  };
  const out = resolveUserPath(flags.out);
  const { files, rows, inexact } = await abortable((signal) =>
    exportTraining({ engine, method, recipe, data: resolveUserPath(flags.data), out, form, tokenizer, signal }),
  );
  console.log(`${rows.toLocaleString("en-US")} rows of ${method} for ${engine} in ${out}:\n  ${files.join("\n  ")}`);
  if (inexact > 0) {
    console.error(
      `note: ${inexact} rows hold texts that the engine may encode as other ids than "thoughtbook train" does`,
    );
  }
}

/** A folder by its whole path, since the run starts in another folder; anything else is a name on the hub. */
function pathOrName(model: string): string {
  const folder = resolveUserPath(model);
  return existsSync(folder) ? folder : model;
}
