import { readdir } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { benchGenerate, type GenerateBenchOptions, sameTokens } from "../../bench/generate/index.js";
import { flopsOfText, type GenerateProblem } from "../../bench/generate/model.js";
import { generateFigure, summarise } from "../../bench/generate/summary.js";
import { LARGE_PRODUCTS } from "../../bench/shared/products.js";
import { temporaryFolder } from "../core/helpers.js";

const problem: GenerateProblem = {
  vocabulary: 50,
  width: 16,
  hidden: 24,
  layers: 2,
  heads: 4,
  keyHeads: 2,
  promptTokens: 6,
  newTokens: 5,
};
const OPTIONS: GenerateBenchOptions = {
  peers: ["engine", "transformers-js", "python"],
  batches: [1, 3],
  rounds: 2,
  threads: 2,
  seed: 1,
  turnSeconds: 0.02,
  attempts: 1,
  patienceSeconds: 0,
  problem,
  largeProducts: LARGE_PRODUCTS.map((product) => ({ ...product, m: 64, k: 64, n: 64 })),
};

describe("bench generate", () => {
  it("compares this engine with transformers.js on one model, and their tokens", async () => {
    const folder = await temporaryFolder();
    vi.stubEnv("TMPDIR", folder);
    const result = await benchGenerate(OPTIONS);
    vi.unstubAllEnvs();
    expect(result.skipped.map(({ skipped }) => skipped)).toEqual(["no --python PATH"]);
    expect(result.batches.map(({ batch }) => batch)).toEqual([1, 3]);
    for (const { peers, failed, shareOfPeak } of result.batches) {
      expect(failed).toEqual([]);
      expect(peers.map(({ name, sameTokens }) => [name, sameTokens])).toEqual([
        ["engine", null],
        ["transformers-js", 1],
      ]);
      expect(peers[0]!.engineIsFasterBy).toEqual({ median: 1, min: 1, max: 1, count: 2 });
      expect(peers[1]!.engineIsFasterBy!.count).toBe(2);
      expect(shareOfPeak).toBeGreaterThan(0);
      expect(shareOfPeak).toBeLessThan(1);
    }
    expect(summarise(result)).toMatch(/^batch 3 .*\nthis engine .*\ntransformers\.js /m);
    expect(generateFigure(result).table.rows.length).toBe(4);
    expect((await readdir(folder)).filter((name) => name.startsWith("thoughtbook-bench-"))).toEqual([]);
  }, 120_000);

  it("goes on when a peer breaks down, and says why", async () => {
    const peers = ["python", "engine"] as const;
    const failing = benchGenerate({ ...OPTIONS, peers, batches: [1], rounds: 1, python: "/nowhere/python" });
    const [{ failed, peers: present }] = (await failing).batches as [Awaited<typeof failing>["batches"][number]];
    expect(failed.map(({ name }) => name)).toEqual(["python"]);
    expect(failed[0]!.reason).toContain("cannot be started");
    expect(present.map(({ name }) => name)).toEqual(["engine"]);
  }, 60_000);

  it("counts the arithmetic that a text needs", () => {
    // Two tokens, the first of which goes through the layer: 2·(2·4·4 + 2·4·2 + 3·4·8) for it, 4·4 for attention, 2·4·10 for the vocabulary.
    const tiny = {
      vocabulary: 10,
      width: 4,
      hidden: 8,
      layers: 1,
      heads: 2,
      keyHeads: 1,
      promptTokens: 1,
      newTokens: 1,
    };
    expect(flopsOfText(tiny)).toBe(2 * 144 + 16 + 80);
  });

  it("tells when systems give other tokens", () => {
    expect(
      sameTokens(
        [
          [1, 2],
          [3, 5],
        ],
        [
          [1, 2],
          [3, 4],
        ],
      ),
    ).toBe(0.75);
    expect(sameTokens([], [[1]])).toBe(0);
  });
});
