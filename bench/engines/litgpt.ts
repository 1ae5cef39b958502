import { cp, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { openEnvironment } from "./environment.js";
import { LITGPT_ROWS } from "./rows.js";
import { exportRows, SMALL } from "./trainings.js";

export const LITGPT_RECIPE = { ...SMALL, validation: 0.25, warmup: 0.1 };

/** Convert the model, let LitGPT read the exported rows, and run its full fine-tuning for two steps. */
export async function runLitgpt({ venv, model, folder }: { venv?: string | undefined; model: string; folder: string }) {
  // LitGPT uses the last two without naming them.
  const packages = ["torch==2.13.0", "litgpt", "requests", "safetensors"];
  const python = await openEnvironment({ venv, engine: "litgpt", packages });
  const versions = await python.versions(["torch", "lightning", "litgpt"]);
  const recipe = LITGPT_RECIPE;
  const exported = await exportRows(LITGPT_ROWS, { folder, engine: "litgpt", method: "sft", recipe, model });
  const checkpoint = join(folder, "SmolLM2-135M-Instruct");
  await cp(model, checkpoint, { recursive: true });
  await python.run("litgpt", ["convert_to_litgpt", checkpoint, "--model_name", "SmolLM2-135M-Instruct"]);
  const read = await python.run("python", ["-c", READ, checkpoint], { cwd: exported.out });
  await python.run(
    "litgpt",
    [
      ...["finetune_full", checkpoint, "--config", "sft.yaml", "--precision", "32-true", "--devices", "1"],
      ...["--data.num_workers", "0", "--train.max_steps", "2", "--eval.max_iters", "1", "--eval.max_new_tokens", "2"],
    ],
    { cwd: exported.out },
  );
  return {
    versions,
    runs: {
      sft: {
        files: exported.files,
        rows: exported.rows,
        read: JSON.parse(/READ (.*)/.exec(read)![1]!),
        steps: await logged(join(exported.out, "trained")),
      },
    },
  };
}

/** What LitGPT's own data module makes of the first row: its ids, and how many of them are counted. */
const READ = `
import json, sys
from litgpt.data import JSON
from litgpt.prompts import Default
from litgpt.tokenizer import Tokenizer
from pathlib import Path
data = JSON(json_path=Path("data/train.jsonl"), mask_prompt=True, val_split_fraction=0.25, prompt_style=Default(), seed=42)
data.connect(tokenizer=Tokenizer(sys.argv[1]), batch_size=1, max_seq_length=256)
data.setup()
first = data.train_dataset[0]
print("READ " + json.dumps({"train": len(data.train_dataset), "held_out": len(data.test_dataset),
  "ids": first["input_ids"].tolist(), "counted": int((first["labels"] >= 0).sum())}))
`;

async function logged(out: string): Promise<{ step: number; loss: number }[]> {
  const csv = (await readdir(out, { recursive: true })).find((name) => name.endsWith("metrics.csv"));
  if (csv === undefined) throw new Error(`no metrics.csv below ${out}`);
  const [head, ...lines] = (await readFile(join(out, csv), "utf8"))
    .trim()
    .split("\n")
    .map((line) => line.trim().split(","));
  const [loss, step] = ["loss", "step"].map((name) => head!.indexOf(name));
  return lines
    .filter((line) => line[loss!] !== "")
    .map((line) => ({ step: Number(line[step!]), loss: Number(line[loss!]) }));
}
