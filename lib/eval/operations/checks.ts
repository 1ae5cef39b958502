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
  /** Why it is not. */
  cause?: string;
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

const RIGHT: CaseVerdict = { right: true };
const wrong = (cause: string): CaseVerdict => ({ right: false, cause });
const verdict = (isRight: boolean, cause: string): CaseVerdict => (isRight ? RIGHT : wrong(cause));

const CHECKS: { readonly [Name in OperationName]?: Check } = {
  answer: (output, given) => verdict(isAnswer(output as string, given), "another answer"),
  cot: (output, given) => verdict(isAnswer((output as Solution).answer, given), "another answer"),
  revise: (output, given) => verdict(isAnswer((output as Solution).answer, given), "another answer"),
  program: (output, given, context) => checkProgram(output as string, given, context),
  // The same graph whatever the order of what is independent; the wording is not compared.
  decompose: (output, { output: right }) => {
    const [said, wanted] = [output as readonly AtomicQuestion[], right as readonly AtomicQuestion[]];
    const questions = said.filter(({ question }) => isQuestion(question)).length;
    const dependencies = (list: readonly AtomicQuestion[]) => list.map(({ dependsOn }) => dependsOn);
    const isSame = sameShape(dependencies(said), dependencies(wanted));
    const more = said.length > wanted.length ? "more sub-questions" : "fewer sub-questions";
    return { ...verdict(isSame, said.length === wanted.length ? "other dependencies" : more), questions };
  },
  contract: (output, given) => checkContraction(output as string, given),
  rewrite: (output, given) => checkNumbers(output as string, given, given.annotated!.graph.graph, []),
  judge: (output, { input, output: right }) => {
    const { answers } = input as unknown as { answers: readonly string[] };
    const isSame = answers[(output as Judgement).best] === answers[(right as Judgement).best];
    return verdict(isSame, "another answer chosen");
  },
  // Nothing is computed yet: no value that a step of the solution finds.
  plan: (output, { annotated, input }) => {
    const given = givenNumbers(input.question);
    const found = annotated!.graph.graph.nodes
      .flatMap(({ value }) => value ?? [])
      .filter((value) => !includesNumber(given, value));
    const said = givenNumbers((output as readonly string[]).join("\n"));
    return verdict(!found.some((value) => includesNumber(said, value)), "a value is computed");
  },
  verify: (output, { output: right }) => {
    const [said, wanted] = [output as Verification, right as Verification];
    if (said.verdict === "wrong" && wanted.verdict === "wrong") {
      return verdict(said.step === wanted.step, "another step named");
    }
    return verdict(
      said.verdict === wanted.verdict,
      said.verdict === "right" ? "the slip missed" : "a right one refused",
    );
  },
};

/** Whether the annotations tell what is right. */
export const isChecked = (name: OperationName): boolean => CHECKS[name] !== undefined;

/**
 * Compare an output with what a problem's annotated solution says. A contracted or rewritten question is right if it asks what the
 * problem asks and has all the numbers that the rest of the solution needs, and none that neither the problem nor the answered
 * sub-questions have: then its answer is the problem's, as far as numbers tell. A copy is neither. Programs are run.
 */
export const checkCase = async (output: unknown, given: AnnotatedCase, context: CheckContext): Promise<CaseVerdict> =>
  (await CHECKS[given.operation]?.(output, given, context)) ?? {};

const isAnswer = (answer: string, { problem }: AnnotatedCase): boolean =>
  gradeCompletion(problem, `#### ${answer}`, `#### ${answer}`).correct.strict === true;

async function checkProgram(
  source: string,
  given: AnnotatedCase,
  { sandbox, language, signal }: CheckContext,
): Promise<CaseVerdict> {
  const code = language === "javascript" ? `(async () => {\n${source}\n})()` : source;
  const { value, error, stdout } = await sandbox.run({ language, code }, { signal });
  if (error) return wrong(`the program fails: ${error.kind}`);
  const said = value === undefined || value === null ? stdout.trim().split("\n").at(-1) : value;
  const text = typeof said === "number" ? String(Number(said.toPrecision(12))) : String(said ?? "");
  if (text.trim() === "" || text.length > LONGEST_VALUE) return wrong("the program gives no value");
  return verdict(isAnswer(text.replace(/\s+/g, " "), given), "another value");
}

/** Characters of a value that can be an answer. */
const LONGEST_VALUE = 1000;

const isQuestion = (text: string): boolean => /\?\s*$/.test(text) && /\p{L}/u.test(text);

function checkContraction(text: string, given: AnnotatedCase): CaseVerdict {
  const contraction = contract(given.annotated!.graph.graph);
  if (!contraction) return {};
  const { solved } = given.input as unknown as ContractInput;
  const answered = solved.flatMap(({ answer }) => givenNumbers(answer));
  return checkNumbers(text, given, contraction.remaining, answered);
}

/** Share of the words of what is asked that must be asked again. */
const SAME_WORDS = 0.5;

function checkNumbers(
  text: string,
  { input }: AnnotatedCase,
  graph: QuestionGraph,
  answered: readonly Rational[],
): CaseVerdict {
  if (plainText(text) === plainText(input.question)) return wrong("a copy");
  const known = [...givenNumbers(input.question), ...answered];
  const said = givenNumbers(text);
  // Of a calculation's numbers, 100 per cent or 7 days of a week stand nowhere.
  const needed = graph.nodes
    .flatMap(({ expression }) => (expression ? leaves(expression) : []))
    .flatMap((leaf) => (leaf.kind === "number" && includesNumber(known, leaf.value) ? [leaf.value] : []));
  if (!needed.every((value) => includesNumber(said, value))) return wrong("a needed number is left out");
  if (!said.every((value) => includesNumber(known, value))) return wrong("a number that nobody gave");
  const asked = finalQuestionOf(text.trim());
  const wanted = finalQuestionOf(input.question);
  if (asked === undefined) return wrong("it ends in no question");
  const isSame = wanted === undefined || overlap(wordsOf(wanted), wordsOf(asked)) >= SAME_WORDS;
  return verdict(isSame, "it asks something else");
}

const plainText = (text: string): string => text.replace(/\s+/g, " ").trim();

const wordsOf = (text: string): Set<string> => new Set(text.toLowerCase().match(/\p{L}+/gu) ?? []);
const overlap = (wanted: ReadonlySet<string>, said: ReadonlySet<string>): number =>
  [...wanted].filter((word) => said.has(word)).length / Math.max(1, wanted.size);
