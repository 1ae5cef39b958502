import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTokenizer } from "thoughtbook/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHECKPOINTS, writeChatModel } from "../model/generate/helpers.js";
import { root } from "../notebook/helpers.js";

const LLAMA = join(CHECKPOINTS, "llama-gqa-tied");

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "lib", "bin.mjs"), ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
};

describe("thoughtbook score", { timeout: 60_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-cli-score-"));
    await writeChatModel(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("scores a continuation, joined as ids", async () => {
    const tokenizer = await loadTokenizer(folder);
    const [before, after] = [
      tokenizer.encode("the cat"),
      tokenizer.encode(" sat", { addSpecialTokens: false, continues: true }),
    ];
    const texts = run("score", "--model", folder, "--prompt", "the cat", "--continuation", " sat", "--json");
    const ids = run("score", "--model", folder, "--ids", [...before, ...after].join(), "--json");
    expect(JSON.parse(texts.stdout)).toEqual({ ...JSON.parse(ids.stdout), continuationTokens: after.length });
    expect(JSON.parse(ids.stdout).tokenLogProbs).toHaveLength(before.length + after.length - 1);
    const summary = run("score", "--model", folder, "--prompt", "the cat", "--continuation", " sat").stdout;
    expect(summary).toMatch(new RegExp(`^${after.length} tokens, log-probability -\\d`));
  });

  it.each([
    [["--model", LLAMA], /there is nothing to score/],
    [["--model", LLAMA, "--prompt", "x"], /one of --prompt and --continuation is missing/],
    [["--model", LLAMA, "--ids", "1,2", "--prompt", "x"], /--ids and texts are both given/],
    [["--model", LLAMA, "--prompt", "x", "--continuation", "y"], /has no tokenizer/],
    [["--model", LLAMA, "--ids", "1"], /there are 1 tokens, expected two at least/],
    [["--model", LLAMA, "--ids", "1,200"], /the id 200/],
  ])("refuses %j", (args, message) => {
    const { status, stderr } = run("score", ...args);
    expect(status).toBe(1);
    expect(stderr).toMatch(message);
  });
});
