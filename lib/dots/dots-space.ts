import { isWholeText } from "../llm/index.js";
import { OPERATIONS, type SolveInput, writeSolution } from "../operations/index.js";
import { ask, type Context } from "../rollouts/index.js";
import { answerByProgram, type ProgramAnswer, refineSolution, solutionIn, solveOnce } from "../strategies/index.js";
import { type ActionSpace, type ReasoningAction, type SolveState, type Turn, withAction } from "./actions.js";

/** Times that a failing program is told to the model. */
const REPAIRS = 1;
/** Checks of a solution at most; after each that finds something, the solution is written anew. */
const CHECKS = 2;

/** What the next step is asked: the problem itself where nothing was done to it, so that it is asked as every strategy asks it. */
const inputOf = ({ question, plan }: SolveState, { problem }: Context): SolveInput =>
  question === problem.question && plan === undefined ? problem : { question, ...(plan ? { plan } : {}) };

const rewrite: ReasoningAction = {
  name: "rewrite",
  layer: "analysis",
  named: /^(?:query[ _-]?)?re-?(?:writ|phras)/i,
  about: "first rewrite the question, without what is not needed",
  async act(state, context) {
    const outcome = await ask(context, OPERATIONS.rewrite, { question: state.question });
    if (!outcome.ok) return { ...state, turns: [...state.turns, { action: "rewrite", text: outcome.text }] };
    const turn = { action: "rewrite", text: OPERATIONS.rewrite.write(outcome.value) };
    return { ...state, question: outcome.value, turns: [...state.turns, turn] };
  },
};

const plan: ReasoningAction = {
  name: "plan",
  layer: "analysis",
  named: /^(?:plan|decompos)/i,
  about: "first split it into steps",
  async act(state, context) {
    const outcome = await ask(context, OPERATIONS.plan, { question: state.question });
    if (!outcome.ok) return { ...state, turns: [...state.turns, { action: "plan", text: outcome.text }] };
    const turn = { action: "plan", text: OPERATIONS.plan.write(outcome.value) };
    return { ...state, plan: outcome.value, turns: [...state.turns, turn] };
  },
};

const cot: ReasoningAction = {
  name: "cot",
  layer: "solution",
  named: /^(?:cot|chain[ _-]of[ _-]thoughts?|(?:think )?step[ _-]by[ _-]step|words?|reason)/i,
  about: "solve it in words, step by step",
  async act(state, context) {
    const outcome = await solveOnce(context, inputOf(state, context));
    const read = solutionIn(outcome);
    const solution = read && writeSolution(read);
    // As the strategy cot has it: what no solution could be read from is graded by what it says.
    const answer = { text: outcome.text, begun: outcome.begun, solution };
    return { ...state, answer, turns: [...state.turns, { action: "cot", text: solution ?? outcome.text }] };
  },
};

const program: ReasoningAction = {
  name: "program",
  layer: "solution",
  named: /^(?:program|pot\b|code|python|javascript)/i,
  about: "solve it by a program",
  async act(state, context) {
    const { last, failed } = await answerByProgram(context, inputOf(state, context), { repairs: REPAIRS });
    const turns = [...failed, last].map(programTurn);
    const { program: _, ...answer } = last;
    return { ...state, answer, turns: [...state.turns, ...turns] };
  },
};

/** The turn of a program, with what the model is told of it: its value, or its failure. */
export function programTurn(answer: ProgramAnswer): Turn {
  const value = answer.solution?.replace(/^####\s*/, "");
  return {
    action: "program",
    text: answer.program ?? answer.text,
    observed:
      value === undefined
        ? `The program failed: ${answer.failure?.message ?? "it gave no answer"}`
        : `The program returned ${value}.`,
  };
}

const verify: ReasoningAction = {
  name: "verify",
  layer: "verification",
  named: /^(?:self[ _-]?)?verif|^check/i,
  about: "check the solution at the end",
  act: (state, context) => check(state, context, CHECKS),
};

async function check(state: SolveState, context: Context, rounds: number): Promise<SolveState> {
  const { answer, question } = state;
  if (!answer) return state;
  // Of a program the check sees the program, and what it gave.
  const { text } = answer;
  const solution = answer.solution?.startsWith("####") ? text : answer.solution;
  const refined = await refineSolution(context, question, { text, solution }, rounds);
  const turns: Turn[] = refined.revisions.flatMap(({ verification, revised }) => [
    ...(verification ? [{ action: "verify", text: OPERATIONS.verify.write(verification) }] : []),
    ...(revised ? [{ action: "revise", text: writeSolution(revised) }] : []),
  ]);
  if (refined.accepted) turns.push({ action: "verify", text: OPERATIONS.verify.write(refined.accepted) });
  const isRevised = refined.revisions.some(({ revised }) => revised !== undefined);
  const now = isRevised ? { text: refined.text, solution: refined.solution } : answer;
  return { ...state, answer: now, turns: [...state.turns, ...turns] };
}

/** The actions of DOTS (arXiv 2410.03864): 12 trajectories. */
export const DOTS_SPACE: ActionSpace = {
  layers: [
    { name: "analysis", required: false },
    { name: "solution", required: true },
    { name: "verification", required: false },
  ],
  actions: [rewrite, plan, cot, program, verify],
};

/**
 * The last action of the released code: after a program or a check the model itself writes the final answer. A solution in words
 * stands as it is, as does one that was written anew.
 */
const finalAnswer: ReasoningAction = {
  name: "direct-answering",
  layer: "answering",
  named: /^direct[ _-]?answer/i,
  about: "write the answer as the question wants it",
  async act(state, context) {
    const last = state.turns.at(-1);
    if (last === undefined || last.action === "cot" || last.action === "revise") return state;
    const known =
      state.turns.findLast(({ observed }) => observed !== undefined)?.observed ?? state.answer?.solution ?? "";
    const question = `${state.question}\n${known}`;
    const outcome = await ask(context, OPERATIONS.answer, { question }, { attempts: 1 });
    const isRead = outcome.ok && isWholeText(outcome);
    const solution = isRead ? OPERATIONS.answer.write(outcome.value) : undefined;
    const turn = { action: "direct-answering", text: solution ?? outcome.text };
    return { ...state, answer: { text: outcome.text, solution }, turns: [...state.turns, turn] };
  },
};

/** The actions of the released code: a fourth layer with one action, which counts in lengths; a solution is checked once. */
export const RELEASED_SPACE: ActionSpace = (() => {
  const checkedOnce: ReasoningAction = { ...verify, act: (state, context) => check(state, context, 1) };
  const space = withAction(
    { ...DOTS_SPACE, actions: [...DOTS_SPACE.actions.filter(({ name }) => name !== "verify"), checkedOnce] },
    finalAnswer,
  );
  const layers = space.layers.map((layer) => (layer.name === "answering" ? { ...layer, required: true } : layer));
  return { ...space, layers };
})();
