import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openEnvironment } from "./environment.js";
import { SFT_ROWS } from "./rows.js";
import { exportRows, loggedSteps, ourFirstLoss, SMALL } from "./trainings.js";

/** Run LLaMA-Factory's supervised training for two steps on exported files. */
export async function runLlamaFactory({
  venv,
  model,
  folder,
}: {
  venv?: string | undefined;
  model: string;
  folder: string;
}) {
  const packages = ["torch==2.13.0", "llamafactory"];
  // Their wheels are linked to CUDA's torch; text needs neither.
  const python = await openEnvironment({
    venv,
    engine: "llama-factory",
    packages,
    remove: ["torchvision", "torchaudio"],
  });
  const versions = await python.versions(["torch", "transformers", "accelerate", "datasets", "llamafactory"]);
  const exported = await exportRows(SFT_ROWS, { folder, engine: "llama-factory", method: "sft", recipe: SMALL, model });
  // What a processor needs otherwise than the devices that the configuration is for.
  const here = ["deepspeed=null", "bf16=false", "use_cpu=true", "preprocessing_num_workers=1"];
  const saved = ["save_strategy=steps", "save_steps=2", "max_steps=2"];
  // LLaMA-Factory imports it whatever the data are.
  const stubs = join(folder, "stubs");
  await mkdir(stubs, { recursive: true });
  await writeFile(join(stubs, "torchaudio.py"), "");
  await python.run("llamafactory-cli", ["train", "sft.yaml", `model_name_or_path=${model}`, ...here, ...saved], {
    cwd: exported.out,
    env: { PYTHONPATH: stubs },
  });
  const { files, rows, out } = exported;
  return {
    versions,
    runs: {
      sft: { files, rows, steps: await loggedSteps(join(out, "trained")), ours: await ourFirstLoss(model, folder) },
    },
  };
}
