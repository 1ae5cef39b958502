import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fileSystemError, ThoughtbookError } from "../core/index.js";
import { type ModelParameters, openSafetensors, readFloats, writeSafetensors } from "../model/index.js";
import type { OptimizerState, TensorData } from "../tensor/index.js";

/** The best weights so far. */
export interface Best {
  step: number;
  value: number;
}

/** Everything a run needs to resume as if it had not been stopped. */
export interface SavedState {
  params: ModelParameters;
  optimizer: OptimizerState<TensorData>;
  /** Updates made. The next batch follows from it, as the order of the data follows from the seed. */
  step: number;
  /** Tokens put in so far. */
  tokens: number;
  /** Seconds that the updates took, with evaluations, over all times that the run went on. */
  seconds: number;
  best?: Best | undefined;
}

const STATE_FILE = "state.safetensors";
const bestFile = (step: number): string => `best-${step}.safetensors`;
const BEST_PATTERN = /^best-(\d+)\.safetensors$/;
/** What a process that was killed while it wrote has left. */
const UNFINISHED = /\.safetensors\.part-\d+$/;
const PARAMS = "params";

const noteSchema = z.object({
  step: z.int().nonnegative(),
  tokens: z.int().nonnegative(),
  seconds: z.number().nonnegative().default(0),
  best: z.object({ step: z.int().positive(), value: z.number() }).optional(),
});

/** Write the state as one file, which appears only when it is whole, and remove weights that were the best before. */
export async function saveState(
  folder: string,
  { params, optimizer, step, tokens, seconds, best }: SavedState,
): Promise<void> {
  const { step: updates, ...moments } = optimizer as { step: TensorData } & Record<string, ModelParameters>;
  const tensors = Object.entries({ [PARAMS]: params, ...moments }).flatMap(([group, values]) =>
    Object.entries(values).map(([name, value]) => [`${group}/${name}`, value] as const),
  );
  const content = { ...Object.fromEntries(tensors), step: updates as ModelParameters[string] };
  const note = JSON.stringify({ step, tokens, seconds: Math.round(seconds), ...(best ? { best } : {}) });
  await writeSafetensors(join(folder, STATE_FILE), content, { metadata: { state: note } });
  for (const file of await readdir(folder)) {
    const found = BEST_PATTERN.exec(file);
    const isOld = found !== null && Number(found[1]) !== best?.step;
    if (isOld || UNFINISHED.test(file)) await rm(join(folder, file), { force: true });
  }
}

/**
 * Load the state of a folder, or undefined if there is none yet.
 *
 * @param fresh a state with the same parameters and moments
 * @throws corrupt-data if the file is broken or belongs to other parameters; file-system
 */
export async function loadState(
  folder: string,
  fresh: Pick<SavedState, "params" | "optimizer">,
): Promise<SavedState | undefined> {
  const path = join(folder, STATE_FILE);
  const file = await openSafetensors(path).catch((error: unknown) => {
    if (error instanceof ThoughtbookError && error.code === "not-found") return undefined;
    throw error;
  });
  if (file === undefined) return undefined;
  const read = async (name: string, shape: readonly number[]) => {
    const entry = file.tensors.get(name);
    if (entry?.shape.join() !== shape.join()) throw unfit(path, `its ${name} is not of shape [${shape.join(", ")}]`);
    return { shape, dtype: "float32" as const, data: await readFloats(file, name) };
  };
  const readGroup = async (group: string, like: ModelParameters) => {
    const values: ModelParameters = {};
    for (const [name, { shape }] of Object.entries(like)) values[name] = await read(`${group}/${name}`, shape);
    return values;
  };
  const note = parseNote(file.metadata.state, path);
  const moments: Record<string, ModelParameters> = {};
  for (const group of Object.keys(fresh.optimizer)) {
    if (group !== "step") moments[group] = await readGroup(group, fresh.params);
  }
  return {
    params: await readGroup(PARAMS, fresh.params),
    optimizer: { ...moments, step: await read("step", []) },
    ...note,
  };
}

/** Keep weights as the best of a step. Those of the step before stay until the next {@link saveState}. */
export async function saveBest(folder: string, step: number, params: ModelParameters): Promise<void> {
  await writeSafetensors(join(folder, bestFile(step)), params);
}

/** Read back what {@link saveBest} wrote. Throws not-found, corrupt-data, file-system. */
export async function loadBest(folder: string, step: number, like: ModelParameters): Promise<ModelParameters> {
  const file = await openSafetensors(join(folder, bestFile(step)));
  const params: ModelParameters = {};
  for (const [name, { shape }] of Object.entries(like)) {
    params[name] = { shape, dtype: "float32", data: await readFloats(file, name) };
  }
  return params;
}

/** Remove state and best weights: the run can then not be resumed. Records stay. */
export async function removeState(folder: string): Promise<void> {
  const files = await readdir(folder).catch((error: unknown) => {
    throw fileSystemError(error, "read the folder", folder);
  });
  for (const file of files) {
    if (file === STATE_FILE || BEST_PATTERN.test(file) || UNFINISHED.test(file))
      await rm(join(folder, file), { force: true });
  }
}

function parseNote(text: string | undefined, path: string): z.output<typeof noteSchema> {
  try {
    return noteSchema.parse(JSON.parse(text ?? ""));
  } catch (cause) {
    throw unfit(path, "it does not say which step it is of", cause);
  }
}

function unfit(path: string, what: string, cause?: unknown): ThoughtbookError {
  return new ThoughtbookError("corrupt-data", `${path} is not the state of this training: ${what}`, {
    hint: "Remove the folder of the run to start anew.",
    cause,
  });
}
