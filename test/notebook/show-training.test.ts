import { showTraining } from "thoughtbook/notebook";
import { afterEach, expect, it } from "vitest";
import { NOTEBOOK_DISPLAY } from "../../lib/dist/core/display.js";

afterEach(() => void Reflect.deleteProperty(globalThis, NOTEBOOK_DISPLAY));

it("a training's curve grows in one output", async () => {
  const shown: { options: unknown; x: number[][] }[] = [];
  Object.defineProperty(globalThis, NOTEBOOK_DISPLAY, {
    value: (bundle: Record<string, { data: { x: number[] }[] }>, options: unknown) =>
      shown.push({ options, x: bundle["application/vnd.plotly.v1+json"]!.data.map(({ x }) => x) }),
    configurable: true,
  });
  const onRecord = showTraining({ name: "loss", title: "Loss", every: 0 });
  for (let step = 1; step <= 3; step++) {
    const scores = step > 1 ? { heldOutLoss: 3 / step } : undefined;
    const record = { id: `${step}`, step, epoch: 1, loss: 2 / step, learningRate: 1, gradientNorm: 1, tokens: step };
    await onRecord({ ...record, scores }, { steps: 3 });
  }
  expect(shown.map(({ x }) => x)).toEqual([
    [[1]],
    [[1, 2], [2]],
    [
      [1, 2, 3],
      [2, 3],
    ],
  ]);
  const [first, second] = shown.map(({ options }) => options as { displayId: string; update: boolean });
  expect(first!.update).toBe(false);
  expect(second).toEqual({ displayId: first!.displayId, update: true });
});
