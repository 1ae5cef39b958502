import { existsSync } from "node:fs";
import { basename } from "node:path";
import { countOf } from "../../core/index.js";
import { type ArmPoint, armPoints } from "../../study/index.js";
import { readStudyResults } from "./study-results.js";

export interface StudyPanel {
  /** Points of the students, as `budgetFigure` takes them; none without results. */
  points: ArmPoint[];
  /** What was measured; or that it was not, and the command that does it. */
  note: string;
}

/**
 * The students of a study as one panel of a figure, where its results are there.
 *
 * @param file such as `data/results/astar-r1.json`, of the study of the same name in `data/studies`
 * @throws as `readStudyResults`
 */
export async function readStudyPanel(file: string, panel: string): Promise<StudyPanel> {
  const name = basename(file, ".json");
  if (!existsSync(file)) {
    const command = `npx thoughtbook study data/studies/${name}.json --out runs/study/${name} --results data/results/${name}.json`;
    return { points: [], note: `${panel}: not run yet; this command makes it: ${command}` };
  }
  const { study, students } = await readStudyResults(file);
  const { problems = 0 } = study.evaluation ?? {};
  const seeds = study.students?.seeds.length ?? 0;
  return {
    points: armPoints(students, panel),
    note: `${panel}: ${countOf(seeds, "seed")}, ${countOf(problems, "problem")}`,
  };
}
