import { barFigure, type Figure } from "thoughtbook/plot";
import { formatNumber, formatSpread, formatTable } from "../shared/report.js";
import type { BatchResult, GenerateBenchResult } from "./index.js";

/** The results as text for the terminal. */
export function summarise({ machine, parameters, problem, batches, skipped }: GenerateBenchResult): string {
  const { promptTokens, newTokens } = problem;
  return [
    `${machine.processor}, ${machine.cores} cores, Node ${machine.node}; load before: ${machine.loadBefore}`,
    `a Llama of ${(parameters / 1e6).toFixed(2)} M parameters; prompts of ${promptTokens} tokens, ${newTokens} new, greedy`,
    ...batches.map(summariseBatch),
    ...skipped.map(({ title, skipped }) => `skipped: ${title}: ${skipped}`),
  ].join("\n\n");
}

function summariseBatch({ batch, peers, failed, shareOfPeak, peakGigaflopsPerSecond }: BatchResult): string {
  const percent = (share: number | null) => (share === null ? "–" : `${Math.round(100 * share)} %`);
  const table = formatTable(
    [`batch ${batch}`, "new tokens/s", "engine is faster by", "first call s", "same tokens", "MB", "others busy"],
    peers.map((peer) => [
      peer.title,
      formatSpread(peer.tokensPerSecond),
      formatSpread(peer.engineIsFasterBy),
      formatNumber(peer.firstSeconds),
      percent(peer.sameTokens),
      formatNumber(peer.megabytes),
      formatSpread(peer.othersBusy),
    ]),
  );
  const share =
    peakGigaflopsPerSecond === null
      ? []
      : [
          `this engine reaches ${percent(shareOfPeak)} of its matrix peak of ${formatNumber(peakGigaflopsPerSecond)} GFLOP/s`,
        ];
  return [table, ...failed.map(({ title, reason }) => `FAILED: ${title}: ${reason}`), ...share].join("\n");
}

/** Speeds relative to this engine, which is 1: bars are medians of the rounds, whiskers go from the lowest to the highest. */
export function generateFigure({ machine, batches, parameters, settings }: GenerateBenchResult): Figure {
  const titles = [...new Set(batches.flatMap(({ peers }) => peers.map(({ title }) => title)))];
  return barFigure({
    name: "bench-generate",
    title: "Speed of greedy generation, relative to this engine",
    subtitle: `New tokens/s of a Llama of ${(parameters / 1e6).toFixed(1)} M parameters; median and range of ratios over ${settings.rounds} interleaved rounds; ${machine.processor}, ${settings.threads} threads`,
    categories: titles,
    series: batches.map(({ batch, peers }) => {
      const spreads = titles.map((title) => peers.find((peer) => peer.title === title)?.speedOfEngine ?? null);
      return {
        name: `batch ${batch}`,
        values: spreads.map((spread) => spread?.median ?? null),
        intervals: spreads.map((spread) => (spread === null ? null : [spread.min, spread.max])),
      };
    }),
    valueTitle: "speed (this engine = 1)",
    horizontal: true,
  });
}
