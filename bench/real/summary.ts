import { summariseLong } from "../serve/long.js";
import { formatSpread, formatTable } from "../shared/report.js";
import type { Contest } from "./contest.js";
import type { Measured, RealResults } from "./index.js";

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
    ...(serving ? [summariseLong(serving)] : []),
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
