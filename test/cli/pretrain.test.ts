import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/helpers.js";

const BIN = fileURLToPath(new URL("../../lib/bin.mjs", import.meta.url));
const MINI = fileURLToPath(new URL("../../data/recipes/mini.json", import.meta.url));

/** The recipe of mini with everything small. */
function tinyRecipe({ steps }: { steps: number }) {
  const recipe = JSON.parse(readFileSync(MINI, "utf8"));
  recipe.tokenizer = { vocabularySize: 400, problems: 30 };
  Object.assign(recipe.model, { hidden_size: 16, intermediate_size: 24, num_hidden_layers: 1 });
  Object.assign(recipe.model, { num_attention_heads: 2, num_key_value_heads: 1 });
  recipe.evaluation = { every: steps, problems: 1, operations: [1], maxNewTokens: 3 };
  for (const phase of recipe.phases) Object.assign(phase, { steps, batchSize: 2, operations: [1, 2], longest: 600 });
  return recipe;
}

describe("thoughtbook pretrain", () => {
  it("trains by a recipe, and prints the folder of the model", async () => {
    const folder = await temporaryFolder();
    const recipe = tinyRecipe({ steps: 2 });
    const file = join(folder, "tiny.json");
    writeFileSync(file, JSON.stringify(recipe));
    const out = join(folder, "out");
    const run = (...more: string[]) =>
      execFileSync(process.execPath, [BIN, "pretrain", "--recipe", file, "--out", out, "--threads", "1", ...more], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
      }).trim();
    const names: string[] = recipe.phases.map(({ name }: { name: string }) => name);
    const [first, second, last] = [...names.slice(0, 2), names.at(-1)!] as [string, string, string];
    expect(run("--until", second)).toBe(join(out, "models", second));
    expect(readdirSync(join(out, "models")).sort()).toEqual([first, second].sort());
    const published = join(folder, "published");
    expect(run("--publish", published).split("\n")).toEqual([
      join(out, "models", last),
      ...["mini-base", "mini"].map((name) => join(published, name)),
    ]);
    expect(readdirSync(join(out, "models", last)).sort()).toEqual([
      "config.json",
      "model.safetensors",
      "thoughtbook.json",
      "tokenizer.json",
      "tokenizer_config.json",
    ]);
  }, 120_000);

  it("saves at Ctrl-C, says how to go on, and ends as shells expect", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "tiny.json");
    writeFileSync(file, JSON.stringify(tinyRecipe({ steps: 5000 })));
    const out = join(folder, "out");
    const child = spawn(process.execPath, [BIN, "pretrain", "--recipe", file, "--out", out, "--threads", "1"]);
    let stderr = "";
    child.stderr.on("data", (text) => {
      const hadBegun = /update \d/.test(stderr);
      stderr += text;
      if (!hadBegun && /update \d/.test(stderr)) child.kill("SIGINT");
    });
    const [status] = await once(child, "close");
    expect(status).toBe(130);
    const found = /error: training was stopped after update (\d+) of 5000\. The same command goes on from there/.exec(
      stderr,
    );
    const [first] = readdirSync(join(out, "runs")) as [string];
    const records = readFileSync(join(out, "runs", first, "records.jsonl"), "utf8")
      .trimEnd()
      .split("\n");
    expect(records).toHaveLength(Number(found![1]));
    expect(readdirSync(join(out, "runs", first))).toContain("state.safetensors");
  }, 120_000);

  it("names what is wrong before any work", async () => {
    const run = (...given: string[]) => spawnSync(process.execPath, [BIN, "pretrain", ...given], { encoding: "utf8" });
    expect(run().stderr).toContain("--out");
    const out = join(await temporaryFolder(), "out");
    expect(run("--out", out, "--recipe", "none.json").stderr).toMatch(/none\.json/);
    expect(run("--out", out, "--seed", "x").stderr).toContain("Expected a whole number");
  });
});
