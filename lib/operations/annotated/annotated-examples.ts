import { type Expression, formatRational, type Rational } from "../../answer/index.js";
import type { Random } from "../../core/index.js";
import {
  contractQuestion,
  finalQuestionOf,
  type ProblemGraph,
  subQuestionOf,
  type WordProblem,
} from "../../data/index.js";
import { contract } from "../../graph/index.js";
import { type InputOf, OPERATIONS, type OperationName, type OutputOf } from "../all.js";
import type { AtomicQuestion } from "../decompose.js";
import type { OperationExample } from "../examples.js";
import { explainSteps } from "../examples-explain.js";
import type { Operation } from "../operation.js";
import { type Solution, writeSolution } from "../solution.js";
import { feedbackOf } from "../verify.js";
import { wrongSolution } from "./wrong-solution.js";

type Made<Name extends OperationName> = { input: InputOf<Name>; output: OutputOf<Name> };
type Maker<Name extends OperationName> = (annotated: Annotated, random: Random) => Made<Name> | undefined;

interface Annotated {
  problem: WordProblem;
  graph: ProblemGraph;
  answer: Rational;
}

const RIGHT_TO_VERIFY = 0.5;
/** Probability of three answers to judge, rather than two. */
const THREE_ANSWERS = 0.5;

const MAKERS: { readonly [Name in OperationName]?: Maker<Name> } = {
  answer: ({ problem, answer }) => ({ input: questionOf(problem), output: formatRational(answer) }),
  cot: (annotated) => ({ input: questionOf(annotated.problem), output: solutionOf(annotated) }),
  decompose: (annotated) => {
    const output = subQuestions(annotated);
    return output && { input: questionOf(annotated.problem), output };
  },
  contract: contractExample,
  judge: judgeExample,
  rewrite: ({ problem, graph }) => ({
    input: questionOf(problem),
    output: contractQuestion(problem.question, { known: [], remaining: graph.graph, origin: [] }),
  }),
  plan: (annotated) => {
    const questions = subQuestions(annotated);
    return (
      questions && {
        input: questionOf(annotated.problem),
        output: questions.map(({ question }) => `Find out: ${question}`),
      }
    );
  },
  program: (annotated) => {
    const output = pythonOf(annotated);
    return output === undefined ? undefined : { input: questionOf(annotated.problem), output };
  },
  verify: verifyExample,
  explain: ({ problem, graph }) => ({
    input: questionOf(problem),
    output: explainSteps({ question: problem.question, steps: graph.graph.nodes.length, distractors: false }),
  }),
  revise: reviseExample,
};

/**
 * Make the example of one operation from a problem of GSM8K with its annotated solution: `<<48/2=24>>` gives the values, their
 * graph the dependencies, and the steps' wording the sub-questions. Undefined where the solution does not give one: a graph
 * that is not valid, a step whose sub-question no rule words, nothing to contract. It depends on the problem and the seed
 * of the random numbers alone.
 *
 * The program is Python. There is none of `think` and `code`.
 */
export function annotatedExample<Name extends OperationName>(
  name: Name,
  problem: WordProblem,
  graph: ProblemGraph,
  random: Random,
): OperationExample<Name> | undefined {
  if (!problem.answer.ok || graph.issues.length > 0) return undefined;
  const maker = MAKERS[name] as Maker<Name> | undefined;
  const made = maker?.({ problem, graph, answer: problem.answer.value }, random.stream(`${name}/${problem.id}`));
  if (!made) return undefined;
  // The compiler does not see that the operation of a name takes the input of that name.
  const operation = OPERATIONS[name] as unknown as Operation<InputOf<Name>, OutputOf<Name>>;
  const { input, output } = made;
  return { operation: name, input, output, prompt: operation.render(input), completion: operation.write(output) };
}

const questionOf = ({ question }: WordProblem): { question: string } => ({ question });

const solutionOf = ({ problem, answer }: Annotated): Solution => ({
  reasoning: problem.steps.map(({ text }) => text).join("\n"),
  answer: formatRational(answer),
});

/** One for each node; undefined unless the last node answers and every other one can be put as a question. */
function subQuestions({ problem, graph }: Annotated): AtomicQuestion[] | undefined {
  const { nodes } = graph.graph;
  const last = finalQuestionOf(problem.question);
  if (last === undefined || graph.answerNode !== nodes.length - 1 || graph.ambiguous.length > 0) return undefined;
  const questions = nodes.map(({ answer, dependsOn }, at) => {
    const question = at === nodes.length - 1 ? last : subQuestionOf(answer);
    return question === undefined ? undefined : { question, dependsOn };
  });
  const distinct = new Set(questions.map((each) => each?.question));
  return questions.includes(undefined) || distinct.size < questions.length
    ? undefined
    : (questions as AtomicQuestion[]);
}

/** The first contraction: sub-questions that need no other are answered. */
function contractExample({ problem, graph }: Annotated): Made<"contract"> | undefined {
  const contraction = graph.ambiguous.length > 0 ? undefined : contract(graph.graph);
  if (!contraction || finalQuestionOf(problem.question) === undefined) return undefined;
  const solved = contraction.known.map(({ node: { answer, value } }) => {
    const question = subQuestionOf(answer);
    return question && value ? { question, answer: formatRational(value) } : undefined;
  });
  if (solved.includes(undefined)) return undefined;
  return {
    input: { question: problem.question, solved: solved as { question: string; answer: string }[] },
    output: contractQuestion(problem.question, contraction),
  };
}

function judgeExample(annotated: Annotated, random: Random): Made<"judge"> | undefined {
  const { problem, graph, answer } = annotated;
  const right = formatRational(answer);
  const wrong = new Set<string>();
  for (let draw = 0; draw < 8; draw++) {
    const made = wrongSolution(problem, graph, random);
    if (made && made.answer !== right) wrong.add(made.answer);
  }
  for (const { value } of graph.graph.nodes) if (value && !value.equals(answer)) wrong.add(formatRational(value));
  const others = random.shuffle([...wrong]).slice(0, random.uniform() < THREE_ANSWERS ? 2 : 1);
  if (others.length === 0) return undefined;
  const answers = random.shuffle([right, ...others]);
  return {
    input: { question: problem.question, answers },
    output: { work: solutionOf(annotated).reasoning, best: answers.indexOf(right) },
  };
}

function verifyExample(annotated: Annotated, random: Random): Made<"verify"> | undefined {
  const { problem, graph } = annotated;
  const { question } = problem;
  const work = (steps: readonly string[]) => steps.map((text, at) => `${at + 1}. ${text}`).join("\n");
  const right = problem.steps.map(({ text }) => text);
  if (random.uniform() < RIGHT_TO_VERIFY) {
    return {
      input: { question, solution: writeSolution(solutionOf(annotated)) },
      output: { work: work(right), verdict: "right" },
    };
  }
  const wrong = wrongSolution(problem, graph, random);
  if (!wrong) return undefined;
  return {
    input: { question, solution: `${wrong.steps.join("\n")}\n#### ${wrong.answer}` },
    output: { work: work(right.slice(0, wrong.step + 1)), verdict: "wrong", step: wrong.step, reason: wrong.right },
  };
}

function reviseExample(annotated: Annotated, random: Random): Made<"revise"> | undefined {
  const { problem, graph } = annotated;
  const wrong = wrongSolution(problem, graph, random);
  if (!wrong) return undefined;
  const feedback = feedbackOf({ work: "", verdict: "wrong", step: wrong.step, reason: wrong.right });
  return {
    input: {
      question: problem.question,
      solution: `${wrong.steps.join("\n")}\n#### ${wrong.answer}`,
      ...(random.uniform() < 0.5 ? { feedback } : {}),
    },
    output: solutionOf(annotated),
  };
}

/** A function `solution` that computes each step in a variable, with the step as its comment. */
function pythonOf({ graph }: Annotated): string | undefined {
  const { nodes } = graph.graph;
  if (graph.answerNode === undefined || nodes.some(({ expression }) => !expression)) return undefined;
  const lines = nodes.flatMap(({ expression, answer }, at) => [
    `    # ${answer.replace(/\s+/g, " ").trim()}`,
    `    step${at + 1} = ${pythonExpression(expression!)}`,
  ]);
  return ["def solution():", ...lines, `    return step${graph.answerNode + 1}`].join("\n");
}

function pythonExpression(expression: Expression): string {
  switch (expression.kind) {
    case "number": {
      const text = formatRational(expression.value);
      return text.includes("/") ? `(${text})` : text;
    }
    case "reference":
      return `step${expression.index + 1}`;
    case "negate":
      return `-${operandOf(expression.operand)}`;
    case "percent":
      return `${operandOf(expression.operand)} / 100`;
    case "binary": {
      const { operator, left, right } = expression;
      return `${operandOf(left)} ${operator === "^" ? "**" : operator} ${operandOf(right)}`;
    }
  }
}

const operandOf = (expression: Expression): string => {
  const text = pythonExpression(expression);
  return expression.kind === "number" || expression.kind === "reference" ? text : `(${text})`;
};
