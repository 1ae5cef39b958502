import { checkWhole, createRandom, groupBy, mean } from "../../core/index.js";
import { SOURCES, type StoredAttempt, type StoredSolution } from "./solutions.js";

export interface AggregateOptions {
  /** Most right solutions of a task. Default: 8. */
  mostRight?: number | undefined;
  /** Most partly right solutions of a task. Default: 8. */
  mostNear?: number | undefined;
}

/** Which of two records of the same solution stays: the one found first. */
const earlier = (a: StoredSolution, b: StoredSolution): StoredSolution => {
  const order =
    a.round - b.round ||
    SOURCES.indexOf(a.source) - SOURCES.indexOf(b.source) ||
    (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);
  return order <= 0 ? a : b;
};

/** Records by id, in the order of ids: which come how often and in which order changes nothing. */
export function mergeSolutions(records: Iterable<StoredSolution>): Map<string, StoredSolution> {
  const merged = new Map<string, StoredSolution>();
  for (const record of records) {
    const found = merged.get(record.id);
    merged.set(record.id, found ? earlier(found, record) : record);
  }
  return new Map([...merged].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether a solution is kept: right, or partly right. */
export const isKept = ({ reward, stepReward }: Pick<StoredSolution, "reward" | "stepReward">): boolean =>
  reward > 0 || stepReward > 0;

/**
 * What is learned from: right and partly right solutions, each once, at most so many of a task (by their hashes, which prefer no
 * kind of solution). Neither the order of the records nor their repetition changes anything.
 *
 * @throws bad-input for caps that are no whole numbers above 0
 */
export function aggregate(
  records: Iterable<StoredSolution>,
  { mostRight = 8, mostNear = 8 }: AggregateOptions = {},
): StoredSolution[] {
  checkWhole("mostRight", mostRight, 1);
  checkWhole("mostNear", mostNear, 1);
  const kept = [...mergeSolutions(records).values()].filter(isKept);
  return [...groupBy(kept, ({ task }) => task)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, own]) => [
      ...own.filter(({ reward }) => reward === 1).slice(0, mostRight),
      ...own.filter(({ reward }) => reward < 1).slice(0, mostNear),
    ]);
}

/** Two solutions of one task, of which the first is right and the second partly right. */
export interface SolutionPair {
  chosen: StoredSolution;
  rejected: StoredSolution;
}

/** Preference pairs: each right solution of a task with a partly right one, as many as there are of either, up to a cap. */
export function preferencePairs(aggregated: readonly StoredSolution[], most = 4): SolutionPair[] {
  checkWhole("most", most, 1);
  return [...groupBy(aggregated, ({ task }) => task).values()].flatMap((own) => {
    const [right, near] = [own.filter(({ reward }) => reward === 1), own.filter(({ reward }) => reward < 1)];
    if (right.length === 0 || near.length === 0) return [];
    const count = Math.min(most, Math.max(right.length, near.length));
    return Array.from({ length: count }, (_, at) => ({
      chosen: right[at % right.length]!,
      rejected: near[at % near.length]!,
    }));
  });
}

/** How much was found, how different it is, and how hard the tasks are. */
export interface StoreStatistics {
  tasks: number;
  /** Tasks with a right solution. */
  solved: number;
  attempts: number;
  right: number;
  /** Different right solutions. */
  differentRight: number;
  /** Different partly right ones. */
  differentNear: number;
  /** Share of the right attempts that repeat an earlier one; null without any. */
  repeated: number | null;
  /** Mean distance of two different right solutions of a task, 1 − Jaccard of their pairs of words; null without any. */
  distance: number | null;
  /** Tasks by the share of their attempts that is right. */
  difficulty: { never: number; seldom: number; often: number; always: number };
}

/** Statistics of diversity and difficulty. */
export function storeStatistics(records: Iterable<StoredSolution>, attempts: Iterable<StoredAttempt>): StoreStatistics {
  const solutions = [...mergeSolutions(records).values()].filter(isKept);
  const all = [...new Map([...attempts].map((each) => [each.id, each])).values()];
  const byTask = [...groupBy(all, ({ task }) => task).values()];
  const rates = byTask.map((own) => mean(own.map(({ reward }) => Number(reward === 1))));
  const right = all.filter(({ reward }) => reward === 1);
  const different = new Set(right.map(({ solution }) => solution)).size;
  const rightByTask = groupBy(
    solutions.filter(({ reward }) => reward === 1),
    ({ task }) => task,
  );
  const distances = [...rightByTask.values()].flatMap((own) => (own.length < 2 ? [] : [meanDistance(own)]));
  return {
    tasks: byTask.length,
    solved: rates.filter((rate) => rate > 0).length,
    attempts: all.length,
    right: right.length,
    differentRight: solutions.filter(({ reward }) => reward === 1).length,
    differentNear: solutions.filter(({ reward }) => reward < 1).length,
    repeated: right.length === 0 ? null : 1 - different / right.length,
    distance: distances.length === 0 ? null : mean(distances),
    difficulty: {
      never: rates.filter((rate) => rate === 0).length,
      seldom: rates.filter((rate) => rate > 0 && rate < 0.5).length,
      often: rates.filter((rate) => rate >= 0.5 && rate < 1).length,
      always: rates.filter((rate) => rate === 1).length,
    },
  };
}

/** Most solutions of a task that are compared. */
const MOST_COMPARED = 8;

function meanDistance(solutions: readonly StoredSolution[]): number {
  const sets = solutions.slice(0, MOST_COMPARED).map(({ completion }) => {
    const words = completion.split(/\s+/);
    return new Set(words.map((word, at) => `${word} ${words[at + 1] ?? ""}`));
  });
  const distances = sets.flatMap((a, at) =>
    sets.slice(at + 1).map((b) => {
      const common = [...a].filter((each) => b.has(each)).length;
      return 1 - common / (a.size + b.size - common);
    }),
  );
  return mean(distances);
}

/**
 * Choose tasks from which most can be learned: those whose share of right attempts is nearest to a half, as far as known (the mean of a
 * Beta distribution that begins uniform), tasks that were never attempted among the first. Among equals the seed decides.
 */
export function chooseTasks<T extends { id: string }>(
  tasks: readonly T[],
  attempts: readonly StoredAttempt[],
  { count, seed }: { count: number; seed: number | string },
): T[] {
  const byTask = groupBy(attempts, ({ task }) => task);
  const worth = ({ id }: T) => {
    const own = byTask.get(id) ?? [];
    const share = (own.filter(({ reward }) => reward === 1).length + 1) / (own.length + 2);
    return share * (1 - share);
  };
  const shuffled = createRandom(seed).stream("tasks").shuffle(tasks);
  return shuffled.toSorted((a, b) => worth(b) - worth(a)).slice(0, count);
}
