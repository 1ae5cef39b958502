import { waitUntilQuiet } from "../shared/quiet.js";
import { runRounds } from "../shared/rounds.js";
import { ratioByRound, type Spread, spreadOf } from "../shared/statistics.js";

/** One of those that are compared. */
export interface Contender {
  name: string;
  title: string;
  /** Do the work once without measuring it: compile, fill caches. Default: nothing. */
  warmUp?(): Promise<unknown>;
  /** Measure once; rounds count from 0, and in each all get the same inputs. */
  turn(round: number): Promise<number>;
}

export interface Contest {
  /** Such as `decode`. */
  measure: string;
  title: string;
  unit: string;
  better: "more" | "less";
  /** Names of those that all are compared with. */
  references: readonly string[];
  /** Sizes and the like. */
  conditions: Readonly<Record<string, number | string>>;
  peers: ContestPeer[];
  failed: { name: string; title: string; reason: string }[];
}

export interface ContestPeer {
  name: string;
  title: string;
  value: Spread;
  /**
   * How many times as good as this one the references are, by round: speed over speed, time over time. Null where one did
   * not take part.
   */
  timesAsGood: Readonly<Record<string, Spread | null>>;
  rounds: (number | null)[];
}

export interface ContestOptions extends Pick<Contest, "measure" | "title" | "unit" | "conditions"> {
  better?: Contest["better"];
  /** Names of those that all are compared with. Default: the paths of this engine. */
  references?: readonly string[];
  contenders: readonly Contender[];
  rounds: number;
  patienceSeconds: number;
  onProgress?: ((line: string) => void) | undefined;
}

/** The paths of this engine that others are compared with. */
export const OURS: readonly string[] = ["fast", "exact"];

/** Compare, each round in turn. Who fails is left out from then on, with the reason. */
export async function contest(options: ContestOptions): Promise<Contest> {
  const { measure, title, unit, conditions, better = "more", references = OURS } = options;
  const { contenders, rounds, patienceSeconds } = options;
  const failed: Contest["failed"] = [];
  const warm = new Set<string>();
  const results = await runRounds({
    peers: contenders,
    rounds,
    beforeTurn: () => waitUntilQuiet({ patienceSeconds }),
    async turn(peer, round) {
      if (!warm.has(peer.name)) {
        warm.add(peer.name);
        await peer.warmUp?.();
        await waitUntilQuiet({ patienceSeconds });
      }
      return peer.turn(round);
    },
    onTurn: ({ title: who }, round, value) =>
      options.onProgress?.(`${title}: round ${round + 1}: ${who}: ${value.toPrecision(4)} ${unit}`),
  });
  for (const [i, { failure }] of results.entries()) {
    const { name, title: who } = contenders[i]!;
    if (failure === null) continue;
    failed.push({ name, title: who, reason: failure });
    options.onProgress?.(`${title}: ${who} FAILED: ${failure}`);
  }
  const values = new Map(contenders.map(({ name }, i) => [name, results[i]!.turns]));
  const peers = contestPeers(contenders, values, better, references);
  return { measure, title, unit, better, references, conditions, peers, failed };
}

/** Medians of the rounds, and ratios taken round by round. */
export function contestPeers(
  contenders: readonly Pick<Contender, "name" | "title">[],
  values: ReadonlyMap<string, readonly (number | null)[]>,
  better: Contest["better"],
  references: readonly string[],
): ContestPeer[] {
  return contenders.flatMap(({ name, title }) => {
    const rounds = [...(values.get(name) ?? [])];
    const present = rounds.filter((value) => value !== null);
    if (present.length === 0) return [];
    const ratioOf = (reference: string) => {
      const others = values.get(reference) ?? [];
      return better === "more" ? ratioByRound(others, rounds) : ratioByRound(rounds, others);
    };
    const timesAsGood = Object.fromEntries(
      references.filter((each) => each !== name).map((each) => [each, ratioOf(each)]),
    );
    return [{ name, title, value: spreadOf(present), timesAsGood, rounds }];
  });
}
