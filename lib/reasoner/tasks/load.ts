import { badInput, readIfThere, readSettingsFile, resolveUserPath } from "../../core/index.js";
import type { Split } from "../../data/index.js";
import { LANGUAGES, type Language } from "../../sandbox/index.js";
import { createTask, loadTask, type Task } from "../../tasks/index.js";
import { drawCodeTask } from "../families/families.js";
import { drawMathTask, MATH_KINDS, type MathKind } from "./math.js";
import { codeProblem, mathProblem } from "./problems.js";
import { type TaskFile, taskFileSchema } from "./schema.js";

export interface ReasonerTaskOptions {
  /** Maximum number of problems. Default: 64, or all of a file or data set. */
  limit?: number | undefined;
  /** Default: "test". Of code whole families are held out. */
  split?: string | undefined;
  /** Which tasks are drawn. Default: 0. */
  seed?: number | undefined;
  signal?: AbortSignal | undefined;
}

const DEFAULT_COUNT = 64;

/**
 * Load tasks of the reasoner: `code`, `code:python` or `code:javascript` (functions of procedural families), `math`
 * (all kinds in turn), `math:single-digit`, `math:double-digit` or `math:multi-step`; a file in the layout of data/tasks
 * (`data/tasks/code/fizzbuzz.json`); or any task of `loadTask`, such as `word-problems:4`, `gsm8k`, `humaneval`, `mbpp`.
 *
 * @throws bad-input for an unknown name, split or file; as `loadTask`
 *
 * @example
 * ```ts
 * import { loadReasonerTask } from "thoughtbook/reasoner";
 *
 * const { problems } = await loadReasonerTask("code:python", { limit: 2 });
 * console.log(problems.map(({ id }) => id));
 * ```
 */
export async function loadReasonerTask(name: string, options: ReasonerTaskOptions = {}): Promise<Task> {
  const { limit = DEFAULT_COUNT, split = "test", seed = 0, signal } = options;
  const [kind, part] = name.split(":", 2) as [string, string | undefined];
  if (kind === "code") {
    const languages = part === undefined ? LANGUAGES : [asOne("language", part, LANGUAGES)];
    return drawn(name, options, (index) =>
      codeProblem(drawCodeTask({ seed, split: asSplit(split), index, languages: languages as readonly Language[] })),
    );
  }
  if (kind === "math") {
    const kinds = part === undefined ? MATH_KINDS : [asOne("kind", part, MATH_KINDS)];
    return drawn(name, options, (index) => {
      const own = kinds[index % kinds.length] as MathKind;
      const place = { seed, split: asSplit(split), index: Math.floor(index / kinds.length) };
      return mathProblem(drawMathTask(own, place));
    });
  }
  if (name.endsWith(".json") && (await isTaskFile(resolveUserPath(name)))) {
    const file = await readTaskFile(name);
    const problems = file.domain === "code" ? file.tasks.map(codeProblem) : file.tasks.map(mathProblem);
    return createTask(name.replace(/^.*[\\/]|\.json$/g, ""), problems.slice(0, options.limit));
  }
  const isDrawn = kind === "word-problems" || kind === "functions";
  return loadTask(name, {
    limit: isDrawn ? limit : options.limit,
    ...(options.split === undefined ? {} : { split }),
    ...(isDrawn ? { seed } : {}),
    signal,
  });
}

function drawn(
  name: string,
  options: ReasonerTaskOptions,
  problemAt: (index: number) => Task["problems"][number],
): Task {
  const { limit = DEFAULT_COUNT, split = "test", seed = 0 } = options;
  return createTask(
    name,
    Array.from({ length: limit }, (_, at) => problemAt(at)),
    { split, seed },
  );
}

/**
 * Read a file of tasks, such as those of data/tasks.
 *
 * @throws bad-input that names what is wrong; not-found
 */
export const readTaskFile = (file: string): Promise<TaskFile> =>
  readSettingsFile(resolveUserPath(file), taskFileSchema, {
    what: "file of tasks",
    example: "data/tasks/math/single-digit.json",
  });

/** Whether it has the layout of data/tasks; other files hold rows of questions. */
async function isTaskFile(path: string): Promise<boolean> {
  const text = await readIfThere(path);
  return text !== undefined && /^\s*\{[^[]{0,200}"domain"\s*:/.test(text);
}

function asOne(what: string, given: string, known: readonly string[]): string {
  if (known.includes(given)) return given;
  throw badInput(`there is no ${what} "${given}"`, `Choose ${known.join(", ")}.`);
}

const asSplit = (split: string): Split => asOne("split", split, ["train", "validation", "test"]) as Split;
