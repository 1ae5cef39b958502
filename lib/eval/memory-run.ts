import type { Run } from "../core/index.js";

/** A run that keeps its records in memory only. */
export function memoryRun<T extends { id: string }>(): Omit<Run<T>, "folder"> {
  const records: T[] = [];
  const done = new Set<string>();
  return {
    done,
    async *records() {
      yield* records;
    },
    async append(record) {
      done.add(record.id);
      records.push(record);
    },
    close: async () => {},
  };
}
