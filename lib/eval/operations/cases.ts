import { createRandom } from "../../core/index.js";
import { loadGsm8k, type Part, type ProblemGraph, partOf, problemGraph, type WordProblem } from "../../data/index.js";
import { annotatedExample, type OperationName } from "../../operations/index.js";
import { loadTask, type Problem } from "../../tasks/index.js";

/** An input of an operation, and what is known of the right output. */
export interface AnnotatedCase {
  /** "gsm8k/test/17". */
  id: string;
  operation: OperationName;
  input: { question: string };
  /** The output that the annotations give, where they give one. */
  output?: unknown;
  /** The problem as it is graded. */
  problem: Problem;
  /** For problems of GSM8K with a valid graph. */
  annotated?: { problem: WordProblem; graph: ProblemGraph } | undefined;
}

/** Operations whose output is an answer to the question: any problem with a reference will do. */
export const SOLVING = ["answer", "cot", "program"] as const satisfies readonly OperationName[];
/** Operations that GSM8K's annotated solutions give cases of. */
export const ANNOTATED = [
  ...SOLVING,
  "decompose",
  "contract",
  "judge",
  "rewrite",
  "plan",
  "verify",
  "explain",
  "revise",
] as const satisfies readonly OperationName[];
export type AnnotatedOperation = (typeof ANNOTATED)[number];

const GSM8K = "gsm8k";
const isSolving = (name: OperationName): boolean => (SOLVING as readonly OperationName[]).includes(name);

export interface CaseOptions {
  /** Data sets; all but GSM8K only give cases of solving. */
  tasks: readonly string[];
  /** Of GSM8K. */
  split: "train" | "test";
  /** Only problems of this part of their splits. Default: all. */
  part?: Part | undefined;
  seed: number | string;
  signal?: AbortSignal | undefined;
}

/** Read the cases of operations, each list in an order drawn by the seed, its data sets in turn. */
export async function readCases(
  names: readonly AnnotatedOperation[],
  { tasks, split, part, seed, signal }: CaseOptions,
): Promise<Map<AnnotatedOperation, AnnotatedCase[]>> {
  const random = createRandom(`cases/${seed}`);
  const annotated = tasks.includes(GSM8K) ? await annotatedProblems(split, part, signal) : new Map<string, Annotated>();
  const loaded = await Promise.all(
    tasks.map(async (name) => {
      const { problems } = await loadTask(name, { ...(name === GSM8K ? { split } : {}), part, signal });
      return { name, problems: random.stream(name).shuffle([...problems]) };
    }),
  );
  return new Map(
    names.map((operation) => {
      const lists = loaded
        .filter(({ name }) => name === GSM8K || isSolving(operation))
        .map(({ problems }) =>
          problems.flatMap((problem) => caseOf(operation, problem, annotated.get(problem.id), random) ?? []),
        );
      return [operation, inTurn(lists)];
    }),
  );
}

type Annotated = { problem: WordProblem; graph: ProblemGraph };

async function annotatedProblems(split: "train" | "test", part: Part | undefined, signal: AbortSignal | undefined) {
  const { problems } = await loadGsm8k(split, { signal });
  const found = new Map<string, Annotated>();
  for (const problem of problems) {
    const id = `${GSM8K}/${problem.id}`;
    if (part === undefined || partOf(id) === part) found.set(id, { problem, graph: problemGraph(problem) });
  }
  return found;
}

function caseOf(
  operation: AnnotatedOperation,
  problem: Problem,
  annotated: Annotated | undefined,
  random: ReturnType<typeof createRandom>,
): AnnotatedCase | undefined {
  const { id, question } = problem;
  const common = { id, operation, problem };
  if (isSolving(operation)) return { ...common, input: { question }, annotated };
  if (!annotated) return undefined;
  if (operation === "decompose") {
    const { graph, ambiguous, issues, answerNode } = annotated.graph;
    const isClear = issues.length === 0 && ambiguous.length === 0 && answerNode === graph.nodes.length - 1;
    const output = graph.nodes.map(({ answer, dependsOn }) => ({ question: answer, dependsOn }));
    return isClear ? { ...common, input: { question }, output, annotated } : undefined;
  }
  const example = annotatedExample(operation, annotated.problem, annotated.graph, random);
  return example && { ...common, input: example.input, output: example.output, annotated };
}

function inTurn<T>(lists: readonly (readonly T[])[]): T[] {
  const most = Math.max(0, ...lists.map(({ length }) => length));
  return Array.from({ length: most }, (_, at) => lists.flatMap((list) => (at < list.length ? [list[at]!] : []))).flat();
}
