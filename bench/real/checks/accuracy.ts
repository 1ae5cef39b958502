import { basename, join } from "node:path";
import { badInput } from "thoughtbook/core";
import { readRows } from "thoughtbook/data";
import { evaluate, proportion } from "thoughtbook/eval";
import { program } from "thoughtbook/strategies";
import { createTask, type Problem, type Task } from "thoughtbook/tasks";
import { z } from "zod";
import { type Numerics, openEngine } from "../engine.js";
import { type CheckSetting, type Finding, MOST_EXCEPTIONS } from "./check.js";

/** The longest program, in tokens; those of a model of half a billion parameters have 44 on average. */
const BUDGET = 192;
const ROW = z.object({ input: z.string(), target: z.number() });

/** The first problems of MultiArith in the layout of reasoning-machines/pal. */
export async function readMultiArith(file: string, limit: number): Promise<Task> {
  const problems: Problem[] = [];
  const refuse = (place: string): never => {
    throw badInput(`${file}: ${place} has no input and target`, "Give MultiArith's own rows.");
  };
  for await (const { index, place, value } of readRows(file, { onMalformed: (row) => refuse(row.place) })) {
    const row = ROW.safeParse(value);
    if (!row.success) return refuse(place);
    const { input, target } = row.data;
    problems.push({ id: `multiarith/${index}`, question: input, kind: "math", references: [String(target)] });
    if (problems.length === limit) break;
  }
  return createTask("multiarith", problems);
}

/** Which problems a path answers rightly, by their ids. */
async function rightAnswers(setting: CheckSetting, task: Task, path: Numerics): Promise<Map<string, boolean>> {
  const { model: spec, threads, folder, file } = setting;
  const model = await openEngine({ model: spec, numerics: path, threads });
  try {
    const { records } = await evaluate(program(), task, {
      model,
      budgets: [BUDGET],
      folder: join(folder, `multiarith-${basename(file, ".gguf")}-${path}`),
    });
    return new Map(records.map(({ problem, correct }) => [problem, correct.strict === true]));
  } finally {
    await model.dispose();
  }
}

/** The accuracy of `fast` on MultiArith lies in the interval of `exact`. */
export async function sameAccuracy(setting: CheckSetting): Promise<Finding> {
  const { multiarith, problems, onProgress } = setting;
  const data = process.env.THOUGHTBOOK_DATA;
  const file = multiarith ?? (data && join(data, "gsm_variants", "multiarith.jsonl"));
  if (!file) throw badInput("MultiArith is not there", "Give --multiarith FILE, or set THOUGHTBOOK_DATA.");
  const task = await readMultiArith(file, problems);
  const right = { exact: new Map<string, boolean>(), fast: new Map<string, boolean>() };
  for (const path of ["exact", "fast"] as const) {
    right[path] = await rightAnswers(setting, task, path);
    onProgress(`MultiArith: ${path}: ${[...right[path].values()].filter(Boolean).length} of ${task.problems.length}`);
  }
  const share = (path: Numerics) => proportion([...right[path].values()].filter(Boolean).length, right[path].size);
  const [exact, fast] = [share("exact"), share("fast")];
  const [low, high] = exact.interval ?? [Number.NaN, Number.NaN];
  const otherwise = [...right.exact].filter(([id, value]) => right.fast.get(id) !== value).map(([id]) => id);
  return {
    statement: "the accuracy of fast on MultiArith lies in the interval of exact",
    holds: fast.value >= low && fast.value <= high,
    numbers: { problems: exact.count, exact: exact.value, fast: fast.value, gradedOtherwise: otherwise.length },
    intervals: { exact: exact.interval ?? null, fast: fast.interval ?? null },
    exceptions: otherwise.slice(0, MOST_EXCEPTIONS),
  };
}
