import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportGguf, openCheckpoint, resolveModel } from "thoughtbook/model";
import { OPERATION_NAMES } from "thoughtbook/operations";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeChatModel } from "../model/generate/helpers.js";
import { root } from "../notebook/helpers.js";

const BIN = join(root, "lib", "bin.mjs");
const scratch = realpathSync(mkdtempSync(join(tmpdir(), "thoughtbook-cli-operations-")));
const run = (...args: string[]) =>
  spawnSync(process.execPath, [BIN, "operations", ...args], {
    encoding: "utf8",
    cwd: scratch,
  });

describe("thoughtbook operations", { timeout: 90_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-cli-operations-"));
    await writeChatModel(folder);
  });
  afterAll(() => {
    for (const each of [folder, scratch]) rmSync(each, { recursive: true, force: true });
  });

  it("keeps finished records at Ctrl-C, and the same command goes on to the same bytes", async () => {
    const args = ["--model", folder, "--problems", "8", "--max-new-tokens", "60", "--batch-size", "2"];
    const [stopped, whole] = [join(scratch, "stopped"), join(scratch, "whole")];
    const flags = [...args, "--result-dir", stopped];
    const child = spawn(process.execPath, [BIN, "operations", ...flags], { stdio: ["ignore", "ignore", "pipe"] });
    let told = "";
    child.stderr.on("data", (text) => {
      told += text;
    });
    const file = join(stopped, "records.jsonl");
    // Once only: a second Ctrl-C ends the process at once.
    const watch = setInterval(() => {
      if (!existsSync(file) || readFileSync(file, "utf8").split("\n").length <= 10) return;
      clearInterval(watch);
      child.kill("SIGINT");
    }, 5);
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(130);
    expect(told).toMatch(/The same command goes on from there/);
    const kept = readFileSync(file, "utf8").trimEnd().split("\n");
    expect(kept.length).toBeGreaterThan(9);
    expect(kept.length).toBeLessThan(8 * OPERATION_NAMES.length);
    expect(run(...flags).status).toBe(0);
    expect(run(...args, "--result-dir", whole).status).toBe(0);
    for (const name of ["records.jsonl", "summary.json"]) {
      expect(readFileSync(join(stopped, name), "utf8")).toBe(readFileSync(join(whole, name), "utf8"));
    }
  });

  it("shows how models are asked, and names a kind or an operation that is not there", () => {
    const shown = run("asking", "--model", "Qwen2.5-Coder-0.5B", "--operation", "program,answer");
    expect(shown.stdout).toMatch(/^kind qwen2\.5-coder-0\.5b; there are mini, /);
    expect(shown.stdout).toMatch(/=== program\n\[user\]\n[\s\S]*\[assistant\]\n```python\ndef solution\(\):/);
    expect(run("asking", "--asking", "smollm").stderr).toMatch(/no way of asking named "smollm"/);
    expect(run("asking", "--operation", "decompos").stderr).toMatch(/Did you mean decompose/);
    expect(run("tune", "--model", folder).stderr).toMatch(/--out/);
  });

  it("keeps the outputs of each numerical path in a folder of its own", async () => {
    const file = join(scratch, "mini.gguf");
    await exportGguf(await openCheckpoint(await resolveModel("mini")), file, { type: "q8_0" });
    const flags = ["--model", file, "--operation", "answer", "--problems", "1", "--max-new-tokens", "4"];
    const places = ["exact", "fast"].map((path) => {
      const { stdout, stderr } = run(...flags, "--numerics", path);
      expect(stderr).not.toMatch(/error/);
      return stdout.trimEnd().split("\n").at(-1);
    });
    expect(places[1]).not.toBe(places[0]);
  });

  it("prints for each operation what can be read and what is right, the same each time", () => {
    const flags = ["--model", folder, "--problems", "2", "--operations", "2-3", "--max-new-tokens", "6"];
    const table = run(...flags);
    expect(table.stderr).not.toMatch(/error/);
    const [header, ...rows] = table.stdout.trimEnd().split("\n");
    expect(header!.trim().split(/ {2,}/)).toEqual(["operation", "parsed", "95 %", "right", "95 %", "tokens"]);
    expect(table.stderr).toMatch(/Measuring the operations of .*: 26 outputs/);
    const place = rows.pop()!;
    expect(place).toContain(join(scratch, "runs", "operations"));
    expect(rows.map((row) => row.trim().split(/ {2,}/)[0])).toEqual(OPERATION_NAMES);
    const [first, second] = [run(...flags, "--json"), run(...flags, "--json")];
    expect(second.stdout).toBe(first.stdout);
    // All was there already.
    expect(second.stderr).toMatch(/26\/26 outputs/);
    const more = run(...flags.with(3, "3"), "--batch-size", "4");
    expect(more.stdout.trimEnd().split("\n").at(-1)).toBe(place);
    expect(more.stderr).toMatch(/26\/39 outputs/);
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
