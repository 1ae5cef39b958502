import { z } from "zod";
import { checkSettings, groupBy, readIfThere } from "../../core/index.js";
import { mean } from "../../eval/index.js";
import type { LoopJobResult, ReasonerResults, SearchJobResult } from "./run-study.js";

const schema = z.looseObject({
  name: z.string(),
  loops: z.array(
    z.looseObject({
      id: z.string(),
      part: z.string(),
      title: z.string(),
      seed: z.number(),
      rounds: z.array(z.looseObject({ round: z.int(), heldOut: z.looseObject({ accuracy: z.number() }) })).min(1),
    }),
  ),
  searches: z.array(z.looseObject({ id: z.string(), part: z.string(), title: z.string(), budget: z.int() })),
  unfinished: z.array(z.string()),
});

/** The command that makes the results of the committed study. */
const COMMAND =
  "npx thoughtbook reasoner study data/studies/reasoner.json --out runs/reasoner --results data/results/reasoner.json";

/**
 * Read the results that `thoughtbook reasoner study` wrote. Where it has not been run, there are none, and `note` says how they
 * are made.
 *
 * @throws bad-input for a file with other contents
 */
export async function readReasonerResults(file: string): Promise<ReasonerResults & { note: string }> {
  const text = await readIfThere(file);
  if (text === undefined) {
    return {
      name: "reasoner",
      loops: [],
      searches: [],
      unfinished: [],
      note: `Not run yet; this command makes it: ${COMMAND}`,
    };
  }
  const kind = {
    what: "file of a reasoner's results",
    example: "What `thoughtbook reasoner study --results` writes",
    source: file,
  };
  const results = checkSettings(JSON.parse(text) as unknown, schema, kind) as unknown as ReasonerResults;
  const { loops, searches, unfinished } = results;
  const rest =
    unfinished.length === 0
      ? ""
      : `; ${unfinished.length} jobs are not finished, and the same command goes on: ${COMMAND}`;
  return { ...results, note: `${loops.length} loops and ${searches.length} searches${rest}` };
}

/** A line of a figure: shares in percent, with 95 % intervals over the seeds where there are several. */
export interface ResultSeries {
  name: string;
  x: number[];
  y: number[];
  intervals: ([number, number] | null)[];
}

/**
 * Held-out accuracy over rounds: a line for each part whose id begins with a prefix, the mean over its seeds. Rounds that not all
 * seeds have are left out.
 */
export function roundSeries(loops: readonly LoopJobResult[], prefix: string): ResultSeries[] {
  const own = loops.filter(({ part }) => part.startsWith(prefix));
  return [...groupBy(own, ({ title }) => title)].map(([name, runs]) => {
    const rounds = runs[0]!.rounds.map(({ round }) => round);
    const common = rounds.filter((round) => runs.every((run) => run.rounds.some((each) => each.round === round)));
    const points = common.map((round) =>
      mean(runs.map((run) => 100 * run.rounds.find((each) => each.round === round)!.heldOut.accuracy)),
    );
    return {
      name,
      x: common,
      y: points.map(({ value }) => value),
      intervals: points.map(({ value, interval }) =>
        interval ? [Math.min(interval[0], value), Math.max(interval[1], value)] : null,
      ),
    };
  });
}

/** pass@k before the first round and after the last one, the mean over seeds: a line each. */
export function passSeries(loops: readonly LoopJobResult[], prefix: string): ResultSeries[] {
  const own = loops.filter(({ part }) => part.startsWith(prefix));
  return [...groupBy(own, ({ title }) => title)].flatMap(([name, runs]) => {
    const line = (when: string, at: 0 | -1): ResultSeries[] => {
      const passes = runs.flatMap(({ rounds }) => rounds.at(at)?.heldOut.passAtK?.map((each) => ({ ...each })) ?? []);
      const byK = [...groupBy(passes, ({ k }) => k)].sort(([a], [b]) => a - b);
      if (byK.length === 0) return [];
      const y = byK.map(([, own]) => mean(own.map(({ value }) => 100 * value)).value);
      return [{ name: `${name}, ${when}`, x: byK.map(([k]) => k), y, intervals: y.map(() => null) }];
    };
    return [...line("before", 0), ...line("after", -1)];
  });
}

/** Accuracy of searches by the tokens that they spend, in percent: a line for each part whose id begins with a prefix. */
export function searchSeries(
  searches: readonly SearchJobResult[],
  prefix: string,
  measure: "accuracy" | "coverage" | "random" | "majority" | "weighted" | "best" = "accuracy",
): ResultSeries[] {
  const own = searches.filter(({ part }) => part.startsWith(prefix));
  return [...groupBy(own, ({ title }) => title)].map(([name, runs]) => {
    const sorted = runs.toSorted((a, b) => a.summary.tokens.value - b.summary.tokens.value);
    const y = sorted.map(
      ({ summary }) => 100 * (measure === "accuracy" ? summary.accuracy.value : summary.selections[measure]),
    );
    return {
      name,
      x: sorted.map(({ summary }) => summary.tokens.value),
      y,
      intervals: sorted.map(({ summary: { accuracy } }) =>
        measure === "accuracy" && accuracy.interval ? [100 * accuracy.interval[0], 100 * accuracy.interval[1]] : null,
      ),
    };
  });
}
