import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeChatModel } from "../model/generate/helpers.js";
import { root } from "../notebook/helpers.js";

describe("thoughtbook study", { timeout: 120_000 }, () => {
  let folder: string;
  let model: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-study-cli-"));
    model = join(folder, "model");
    await writeChatModel(model);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (settings: object | string, ...args: string[]) => {
    const file = join(folder, "study.json");
    writeFileSync(file, typeof settings === "string" ? settings : JSON.stringify(settings));
    const command = [join(root, "lib", "bin.mjs"), "study", file, "--out", join(folder, "out"), ...args];
    return spawnSync(process.execPath, command, { encoding: "utf8" });
  };
  const study = () => ({
    name: "chains-only",
    seed: 1,
    models: { base: model, validator: model, scorer: model },
    chains: { count: 4, operations: [1, 1], seed: 2 },
    sets: [
      { name: "full", method: "full chain", mode: "full" },
      { name: "necessary", method: "necessary steps", mode: "necessary" },
    ],
  });

  it("prints what is kept, and writes all numbers", () => {
    const results = join(folder, "deep", "results.json");
    const { stdout, stderr, status } = run(study(), "--results", results);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/set +tokens kept % +steps kept % +accepted % +precision % +recall %\n/);
    expect(stdout).toMatch(/ full chain +100\.0 +100\.0 +0\.0 +[\d.]+ +100\.0\n/);
    expect(stdout).toMatch(/necessary steps +[\d.]+ +[\d.]+ +0\.0 +100\.0 +100\.0\n/);
    const written = JSON.parse(readFileSync(results, "utf8"));
    expect(written).toMatchObject({
      study: { name: "chains-only" },
      sets: [{ recall: { value: 1 } }, {}],
      students: [],
    });
  });

  it("says what is wrong with the file", () => {
    expect(run("{").stderr).toMatch(/study\.json is no JSON/);
    expect(run({ ...study(), sets: [] }).stderr).toMatch(
      /study\.json is no study: .*sets.*data\/studies\/astar\.json is one/,
    );
  });
});
