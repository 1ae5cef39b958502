import { type Figure, trainingFigure } from "thoughtbook/plot";
import { describe, expect, it } from "vitest";
import type { TrainingPhase } from "../../../lib/dist/plot/figures/training.js";

interface Trace {
  name: string;
  x: number[];
  y: number[];
  yaxis: string;
  opacity?: number;
  error_y?: { array: number[] };
}
const traces = (figure: Figure) => figure.spec.data as Trace[];
const common = { name: "training", title: "Title" };
const phase = (updates: number, scoreEvery = 0): TrainingPhase => ({
  name: `${updates} updates`,
  records: Array.from({ length: updates }, (_, at) => ({
    step: at + 1,
    loss: 5 / (at + 1),
    ...(scoreEvery > 0 && (at + 1) % scoreEvery === 0
      ? { scores: { heldOutLoss: 6 / (at + 1), "accuracy at 2": (at + 1) / updates, parses: 0.5 } }
      : {}),
  })),
});

describe("trainingFigure", () => {
  it("draws every update of a short training, with nothing behind", () => {
    const [training, ...more] = traces(trainingFigure({ ...common, phases: [phase(100)] }));
    expect(more).toEqual([]);
    expect(training!.x).toHaveLength(100);
    expect(training!.y[3]).toBeCloseTo(5 / 4, 12);
  });

  it("smooths a long one by means, with single updates behind", () => {
    const [single, training] = traces(trainingFigure({ ...common, phases: [phase(600)] }));
    expect(single).toMatchObject({ opacity: 0.35, name: "training, single updates" });
    expect(training!.x.slice(0, 2)).toEqual([4, 8]);
    expect(training!.y[0]).toBeCloseTo((5 + 5 / 2 + 5 / 3 + 5 / 4) / 4, 12);
    expect(training!.x.at(-1)).toBe(600);
  });

  it("draws accuracies in percent below the loss, and no other score", () => {
    const drawn = traces(trainingFigure({ ...common, phases: [phase(100, 25)] }));
    expect(drawn.map(({ name, yaxis }) => [name, yaxis])).toEqual([
      ["training", "y"],
      ["held out", "y"],
      ["accuracy at 2", "y2"],
    ]);
    expect(drawn[2]).toMatchObject({ x: [25, 50, 75, 100], y: [25, 50, 75, 100] });
    expect(drawn[2]!.error_y).toBeUndefined();
  });

  it("draws intervals and names as it is told", () => {
    const drawn = traces(
      trainingFigure({
        ...common,
        phases: [phase(100, 50)],
        intervalOf: (share) => [share - 0.1, share + 0.2],
        scoreName: (score) => score.replace("accuracy at", "operations:"),
      }),
    );
    const accuracy = drawn.find(({ name }) => name === "operations: 2")!;
    expect(accuracy.error_y!.array[0]).toBeCloseTo(20, 9);
  });

  it("puts phases one after another, each counted from 1 and shaded in both panels", () => {
    const figure = trainingFigure({ ...common, phases: [phase(60, 20), phase(30, 10)] });
    const training = traces(figure).find(({ name }) => name === "training")!;
    expect(training.x).toEqual(Array.from({ length: 90 }, (_, at) => at + 1));
    const shapes = figure.spec.layout.shapes as { x0: number; x1: number; xref: string }[];
    expect(shapes.map(({ x0, x1, xref }) => [x0, x1, xref])).toEqual([
      [0, 60, "x"],
      [60, 90, "x"],
      [0, 60, "x2"],
      [60, 90, "x2"],
    ]);
    const named = (figure.spec.layout.annotations as { text: string }[]).filter(({ text }) => /updates/.test(text));
    expect(named).toHaveLength(2);
    expect(trainingFigure({ ...common, phases: [phase(60)] }).spec.layout.shapes).toEqual([]);
  });

  it("has a linear scale where a loss is 0", () => {
    const type = (loss: number) =>
      (trainingFigure({ ...common, phases: [{ records: [{ step: 1, loss }] }] }).spec.layout.yaxis as { type?: string })
        .type;
    expect([type(0), type(1)]).toEqual([undefined, "log"]);
  });

  it("takes as many accuracies as there are numbers of operations", () => {
    const scores = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`accuracy at ${at + 1}`, 0.5]));
    const figure = trainingFigure({ ...common, phases: [{ records: [{ step: 1, loss: 1, scores }] }] });
    expect(traces(figure)).toHaveLength(11);
  });

  it("refuses a training without records", () => {
    expect(() => trainingFigure({ ...common, phases: [{ records: [] }] })).toThrow(/no records of a training/);
  });
});
