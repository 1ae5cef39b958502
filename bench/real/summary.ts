import { formatNumber, formatSpread, formatTable } from "../shared/report.js";
import type { Contest } from "./contest.js";
import type { Measured, RealResults } from "./index.js";
import type { Serving } from "./measures/serving.js";

/** The results as text for the terminal. */
export function summariseReal(results: RealResults): string {
  return Object.entries(results)
    .flatMap(([model, measures]) => [model, ...Object.entries(measures).map(([name, each]) => ofMeasure(name, each))])
    .join("\n\n");
}

function ofMeasure(name: string, { machine, threads, leftOut, contests, serving, failure }: Measured): string {
  const place = `${name}: ${machine.processor}, ${threads} threads; load before: ${machine.loadBefore}`;
  return [
    place,
    ...contests.map(contestTable),
    ...(serving ? [servingText(serving)] : []),
    ...(failure === undefined ? [] : [`FAILED: ${failure}`]),
    ...leftOut.map(({ title, reason }) => `left out: ${title}: ${reason}`),
  ].join("\n");
}

/** Each peer's median and range, and how many times as good the references are. */
export function contestTable({ title, unit, better, references, conditions, peers, failed }: Contest): string {
  const of = better === "more" ? "is faster by" : "is better by";
  const rows = peers.map(({ title, value, timesAsGood }) => [
    title,
    formatSpread(value),
    ...references.map((reference) => formatSpread(timesAsGood[reference] ?? null)),
  ]);
  const sizes = Object.entries(conditions).map(([name, value]) => `${name} ${value}`);
  const head = ["", unit, ...references.map((reference) => `${reference} ${of}`)];
  return [
    "",
    `${title} (${sizes.join(", ")})`,
    formatTable(head, rows),
    ...failed.map(({ title, reason }) => `FAILED: ${title}: ${reason}`),
  ].join("\n");
}

function servingText(serving: Serving): string {
  const { prompts, megabytes, health, longestPauseSeconds, idleAfterLeavingSeconds } = serving;
  const memory = (value: number | null) => (value === null ? "–" : formatNumber(value));
  return [
    formatTable(
      ["prompt of tokens", "s", "most MiB"],
      prompts.map((each) => [formatNumber(each.tokens), formatNumber(each.seconds), memory(each.megabytes)]),
    ),
    `most resident memory: ${memory(megabytes)} MiB`,
    `/health: ${health.failed} of ${health.asked} failed, the slowest took ${formatNumber(health.slowestSeconds)} s`,
    `longest pause of another stream: ${formatNumber(longestPauseSeconds)} s`,
    `idle after a client left: ${idleAfterLeavingSeconds === null ? "–" : `${formatNumber(idleAfterLeavingSeconds)} s`}`,
  ].join("\n");
}
