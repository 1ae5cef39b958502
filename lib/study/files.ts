import { join } from "node:path";

/** Where a study keeps what it makes of an arm and a seed. */
export const studyFiles = (folder: string) => ({
  /** Folder of the trained model. */
  student: (arm: string, seed: number) => join(folder, "students", arm, String(seed)),
  /** Folder of the records. */
  evaluation: (arm: string, seed: number) => join(folder, "evaluations", arm, String(seed)),
  /** What the measures are computed from. */
  answers: (arm: string, seed: number) => join(folder, "evaluations", arm, `${seed}.json`),
});
