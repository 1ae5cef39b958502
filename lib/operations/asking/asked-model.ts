import { badInput, createRandom, ThoughtbookError } from "../../core/index.js";
import type { LanguageModel } from "../../llm/index.js";
import { type InputOf, OPERATIONS, type OperationName, type OutputOf } from "../all.js";
import type { Operation } from "../operation.js";
import { pythonProgram } from "../programs.js";
import { requireSystemRole } from "../system-prompts.js";
import { type Demonstration, demonstrationPool, type Evaluated, unseenCheck } from "./demonstrations.js";
import { type Likeness, likenessOf } from "./likeness.js";
import { type Kind, kindOf, knowsHashes, readKind, type Way, wayIn } from "./table.js";

/** Examples to choose from, in the order of choice where a seed chooses. */
interface Pool {
  all: readonly Demonstration[];
  /** Where the likest to a question are chosen. */
  likeness?: Likeness;
  /** Why there are none, such as rows that are not at hand, which only matters where the operation is asked. */
  missing?: ThoughtbookError;
}

/** How a model is asked, with the examples at hand. */
export interface Asking {
  /** Name of the kind. */
  kind: string;
  operations: Readonly<Record<string, Way>>;
  /** By operation. */
  pools: ReadonlyMap<string, Pool>;
  seed: number | string;
  /** Refuses demonstrations that come from what is evaluated. */
  check?: (shown: readonly Demonstration[]) => void;
}

/** A model with how it is asked. Operations that its kind says nothing of are asked by their own instruction. */
export interface AskedModel extends LanguageModel {
  readonly asking: Asking;
}

export const isAsked = (model: object): model is AskedModel => "asking" in model && model.asking !== undefined;

export interface AskingOptions {
  /** A kind, its name in the table, or the file of one. Default: the one of the table that names the model. */
  kind?: Kind | string | undefined;
  /** Number of demonstrations, instead of what the kind says, for all operations that have some. */
  demonstrations?: number | undefined;
  /** Which demonstrations, where they are chosen by seed. Default: 0. */
  seed?: number | string | undefined;
  /** Aborts a download of the rows that demonstrations are made of. */
  signal?: AbortSignal | undefined;
}

/**
 * Decide how a model is asked for each operation: by the kind of the table `data/operations/asking.json` that names it, or by one
 * that is given. Models trained on operations are asked by their tags and returned as they are, as are those of which the
 * table says nothing.
 *
 * Demonstrations are made of rows of GSM8K's training split, which is read where there are any.
 *
 * @throws bad-input for demonstrations to a model that is asked by tags, for a system place that its chat template lacks. Where the
 *   rows are not at hand, the first prompt with demonstrations is an error (network)
 *
 * @example
 * ```ts
 * import { loadModel } from "thoughtbook/llm";
 * import { askedModel } from "thoughtbook/operations";
 *
 * const mini = await loadModel("mini");
 * // It is asked by tags.
 * console.log((await askedModel(mini)) === mini); // true
 * ```
 */
export async function askedModel(model: LanguageModel, options: AskingOptions = {}): Promise<LanguageModel> {
  const { kind: given, demonstrations, seed = 0, signal } = options;
  if (isAsked(model) && given === undefined && demonstrations === undefined) return model;
  const kind = typeof given === "string" ? await readKind(given) : (given ?? (await ownKind(model)));
  if (kind.tags) {
    if (!demonstrations) {
      if (model.operations?.size) return model;
      throw badInput(
        `the model ${model.name} knows no operations by their tags, as the kind ${kind.name} asks for them`,
        "Choose another way of asking.",
      );
    }
    throw badInput(
      `the model ${model.name} was trained on operations by their tags, and takes no demonstrations`,
      "Leave them out, or take a model that follows instructions.",
    );
  }
  const all = waysOf(kind, demonstrations);
  // Nobody asked for what the table says: a server that cannot begin an answer is asked without. Stops belong to the beginning.
  const ways = given === undefined && model.takesAnswer === false ? withoutBeginnings(all) : all;
  const needed = Object.entries(ways).filter(([, way]) => (way.demonstrations?.count ?? 0) > 0);
  // One that was chosen stays chosen, though it says nothing: else the model's own would be taken later.
  if (Object.keys(ways).length === 0 && given === undefined) return model;
  if (Object.values(ways).some(({ place }) => place === "system")) await requireSystemRole(model);
  const pools = new Map<string, Pool>();
  for (const [name, way] of needed) {
    const wanted = way.demonstrations;
    const missing = otherLanguage(name, way);
    if (missing) {
      pools.set(name, { all: [], missing });
      continue;
    }
    const pool = await demonstrationPool(name as OperationName, signal).catch((error: unknown) => {
      if (!(error instanceof ThoughtbookError && error.code === "network")) throw error;
      pools.set(name, { all: [], missing: error });
    });
    if (!pool) continue;
    if (pool.length < wanted!.count) {
      throw badInput(
        `there are ${pool.length} demonstrations of ${name}, and ${wanted!.count} are asked for`,
        "Ask for fewer.",
      );
    }
    const questions = pool.map(({ example }) => (example.input as { question: string }).question);
    pools.set(
      name,
      wanted!.choose === "likeness"
        ? { all: pool, likeness: likenessOf(questions) }
        : { all: createRandom(`demonstrations/${seed}`).stream(name).shuffle(pool) },
    );
  }
  const asked: AskedModel = { ...model, asking: { kind: kind.name, operations: ways, pools, seed } };
  return asked;
}

async function ownKind(model: LanguageModel): Promise<Kind> {
  const { name, operations = new Set() } = model;
  const knowsTags = operations.size > 0;
  const hash = !knowsTags && knowsHashes() ? await model.hash() : undefined;
  return kindOf({ name, hash, knowsTags });
}

const withoutBeginnings = (ways: Readonly<Record<string, Way>>): Record<string, Way> =>
  Object.fromEntries(
    Object.entries(ways).map(([name, way]) => [name, way.begin === "" ? way : { ...way, begin: "", stop: [] }]),
  );

const FULL_FORM = { form: "turns", choose: "seed" } as const;

function waysOf(kind: Kind, count: number | undefined): Record<string, Way> {
  const defaults = kindOf({ name: "", knowsTags: false });
  const names = new Set([...Object.keys(kind.operations), ...Object.keys(defaults.operations)]);
  const ways = Object.fromEntries([...names].map((name) => [name, wayIn(kind, name)!]));
  if (count !== undefined) {
    for (const name of DEMONSTRATED) {
      const way: Way = ways[name] ?? { place: "user", begin: "", stop: [] };
      ways[name] = { ...way, demonstrations: { ...(way.demonstrations ?? FULL_FORM), count } };
    }
  }
  const { program } = ways;
  // Programs that are shown are in Python, so that the model is asked for it too, unless somebody worded another wish.
  return program?.demonstrations?.count && program.instruction === undefined
    ? { ...ways, program: { form: "python", ...program } }
    : ways;
}

/** Why examples would show another language than what is asked for. */
const otherLanguage = (name: string, { form }: Way): ThoughtbookError | undefined =>
  name === "program" && form !== "python"
    ? badInput(
        `the demonstrations of program are in Python, and its form is ${form ?? "not given"}`,
        'Give the way of asking for it the form "python", or leave the demonstrations out.',
      )
    : undefined;

/** Operations that get demonstrations by number: those of solving. */
const DEMONSTRATED = ["answer", "cot", "program"] as const satisfies readonly OperationName[];

/** The operation of a name as a model is asked for it: the program of a kind that is asked for Python is in Python. */
export const operationFor = <Name extends OperationName>(
  model: object,
  name: Name,
): Operation<InputOf<Name>, OutputOf<Name>> => {
  const isPython = name === "program" && wayOf(model, name)?.form === "python";
  // The compiler does not see that the operation of a name takes the input of that name.
  return (isPython ? pythonProgram : OPERATIONS[name]) as unknown as Operation<InputOf<Name>, OutputOf<Name>>;
};

/** How a model is asked for an operation; undefined where only the operation's own instruction says it. */
export const wayOf = (model: object, operation: string): Way | undefined =>
  isAsked(model) ? model.asking.operations[operation] : undefined;

/** The examples that stand before a question. */
export function chosenDemonstrations(model: object, operation: string, input: unknown): readonly Demonstration[] {
  if (!isAsked(model)) return [];
  const { pools, operations, check } = model.asking;
  const { count = 0 } = operations[operation]?.demonstrations ?? {};
  const pool = pools.get(operation);
  if (count === 0 || !pool) return [];
  if (pool.missing) throw pool.missing;
  const { question = "" } = input as { question?: string };
  // The likest last, nearest to the question.
  const likest = pool.likeness?.likest(question, count).reverse();
  const chosen = likest?.map((at) => pool.all[at]!) ?? pool.all.slice(0, count);
  check?.(chosen);
  return chosen;
}

/** What of the asking decides texts, for the settings of a run; undefined if nothing but the operations' own instructions. */
export function askingSettings(model: object): Record<string, unknown> | undefined {
  if (!isAsked(model)) return undefined;
  const { kind, operations, seed } = model.asking;
  const uses = Object.values(operations).some(({ demonstrations }) => (demonstrations?.count ?? 0) > 0);
  return { kind, operations, ...(uses ? { seed } : {}) };
}

/**
 * The model, with the check that no demonstration it is shown comes from what is evaluated: the first prompt with such a one is an error
 * (bad-input) that names it. Operations that are not asked may have any. A model with such a check keeps its own.
 */
export function withUnseen<M extends LanguageModel>(model: M, evaluated: Evaluated): M {
  if (!isAsked(model) || model.asking.check) return model;
  return { ...model, asking: { ...model.asking, check: unseenCheck(evaluated) } };
}
