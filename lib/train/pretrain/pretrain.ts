import { existsSync } from "node:fs";
import { join } from "node:path";
import { createRandom, type ProgressDisplay, ThoughtbookError, UNINTERRUPTED, writeWhole } from "../../core/index.js";
import { FUNCTION_STEPS, functionProblems, generateWordProblem } from "../../data/index.js";
import { createLocalModel, operationsFile } from "../../llm/index.js";
import {
  chatTemplateOf,
  initializeParameters,
  loadTokenizer,
  type ModelConfig,
  type ModelParameters,
  openCheckpoint,
  parseConfig,
  readParameters,
  saveBpe,
  saveCheckpoint,
  type Tokenizer,
  trainBpe,
} from "../../model/index.js";
import {
  functionExample,
  OPERATION_CHAT_TEMPLATE,
  OPERATION_NAMES,
  OPERATION_TAGS,
  operationExamples,
} from "../../operations/index.js";
import type { Scores } from "../evaluations.js";
import { CHAT_TOKENS } from "../examples/operation-ids.js";
import type { Snapshot } from "../sources/source.js";
import { trainLanguageModel } from "../train-language-model.js";
import { trainedOperations } from "../training-record.js";
import type { TrainingRecord } from "../update-record.js";
import { filesOf, isFinished, pretrainFolders } from "./folders.js";
import { keepOrigin, requireOrigin } from "./origin.js";
import { problemAccuracy } from "./problem-accuracy.js";
import { problemStream } from "./problem-stream.js";
import type { Phase, Recipe } from "./recipe.js";

export interface PretrainOptions {
  recipe: Recipe;
  /** Folder for everything: the tokenizer, and for each phase its run and the model that it ends with. */
  out: string;
  /** Instead of the recipe's. */
  seed?: number | undefined;
  /** Stop after this phase. Default: the last one. */
  until?: string | undefined;
  threads?: number | undefined;
  /** Updates between two times that the state is saved. Default: 100. */
  saveEvery?: number | undefined;
  signal?: AbortSignal | undefined;
  onRecord?: ((record: TrainingRecord, phase: Phase, course: { steps: number }) => unknown) | undefined;
  display?: ProgressDisplay | undefined;
}

/** Minimum occurrences of a pair in the vocabulary: a token that only corrupted text needs is no loss. */
const LEAST_FREQUENCY = 2;
/** One problem in this many is about a function. */
const FUNCTIONS = 10;

/**
 * Pretrain a model by a recipe. Finished parts in the folder are reused, and an interrupted phase resumes where it was;
 * of finished phases only the last one's model is read.
 *
 * @returns the folder of the model after the last phase
 * @throws bad-input for a phase that the recipe does not have, or a folder with finished parts of another recipe or seed;
 *   as `trainLanguageModel`
 */
export async function pretrain(options: PretrainOptions): Promise<string> {
  const { recipe, out, until } = options;
  const seed = options.seed ?? recipe.seed;
  const places = pretrainFolders(out);
  if (until !== undefined && !recipe.phases.some(({ name }) => name === until)) {
    throw new ThoughtbookError("bad-input", `the recipe has no phase "${until}"`, {
      hint: `Its phases: ${recipe.phases.map(({ name }) => name).join(", ")}.`,
    });
  }
  await requireOrigin({ recipe, seed, out });
  await keepOrigin({ recipe, seed, out });
  const tokenizer = await recipeTokenizer(recipe, places.tokenizer, seed);
  const config = recipeConfig(recipe, tokenizer);
  const end = recipe.phases.findIndex(({ name }) => name === until);
  const phases = end < 0 ? recipe.phases : recipe.phases.slice(0, end + 1);
  const last = phases.findLastIndex((phase) => isFinished(out, phase));
  let parameters =
    last < 0
      ? initializeParameters(config, { seed })
      : await readParameters(await openCheckpoint(places.model(phases[last]!)));
  for (const [at, phase] of phases.entries()) {
    if (at <= last) continue;
    parameters = await trainPhase({ ...options, seed }, phase, config, parameters, tokenizer);
    const extraFiles = {
      ...operationsFile(recipe.name, trainedOperations(phases.slice(0, at + 1))),
      ...(await filesOf(places.tokenizer)),
    };
    await saveCheckpoint(places.model(phase), { config, parameters, dtype: "float32", extraFiles });
  }
  return places.model(phases.at(-1)!);
}

async function trainPhase(
  { recipe, out, seed, threads, saveEvery, signal, onRecord, display }: PretrainOptions & { seed: number },
  phase: Phase,
  config: ModelConfig,
  parameters: ModelParameters,
  tokenizer: Tokenizer,
): Promise<ModelParameters> {
  const { steps, batchSize, learningRate, schedule, warmup, optimizer, weightDecay, beta2 } = phase;
  const chatTemplate = await chatTemplateOf(pretrainFolders(out).tokenizer);
  const { every, problems, operations, maxNewTokens } = recipe.evaluation;
  const evaluate = async (snapshot: Snapshot): Promise<Scores> => {
    const model = createLocalModel({
      name: `${recipe.name} after ${snapshot.step} updates`,
      config,
      host: { config, weights: snapshot.parameters },
      tokenizer,
      chatTemplate,
      operations: new Set(OPERATION_NAMES),
      session: threads === undefined ? undefined : { threads },
    });
    const split = "validation";
    // Not to be interrupted: it takes seconds, and the state is saved between two updates.
    const asked = { operations, problems, split, seed: "curve", maxNewTokens, signal: UNINTERRUPTED } as const;
    const accuracy = await problemAccuracy(model, asked);
    return Object.fromEntries(Array.from(accuracy, ([count, value]) => [`accuracy at ${count}`, value]));
  };
  const folder = pretrainFolders(out).run(phase);
  const result = await trainLanguageModel({
    model: { config, parameters },
    examples: problemStream({ phase, tokenizer, seed }),
    folder,
    seed,
    maxSteps: steps,
    batchSize,
    learningRate,
    schedule,
    warmup,
    optimizer,
    weightDecay,
    beta2,
    evaluate,
    evaluateEvery: every,
    best: "last",
    saveEvery,
    signal,
    threads,
    display,
    onRecord: onRecord && ((record, course) => onRecord(record, phase, course)),
  });
  const { steps: updates, seconds } = result;
  await writeWhole(
    pretrainFolders(out).result(phase),
    `${JSON.stringify({ updates, seconds: Math.round(seconds) })}\n`,
  );
  return result.parameters;
}

/** The tokenizer in a folder, trained and written there first if need be. */
async function recipeTokenizer(recipe: Recipe, folder: string, seed: number): Promise<Tokenizer> {
  // The file that is written last.
  if (!existsSync(join(folder, "tokenizer_config.json"))) await saveTokenizer(recipe, folder, seed);
  return loadTokenizer(folder);
}

/** Train the tokenizer on the texts of all operations, and write it with the chat template. */
async function saveTokenizer({ tokenizer, model, phases }: Recipe, folder: string, seed: number): Promise<void> {
  const { end, user, assistant, system } = CHAT_TOKENS;
  const operations = Math.max(...phases.map((phase) => phase.operations[1]));
  const bpe = await trainBpe(corpus(tokenizer.problems, operations, seed), {
    vocabularySize: tokenizer.vocabularySize,
    specialTokens: [end, user, assistant, system, ...OPERATION_TAGS],
    eosToken: end,
    splitDigits: true,
    minFrequency: LEAST_FREQUENCY,
  });
  const chatTemplate = OPERATION_CHAT_TEMPLATE;
  await saveBpe(folder, bpe, { chatTemplate, maxLength: model.max_position_embeddings });
}

function* corpus(problems: number, operations: number, seed: number): Generator<string> {
  const random = createRandom(seed).stream("tokenizer");
  for (let index = 0; index < problems; index++) {
    const problem = generateWordProblem({
      seed: `tokenizer/${seed}`,
      index,
      operations: [1, operations],
      distractors: [0, 2],
    });
    for (const { prompt, completion } of operationExamples(problem, random.stream(String(index)))) {
      yield prompt;
      yield completion;
    }
  }
  for (const problem of functionProblems(
    { seed: `tokenizer/${seed}`, steps: FUNCTION_STEPS },
    Math.ceil(problems / FUNCTIONS),
  )) {
    const { prompt, completion } = functionExample(problem);
    yield prompt;
    yield completion;
  }
}

function recipeConfig({ model }: Recipe, tokenizer: Tokenizer): ModelConfig {
  const [end] = tokenizer.endIds;
  return parseConfig({
    model_type: "llama",
    vocab_size: tokenizer.vocabularySize,
    ...model,
    tie_word_embeddings: true,
    eos_token_id: end,
  });
}
