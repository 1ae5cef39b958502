import { createRandom } from "thoughtbook/core";
import { createBatches, exampleOf } from "thoughtbook/train";
import { describe, expect, it } from "vitest";

const random = createRandom(3);
const examples = Array.from({ length: 300 }, (_, i) => {
  const length = 3 + random.integer(30);
  return exampleOf(
    Array.from({ length }, (_, place) => 100 * i + place),
    (place) => i % 2 === 0 || place > 1,
  );
});

describe.each(["pack", "bucket"] as const)("batches by %s", (batching) => {
  const source = createBatches(examples, { batching, batchSize: 16, hiddenSize: 64 });
  const plans = source.epoch(createRandom(1));

  it("hold every token that predicts one, and every counted one, once", () => {
    const seen: number[] = [];
    const predicted: [number, number][] = [];
    for (const plan of plans) {
      const { tensors, tokens } = source.tensorsOf(plan);
      const { ids, positions, segments, places, labels } = tensors;
      const used = [...ids.data].filter((_, i) => segments.data[i]! > 0);
      expect(used.length).toBe(tokens);
      seen.push(...used);
      for (const [i, place] of places.data.entries()) {
        if (labels.data[i]! >= 0) predicted.push([ids.data[place]!, labels.data[i]!]);
      }
      // Positions begin anew with each text.
      for (const [i, segment] of segments.data.entries()) {
        if (segment > 0) expect(positions.data[i]).toBe(ids.data[i]! % 100);
      }
    }
    const expectedIds = examples.flatMap(({ ids }) => [...ids.subarray(0, -1)]);
    expect(seen.sort((a, b) => a - b)).toEqual(expectedIds);
    const expected = examples.flatMap(({ ids, labels }) =>
      [...ids].flatMap((id, i) => (i > 0 && labels[i]! >= 0 ? [[id - 1, id]] : [])),
    );
    expect(predicted.sort((a, b) => a[0] - b[0])).toEqual(expected);
    expect(source.tokens).toBe(expectedIds.length);
  });

  it("are in an order that the seed gives", () => {
    expect(source.epoch(createRandom(1))).toEqual(plans);
    expect(source.epoch(createRandom(2))).not.toEqual(plans);
  });

  it("have few shapes", () => {
    const shapes = new Set(
      plans.map((plan) => {
        const { ids, places } = source.tensorsOf(plan).tensors;
        return [...ids.shape, ...places.shape].join();
      }),
    );
    expect(shapes.size).toBeLessThanOrEqual(batching === "pack" ? 1 : 4);
  });
});

describe("packed batches", () => {
  it("are nearly full and have nearly equal numbers of tokens", () => {
    const source = createBatches(examples, { batching: "pack", batchSize: 32, hiddenSize: 64 });
    const plans = source.epoch(createRandom(1));
    const tokens = plans.map((plan) => source.tensorsOf(plan).tokens);
    const places = plans.reduce((sum, { rows, length }) => sum + rows * length, 0);
    expect(source.tokens / places).toBeGreaterThan(0.88);
    expect(Math.min(...tokens) / Math.max(...tokens)).toBeGreaterThan(0.75);
    expect(plans.length).toBeLessThanOrEqual(11);
  });

  it("work for one text", () => {
    const source = createBatches([exampleOf([1, 2])], { batching: "pack", batchSize: 8, hiddenSize: 64 });
    const [plan] = source.epoch();
    expect(source.tensorsOf(plan!).tokens).toBe(1);
  });

  it("leave out what comes after the last counted token", () => {
    const example = exampleOf([1, 2, 3, 4, 5], (place) => place === 2);
    const source = createBatches([example], { batching: "bucket", batchSize: 1, hiddenSize: 64 });
    const { tensors, tokens } = source.tensorsOf(source.epoch()[0]!);
    expect(tokens).toBe(2);
    expect([...tensors.ids.data].slice(0, 3)).toEqual([1, 2, 0]);
    expect(tensors.labels.data[0]).toBe(3);
  });
});
