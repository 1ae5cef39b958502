import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { describe, expect, it, vi } from "vitest";
import { LARGE_PRODUCTS } from "../../bench/shared/products.js";
import { benchTrainStep, type TrainStepOptions } from "../../bench/train-step/index.js";
import { asPeerName, planPeer } from "../../bench/train-step/peer-list.js";
import { trainingProblems } from "../../bench/train-step/results.js";
import { speedFigure, summarise } from "../../bench/train-step/summary.js";
import { failure, temporaryFolder } from "../core/helpers.js";
import { TINY } from "./tiny-models.js";

const OPTIONS: TrainStepOptions = {
  models: ["gpt", "llama"],
  peers: ["engine", "tfjs-wasm", "torch-eager"],
  places: { threads: 2 },
  rounds: 2,
  turnSeconds: 0.05,
  maximumSteps: 3,
  seed: 1,
  configs: TINY,
  largeProducts: LARGE_PRODUCTS.map((product) => ({ ...product, m: 64, k: 64, n: 64 })),
};

describe("bench train-step", () => {
  it("trains tiny models on this engine and on TF.js wasm, with the same losses, and compares them", async () => {
    const folder = await temporaryFolder();
    vi.stubEnv("TMPDIR", folder);
    const result = await benchTrainStep(OPTIONS);
    vi.unstubAllEnvs();
    expect(result.models.map(({ model }) => model)).toEqual(["gpt", "llama"]);
    for (const { peers, skipped, failed, matrix, tokensAStep } of result.models) {
      expect(failed).toEqual([]);
      expect(skipped).toEqual([{ name: "torch-eager", title: "PyTorch eager", skipped: "no --python PATH" }]);
      expect(peers.map(({ name, problems }) => [name, problems])).toEqual([
        ["engine", []],
        ["tfjs-wasm", []],
      ]);
      const [engine, wasm] = peers as [(typeof peers)[number], (typeof peers)[number]];
      expect(engine.compileMs).toBeGreaterThan(0);
      expect(engine.losses[0]).toBeCloseTo(Math.log(11), 1);
      expect(wasm.lossDifference!.steps).toBe(10);
      expect(wasm.lossDifference!.difference).toBeLessThan(1e-3);
      expect(engine.engineIsFasterBy).toEqual({ median: 1, min: 1, max: 1, count: 2 });
      const { tokensPerSecond, stepMs } = wasm.rounds[0]!;
      expect(tokensPerSecond).toBeCloseTo((tokensAStep * stepMs.length * 1000) / stepMs.reduce((a, b) => a + b), 3);
      expect(wasm.engineIsFasterBy!.count).toBe(2);
      expect(matrix.map(({ peer }) => peer)).toEqual(["engine"]);
      expect(matrix[0]!.peakGigaflopsPerSecond).toBeGreaterThan(0);
      expect(matrix[0]!.products.filter(({ count }) => count > 0).length).toBeGreaterThan(5);
    }
    expect(summarise(result)).toMatch(/^this engine, 2 threads .*\nTF\.js wasm /m);
    const { columns, rows } = speedFigure(result).table;
    expect(columns).toEqual(["category", "series", "value", "low", "high"]);
    expect(rows.map(([peer]) => peer)).toEqual(expect.arrayContaining(["this engine, 2 threads", "TF.js wasm"]));
    expect((await readdir(folder)).filter((name) => name.startsWith("thoughtbook-bench-"))).toEqual([]);
  }, 120_000);

  it("goes on when a peer breaks down, and says why", async () => {
    const result = await benchTrainStep({
      ...OPTIONS,
      models: ["gpt"],
      peers: ["torch-eager", "engine"],
      places: { threads: 1, python: "/nowhere/python" },
      rounds: 1,
    });
    const [{ failed, peers }] = result.models as [(typeof result.models)[number]];
    expect(failed.map(({ name }) => name)).toEqual(["torch-eager"]);
    expect(failed[0]!.reason).toContain("cannot be started");
    expect(peers.map(({ title }) => title)).toEqual(["this engine, 1 thread"]);
    expect(summarise(result)).toContain("FAILED: PyTorch eager");
  }, 60_000);
});

describe("whether a peer trains", () => {
  it("is seen by its losses", () => {
    expect(trainingProblems([6, 5, 4], { steps: 3, difference: 1e-6 })).toEqual([]);
    expect(trainingProblems([6, 6.5], null)).toEqual(["the loss does not fall: 6 to 6.5 in 2 steps"]);
    expect(trainingProblems([6, Number.NaN], null)).toEqual(["a loss is not finite"]);
    expect(trainingProblems([6, 5], { steps: 2, difference: 0.02 })).toEqual([
      "the first 2 losses differ from this engine's by 2.0e-2",
    ]);
    expect(trainingProblems([6, 5], { steps: 2, difference: Number.NaN })).toHaveLength(1);
  });
});

describe("peers", () => {
  it("that are not there are skipped, with the reason", async () => {
    const skipped = (name: Parameters<typeof planPeer>[0], places = {}) =>
      planPeer(name, { threads: 2, ...places }, "gpt", "/problem");
    expect(skipped("prototype")).toMatchObject({ skipped: "no --prototype FOLDER" });
    expect(skipped("prototype", { prototype: "/nowhere" })).toMatchObject({ skipped: "/nowhere has no trace.mjs" });
    expect(skipped("jax-js", { jax: "/nowhere" })).toMatchObject({ skipped: "/nowhere has no package @jax-js/jax" });
    expect(skipped("torch-compile")).toMatchObject({ skipped: "no --python PATH" });
    // This repository has TF.js itself under the name of tfjs-node.
    expect(skipped("tfjs-node")).toMatchObject({
      skipped: expect.stringContaining("another name for @tensorflow/tfjs"),
    });
  });

  it("start scripts that exist", () => {
    for (const name of ["engine", "tfjs-wasm", "torch-eager"] as const) {
      const plan = planPeer(name, { threads: 2, python: "python3" }, "gpt", "/problem");
      const script = "command" in plan ? plan.command.arguments.at(-2)! : "";
      expect(existsSync(script), script).toBe(true);
    }
  });

  it("have names", async () => {
    expect(asPeerName("torch-compile")).toBe("torch-compile");
    expect((await failure(() => asPeerName("keras"))).hint).toContain("torch-compile");
  });
});
