import { barFigure, type Figure } from "thoughtbook/plot";
import { formatNumber, formatSpread, formatTable } from "../shared/report.js";
import type { TrainStepResult } from "./index.js";
import type { MatrixResult, ModelResult } from "./results.js";

/** The results as text for the terminal. */
export function summarise({ machine, models }: TrainStepResult): string {
  const head = `${machine.processor}, ${machine.cores} cores, Node ${machine.node}; load before: ${machine.loadBefore}`;
  return [head, ...models.map(summariseModel)].join("\n\n");
}

function summariseModel(result: ModelResult): string {
  const { model, parameters, config, tokensAStep, gigaflopsAStep, peers, skipped, failed, matrix } = result;
  const title = `${model}: ${(parameters / 1e6).toFixed(2)} M parameters, ${config.batch} × ${config.time} = ${tokensAStep} tokens a step, ${gigaflopsAStep.toFixed(1)} GFLOP in matrix products`;
  const table = formatTable(
    [
      "peer",
      "tokens/s",
      "ms a step",
      "engine is faster by",
      "compile s",
      "first step s",
      "loss differs",
      "MB",
      "others busy",
    ],
    peers.map((peer) => [
      peer.title,
      formatSpread(peer.tokensPerSecond),
      formatSpread(peer.stepMs),
      formatSpread(peer.engineIsFasterBy),
      peer.compileMs === null ? "–" : formatNumber(peer.compileMs / 1000),
      formatNumber(peer.firstStepMs / 1000),
      peer.lossDifference === null ? "–" : peer.lossDifference.difference.toExponential(1),
      peer.residentMegabytes === null ? "–" : formatNumber(peer.residentMegabytes),
      formatSpread(peer.othersBusy),
    ]),
  );
  const notes = [
    ...peers.flatMap(({ title, problems }) => problems.map((problem) => `WRONG: ${title}: ${problem}`)),
    ...skipped.map(({ title, skipped }) => `skipped: ${title}: ${skipped}`),
    ...failed.map(({ title, reason }) => `FAILED: ${title}: ${reason}`),
  ];
  return [title, table, ...notes, ...matrix.map(summariseMatrix)].join("\n");
}

function summariseMatrix(matrix: MatrixResult): string {
  const percent = (share: number) => `${Math.round(100 * share)} %`;
  const { title, products } = matrix;
  return [
    `matrix products on ${title}: peak ${formatNumber(matrix.peakGigaflopsPerSecond)} GFLOP/s; the step reaches ${formatNumber(matrix.stepGigaflopsPerSecond)} (${percent(matrix.shareOfPeak)});`,
    `  the step's products alone take ${formatNumber(matrix.productsMsAStep)} ms, ${percent(matrix.productsShareOfStep)} of the step`,
    formatTable(
      ["  product", "times", "GFLOP/s"],
      products.map(({ product, count, gigaflopsPerSecond }) => [
        `  ${product}`,
        count === 0 ? "–" : String(count),
        formatSpread(gigaflopsPerSecond),
      ]),
    ),
  ].join("\n");
}

/** Speeds relative to this engine, which is 1: bars are medians of the rounds, whiskers go from the lowest to the highest. */
export function speedFigure({ machine, models, settings }: TrainStepResult): Figure {
  const names = [...new Set(models.flatMap(({ peers }) => peers.map(({ title }) => title)))];
  const spreads = models.map(({ peers }) =>
    names.map((name) => peers.find(({ title }) => title === name)?.speedOfEngine ?? null),
  );
  return barFigure({
    name: "bench-train-step",
    title: "Speed of training steps, relative to this engine",
    subtitle: `Tokens/s of forward + backward + AdamW; median and range of ratios over ${settings.rounds} interleaved rounds; ${machine.processor}, ${settings.threads} threads`,
    categories: names,
    series: models.map(({ model, parameters }, i) => ({
      name: `${model}, ${(parameters / 1e6).toFixed(2)} M parameters`,
      values: spreads[i]!.map((spread) => spread?.median ?? null),
      intervals: spreads[i]!.map((spread) => (spread === null ? null : [spread.min, spread.max])),
    })),
    valueTitle: "speed (this engine = 1)",
    horizontal: true,
  });
}
