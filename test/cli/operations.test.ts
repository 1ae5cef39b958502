import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OPERATION_NAMES } from "thoughtbook/operations";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeChatModel } from "../model/generate/helpers.js";
import { root } from "../notebook/helpers.js";

const run = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, "lib", "bin.mjs"), "operations", ...args], { encoding: "utf8" });

describe("thoughtbook operations", { timeout: 90_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-cli-operations-"));
    await writeChatModel(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("prints for each operation what can be read and what is right, the same each time", () => {
    const flags = ["--model", folder, "--problems", "2", "--operations", "2-3", "--max-new-tokens", "6"];
    const table = run(...flags);
    expect(table.stderr).not.toMatch(/error/);
    const [header, ...rows] = table.stdout.trimEnd().split("\n");
    expect(header!.trim().split(/ {2,}/)).toEqual(["operation", "parsed", "95 %", "right", "95 %", "tokens"]);
    expect(rows.map((row) => row.trim().split(/ {2,}/)[0])).toEqual(OPERATION_NAMES);
    const [first, second] = [run(...flags, "--json"), run(...flags, "--json")];
    expect(second.stdout).toBe(first.stdout);
    const told = JSON.parse(first.stdout);
    expect(told).toMatchObject({
      model: folder,
      problems: 2,
      difficulty: [2, 3],
      modelHash: expect.stringMatching(/^\w{64}$/),
    });
    // Weights that have learned nothing write nothing that can be read.
    expect(told.results.map(({ parsed }: { parsed: { value: number } }) => parsed.value)).toContain(0);
    expect(run("--model", folder, "--operations", "x").stderr).toMatch(/expected a number or a range/);
  });
});
