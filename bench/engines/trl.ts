import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openEnvironment } from "./environment.js";
import { DPO_ROWS, GRPO_ROWS, REWARDED_TEXTS, SFT_ROWS } from "./rows.js";
import { exportRows, loggedSteps, ourFirstLoss, SMALL } from "./trainings.js";

/** Recipes of the three runs. */
export const TRL_RUNS = {
  sft: { rows: SFT_ROWS, recipe: SMALL, extra: [] },
  dpo: { rows: DPO_ROWS, recipe: { ...SMALL, batchSize: 2, perDevice: 2 }, extra: [] },
  grpo: {
    rows: GRPO_ROWS,
    recipe: { ...SMALL, batchSize: 4, perDevice: 4, context: 64 },
    extra: ["--num_generations", "4"],
  },
} as const;

/** Run SFT, DPO and GRPO of TRL for two steps each on exported files. */
export async function runTrl({ venv, model, folder }: { venv?: string | undefined; model: string; folder: string }) {
  const python = await openEnvironment({ venv, engine: "trl", packages: ["torch", "trl"] });
  const versions = await python.versions(["torch", "transformers", "accelerate", "datasets", "trl"]);
  const runs: Record<string, unknown> = {};
  for (const method of ["sft", "dpo", "grpo"] as const) {
    const { rows, recipe, extra } = TRL_RUNS[method];
    const own = join(folder, method);
    const exported = await exportRows(rows, { folder: own, engine: "trl", method, recipe, model });
    // What a processor needs otherwise than the devices that the configuration is for.
    const here = ["--dtype", "float32", "--bf16", "false", "--use_cpu", "true", "--gradient_checkpointing", "false"];
    const saved = ["--save_strategy", "steps", "--save_steps", "2", "--max_steps", "2"];
    const args = ["-m", `trl.scripts.${method}`, "--config", `${method}.yaml`, "--model_name_or_path", model];
    await python.run("python", [...args, ...here, ...saved, ...extra], { cwd: exported.out });
    runs[method] = {
      files: exported.files,
      rows: exported.rows,
      steps: await loggedSteps(join(exported.out, "trained")),
      ...(method === "sft" ? { ours: await ourFirstLoss(model, own) } : {}),
      ...(method === "grpo" ? { rewards: await rewardsOf(python, exported.out) } : {}),
    };
  }
  return { versions, runs };
}

/** What the exported rewards.py gives for texts. */
async function rewardsOf(python: Awaited<ReturnType<typeof openEnvironment>>, out: string): Promise<number[]> {
  await writeFile(join(out, "texts.json"), JSON.stringify(REWARDED_TEXTS));
  const code =
    'import json, rewards; rows = json.load(open("texts.json")); print("REWARDS " + json.dumps(rewards.answer_reward([r["text"] for r in rows], [r["answer"] for r in rows])))';
  const printed = await python.run("python", ["-c", code], { cwd: out });
  return JSON.parse(/REWARDS (.*)/.exec(printed)![1]!);
}
