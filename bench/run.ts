import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { badInput, describeError, projectFolder, resolveUserPath } from "thoughtbook/core";
import { exportFigure } from "thoughtbook/plot";
import { readRecipe, readTraining, trainedOperations } from "thoughtbook/train";
import { benchCompress, type CompressBenchOptions, summariseCompress } from "./compress/index.js";
import { benchFineTune, summariseFineTune } from "./fine-tune/index.js";
import { benchPeft, type PeftBenchOptions, summarisePeft } from "./fine-tune/peft.js";
import { benchGenerate } from "./generate/index.js";
import { ENGINE, GENERATE_PEERS, type GeneratePeer } from "./generate/peer-list.js";
import { generateFigure, summarise as summariseGenerate } from "./generate/summary.js";
import { type AgainOptions, compareRuns, summariseRuns } from "./model/again.js";
import { renewCard, writeCard } from "./model/card.js";
import { type ModelOptions, measureReasoner } from "./model/reasoner.js";
import { measureScorer } from "./model/scorer.js";
import { addRealCommand } from "./real/command.js";
import { benchReinforce, type Measured, REINFORCE, type ReinforceOptions } from "./reinforce/index.js";
import { benchSandbox, type SandboxBenchOptions, summariseSandbox } from "./sandbox/index.js";
import { benchServe, type ServeOptions, summariseServe } from "./serve/index.js";
import { benchLong, holdsLong, type LongOptions, summariseLong } from "./serve/long.js";
import { writeJson } from "./shared/report.js";
import { benchTrainStep } from "./train-step/index.js";
import { MODELS, type ModelName } from "./train-step/models.js";
import { asPeerName, BASELINE, PEER_NAMES, type PeerName } from "./train-step/peer-list.js";
import { speedFigure, summarise } from "./train-step/summary.js";

interface TrainStepFlags {
  rounds: number;
  seconds: number;
  steps: number;
  threads: number;
  seed: number;
  patience: number;
  start: number;
  attempts: number;
  models: ModelName[];
  peers: PeerName[];
  python?: string;
  prototype?: string;
  jax?: string;
  jaxNode?: string;
  tfjsNode?: string;
  out: string;
  figure?: true;
}

/** Two systems that compute the same differ in a token only where two are nearly as probable. */
const SAME_TOKENS = 0.9;

const program = new Command("bench")
  .description("Measurements of this library against others, in rounds that take turns.")
  .showHelpAfterError("(add --help for the options)");

program
  .command("train-step")
  .description("tokens/s of forward + backward + AdamW of two language models, and the matrix peak")
  .option("--rounds <number>", "rounds in which each peer has a turn", positiveInteger, 7)
  .option("--seconds <number>", "what a turn should take", positive, 2)
  .option("--steps <number>", "the most steps in a turn", positiveInteger, 20)
  .option("--threads <number>", "threads of each peer", positiveInteger, availableParallelism())
  .option("--seed <number>", "of the initial weights and the batch", Number, 1)
  .option("--patience <seconds>", "wait so long before a turn for other programs to finish", positive, 20)
  .option("--start <seconds>", "leave a peer out whose first step takes longer", positive, 600)
  .option("--attempts <number>", "the most attempts at a turn that other programs disturb", positiveInteger, 3)
  .option("--models <names>", `of ${Object.keys(MODELS).join(", ")}`, asModels, Object.keys(MODELS) as ModelName[])
  .option("--peers <names>", `of ${PEER_NAMES.join(", ")}`, asPeers, [...PEER_NAMES])
  .option("--python <path>", "a Python with torch: PyTorch eager and torch.compile take part", path)
  .option("--prototype <folder>", "holds the prototype's trace.mjs and its packages", path)
  .option("--jax <folder>", "has @jax-js/jax installed", path)
  .option("--jax-node <path>", "the Node that runs jax-js; this one by default", path)
  .option("--tfjs-node <folder>", "has @tensorflow/tfjs-node installed; this repository by default", path)
  .option("--out <folder>", "for train-step.json", path, join(projectFolder(), "runs", "bench"))
  .option("--figure", "draw figures/bench-train-step")
  .action(trainStep);

interface GenerateFlags {
  rounds: number;
  seconds: number;
  threads: number;
  seed: number;
  patience: number;
  attempts: number;
  batches: number[];
  peers: GeneratePeer[];
  python?: string;
  out: string;
  figure?: true;
}

program
  .command("generate")
  .description("new tokens/s of a small Llama, and the share of the matrix peak")
  .option("--rounds <number>", "rounds in which each peer has a turn", positiveInteger, 7)
  .option("--seconds <number>", "what a turn should take", positive, 2)
  .option("--threads <number>", "threads of each peer", positiveInteger, availableParallelism())
  .option("--seed <number>", "of the weights and the prompts", Number, 1)
  .option("--patience <seconds>", "wait so long before a turn for other programs to finish", positive, 20)
  .option("--attempts <number>", "the most attempts at a turn that other programs disturb", positiveInteger, 3)
  .option("--batches <numbers>", "texts that are generated at a time", asCounts, [1, 16, 64])
  .option("--peers <names>", `of ${GENERATE_PEERS.join(", ")}`, asGeneratePeers, [...GENERATE_PEERS])
  .option("--python <path>", "a Python with torch and transformers takes part", path)
  .option("--out <folder>", "for generate.json", path, join(projectFolder(), "runs", "bench"))
  .option("--figure", "draw figures/bench-generate")
  .action(generate);

interface FineTuneFlags {
  steps?: number;
  threads: number;
  seed: number;
  texts: number;
  model?: string;
  python?: string;
  data: string;
  rows: number;
  rank: number;
  prompt?: number;
  counted: PeftBenchOptions["counted"];
  out: string;
}

/** Updates that are measured unless the flag says otherwise: of a small model, and of a large one beside PEFT. */
const FINE_TUNE_STEPS = { small: 60, peft: 6 };

program
  .command("fine-tune")
  .description("tokens/s of training a small Llama, and of its compiled step alone; with --model, beside PEFT")
  .option(
    "--steps <number>",
    `updates that are measured (default: ${FINE_TUNE_STEPS.small}; beside PEFT ${FINE_TUNE_STEPS.peft})`,
    positiveInteger,
  )
  .option("--threads <number>", "threads of the engine", positiveInteger, availableParallelism())
  .option("--seed <number>", "of weights and texts", Number, 1)
  .option("--texts <number>", "texts of 20 to 100 tokens", positiveInteger, 2000)
  .option(
    "--model <folder>",
    "of a Hugging Face checkpoint: it is fine-tuned by this engine and by PEFT, in turns",
    path,
  )
  .option("--python <path>", "a Python with torch, transformers and peft", path)
  .option(
    "--data <file>",
    "rows with question and answer (JSONL)",
    path,
    join(process.env.THOUGHTBOOK_DATA ?? join(projectFolder(), "data"), "gsm8k", "train.jsonl"),
  )
  .option("--rows <number>", "rows an update", positiveInteger, 8)
  .option("--rank <number>", "of the adapter, on all linear layers", positiveInteger, 8)
  .option("--prompt <tokens>", "train a soft prompt of so many tokens instead", positiveInteger)
  .addOption(new Option("--counted <what>", "what the loss counts").choices(["answer", "all"]).default("answer"))
  .option("--out <folder>", "for fine-tune.json or peft.json", path, join(projectFolder(), "runs", "bench"))
  .action(fineTune);

program
  .command("serve")
  .description("tokens/s that clients of `thoughtbook serve` get, one after another and many at once")
  .option("--rounds <number>", "rounds in which each way has a turn", positiveInteger, 7)
  .option("--clients <number>", "clients that ask at once", positiveInteger, 64)
  .option("--tokens <number>", "new tokens of an answer", positiveInteger, 64)
  .option("--in-turn <number>", "answers of a turn of one after another", positiveInteger, 8)
  .option("--threads <number>", "threads of the server", positiveInteger, availableParallelism())
  .option("--long", "instead: memory, pauses and /health while prompts of thousands of tokens are read (Linux)")
  .option("--model <model>", "with --long: the model to serve, such as a folder or a file")
  .option("--prompts <numbers>", "with --long: tokens of the prompts", asCounts, [1000, 2000, 4000, 7800, 6500])
  .option("--memory <size>", "with --long: what the server may take")
  .option("--patience <seconds>", "wait so long before a turn for other programs to finish", positive, 20)
  .option("--out <folder>", "for serve.json", path, join(projectFolder(), "runs", "bench"))
  .action(serve);

addRealCommand(program);

program
  .command("compress")
  .description("seconds, memory and model calls of `thoughtbook compress` with the searches of a study")
  .option("--traces <number>", "chains", positiveInteger, 1000)
  .option("--steps <number>", "of each chain", positiveInteger, 20)
  .option("--seed <number>", "of the problems", Number, 0)
  .option("--study <file>", "whose searches", path, join(projectFolder(), "data", "studies", "astar.json"))
  .option("--out <folder>", "for compress.json", path, join(projectFolder(), "runs", "bench"))
  .action(compress);

program
  .command("sandbox")
  .description("programs/s of the sandbox, start of its interpreters, memory and processes left")
  .option("--programs <number>", "small programs of each language", positiveInteger, 1000)
  .option("--interpreters <number>", "programs that get an interpreter each", positiveInteger, 8)
  .option("--workers <number>", "processes of a language", positiveInteger, availableParallelism())
  .option("--out <folder>", "for sandbox.json", path, join(projectFolder(), "runs", "bench"))
  .action(sandbox);

program
  .command("reinforce")
  .description(
    "GRPO on mini: a reward that a tenth of its samples meet (by an adapter, by vectors), rewards of noise, seconds of a step of 8 x 8 attempts",
  )
  .option("--only <names>", `of ${REINFORCE.join(", ")}`, asMeasured, [...REINFORCE])
  .option("--seeds <numbers>", "of runs, such as 1,2,3", asCounts, [1, 2, 3])
  .option("--steps <number>", "updates of a run", positiveInteger, 40)
  .option("--learning-rate <number>", "of the run", positive)
  .option("--vectors <number>", "vectors of a soft prompt", positiveInteger)
  .option("--runs <folder>", "of the runs, which resume", path, join(projectFolder(), "runs", "bench", "reinforce"))
  .option(
    "--out <folder>",
    "for reinforce.json, whose other rows are kept",
    path,
    join(projectFolder(), "runs", "bench"),
  )
  .action(reinforce);

program
  .command("model")
  .description("what a model that comes with the repository can do; writes its card")
  .requiredOption("--model <name>", "of data/models")
  .option("--problems <number>", "of each kind and number of operations", positiveInteger, 1000)
  .option("--seed <number>", "of the problems", Number, 0)
  .option("--budget <tokens>", "the longest chain of thought", positiveInteger, 320)
  .option("--long-budget <tokens>", "the longest thinking before an answer", positiveInteger, 900)
  .option("--training-only", "measure nothing: write the part of the card that says how it was trained")
  .action(model);

program
  .command("again")
  .description("accuracy of two runs of a recipe with different seeds, after each phase that both have")
  .requiredOption("--run <folder>", "that `thoughtbook pretrain --out` wrote", path)
  .requiredOption("--again <folder>", "likewise, with another --seed", path)
  .option("--recipe <file>", "of both", path, join(projectFolder(), "data", "recipes", "mini.json"))
  .option("--problems <number>", "for each number of operations", positiveInteger, 1000)
  .option("--seed <number>", "of the problems", Number, 0)
  .option("--budget <tokens>", "the longest chain of thought", positiveInteger, 320)
  .option("--out <folder>", "for again.json", path, join(projectFolder(), "runs", "bench"))
  .action(again);

// An interruption ends the process by `exit`, on which temporary folders are removed; peers end with their input.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));

try {
  await program.parseAsync();
} catch (error) {
  console.error(`error: ${describeError(error)}`);
  process.exitCode = process.exitCode || 1;
}

async function trainStep(flags: TrainStepFlags): Promise<void> {
  const { rounds, seconds, steps, threads, seed, patience, start, attempts, models, peers, out, figure } = flags;
  const { python, prototype, jax, jaxNode, tfjsNode } = flags;
  const result = await benchTrainStep({
    models,
    peers,
    places: { threads, ...defined({ python, prototype, jax, jaxNode, tfjsNode }) },
    rounds,
    turnSeconds: seconds,
    maximumSteps: steps,
    seed,
    patienceSeconds: patience,
    startSeconds: start,
    attempts,
    onProgress: (line) => console.error(line),
  });
  const file = join(out, "train-step.json");
  await writeJson(file, result);
  console.log(summarise(result));
  console.log(`\n${file}`);
  if (figure) {
    const { svg } = await exportFigure(speedFigure(result), join(projectFolder(), "figures"));
    console.log(svg);
  }
  // Other peers may be unable to run here; this engine may not, and wrong losses make a comparison worthless.
  const broken = result.models.some(
    ({ failed, peers }) =>
      failed.some(({ name }) => name === BASELINE) || peers.some(({ problems }) => problems.length > 0),
  );
  if (broken) process.exitCode = 1;
}

async function fineTune(flags: FineTuneFlags): Promise<void> {
  const { out, model, python, data, rows, rank, prompt, counted, texts, threads, seed } = flags;
  if (model !== undefined) {
    if (python === undefined) throw badInput("--python is missing", "Name a Python with torch, transformers and peft.");
    const result = await benchPeft({
      ...{ model, python, data, rows, counted, threads, seed },
      trainable: prompt === undefined ? { lora: rank } : { prompt },
      steps: flags.steps ?? FINE_TUNE_STEPS.peft,
      onProgress: (line) => console.error(line),
    });
    const file = join(out, "peft.json");
    await writeJson(file, result);
    console.log(`${summarisePeft(result)}\n\n${file}`);
    return;
  }
  const result = await benchFineTune({ steps: flags.steps ?? FINE_TUNE_STEPS.small, texts, threads, seed });
  const file = join(out, "fine-tune.json");
  await writeJson(file, result);
  console.log(`${summariseFineTune(result)}\n\n${file}`);
}

async function generate(flags: GenerateFlags): Promise<void> {
  const { seconds, patience, out, figure, ...options } = flags;
  const onProgress = (line: string) => console.error(line);
  const result = await benchGenerate({ ...options, turnSeconds: seconds, patienceSeconds: patience, onProgress });
  const file = join(out, "generate.json");
  await writeJson(file, result);
  console.log(summariseGenerate(result));
  console.log(`\n${file}`);
  if (figure) {
    const { svg } = await exportFigure(generateFigure(result), join(projectFolder(), "figures"));
    console.log(svg);
  }
  // Speed with other tokens is worthless.
  const broken = result.batches.some(
    ({ failed, peers }) =>
      failed.some(({ name }) => name === ENGINE) ||
      peers.some(({ sameTokens }) => sameTokens !== null && sameTokens < SAME_TOKENS),
  );
  if (broken) process.exitCode = 1;
}

interface ServeFlags extends Omit<ServeOptions, "patienceSeconds">, Omit<LongOptions, "model"> {
  long?: true;
  model?: string;
  out: string;
  patience: number;
}

async function serve({ out, patience, long, model, prompts, memory, ...options }: ServeFlags): Promise<void> {
  const onProgress = (line: string) => console.error(line);
  if (long) {
    if (model === undefined) throw new Error("--long wants a --model");
    const result = await benchLong({ model, prompts, memory, threads: options.threads, onProgress });
    const file = join(out, "serve-long.json");
    await writeJson(file, result);
    console.log(`${summariseLong(result)}\n\n${file}`);
    if (!holdsLong(result)) process.exitCode = 1;
    return;
  }
  const result = await benchServe({ ...options, patienceSeconds: patience, onProgress });
  const file = join(out, "serve.json");
  await writeJson(file, result);
  console.log(summariseServe(result));
  console.log(`\n${file}`);
}

async function compress({
  out,
  ...options
}: Omit<CompressBenchOptions, "onProgress"> & { out: string }): Promise<void> {
  const result = await benchCompress({ ...options, onProgress: (line) => console.error(line) });
  const file = join(out, "compress.json");
  await writeJson(file, result);
  console.log(`${summariseCompress(result)}\n\n${file}`);
}

async function sandbox({ out, ...options }: Omit<SandboxBenchOptions, "onProgress"> & { out: string }): Promise<void> {
  const result = await benchSandbox({ ...options, onProgress: (line) => console.error(line) });
  const file = join(out, "sandbox.json");
  await writeJson(file, result);
  console.log(summariseSandbox(result));
  console.log(`\n${file}`);
  if (result.processesLeft) process.exitCode = 1;
}

async function model({
  trainingOnly,
  ...options
}: Omit<ModelOptions, "folder" | "onProgress"> & { trainingOnly?: true }): Promise<void> {
  const folder = join(projectFolder(), "data", "models", options.model);
  if (trainingOnly) {
    await renewCard(folder, await readTraining(folder));
    console.log(join(folder, "README.md"));
    return;
  }
  const asked = {
    ...options,
    folder: join(projectFolder(), "runs", "bench", `model-${options.model}`),
    onProgress: (line: string) => console.error(line),
  };
  const training = await readTraining(folder);
  const isReasoner = trainedOperations(training.recipe.phases).length > 0;
  await writeCard(folder, training, await (isReasoner ? measureReasoner(asked, training) : measureScorer(asked)));
  console.log(join(folder, "README.md"));
}

async function again({ out, recipe, ...options }: Omit<AgainOptions, "recipe"> & { recipe: string; out: string }) {
  const { problems, seed, budget } = options;
  const onProgress = (line: string) => console.error(line);
  const phases = await compareRuns({ ...options, recipe: await readRecipe(recipe), onProgress });
  const file = join(out, "again.json");
  await writeJson(file, { problems, seed, budget, phases });
  console.log(`${summariseRuns(phases)}\n\n${file}`);
}

function defined<T extends object>(options: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [Key in keyof T]?: Exclude<T[Key], undefined>;
  };
}

function positive(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError("Expected a number above 0.");
}

async function reinforce(options: ReinforceOptions): Promise<void> {
  await benchReinforce(options, (row) => console.log(JSON.stringify(row)));
}

function asMeasured(text: string): Measured[] {
  return text.split(",").map((name) => {
    const known = REINFORCE.find((each) => each === name);
    if (known) return known;
    throw new InvalidArgumentError(`Measures: ${REINFORCE.join(", ")}.`);
  });
}

function positiveInteger(text: string): number {
  const value = positive(text);
  if (Number.isInteger(value)) return value;
  throw new InvalidArgumentError("Expected a whole number above 0.");
}

function asModels(text: string): ModelName[] {
  return text.split(",").map((name) => {
    if (Object.hasOwn(MODELS, name)) return name as ModelName;
    throw new InvalidArgumentError(`Models: ${Object.keys(MODELS).join(", ")}.`);
  });
}

function asCounts(text: string): number[] {
  return text.split(",").map(positiveInteger);
}

function asGeneratePeers(text: string): GeneratePeer[] {
  return text.split(",").map((name) => {
    const known = GENERATE_PEERS.find((peer) => peer === name);
    if (known) return known;
    throw new InvalidArgumentError(`Peers: ${GENERATE_PEERS.join(", ")}.`);
  });
}

function asPeers(text: string): PeerName[] {
  return text.split(",").map(asPeerName);
}

function path(text: string): string {
  return resolveUserPath(text);
}
