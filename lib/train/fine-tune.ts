import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  badInput,
  canonicalJson,
  fileSystemError,
  type ProgressDisplay,
  ThoughtbookError,
  writeWhole,
} from "../core/index.js";
import {
  checkModelFits,
  GGUF_DOCUMENTS,
  ggufDocument,
  initializeParameters,
  isGgufPlace,
  isQuantised,
  type ModelConfig,
  mergeAdapter,
  openCheckpoint,
  QUANTISED_FLOATS,
  readBlockParameters,
  readConfig,
  readParameters,
  saveAdapter,
  saveCheckpoint,
  type WeightType,
} from "../model/index.js";
import { encoderOf, type ReadRowsOptions, type RowCounts, readRows } from "./examples/training-rows.js";
import { type TrainingSettings, trainingSettingsOf } from "./options.js";
import { removeState } from "./saved-state.js";
import type { Trained } from "./train.js";
import { type TrainLanguageModelOptions, trainLanguageModel } from "./train-language-model.js";
import type { StartingModel } from "./trainable.js";

export interface FineTuneOptions
  extends TrainingSettings,
    Pick<TrainLanguageModelOptions, "lora" | "evaluateEvery" | "saveEvery" | "onRecord" | "signal" | "threads">,
    Pick<ReadRowsOptions, "context" | "tooLong"> {
  /** Folder of a Hugging Face checkpoint, or a GGUF file. */
  model: string;
  /** Rows to train on; see {@link readRows}. */
  data: string;
  /** Held-out rows whose mean loss is measured: the weights with the lowest are kept. */
  heldOut?: string | undefined;
  /** Folder of the trained model; the run is in its subfolder `training`. */
  out: string;
  /** Start from untrained weights: only configuration and tokenizer of the folder are used. */
  fresh?: boolean | undefined;
  /**
   * With an adapter: write the model with the adapter merged in, and the adapter beside it; false: the adapter only.
   */
  merge?: boolean | undefined;
  /**
   * Keep the weights of a GGUF file in the blocks that they are stored in, beside an adapter that is not merged. Default: no.
   */
  lowMemory?: boolean | undefined;
  /** Storage type of the weights. Default: `float32`. */
  dtype?: WeightType | undefined;
  /** Resume the run in the folder, if there is one. Otherwise, a folder that is not empty is an error. */
  resume?: boolean | undefined;
  /** Called with the counts of rows, before training. */
  onRows?: ((rows: { train: RowCounts; heldOut: RowCounts | undefined }) => void) | undefined;
  display?: ProgressDisplay | undefined;
}

/** Result of a run, without the weights, which are in the folder. */
export type FineTuned = Pick<Trained, "step" | "steps" | "value">;

/** Subfolder of the run, and of an adapter beside the model it was merged into. */
const RUN_FOLDER = "training";
const ADAPTER_FOLDER = "adapter";
const FINISHED_FILE = "finished.json";
/** Files of a model other than configuration and weights. */
const PASSENGERS =
  /^(tokenizer.*|special_tokens_map\.json|added_tokens\.json|thoughtbook\.json|vocab\..*|merges\.txt|generation_config\.json|chat_template\..*|additional_chat_templates)$/;

/**
 * Fine-tune the model of a folder or GGUF file on the rows of a file, and save a Hugging Face folder: configuration, weights, and
 * the tokenizer's files unchanged.
 *
 * @throws like `openCheckpoint`, {@link readRows} and `trainLanguageModel`; bad-input for a folder that is not empty
 *
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { resolveModel } from "thoughtbook/model";
 * import { fineTune } from "thoughtbook/train";
 *
 * const rows = [{ prompt: "2 + 3 = ", completion: "5" }, { prompt: "4 + 1 = ", completion: "5" }];
 * await writeFile("rows.jsonl", rows.map((row) => JSON.stringify(row)).join("\n"));
 * const model = await resolveModel("mini");
 * const { steps } = await fineTune({ model, data: "rows.jsonl", out: "tuned", lora: { rank: 2 }, maxSteps: 2, seed: 1 });
 * console.log(steps); // 2
 * ```
 */
export async function fineTune(options: FineTuneOptions): Promise<FineTuned> {
  const {
    model,
    data,
    heldOut,
    out,
    fresh = false,
    merge = true,
    dtype,
    resume = false,
    context,
    tooLong,
    lowMemory,
  } = options;
  const asked = canonicalJson({
    ...trainingSettingsOf(options),
    model,
    data,
    heldOut,
    fresh,
    merge,
    dtype,
    context,
    tooLong,
    lowMemory,
  });
  if (lowMemory && (merge || !options.lora)) {
    throw badInput(
      "weights that are kept in blocks cannot be trained, nor get an adapter merged in",
      "Train an adapter by itself (--lora 8 --no-merge), or leave out --low-memory.",
    );
  }
  const runFolder = join(out, RUN_FOLDER);
  const finished = await checkFolder(out, { resume, asked });
  if (finished) return finished;

  // In training of all weights: two sets of the weights, two of each of the two moments, and gradients.
  const floats = lowMemory ? QUANTISED_FLOATS : options.lora ? 1 : 7;
  const start = await startingPoint(options, floats);
  const { config } = start;
  const reading = {
    config,
    encoder: encoderOf(model),
    ...(context === undefined ? {} : { context }),
    ...(tooLong === undefined ? {} : { tooLong }),
  };
  const rows = await readRows(data, reading);
  const heldOutRows = heldOut === undefined ? undefined : await readRows(heldOut, reading);
  options.onRows?.({ train: rows.counts, heldOut: heldOutRows?.counts });

  const { lora, evaluateEvery, saveEvery, onRecord, signal, threads, display } = options;
  const trained = await trainLanguageModel({
    ...trainingSettingsOf(options),
    model: start,
    examples: rows.examples,
    heldOut: heldOutRows?.examples,
    folder: runFolder,
    lora,
    evaluateEvery,
    saveEvery,
    onRecord,
    signal,
    threads,
    display,
  });
  await writeModel(options, config, trained);
  const { step, steps, value } = trained;
  const result: FineTuned = { step, steps, ...(value === undefined ? {} : { value }) };
  await writeWhole(join(runFolder, FINISHED_FILE), `${JSON.stringify({ ...result, asked }, null, 2)}\n`);
  await removeState(runFolder);
  return result;
}

async function startingPoint(
  { model, fresh = false, seed, lowMemory = false }: FineTuneOptions,
  floats: number,
): Promise<StartingModel> {
  if (fresh) {
    const config = await readConfig(model);
    checkModelFits(model, config, { floats });
    return { config, parameters: initializeParameters(config, { seed }) };
  }
  const checkpoint = await openCheckpoint(model);
  if (lowMemory && !isQuantised(checkpoint)) {
    throw badInput(
      `${model} has no weights in blocks to keep`,
      "Use a quantised GGUF file, or leave out --low-memory.",
    );
  }
  checkModelFits(model, checkpoint.config, { floats });
  if (lowMemory) {
    const { weights, blocks } = await readBlockParameters(checkpoint);
    return { config: checkpoint.config, parameters: weights, blocks };
  }
  return { config: checkpoint.config, parameters: await readParameters(checkpoint) };
}

/** Write what was trained as a folder that can be loaded: the weights, or an adapter, and the files that go with the model. */
export async function writeModel(
  { model, out, merge = true, dtype }: Pick<FineTuneOptions, "model" | "out" | "merge" | "dtype">,
  config: ModelConfig,
  { parameters, adapter }: Pick<Trained, "parameters" | "adapter">,
): Promise<void> {
  if (adapter) await saveAdapter(merge ? join(out, ADAPTER_FOLDER) : out, config, adapter, { baseModel: model });
  if (!adapter || merge) {
    const whole = adapter ? mergeAdapter(config, parameters, adapter) : parameters;
    await saveCheckpoint(out, { config, parameters: whole, dtype });
  }
  if (await isGgufPlace(model)) return writeDocuments(model, out);
  for (const file of (await readdir(model)).filter((name) => PASSENGERS.test(name))) {
    await cp(join(model, file), join(out, file), { recursive: true, dereference: true }).catch((error: unknown) => {
      throw fileSystemError(error, "write", join(out, file));
    });
  }
}

/** Write what a GGUF file says in place of the files that go with a model. */
async function writeDocuments(model: string, out: string): Promise<void> {
  for (const name of GGUF_DOCUMENTS.filter((each) => PASSENGERS.test(each))) {
    const document = await ggufDocument(model, name);
    if (document !== undefined) await writeWhole(join(out, name), `${JSON.stringify(document, null, 2)}\n`);
  }
}

/** Make sure that nothing in the folder is lost; returns the result of a run that is already finished. */
async function checkFolder(
  out: string,
  { resume, asked }: { resume: boolean; asked: string },
): Promise<FineTuned | undefined> {
  const files = await filesOf(out);
  if (files.length === 0) {
    await mkdir(join(out, RUN_FOLDER), { recursive: true }).catch((error: unknown) => {
      throw fileSystemError(error, "make the folder", out);
    });
    return undefined;
  }
  const run = await filesOf(join(out, RUN_FOLDER));
  if (!files.includes(RUN_FOLDER)) {
    throw new ThoughtbookError("bad-input", `the folder ${out} is not empty and holds no training run`, {
      hint: "Choose another folder for the trained model.",
    });
  }
  if (!resume && run.length > 0) {
    const what = run.includes(FINISHED_FILE) ? "a finished training run" : "a training run that was stopped";
    throw new ThoughtbookError("bad-input", `the folder ${out} holds ${what}`, {
      hint: "Resume it (--resume), choose another folder, or remove this one.",
    });
  }
  if (!run.includes(FINISHED_FILE)) return undefined;
  const { asked: before, ...result } = JSON.parse(await readFile(join(out, RUN_FOLDER, FINISHED_FILE), "utf8"));
  if (before === asked) return result as FineTuned;
  throw new ThoughtbookError("bad-input", `the folder ${out} holds a finished training run with other settings`, {
    hint: "Choose another folder, or remove this one to start anew.",
  });
}

async function filesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw fileSystemError(error, "read the folder", folder);
  });
}
