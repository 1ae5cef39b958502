/** The layers of DOTS (arXiv 2410.03864) and the actions of each; one of each layer makes a trajectory. */
const ACTIONS = {
  analysis: ["none", "rewrite", "plan"],
  solution: ["cot", "program"],
  verification: ["none", "verify"],
} as const;

/** Which actions a question is solved with. */
export interface Trajectory {
  analysis: (typeof ACTIONS.analysis)[number];
  solution: (typeof ACTIONS.solution)[number];
  verification: (typeof ACTIONS.verification)[number];
}

/** An action that does something. */
export type Action = Exclude<Trajectory[keyof Trajectory], "none">;

/** All 12. */
export const TRAJECTORIES: readonly Trajectory[] = ACTIONS.analysis.flatMap((analysis) =>
  ACTIONS.solution.flatMap((solution) =>
    ACTIONS.verification.map((verification): Trajectory => ({ analysis, solution, verification })),
  ),
);

/** The actions of a trajectory in the order in which they are taken; an empty layer contributes none: 1 to 3. */
export const actionsOf = ({ analysis, solution, verification }: Trajectory): Action[] =>
  [analysis, solution, verification].filter((action): action is Action => action !== "none");

/** Names of the actions as people and models write them. */
const NAMES: readonly (readonly [Action, RegExp])[] = [
  ["rewrite", /^(?:query[ _-]?)?re-?(?:writ|phras)/i],
  ["plan", /^(?:plan|decompos)/i],
  ["cot", /^(?:cot|chain[ _-]of[ _-]thoughts?|(?:think )?step[ _-]by[ _-]step|words?|reason)/i],
  ["program", /^(?:program|pot\b|code|python|javascript)/i],
  ["verify", /^(?:self[ _-]?)?verif|^check/i],
];

/** The action with this name; undefined for any other, such as "none" or DOTS's "direct_answering". */
export const actionNamed = (name: string): Action | undefined => NAMES.find(([, form]) => form.test(name.trim()))?.[0];

/**
 * The trajectory of a list of actions. Without a solution action it is cot; of two analyses the plan wins, and of two
 * solutions the program, as in DOTS.
 */
export function trajectoryOf(actions: readonly Action[]): Trajectory {
  return {
    analysis: actions.includes("plan") ? "plan" : actions.includes("rewrite") ? "rewrite" : "none",
    solution: actions.includes("program") ? "program" : "cot",
    verification: actions.includes("verify") ? "verify" : "none",
  };
}
