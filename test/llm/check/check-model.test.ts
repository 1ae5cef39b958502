import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Capability, checkModel, type LanguageModel, loadModel } from "thoughtbook/llm";
import { exportOnnx, openCheckpoint } from "thoughtbook/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CAPABILITY_NAMES } from "../../../lib/dist/llm/capabilities.js";
import { writeChatModel } from "../../model/generate/helpers.js";

let folder: string;
let local: LanguageModel;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-check-"));
  await writeChatModel(join(folder, "model"));
  local = await loadModel(join(folder, "model"));
});
afterAll(async () => {
  await local.dispose();
  rmSync(folder, { recursive: true, force: true });
});
const quick = { seconds: 0.05 };

/** The local model with something changed. */
const changed = (changes: Partial<LanguageModel>): LanguageModel => ({ ...local, ...changes });

describe("the check of a model", () => {
  it("tries everything that a checkpoint can do, and measures it", async () => {
    const steps: string[] = [];
    const report = await checkModel(local, { ...quick, batchSize: 4, onStep: (step) => steps.push(step) });
    const { name, parameterCount, contextLength } = local;
    expect(report).toMatchObject({ name, parameterCount, contextLength, hash: await local.hash() });
    expect(report.engine).toMatch(/^thoughtbook on ONNX Runtime, cpu$/);
    expect(report.capabilities).toEqual(
      Object.fromEntries(CAPABILITY_NAMES.map((each) => [each, { status: "works" }])),
    );
    expect(report.generation.map(({ batchSize }) => batchSize)).toEqual([1, 4]);
    for (const { tokensPerSecond } of [...report.generation, report.scoring!])
      expect(tokensPerSecond).toBeGreaterThan(1);
    expect(steps).toEqual([...CAPABILITY_NAMES, "generating 1 at a time", "generating 4 at a time", "scoring", "hash"]);
  });

  it("says what an ONNX folder lacks", async () => {
    const { folder: exported } = await exportOnnx(
      await openCheckpoint(join(folder, "model")),
      join(folder, "exported"),
      { dtypes: ["fp32"] },
    );
    const model = await loadModel(exported);
    const { capabilities, engine, scoring } = await checkModel(model, { ...quick, batchSize: 1 });
    const lacking: Capability[] = ["softPrompts", "attention", "gradients"];
    expect(engine).toContain("transformers.js");
    expect(capabilities).toEqual(
      Object.fromEntries(
        CAPABILITY_NAMES.map((each) => [each, { status: lacking.includes(each) ? "absent" : "works" }]),
      ),
    );
    expect(scoring!.tokensPerSecond).toBeGreaterThan(1);
    await model.dispose();
  });

  it.each<[Capability, Partial<LanguageModel>, RegExp]>([
    [
      "score",
      {
        score: async (requests) => requests.map(() => ({ ids: [1, 2], logProbs: Float32Array.of(-1) })),
      },
      /not every token has a score/,
    ],
    ["score", { score: async () => [{ ids: [1], logProbs: Float32Array.of(0.5) }] }, /a log-probability is 0.5/],
    [
      "tokenLogProbs",
      {
        generate: async () => [
          [
            {
              text: "x",
              finishReason: "stop",
              promptTokens: 3,
              completionTokens: 1,
              tokens: { promptIds: [3, 4, 5], completionIds: [1], logProbs: [Number.NaN] },
            },
          ],
        ],
      },
      /a log-probability is NaN/,
    ],
    [
      "tokenIds",
      { generate: async () => [[{ text: "x", finishReason: "stop", promptTokens: 3, completionTokens: 1 }]] },
      /has no ids/,
    ],
    ["text", { generate: async () => [[]] }, /there are 0 completions/],
    ["countTokens", { countTokens: async () => 0 }, /has 0 tokens/],
    [
      "chat",
      {
        generate: async ([request], options) =>
          typeof request!.prompt === "object" && "messages" in request!.prompt
            ? Promise.reject(new Error("no template here"))
            : local.generate([request!], options),
      },
      /^no template here$/,
    ],
  ])("names what is wrong with %s", async (capability, changes, reason) => {
    const { capabilities } = await checkModel(changed(changes), { ...quick, batchSize: 1 });
    expect(capabilities[capability]).toEqual({ status: "fails", reason: expect.stringMatching(reason) });
  });

  it("does without ids, scores and weights where a model has none", async () => {
    const { host: _, ...remote } = local as LanguageModel & { host: unknown };
    const asked: unknown[] = [];
    const model: LanguageModel = {
      ...remote,
      capabilities: new Set<Capability>(["text", "gradients"]),
      contextLength: undefined,
      hash: async () => undefined,
      generate: (requests, options) => {
        asked.push(...requests.map(({ prompt }) => prompt));
        return local.generate(requests, options);
      },
    };
    const { capabilities, scoring, hash } = await checkModel(model, { ...quick, batchSize: 2 });
    expect(capabilities.text.status).toBe("works");
    expect(capabilities.gradients.status).toBe("untried");
    expect(capabilities.score.status).toBe("absent");
    expect([scoring, hash]).toEqual([undefined, undefined]);
    expect(asked.every((prompt) => typeof prompt === "string")).toBe(true);
  });

  it("can be interrupted", async () => {
    const stop = new AbortController();
    const work = checkModel(local, {
      signal: stop.signal,
      onStep: (step) => {
        if (step === "generating 1 at a time") stop.abort();
      },
    });
    await expect(work).rejects.toMatchObject({ code: "interrupted" });
    await expect(checkModel(local, { batchSize: 0 })).rejects.toMatchObject({ code: "bad-input" });
  });
});
