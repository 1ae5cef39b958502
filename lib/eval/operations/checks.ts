import { leaves, type Rational } from "../../answer/index.js";
import { finalQuestionOf, givenNumbers, includesNumber } from "../../data/index.js";
import { contract, type QuestionGraph, sameShape } from "../../graph/index.js";
import type {
  AtomicQuestion,
  ContractInput,
  Judgement,
  OperationName,
  Solution,
  Verification,
} from "../../operations/index.js";
import type { Sandbox } from "../../sandbox/index.js";
import { gradeCompletion } from "../../tasks/index.js";
import type { AnnotatedCase } from "./cases.js";

/** What is known of an output. */
export interface CaseVerdict {
  /** Whether it is right; undefined where the annotations do not tell. */
  right?: boolean;
  /** Of a decomposition: how many of its sub-questions are questions. */
  questions?: number;
}

/** What programs are run with. */
export interface CheckContext {
  sandbox: Sandbox;
  /** Language of a program. */
  language: "javascript" | "python";
  signal?: AbortSignal | undefined;
}

type Check = (output: unknown, given: AnnotatedCase, context: CheckContext) => CaseVerdict | Promise<CaseVerdict>;

const CHECKS: { readonly [Name in OperationName]?: Check } = {
  answer: (output, given) => ({ right: isAnswer(output as string, given) }),
  cot: (output, given) => ({ right: isAnswer((output as Solution).answer, given) }),
  revise: (output, given) => ({ right: isAnswer((output as Solution).answer, given) }),
  program: async (output, given, context) => ({ right: await computesAnswer(output as string, given, context) }),
  // The same graph whatever the order of what is independent; the wording is not compared.
  decompose: (output, { output: right }) => {
    const [questions, wanted] = [output as readonly AtomicQuestion[], right as readonly AtomicQuestion[]];
    const dependencies = (list: readonly AtomicQuestion[]) => list.map(({ dependsOn }) => dependsOn);
    return {
      right: sameShape(dependencies(questions), dependencies(wanted)),
      questions: questions.filter(({ question }) => isQuestion(question)).length,
    };
  },
  contract: (output, given) => ({ right: isContraction(output as string, given) }),
  rewrite: (output, given) => ({ right: keepsNumbers(output as string, given, given.annotated!.graph.graph, []) }),
  judge: (output, { input, output: right }) => {
    const { answers } = input as unknown as { answers: readonly string[] };
    return { right: answers[(output as Judgement).best] === answers[(right as Judgement).best] };
  },
  // Nothing is computed yet: no value that a step of the solution finds.
  plan: (output, { annotated, input }) => {
    const given = givenNumbers(input.question);
    const found = annotated!.graph.graph.nodes
      .flatMap(({ value }) => value ?? [])
      .filter((value) => !includesNumber(given, value));
    const said = givenNumbers((output as readonly string[]).join("\n"));
    return { right: !found.some((value) => includesNumber(said, value)) };
  },
  verify: (output, { output: right }) => {
    const [said, wanted] = [output as Verification, right as Verification];
    if (said.verdict === "right" || wanted.verdict === "right") return { right: said.verdict === wanted.verdict };
    return { right: said.step === wanted.step };
  },
};

/** Whether the annotations tell what is right. */
export const isChecked = (name: OperationName): boolean => CHECKS[name] !== undefined;

/**
 * Compare an output with what a problem's annotated solution says. A contracted or rewritten question is right if it asks what the
 * problem asks and has all the numbers that the rest of the solution needs, and none that neither the problem nor the answered
 * sub-questions have: then its answer is the problem's, as far as numbers tell. Programs are run.
 */
export const checkCase = async (output: unknown, given: AnnotatedCase, context: CheckContext): Promise<CaseVerdict> =>
  (await CHECKS[given.operation]?.(output, given, context)) ?? {};

const isAnswer = (answer: string, { problem }: AnnotatedCase): boolean =>
  gradeCompletion(problem, `#### ${answer}`, `#### ${answer}`).correct.strict === true;

async function computesAnswer(
  source: string,
  given: AnnotatedCase,
  { sandbox, language, signal }: CheckContext,
): Promise<boolean> {
  const code = language === "javascript" ? `(async () => {\n${source}\n})()` : source;
  const { value, error, stdout } = await sandbox.run({ language, code }, { signal });
  if (error) return false;
  const said = value === undefined || value === null ? stdout.trim().split("\n").at(-1) : value;
  const text = typeof said === "number" ? String(Number(said.toPrecision(12))) : String(said ?? "");
  return text.trim() !== "" && text.length < 1000 && isAnswer(text.replace(/\s+/g, " "), given);
}

const isQuestion = (text: string): boolean => /\?\s*$/.test(text) && /\p{L}/u.test(text);

function isContraction(text: string, given: AnnotatedCase): boolean {
  const contraction = contract(given.annotated!.graph.graph);
  const { solved } = given.input as unknown as ContractInput;
  const answered = solved.flatMap(({ answer }) => givenNumbers(answer));
  return contraction !== undefined && keepsNumbers(text, given, contraction.remaining, answered);
}

/** Share of the words of what is asked that must be asked again. */
const SAME_WORDS = 0.5;

function keepsNumbers(
  text: string,
  { input }: AnnotatedCase,
  graph: QuestionGraph,
  answered: readonly Rational[],
): boolean {
  const known = [...givenNumbers(input.question), ...answered];
  const said = givenNumbers(text);
  // Of a calculation's numbers, 100 per cent or 7 days of a week stand nowhere.
  const needed = graph.nodes
    .flatMap(({ expression }) => (expression ? leaves(expression) : []))
    .flatMap((leaf) => (leaf.kind === "number" && includesNumber(known, leaf.value) ? [leaf.value] : []));
  const asked = finalQuestionOf(text.trim());
  const wanted = finalQuestionOf(input.question);
  return (
    needed.every((value) => includesNumber(said, value)) &&
    said.every((value) => includesNumber(known, value)) &&
    asked !== undefined &&
    (wanted === undefined || overlap(wordsOf(wanted), wordsOf(asked)) >= SAME_WORDS)
  );
}

const wordsOf = (text: string): Set<string> => new Set(text.toLowerCase().match(/\p{L}+/gu) ?? []);
const overlap = (wanted: ReadonlySet<string>, said: ReadonlySet<string>): number =>
  [...wanted].filter((word) => said.has(word)).length / Math.max(1, wanted.size);
