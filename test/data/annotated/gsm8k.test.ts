import {
  type Gsm8kSplit,
  loadGsm8k,
  loadSample,
  type ProblemGraph,
  problemGraph,
  type WordProblem,
} from "thoughtbook/data";
import { dependenciesOf, graphProblems } from "thoughtbook/graph";
import { describe, expect, it } from "vitest";
import { checkAnnotation } from "../../../lib/dist/data/annotated/annotated-problem.js";

const hasData = process.env.THOUGHTBOOK_DATA !== undefined;
if (!hasData) console.log("skipped: the tests on GSM8K itself need THOUGHTBOOK_DATA");

const verdicts = (problems: WordProblem[]) =>
  problems.flatMap(({ id, steps }) =>
    steps.flatMap(({ annotations }) =>
      annotations.map((annotation) => ({ id, annotation, verdict: checkAnnotation(annotation) })),
    ),
  );
const invalid = (graphs: ProblemGraph[]) => graphs.filter(({ issues }) => issues.length > 0).map(({ id }) => id);

describe("the sample as graphs", () => {
  it("is valid, unambiguous, and evaluated exactly", async () => {
    const { problems } = await loadSample();
    const graphs = problems.map((problem) => problemGraph(problem));
    expect(invalid(graphs)).toEqual([]);
    expect(graphs.flatMap(({ ambiguous }) => ambiguous)).toEqual([]);
    expect(verdicts(problems).filter(({ verdict }) => verdict.status !== "equal")).toEqual([]);
  });
});

describe.skipIf(!hasData)("GSM8K", () => {
  const expected: [Gsm8kSplit, number, number, string[]][] = [
    ["train", 7473, 23716, ["train/394", "train/4169"]],
    ["test", 1319, 4282, []],
    ["test_socratic", 1319, 4282, []],
  ];
  it.each(expected)(
    "%s: ≥ 99 %% valid graphs, every annotation evaluated or listed",
    async (split, rows, annotations, unparseable) => {
      const { problems, malformed } = await loadGsm8k(split);
      expect([problems.length, malformed.length]).toEqual([rows, 0]);
      const checked = verdicts(problems);
      expect(checked).toHaveLength(annotations);
      expect(checked.filter(({ verdict }) => verdict.status !== "equal").map(({ id }) => id)).toEqual(unparseable);

      const graphs = problems.map((problem) => problemGraph(problem));
      expect(graphs.flatMap(({ graph }) => graphProblems(dependenciesOf(graph)))).toEqual([]);
      expect(invalid(graphs).length / rows).toBeLessThan(0.01);
    },
  );

  it("is the same graph with and without sub-questions, but for problems whose lines the socratic version joins", async () => {
    const [plain, socratic] = await Promise.all([loadGsm8k("test"), loadGsm8k("test_socratic")]);
    const lines = ({ problems }: typeof plain) => problems.map(({ steps }) => steps.length);
    const shapes = ({ problems }: typeof plain) =>
      problems.map((problem) => JSON.stringify(dependenciesOf(problemGraph(problem).graph)));
    const [plainLines, socraticLines, plainShapes, socraticShapes] = [
      lines(plain),
      lines(socratic),
      shapes(plain),
      shapes(socratic),
    ];
    const joined = plainLines.flatMap((count, row) => (count === socraticLines[row] ? [] : [row]));
    expect(joined.length).toBeLessThan(10);
    expect(plainShapes.flatMap((shape, row) => (shape === socraticShapes[row] ? [] : [row]))).toEqual(joined);
  });
});
