import { loadTask, type Task, type TaskOptions } from "../tasks/index.js";
import { groupedWordProblems, WORD_PROBLEM_GROUP_NAMES } from "./kinds.js";

const PREFIX = "word-problems:";

/**
 * Load a task by its name: as `loadTask`, and also word problems by their kind: `word-problems:kinds` (the four in turn) or
 * `word-problems:distractors`.
 *
 * @throws as `loadTask`
 */
export async function loadDotsTask(
  name: string,
  options: Pick<TaskOptions, "limit" | "split" | "part" | "seed" | "path" | "signal"> = {},
): Promise<Task> {
  const group = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : "";
  const groups = group === "kinds" ? WORD_PROBLEM_GROUP_NAMES : group.split(",");
  const isGrouped = groups.every((each) => (WORD_PROBLEM_GROUP_NAMES as readonly string[]).includes(each));
  if (!isGrouped) {
    const { seed, ...rest } = options;
    return loadTask(name, name.startsWith("word-problems") || name.startsWith("functions") ? options : rest);
  }
  const { limit, split = "test", seed } = options;
  return groupedWordProblems({ limit, split: split as "train", seed, groups });
}
