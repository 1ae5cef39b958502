import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadTokenizer } from "thoughtbook/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHECKPOINTS, expectedOf, parityIds, writeChatModel } from "../model/generate/helpers.js";
import { root } from "../notebook/helpers.js";

const LLAMA = join(CHECKPOINTS, "llama-gqa-tied");

const run = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "lib", "bin.mjs"), ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
};

describe("thoughtbook generate", { timeout: 60_000 }, () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-cli-generate-"));
    await writeChatModel(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("goes on from ids without a tokenizer, as PyTorch does", async () => {
    const { greedy_continuation_of_row_0: ids } = expectedOf<{ greedy_continuation_of_row_0: number[] }>(
      "llama-gqa-tied",
    );
    const prompt = (await parityIds("llama-gqa-tied")).join(",");
    const args = ["--ids", prompt, "--greedy", "--max-new-tokens", String(ids.length)];
    const [record, ...others] = JSON.parse(run("generate", "--model", LLAMA, ...args, "--json").stdout);
    expect(others).toEqual([]);
    expect(record).toEqual({ ids, text: null, finishReason: "length", tokenLogProbs: expect.any(Array) });
    expect(run("generate", "--model", LLAMA, ...args).stdout.trim()).toBe(ids.join(","));
    const scored = run("score", "--model", LLAMA, "--ids", [prompt, ...ids].join(","), "--json");
    const { tokenLogProbs } = JSON.parse(scored.stdout) as { tokenLogProbs: number[] };
    expect(Object.keys(JSON.parse(scored.stdout))).toEqual(["tokenLogProbs"]);
    for (const [i, logProb] of tokenLogProbs.slice(-ids.length).entries()) {
      expect(record.tokenLogProbs[i]).toBeCloseTo(logProb, 4);
    }
  });

  it("goes on from text, samples by seed, streams", async () => {
    const args = ["generate", "--model", folder, "--prompt", "the cat", "--max-new-tokens", "12"];
    const sampled = run(...args, "--seed", "4", "--samples", "2", "--top-p", "0.9", "--json");
    expect(JSON.parse(sampled.stdout)).toHaveLength(2);
    expect(run(...args, "--seed", "4", "--samples", "2", "--top-p", "0.9", "--json").stdout).toBe(sampled.stdout);
    const [{ ids, text }] = JSON.parse(run(...args, "--seed", "5", "--json").stdout);
    const tokenizer = await loadTokenizer(folder);
    const shown = ids.at(-1) === 1 ? ids.slice(0, -1) : ids;
    expect(text).toBe(tokenizer.decode(shown, { skipSpecialTokens: true }));
    expect(run(...args, "--seed", "5").stdout).toBe(`${text}\n`);
    expect(run(...args, "--chat", "--greedy", "--json").status).toBe(0);
  });

  it.each([
    [["--model", LLAMA], /there is no prompt\. Give one of --prompt and --ids/],
    [["--model", LLAMA, "--prompt", "x", "--ids", "1"], /--prompt and --ids are both given/],
    [["--model", LLAMA, "--prompt", "x"], /has no tokenizer.*--ids/],
    [["--model", LLAMA, "--ids", "1,131"], /the id 131 at place 1, expected a whole number from 0 to 130/],
    [["--model", LLAMA, "--ids", "1,x"], /expected token ids with commas/],
    [["--model", LLAMA, "--ids", Array(128).fill(1).join()], /leaves no room in the model's context of 128/],
    [["--model", LLAMA, "--ids", "1", "--top-p", "1.5"], /topP is 1.5/],
    [["--model", LLAMA, "--ids", "1", "--greedy", "--temperature", "1"], /contradict each other/],
    [["--model", LLAMA, "--ids", "1", "--chat"], /--chat needs a message/],
    [["--model", "./no-such-folder", "--ids", "1"], /there is no folder/],
  ])("refuses %j", (args, message) => {
    const { status, stdout, stderr } = run("generate", ...args);
    expect(status).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
  });
});
