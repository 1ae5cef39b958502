import { OPERATIONS } from "../operations/index.js";
import { ask, type Strategy } from "../rollouts/index.js";
import { answerWith, solutionIn, solveOnce } from "./calls.js";
import { type KnownAnswer, subQuestionText } from "./sub-question.js";

/**
 * Decompose a question into sub-questions and answer them one after the other, each with all answers before it; the last
 * one is the question itself (least-to-most prompting, arXiv 2205.10625). A sub-question without an answer is left out of
 * what is known; without any the question is asked as it is. The trace is `{ known, decomposed }`.
 */
export function leastToMost(): Strategy {
  return {
    name: "least-to-most",
    async attempt(problem, context) {
      const { question, kind } = problem;
      const graph = await ask(context, OPERATIONS.decompose, { question });
      const subQuestions = graph.ok ? graph.value.map((each) => each.question) : [];
      const known: KnownAnswer[] = [];
      for (const asked of subQuestions.slice(0, -1)) {
        const input = { question: subQuestionText(question, asked, known, kind) };
        const answered = solutionIn(await solveOnce(context, input));
        if (answered) known.push({ question: asked, answer: answered.answer });
      }
      const asked = subQuestions.at(-1) ?? question;
      const last = await solveOnce(
        context,
        known.length === 0 ? problem : { question: subQuestionText(question, asked, known, kind) },
      );
      return answerWith(last.text, solutionIn(last), { known, decomposed: graph.ok });
    },
  };
}
