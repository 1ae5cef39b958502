import { badInput, groupBy } from "../../core/index.js";
import type { PaperTable } from "../../data/index.js";
import { trajectoryKey } from "../actions.js";
import type { SearchedQuestion } from "../search-results.js";
import { staticRates } from "../static.js";
import type { ActionShares, ArmGroup } from "./measures.js";
import type { DotsArm, DotsResults } from "./results.js";

/** Values of a table by row and column, in percent; null where there is none. */
export interface ShareTable {
  rows: string[];
  columns: string[];
  values: (number | null)[][];
}

const STATIC = "dots:";

/** Accuracy of each static trajectory by group of problems, in percent, under the strict policy: the shortest first. */
export function successTable(arms: readonly { name: string; groups: readonly ArmGroup[] }[]): ShareTable {
  const own = arms.filter(({ name }) => name.startsWith(STATIC));
  const columns = own[0]?.groups.map(({ group }) => group) ?? [];
  return {
    rows: own.map(({ name }) => name.slice(STATIC.length)),
    columns,
    values: own.map(({ groups }) =>
      columns.map((group) => {
        const found = groups.find((each) => each.group === group);
        return found ? 100 * found.accuracy.value : null;
      }),
    ),
  };
}

/** The same of a search: success of the attempts along each trajectory, by group of questions; see `staticRates`. */
export function searchTable(searched: readonly SearchedQuestion[]): ShareTable {
  const groups = [...groupBy(searched, ({ group = "all" }) => group)];
  const parts = [["all", searched] as const, ...(groups.length > 1 ? groups : [])].map(([group, own]) => ({
    group,
    rates: new Map(staticRates(own).map(({ trajectory, rate }) => [trajectoryKey(trajectory), rate])),
  }));
  const rows = [...(parts[0]?.rates.keys() ?? [])];
  return {
    rows,
    columns: parts.map(({ group }) => group),
    values: rows.map((key) => parts.map(({ rates }) => (rates.has(key) ? 100 * rates.get(key)! : null))),
  };
}

/** The share of plans that take each action, by group of problems, in percent. */
export function actionTable(shares: readonly ActionShares[], actions: readonly string[]): ShareTable {
  return {
    rows: shares.map(({ group }) => group),
    columns: [...actions],
    values: shares.map((each) => actions.map((action) => 100 * (each.actions[action] ?? 0))),
  };
}

/** The shares of actions that the paper's Table 7 prints for the subjects of MATH, in percent. */
export function paperActionTable({ rows, benchmarks }: PaperTable, actions: readonly string[]): ShareTable {
  return {
    rows: rows.map(([subject]) => subject),
    columns: [...actions],
    values: rows.map(([, values]) =>
      actions.map((action) => {
        const value = values[benchmarks.indexOf(action)];
        return value === undefined ? null : 100 * value;
      }),
    ),
  };
}

/** What an arm reaches, and what it costs: a point of the figure of accuracy against tokens. */
export interface ArmPoint {
  name: string;
  /** Mean new tokens of a problem. */
  x: number;
  /** Accuracy in percent. */
  y: number;
  yInterval: [low: number, high: number] | null;
}

/** Points of arms, in the order of their names given; those that are not finished are left out. */
export function armPoints({ arms }: Pick<DotsResults, "arms">, names: readonly string[], group = "all"): ArmPoint[] {
  return named(arms, names).flatMap((arm) => {
    const found = arm.groups.find((each) => each.group === group);
    if (!found) return [];
    const { value, interval } = found.accuracy;
    const ends = interval ? ([100 * interval[0], 100 * interval[1]] as [number, number]) : null;
    return [{ name: titleOf(arm), x: found.tokens, y: 100 * value, yInterval: ends }];
  });
}

/** A row of a comparison: values by benchmark, in percent. */
export interface ComparedMethod {
  name: string;
  values: (number | null)[];
  intervals?: ([low: number, high: number] | null)[];
  own?: boolean;
}

/** Arms beside each other, by group of problems. */
export function armMethods(
  { arms }: Pick<DotsResults, "arms">,
  names: readonly string[],
): { benchmarks: { name: string }[]; methods: ComparedMethod[] } {
  const own = named(arms, names);
  const groups = own[0]?.groups.map(({ group }) => group) ?? [];
  return {
    benchmarks: groups.map((name) => ({ name })),
    methods: own.map((arm) => {
      const found = groups.map((group) => arm.groups.find((each) => each.group === group)?.accuracy);
      return {
        name: titleOf(arm),
        values: found.map((accuracy) => (accuracy ? 100 * accuracy.value : null)),
        intervals: found.map((accuracy) =>
          accuracy?.interval ? [100 * accuracy.interval[0], 100 * accuracy.interval[1]] : null,
        ),
        own: arm.title.startsWith("DOTS"),
      };
    }),
  };
}

/** The names of the arms that were trained, after those that they are to be compared with; none if none is finished. */
export function studentNames({ arms }: Pick<DotsResults, "arms">): string[] {
  const trained = arms.filter(({ rows = 0 }) => rows > 0).map(({ name }) => name);
  return trained.length === 0 ? [] : ["static", "oracle", "self", ...trained];
}

/** A row of a table of arms; shares in percent, as text. */
export interface ArmRow {
  model: string;
  arm: string;
  "accuracy (%)": string;
  "as the released code grades (%)": string;
  tokens: string;
  "of the way to the oracle (%)": string;
}

/** The arms that have a place between the best static trajectory and the oracle, as rows of a table. */
export const armRows = ({ title: model, arms }: Pick<DotsResults, "title" | "arms">): ArmRow[] =>
  arms.flatMap((arm) => {
    const [all] = arm.groups;
    if (!arm.way || !all) return [];
    const percent = (share: number) => (100 * share).toFixed(1);
    const ends = arm.way.interval ? ` (${arm.way.interval.map((end) => (100 * end).toFixed(0)).join(" – ")})` : "";
    return [
      {
        model,
        arm: titleOf(arm),
        "accuracy (%)": percent(all.accuracy.value),
        "as the released code grades (%)": percent(all.dots.value),
        tokens: all.tokens.toFixed(1),
        "of the way to the oracle (%)": `${(100 * arm.way.value).toFixed(0)}${ends}`,
      },
    ];
  });

/** A table of the paper for the same figure. */
export const paperMethods = ({
  benchmarks,
  rows,
}: PaperTable): { benchmarks: { name: string }[]; methods: ComparedMethod[] } => ({
  benchmarks: benchmarks.map((name) => ({ name })),
  methods: rows.map(([name, values]) => ({ name, values: [...values], own: name.startsWith("DOTS") })),
});

function named(arms: readonly DotsArm[], names: readonly string[]): DotsArm[] {
  if (names.length === 0) throw badInput("there are no arms to show", "Give their names.");
  return names.flatMap((name) => arms.find((arm) => arm.name === name) ?? []);
}

const TITLES: Readonly<Record<string, string>> = {
  [`${STATIC}cot`]: "CoT",
  [`${STATIC}program`]: "program",
  direct: "direct",
  "least-to-most": "least-to-most",
  "self-refine": "Self-Refine",
};

const titleOf = ({ name, title }: DotsArm): string => TITLES[name] ?? title;
