import { createRandom } from "thoughtbook/core";
import {
  dpo,
  exampleOf,
  exampleSource,
  type PreferencePair,
  pairSource,
  rewardWeighted,
  sft,
  type TrainingRecord,
  weightedSource,
} from "thoughtbook/train";
import { describe, expect, it } from "vitest";
import { failure } from "../../core/helpers.js";
import { countingTexts, TINY } from "../helpers.js";
import { trainTiny } from "./policies.js";

const PLAN = { seed: 1, epochs: 3, maxSteps: Number.POSITIVE_INFINITY, accumulation: 1, batchSize: 8 };
const SETTINGS = { seed: 1, learningRate: 1e-2 };

/** Records of a run. */
async function recordsOf(run: (onRecord: (record: TrainingRecord) => void) => Promise<unknown>) {
  const records: TrainingRecord[] = [];
  await run((record) => records.push(record));
  return records;
}

describe("weightedSource and rewardWeighted", () => {
  it("with equal weights are supervised fine-tuning", async () => {
    const examples = countingTexts(24);
    const weighted = examples.map((example) => ({ example, weight: 0.3 }));
    const own = await recordsOf((onRecord) =>
      trainTiny({
        ...{ objective: rewardWeighted(), source: weightedSource(weighted, PLAN, TINY.hiddenSize) },
        ...{ settings: SETTINGS, onRecord },
      }),
    );
    const plain = await recordsOf((onRecord) =>
      trainTiny({
        objective: sft({ packed: true }),
        source: exampleSource(examples, { ...PLAN, batching: "pack" }, TINY.hiddenSize),
        ...{ settings: SETTINGS, onRecord },
      }),
    );
    expect(own.length).toBe(plain.length);
    for (const [at, { loss, gradientNorm, tokens }] of own.entries()) {
      expect(loss).toBeCloseTo(plain[at]!.loss, 4);
      expect(gradientNorm).toBeCloseTo(plain[at]!.gradientNorm, 4);
      expect(tokens).toBe(plain[at]!.tokens);
    }
  });

  it("learn from the texts in proportion to their worth", async () => {
    // After 5 comes 6 or 7, as often; what 6 is worth is nine times as much.
    const weighted = Array.from({ length: 16 }, (_, at) => ({
      example: exampleOf([5, at % 2 === 0 ? 6 : 7]),
      weight: at % 2 === 0 ? 0.9 : 0.1,
    }));
    const records = await recordsOf((onRecord) =>
      trainTiny({
        objective: rewardWeighted(),
        source: weightedSource(weighted, { ...PLAN, epochs: 60, batchSize: 16 }, TINY.hiddenSize),
        settings: { seed: 1, learningRate: 0.05, weightDecay: 0 },
        onRecord,
      }),
    );
    // The least that is possible is the entropy of (0.9, 0.1).
    const entropy = -(0.9 * Math.log(0.9) + 0.1 * Math.log(0.1));
    expect(records.at(-1)!.loss).toBeGreaterThan(entropy - 1e-3);
    expect(records.at(-1)!.loss).toBeLessThan(entropy + 0.05);
  });

  it("leave out what is worth nothing, and refuse a negative worth", async () => {
    const [example, other] = countingTexts(2);
    const source = weightedSource(
      [
        { example: example!, weight: 0 },
        { example: other!, weight: 1 },
      ],
      PLAN,
      16,
    );
    expect(source.fingerprint.count).toBe(1);
    for (const weight of [-1, 0, Number.NaN]) {
      const make = async () => weightedSource([{ example: example!, weight }], PLAN, 16);
      expect(await failure(make)).toMatchObject({ code: "bad-input" });
    }
  });
});

describe("pairSource and dpo", () => {
  const random = createRandom(3);
  const pairs = Array.from({ length: 20 }, (): PreferencePair => {
    const promptIds = [1, 2 + random.integer(6), 2 + random.integer(6)];
    return { promptIds, chosenIds: [10, 11, 0], rejectedIds: [12, 0] };
  });

  it("prefer what is chosen, from log 2 on", async () => {
    const records = await recordsOf((onRecord) =>
      trainTiny({
        objective: dpo({ beta: 0.5 }),
        source: pairSource(pairs, { ...PLAN, epochs: 8 }, TINY),
        ...{ settings: SETTINGS, onRecord },
      }),
    );
    expect(records[0]!.loss).toBeCloseTo(Math.LN2, 5);
    expect(records[0]!.metrics!.chosenReward).toBeCloseTo(0, 5);
    const { loss, metrics } = records.at(-1)!;
    expect(loss).toBeLessThan(0.5);
    expect(metrics!.accuracy).toBe(1);
    expect(metrics!.chosenReward! - metrics!.rejectedReward!).toBeGreaterThan(0.3);
  });

  it("train an adapter: the reference is the model without it", async () => {
    const records = await recordsOf((onRecord) =>
      trainTiny({
        objective: dpo({ beta: 0.5 }),
        source: pairSource(pairs, PLAN, TINY),
        trainable: { lora: { rank: 4 } },
        ...{ settings: { seed: 1, learningRate: 0.05 }, onRecord },
      }),
    );
    expect(records[0]!.loss).toBeCloseTo(Math.LN2, 5);
    expect(records.at(-1)!.loss).toBeLessThan(records[0]!.loss - 1e-3);
  });

  it("refuse pairs that lack a part or do not fit", async () => {
    const pair = pairs[0]!;
    for (const [own, message] of [
      [[{ ...pair, promptIds: [1] }], "1 prompt ids"],
      [[{ ...pair, rejectedIds: [] }], "0 rejected"],
      [[{ ...pair, chosenIds: [20] }], "id"],
      [[pair, { ...pair, reference: { chosen: 0, rejected: 0 } }], "have no reference"],
      [[], "preference pairs"],
    ] as const) {
      expect(await failure(async () => pairSource(own, PLAN, TINY))).toMatchObject({
        code: "bad-input",
        message: expect.stringContaining(message),
      });
    }
  });
});
