import { badInput, checkWhole } from "../core/index.js";
import { generateWordProblem, type ProceduralProblem, type Split, type WordProblemOptions } from "../data/index.js";
import { createTask, type Problem, type Task } from "../tasks/index.js";

/** A kind of word problems: options of the generator, and which of its problems are of the kind. */
interface ProblemKindOptions extends Pick<WordProblemOptions, "operations" | "distractors" | "depth" | "order"> {
  accepts?(problem: ProceduralProblem): boolean;
}

/** The digits of a number without the zeros at its end, which cost nothing in a product. */
const digitsOf = (value: number): number => String(value).replace(/0+$/, "").length;

/** Whether it has a product beyond two digits times one. */
function hasLargeProduct({ quantities }: ProceduralProblem): boolean {
  return quantities.some(({ relation }) => {
    if (!relation || !["times", "rate", "product"].includes(relation.kind)) return false;
    const factors = [...relation.inputs.map((at) => quantities[at]!.value), ...relation.numbers];
    const digits = factors.map(digitsOf);
    return factors.length > 1 && factors.every((value) => value > 1) && Math.min(...digits) + Math.max(...digits) > 3;
  });
}

/** Four kinds of word problems, each of which may demand other actions. */
const WORD_PROBLEM_GROUPS = {
  "large-products": { operations: [2, 3], order: "computation", accepts: hasLargeProduct },
  distractors: { operations: [2, 3], distractors: [2, 3] },
  "deep-chains": { operations: 4, depth: [3, 3], order: "shuffled" },
  plain: { operations: [2, 3], order: "computation", accepts: (problem) => !hasLargeProduct(problem) },
} as const satisfies Record<string, ProblemKindOptions>;
export type WordProblemGroup = keyof typeof WORD_PROBLEM_GROUPS;
export const WORD_PROBLEM_GROUP_NAMES = Object.keys(WORD_PROBLEM_GROUPS) as readonly WordProblemGroup[];

/** Problems that are drawn for each that is accepted, at most. */
const MOST_DRAWS = 20_000;

/**
 * Word problems of four kinds in turn: with large products, with distractors, deep chains told out of order, and plain ones. Each problem
 * has its kind as the field `group`. Made by the generator of `thoughtbook/data` with options of each kind; large products are those of
 * its problems that multiply beyond two digits times one.
 *
 * @param options groups: default all
 * @throws bad-input for an unknown group
 *
 * @example
 * ```ts
 * import { groupedWordProblems } from "thoughtbook/dots";
 *
 * const { problems } = groupedWordProblems({ limit: 4, seed: 1 });
 * console.log(problems.map(({ fields }) => fields?.group)); // [ 'large-products', 'distractors', 'deep-chains', 'plain' ]
 * ```
 */
export function groupedWordProblems({
  limit = 200,
  split = "test",
  seed = 0,
  groups = WORD_PROBLEM_GROUP_NAMES,
}: {
  limit?: number | undefined;
  split?: Split | undefined;
  seed?: number | undefined;
  groups?: readonly string[] | undefined;
} = {}): Task {
  checkWhole("limit", limit, 1);
  const own = groups.map((group): WordProblemGroup => {
    if (Object.hasOwn(WORD_PROBLEM_GROUPS, group)) return group as WordProblemGroup;
    throw badInput(
      `there is no kind of word problems ${JSON.stringify(group)}`,
      `Those are ${WORD_PROBLEM_GROUP_NAMES.join(", ")}.`,
    );
  });
  const next = new Map(own.map((group) => [group, 0]));
  const problems = Array.from({ length: limit }, (_, at) => {
    const group = own[at % own.length]!;
    const { problem, after } = drawFrom(group, next.get(group)!, { split, seed });
    next.set(group, after);
    return problem;
  });
  return createTask(
    own.length === WORD_PROBLEM_GROUP_NAMES.length ? "word-problems:kinds" : `word-problems:${own.join(",")}`,
    problems,
    {
      split,
      seed,
      groups: own,
    },
  );
}

function drawFrom(
  group: WordProblemGroup,
  from: number,
  { split, seed }: { split: Split; seed: number },
): { problem: Problem; after: number } {
  const { accepts, ...options }: ProblemKindOptions = WORD_PROBLEM_GROUPS[group];
  for (let index = from; index < from + MOST_DRAWS; index++) {
    const drawn = generateWordProblem({ ...options, split, seed: `${group}/${seed}`, index });
    if (accepts && !accepts(drawn)) continue;
    const { id, question, answer, difficulty } = drawn;
    const problem: Problem = {
      ...{ id, question, kind: "gsm8k", references: [String(answer)], operations: difficulty.operations },
      fields: { group },
    };
    return { problem, after: index + 1 };
  }
  throw badInput(`no problem of the kind ${group} in ${MOST_DRAWS} draws`, "Choose another seed.");
}
