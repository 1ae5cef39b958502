import { badInput } from "../../core/index.js";
import { contractions } from "./contract-problem.js";
import { type ChainParagraph, longChain } from "./long-chain.js";
import type { Difficulty, ProceduralProblem, RelationKind, Split } from "./problem.js";
import { problemProgram } from "./program.js";
import { problemSteps, shortChain } from "./steps.js";
import { questionGraph } from "./sub-questions.js";
import { numberOf } from "./wording.js";

/** A quantity in a record. */
export interface QuantityRecord {
  /** "the number of apples Ana picks"; the total or difference asked for directly has no name of its own. */
  name?: string;
  value: number;
  relation?: RelationKind;
  /** Indices of the quantities it follows from. */
  inputs?: readonly number[];
  /** Whether the answer does not need it. */
  distractor?: true;
}

/** A sub-question in a record, with the sub-questions it depends on. */
export interface SubQuestionRecord {
  question: string;
  answer: string;
  value: number;
  dependsOn: readonly number[];
}

/** Fields of a problem that can be written to a file, by name; each is computed only on request. */
const FIELDS = {
  id: ({ id }: ProceduralProblem): string => id,
  split: ({ split }: ProceduralProblem): Split => split,
  scenario: ({ scenario }: ProceduralProblem): string => scenario,
  signature: ({ signature }: ProceduralProblem): string => signature,
  question: ({ question }: ProceduralProblem): string => question,
  answer: ({ answer }: ProceduralProblem): number => answer,
  chain: (problem: ProceduralProblem): string => shortChain(problem),
  plainChain: (problem: ProceduralProblem): string => shortChain(problem, "plain"),
  thought: (problem: ProceduralProblem): string => longChain(problem).thought,
  paragraphs: (problem: ProceduralProblem): readonly ChainParagraph[] => longChain(problem).paragraphs,
  program: problemProgram,
  steps: (problem: ProceduralProblem): { expression: string; value: number; dependsOn: readonly number[] }[] =>
    problemSteps(problem).map(({ expression, value, dependsOn }) => ({ expression, value, dependsOn })),
  quantities: quantityRecords,
  subQuestions: (problem: ProceduralProblem): SubQuestionRecord[] =>
    questionGraph(problem).nodes.map(({ question, answer, value, dependsOn }) => ({
      question,
      answer,
      value: value!.valueOf(),
      dependsOn,
    })),
  contractions: (problem: ProceduralProblem): { question: string; answer: number }[] =>
    contractions(problem).map(({ question, answer }) => ({ question, answer })),
  difficulty: ({ difficulty }: ProceduralProblem): Difficulty => difficulty,
};

type Fields = typeof FIELDS;
export type ProblemField = keyof Fields;
/** The fields asked for. */
export type ProblemRecord<F extends ProblemField = ProblemField> = { [field in F]: ReturnType<Fields[field]> };

export const PROBLEM_FIELDS = Object.keys(FIELDS) as readonly ProblemField[];

/** A problem as plain data, with the fields asked for in their order. */
export function problemRecord<F extends ProblemField>(
  problem: ProceduralProblem,
  fields: readonly F[],
): ProblemRecord<F> {
  return Object.fromEntries(fields.map((field) => [field, FIELDS[field](problem)])) as ProblemRecord<F>;
}

/** @throws bad-input that lists the available fields */
export function asProblemField(name: string): ProblemField {
  const field = PROBLEM_FIELDS.find((known) => known === name);
  if (field !== undefined) return field;
  throw badInput(`a word problem has no field "${name}"`, `Choose among ${PROBLEM_FIELDS.join(", ")}.`);
}

function quantityRecords({ quantities, asked, askedDirectly }: ProceduralProblem): QuantityRecord[] {
  return quantities.map((quantity, index) => {
    const { holder, unit, gets, value, relation, needed } = quantity;
    return {
      ...(askedDirectly && index === asked
        ? {}
        : { name: `${numberOf(unit)} ${holder} ${gets ? "gets" : unit.verbs}` }),
      value,
      ...(relation ? { relation: relation.kind, inputs: relation.inputs } : {}),
      ...(needed ? {} : { distractor: true }),
    };
  });
}
