import { createRandom } from "thoughtbook/core";
import { mergeAdapter } from "thoughtbook/model";
import {
  type ExampleStream,
  exampleOf,
  type Snapshot,
  type Trained,
  type TrainingRecord,
  type TrainLanguageModelOptions,
  trainLanguageModel,
} from "thoughtbook/train";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";
import { countingTexts, largestDifference, SILENT, TINY, tinyParameters } from "./helpers.js";

async function train(options: Partial<TrainLanguageModelOptions> = {}) {
  const records: TrainingRecord[] = [];
  const result = await trainLanguageModel({
    model: { config: TINY, parameters: tinyParameters() },
    examples: countingTexts(60),
    folder: options.folder ?? (await temporaryFolder()),
    seed: 1,
    maxSteps: 30,
    batchSize: 20,
    learningRate: 1e-2,
    threads: 1,
    display: SILENT,
    onRecord: (record) => records.push(record),
    ...options,
  });
  return { result, records };
}

/** All of a result but how long it took. */
const timeless = ({ seconds: _, ...result }: Trained) => result;

describe("trainLanguageModel", () => {
  it("learns, and records each update", async () => {
    const { result, records } = await train({ maxSteps: 100 });
    expect(records.map(({ step }) => step)).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(records[0]!.loss).toBeCloseTo(Math.log(20), 1);
    expect(records.at(-1)!.loss).toBeLessThan(0.1);
    expect(records[4]!.learningRate).toBeCloseTo(1e-2, 6);
    // The last update still changes something.
    expect(records.at(-1)!.learningRate).toBeGreaterThan(0);
    expect(records.at(-1)!.learningRate).toBeLessThan(1e-5);
    expect(records[0]!.gradientNorm).toBeGreaterThan(0);
    expect(result).toMatchObject({ step: 100, steps: 100 });
  });

  it("gives the same with the same seed, and something else with another", async () => {
    const [first, again, other] = [await train(), await train(), await train({ seed: 2 })];
    expect(again.records).toEqual(first.records);
    expect(again.result.parameters).toEqual(first.result.parameters);
    expect(other.records[1]!.loss).not.toBe(first.records[1]!.loss);
  });

  it("learns rows by their weights: what counts for little is hardly learned", async () => {
    const examples = [exampleOf([1, 2, 3]), exampleOf([1, 4, 3])];
    const weighted = await train({ examples, weights: [1, 1e-6], batchSize: 2, maxSteps: 40 });
    const alone = await train({ examples: [examples[0]!], batchSize: 2, maxSteps: 40 });
    expect(weighted.records.at(-1)!.loss).toBeCloseTo(alone.records.at(-1)!.loss, 2);
    const even = await train({ examples, weights: [1, 1], batchSize: 2, maxSteps: 40 });
    expect(even.records.at(-1)!.loss).toBeGreaterThan(weighted.records.at(-1)!.loss + 0.1);
    const wrong = await failure(train({ examples, weights: [1] }));
    expect(wrong.message).toMatch(/there are 1 weights for 2 examples/);
    expect((await failure(train({ examples, weights: [1, 2], batching: "bucket" }))).message).toMatch(
      /batching is bucket/,
    );
  });

  it("trains an adapter and leaves the weights as they are", async () => {
    const { parameters } = (await train({ maxSteps: 60 })).result;
    const backwards = countingTexts(60).map(({ ids }) => exampleOf([...ids].reverse()));
    const model = { config: TINY, parameters };
    const { result, records } = await train({ model, examples: backwards, lora: { rank: 4 }, maxSteps: 60 });
    const [first, last] = [records[0]!.loss, records.at(-1)!.loss];
    expect(result.parameters).toBe(parameters);
    expect(last).toBeLessThan(first / 2);
    // The adapter is all that was learned: the model with it merged in has the loss that was reached.
    const merged = { config: TINY, parameters: mergeAdapter(TINY, parameters, result.adapter!) };
    const after = await train({ model: merged, examples: backwards, maxSteps: 1, batchSize: 60 });
    expect(after.records[0]!.loss).toBeLessThan(1.2 * last);
  });

  it("accumulates batches to what one large batch gives", async () => {
    // Texts of one length, so that both see the same texts in each update.
    const examples = Array.from({ length: 32 }, (_, i) =>
      exampleOf([i % 20, (i + 1) % 20, (i + 2) % 20, (i + 3) % 20]),
    );
    const options = { examples, maxSteps: 4, batching: "bucket" as const };
    const whole = await train({ ...options, batchSize: 32 });
    const pieces = await train({ ...options, batchSize: 8, accumulation: 4 });
    for (const [i, { loss, gradientNorm }] of whole.records.entries()) {
      expect(pieces.records[i]!.loss).toBeCloseTo(loss, 4);
      expect(pieces.records[i]!.gradientNorm).toBeCloseTo(gradientNorm, 3);
    }
    const name = "model.layers.0.mlp.up_proj.weight";
    expect(largestDifference(pieces.result.parameters[name]!.data, whole.result.parameters[name]!.data)).toBeLessThan(
      2e-3,
    );
  });

  it("keeps the weights that evaluate best", async () => {
    const snapshots: Snapshot[] = [];
    const kept: Float32Array[] = [];
    const scores = [0.2, 0.9, 0.5];
    const { result, records } = await train({
      evaluateEvery: 10,
      best: { score: "accuracy", direction: "highest" },
      evaluate: async (snapshot) => {
        snapshots.push(snapshot);
        kept.push(snapshot.parameters["model.norm.weight"]!.data.slice());
        return { accuracy: scores[snapshots.length - 1]! };
      },
    });
    expect(snapshots.map(({ step }) => step)).toEqual([10, 20, 30]);
    expect(result).toMatchObject({ step: 20, value: 0.9, steps: 30 });
    expect(result.parameters["model.norm.weight"]!.data).toEqual(kept[1]);
    expect(records[19]!.scores).toEqual({ accuracy: 0.9 });
  });

  it("measures the loss on held-out texts", async () => {
    const { result, records } = await train({ heldOut: countingTexts(7), evaluateEvery: 15, maxSteps: 45 });
    const losses = records.flatMap(({ scores }) => scores?.heldOutLoss ?? []);
    expect(losses).toHaveLength(3);
    expect(losses[2]).toBeLessThan(losses[0]!);
    expect(result.value).toBe(Math.min(...losses));
  });

  it("goes on after a stop as if there had been none", async () => {
    const options = { evaluateEvery: 10, heldOut: countingTexts(5), saveEvery: 4 };
    const whole = await train(options);
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const stopped = await failure(
      train({
        ...options,
        folder,
        signal: controller.signal,
        onRecord: ({ step }) => {
          if (step === 13) controller.abort();
        },
      }),
    );
    expect(stopped).toMatchObject({ code: "interrupted", message: "training was stopped after update 13 of 30" });
    expect(stopped.hint).toContain(folder);
    const resumed = await train({ ...options, folder });
    expect(resumed.records).toEqual(whole.records);
    expect(timeless(resumed.result)).toEqual(timeless(whole.result));
    const finished = await train({ ...options, folder });
    expect(timeless(finished.result)).toEqual(timeless(whole.result));
    // What is finished takes no more time.
    expect(Math.abs(finished.result.seconds - resumed.result.seconds)).toBeLessThanOrEqual(1);
  });

  it("trains on a stream, of which a run that goes on makes only what is left", async () => {
    const made: number[] = [];
    const examples: ExampleStream = {
      fingerprint: "counting",
      longest: 10,
      updatesPerChunk: 3,
      async chunk(index) {
        made.push(index);
        return countingTexts(60 + index);
      },
    };
    const options = { examples, maxSteps: 17, epochs: undefined, saveEvery: 4 };
    const whole = await train(options);
    expect(made).toEqual([0, 1, 2, 3, 4, 5]);
    expect(whole.records.map(({ step, epoch }) => [step, epoch])).toEqual(
      Array.from({ length: 17 }, (_, i) => [i + 1, Math.floor(i / 3) + 1]),
    );
    const folder = await temporaryFolder();
    const controller = new AbortController();
    const onRecord = ({ step }: TrainingRecord) => {
      if (step === 12) controller.abort();
    };
    await failure(train({ ...options, folder, signal: controller.signal, onRecord }));
    made.length = 0;
    const resumed = await train({ ...options, folder });
    // The first chunk tells the shapes.
    expect(made).toEqual([0, 4, 5]);
    expect(timeless(resumed.result)).toEqual(timeless(whole.result));
    expect(resumed.records).toEqual(whole.records);
  });

  it("sees the examples of a small chunk again, in another order", async () => {
    const chunks: string[] = [];
    const examples = { fingerprint: "small", longest: 10, updatesPerChunk: 4, chunk: async () => countingTexts(20) };
    const { records } = await train({ examples, maxSteps: 4, epochs: undefined, batchSize: 10 });
    for (const { loss } of records) chunks.push(loss.toFixed(6));
    expect(new Set(chunks).size).toBe(4);
  });

  it("says what a stream lacks", async () => {
    const stream = { fingerprint: "small", longest: 10, updatesPerChunk: 5, chunk: async () => countingTexts(3) };
    const run = (options: object) => failure(train({ examples: stream, epochs: undefined, ...options }));
    expect((await run({ maxSteps: undefined })).message).toContain("maxSteps is missing");
    const long = { ...stream, longest: 4 };
    expect((await run({ maxSteps: 9, examples: long })).message).toMatch(/chunk 0 .*\[2\] needs 5 positions/);
  });

  it("stops at Ctrl-C", async () => {
    const stopped = await failure(
      train({
        onRecord: ({ step }) => {
          if (step === 3) process.emit("SIGINT");
        },
      }),
    );
    expect(stopped.message).toMatch(/^training was stopped after update [34] of 30$/);
    expect(process.listenerCount("SIGINT")).toBe(0);
  });

  it("refuses a folder with another run", async () => {
    const folder = await temporaryFolder();
    await train({ folder, maxSteps: 2 });
    expect((await failure(train({ folder, maxSteps: 2, learningRate: 1 }))).message).toContain(
      "settings.learningRate = 0.01, but now it is 1",
    );
    expect((await failure(train({ folder, maxSteps: 2, examples: countingTexts(61) }))).message).toContain(
      "data.count = 60, but now it is 61",
    );
  });

  it("says that it diverged", async () => {
    const random = createRandom(1);
    const examples = Array.from({ length: 40 }, () => exampleOf([0, 1, 2, 3].map(() => random.integer(20))));
    const parameters = tinyParameters();
    parameters["model.norm.weight"]!.data.fill(Number.NaN);
    const error = await failure(train({ examples, model: { config: TINY, parameters } }));
    expect(error).toMatchObject({ code: "execution" });
    expect(error.message).toMatch(/^training diverged: the loss is NaN in update 1/);
  });

  it.each([
    [{ examples: [] }, "there are no examples"],
    [{ examples: [exampleOf([1, 20])] }, "examples[0]: id 1 is 20, expected an integer from 0 to 19"],
    [{ examples: [exampleOf([1])] }, "examples[0] has no token that is counted"],
    [{ examples: [exampleOf(new Array(34).fill(1))] }, "examples[0] needs 33 positions, and the model has 32"],
    [{ batchSize: 0 }, "batchSize is 0, expected a whole number above 0"],
    [{ learningRate: Number.NaN }, "learningRate is NaN"],
    [{ warmup: 1.5 }, "warmup is 1.5"],
    [{ saveEvery: 0 }, "saveEvery is 0"],
    [{ lora: { rank: 0 } }, "the rank of the adapter is 0"],
    [{ best: { score: "accuracy", direction: "highest" } }, "nothing gives that score"],
  ] as [Partial<TrainLanguageModelOptions>, string][])("refuses %j before any work", async (options, message) => {
    const error = await failure(train(options));
    expect(error.code).toBe("bad-input");
    expect(error.message).toContain(message);
  });
});
