import { badInput } from "../core/index.js";
import type { Answer, Context } from "../rollouts/index.js";

/** What an action wrote, and what was then told to the model, such as the value of its program. */
export interface Turn {
  /** Name of the action; "revise" for a solution that is written anew. */
  action: string;
  text: string;
  observed?: string;
}

/** A question on its way to an answer. */
export interface SolveState {
  /** The question, as it was rewritten. */
  question: string;
  plan?: readonly string[];
  /** The answer so far. */
  answer?: Answer;
  turns: readonly Turn[];
}

/** A reasoning action: one thing that may be done on the way from a question to its answer. */
export interface ReasoningAction {
  name: string;
  /** Name of its layer; at most one action of a layer is taken. */
  layer: string;
  /** How models and people name it. */
  named: RegExp;
  /** What it does, in one line, for a planner. */
  about: string;
  act(state: SolveState, context: Context): Promise<SolveState>;
}

/** The actions that may be taken, in layers. */
export interface ActionSpace {
  /** In the order in which they are taken; one action of a required layer is always taken, its first by default. */
  layers: readonly { name: string; required: boolean }[];
  actions: readonly ReasoningAction[];
}

/** The names of the actions that are taken, in order: ["plan", "program", "verify"]. */
export type Trajectory = readonly string[];

/** "plan+program+verify": the name of a trajectory in records. */
export const trajectoryKey = (trajectory: Trajectory): string => trajectory.join("+");

/**
 * A space with one more action, which every search, planner and strategy on it then has. An action of a new layer comes last.
 *
 * @throws bad-input for a name that is taken
 */
export function withAction(space: ActionSpace, action: ReasoningAction): ActionSpace {
  const taken = space.actions.find(({ name }) => name === action.name);
  if (taken || !/^[a-z][a-z0-9-]*$/.test(action.name)) {
    throw badInput(
      `an action ${taken ? "is already" : "cannot be"} named ${JSON.stringify(action.name)}`,
      "Choose another name: small letters, digits and hyphens.",
    );
  }
  const isNew = space.layers.every(({ name }) => name !== action.layer);
  return {
    layers: isNew ? [...space.layers, { name: action.layer, required: false }] : space.layers,
    actions: [...space.actions, action],
  };
}

/** All trajectories of a space, shorter ones first, then by their names, so that of equally good ones the shorter wins. */
export function trajectoriesOf({ layers, actions }: ActionSpace): Trajectory[] {
  const all = layers.reduce<Trajectory[]>(
    (before, { name, required }) => {
      const choices = actions.filter(({ layer }) => layer === name).map((action) => [action.name]);
      const taken = required ? choices : [[], ...choices];
      return before.flatMap((trajectory) => taken.map((choice) => [...trajectory, ...choice]));
    },
    [[]],
  );
  const keyed = all.map((trajectory) => ({ trajectory, key: trajectoryKey(trajectory) }));
  const byKey = (a: string, b: string) => (a < b ? -1 : Number(a > b));
  return keyed
    .sort((a, b) => a.trajectory.length - b.trajectory.length || byKey(a.key, b.key))
    .map(({ trajectory }) => trajectory);
}

/** The action of a name in a space, as models and people write it; undefined for any other, such as "none". */
export const actionIn = ({ actions }: ActionSpace, said: string): string | undefined =>
  (
    actions.find(({ name }) => name === said.trim().toLowerCase()) ??
    actions.find(({ named }) => named.test(said.trim()))
  )?.name;

/**
 * The trajectory of a list of actions: one of each layer, the later one of the space where several are named, and the first of a
 * required layer where none is.
 */
export function trajectoryIn({ layers, actions }: ActionSpace, names: readonly string[]): Trajectory {
  return layers.flatMap(({ name, required }) => {
    const own = actions.filter(({ layer }) => layer === name);
    const chosen = own.findLast((action) => names.includes(action.name)) ?? (required ? own[0] : undefined);
    return chosen ? [chosen.name] : [];
  });
}

/**
 * Read a trajectory from a list that a user gives: "plan+program", "decompose, PoT".
 *
 * @throws bad-input that names what there is
 */
export function parseTrajectory(space: ActionSpace, text: string): Trajectory {
  const names = text.split(/[+,]/).map((said) => ({ said, name: actionIn(space, said) }));
  const unknown = names.find(({ name }) => name === undefined);
  if (unknown) {
    throw badInput(
      `there is no action ${JSON.stringify(unknown.said.trim())}`,
      `Those are ${space.actions.map(({ name }) => name).join(", ")}; write plan+program, for example.`,
    );
  }
  return trajectoryIn(
    space,
    names.map(({ name }) => name!),
  );
}

/** The actions of a trajectory. Throws bad-input for one that the space does not have. */
export const actionsOf = ({ actions }: ActionSpace, trajectory: Trajectory): ReasoningAction[] =>
  trajectory.map((name) => {
    const action = actions.find((each) => each.name === name);
    if (action) return action;
    throw badInput(`there is no action ${name}`, `Those are ${actions.map((each) => each.name).join(", ")}.`);
  });
