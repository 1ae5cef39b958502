import { stat } from "node:fs/promises";
import { join } from "node:path";
import { badInput, openJsonlWriter, readIfThere, readJsonl } from "../../core/index.js";
import { isKept, mergeSolutions } from "./aggregate.js";
import { attemptSchema, type StoredAttempt, type StoredSolution, solutionSchema } from "./solutions.js";

/** Solutions and attempts in a folder: append-only, so that a kill at any moment loses no finished record. */
export interface SolutionStore {
  readonly folder: string;
  solutions(): StoredSolution[];
  attempts(): StoredAttempt[];
  /** Add what is not there yet; of solutions only those that are kept. Adding the same again changes nothing. */
  add(found: { solutions: readonly StoredSolution[]; attempts: readonly StoredAttempt[] }): Promise<void>;
  close(): Promise<void>;
}

const SOLUTIONS = "solutions.jsonl";
const ATTEMPTS = "attempts.jsonl";

/**
 * Open a store, or make one.
 *
 * @throws corrupt-data naming file and line; file-system
 */
export async function openStore(folder: string): Promise<SolutionStore> {
  const files = [join(folder, SOLUTIONS), join(folder, ATTEMPTS)] as const;
  const [toSolutions, toAttempts] = [await openJsonlWriter(files[0]), await openJsonlWriter(files[1])];
  const solutions = new Map<string, StoredSolution>();
  const attempts = new Map<string, StoredAttempt>();
  for await (const { value } of readJsonl(files[0], { schema: solutionSchema })) keep(value);
  for await (const { value } of readJsonl(files[1], { schema: attemptSchema })) attempts.set(value.id, value);

  /** Whether the store says something else with it than without. */
  function keep(solution: StoredSolution): boolean {
    const before = solutions.get(solution.id);
    const merged = mergeSolutions(before ? [before, solution] : [solution]).get(solution.id)!;
    if (before && JSON.stringify(before) === JSON.stringify(merged)) return false;
    solutions.set(solution.id, merged);
    return true;
  }

  return {
    folder,
    solutions: () => [...mergeSolutions(solutions.values()).values()],
    attempts: () => [...attempts.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    async add(found) {
      for (const solution of found.solutions) {
        if (isKept(solution) && keep(solution)) await toSolutions.append(solution);
      }
      for (const attempt of found.attempts) {
        if (attempts.has(attempt.id)) continue;
        attempts.set(attempt.id, attempt);
        await toAttempts.append(attempt);
      }
    },
    async close() {
      await Promise.all([toSolutions.close(), toAttempts.close()]);
    },
  };
}

/**
 * Read aggregated solutions: from a file of them, the folder of a store, or that of a run.
 *
 * @throws not-found, corrupt-data; bad-input if there are none
 */
export async function readSolutions(place: string): Promise<StoredSolution[]> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const candidates = isFolder ? [join(place, SOLUTIONS), join(place, "store", SOLUTIONS)] : [place];
  let file = candidates.at(-1)!;
  for (const candidate of candidates.toReversed()) if ((await readIfThere(candidate)) !== undefined) file = candidate;
  const records: StoredSolution[] = [];
  for await (const { value } of readJsonl(file, { schema: solutionSchema })) records.push(value);
  if (records.length === 0) throw badInput(`${file} has no solutions`, "Collect some: thoughtbook reasoner math.");
  return [...mergeSolutions(records).values()];
}
