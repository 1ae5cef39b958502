import { setImmediate as nextTurn } from "node:timers/promises";
import {
  badInput,
  checkWhole,
  interruptible,
  listenForInterrupt,
  openRun,
  type Progress,
  type ProgressDisplay,
  startProgress,
  ThoughtbookError,
} from "../core/index.js";
import { trainingPath } from "../llm/index.js";
import type { Adapter, ModelParameters } from "../model/index.js";
import {
  adamW,
  compileTrainingStep,
  muon,
  type Optimizer,
  sgd,
  type TensorSpec,
  type TrainingState,
} from "../tensor/index.js";
import { createEvaluations, type EvaluationOptions } from "./evaluations.js";
import type { Objective } from "./objectives/objective.js";
import { completeSettings, type Settings, scheduleOf, type TrainingSettings } from "./options.js";
import { describeRun } from "./run-config.js";
import { loadBest, loadState, type SavedState, saveBest, saveState } from "./saved-state.js";
import type { Source, Update } from "./sources/source.js";
import { type StartingModel, type Trainable, trainableModel } from "./trainable.js";
import type { TrainingRecord } from "./update-record.js";

export interface TrainOptions<Spec> extends EvaluationOptions {
  model: StartingModel;
  objective: Objective<Spec>;
  source: Source<Spec>;
  /** Default: all weights. */
  trainable?: Trainable | undefined;
  /** Optimization settings; epochs, batches and their number belong to the source. */
  settings: TrainingSettings;
  /** Folder of the run: settings (`run.json`), a record per update (`records.jsonl`), the state to resume from. */
  folder: string;
  /** Updates between two saves of the state. Default: 100. */
  saveEvery?: number | undefined;
  /** Called with each update, in a resumed run first with those made before; a promise is awaited. */
  onRecord?: ((record: TrainingRecord, course: { steps: number }) => unknown) | undefined;
  /** Stops the run after the current update. Default: Ctrl-C does. */
  signal?: AbortSignal | undefined;
  /** Threads inside an operator. Default: the processors of this machine. Results repeat only with the same number. */
  threads?: number | undefined;
  /** Where to show progress. */
  display?: ProgressDisplay | undefined;
}

export interface Trained {
  /**
   * Final weights; those given, if they are not trained. The best by the evaluation, if there is one, else the last.
   */
  parameters: ModelParameters;
  adapter?: Adapter;
  /** Further parameters of the objective, if it has some. */
  extra?: ModelParameters;
  /** The update after which these were the weights. */
  step: number;
  /** Their scores in the evaluation. */
  value?: number;
  /** Updates of the whole run. */
  steps: number;
  /** Seconds of training, evaluations included, over all parts of the run; a killed part counts up to its last save. */
  seconds: number;
}

type Specs = Record<string, TensorSpec>;

/**
 * Train a causal language model: an objective on the batches of a source, for what is trainable.
 *
 * The state is saved every `saveEvery` updates and when the run is stopped, and a call with the same arguments resumes
 * from there: killed or not, it ends with the same bytes on the same machine with the same number of threads.
 *
 * @throws bad-input (before any work) for settings out of range, nothing to train, or a folder that holds another run;
 *   interrupted (with how to go on) after Ctrl-C or when `signal` aborts; execution when the loss is no longer a finite
 *   number; corrupt-data, file-system; as the source
 *
 * @example
 * ```ts
 * import { openCheckpoint, readParameters, resolveModel } from "thoughtbook/model";
 * import { exampleOf, exampleSource, sft, train } from "thoughtbook/train";
 *
 * const checkpoint = await openCheckpoint(await resolveModel("mini"));
 * const model = { config: checkpoint.config, parameters: await readParameters(checkpoint) };
 * const settings = { seed: 1, learningRate: 1e-4 };
 * const batches = { seed: 1, epochs: 2, maxSteps: 2, batchSize: 1, accumulation: 1, batching: "pack" } as const;
 * const source = exampleSource([exampleOf([5, 6, 7, 8])], batches, model.config.hiddenSize);
 * const { steps } = await train({ model, objective: sft({ packed: true }), source, settings, folder: "run" });
 * console.log(steps); // 2
 * ```
 */
export async function train<Spec>(options: TrainOptions<Spec>): Promise<Trained> {
  const { model, objective, source, trainable = "all", folder, saveEvery = 100, onRecord, threads } = options;
  checkWhole("saveEvery", saveEvery, 1);
  const settings = completeSettings(options.settings, { isAdapter: typeof trainable === "object" });
  const { seed } = settings;
  const trained = trainableModel(model, trainable, objective, seed);
  if (Object.keys(trained.params).length === 0) {
    throw badInput(`the objective ${objective.name} has no parameters of its own to train`, 'Set trainable to "all".');
  }
  if (trainable === "extra" && options.heldOut) {
    throw badInput(
      "the held-out loss of a frozen model is always the same",
      "Leave out heldOut, and score the objective's own parameters with `evaluate`.",
    );
  }
  const evaluations = createEvaluations(options, { trained, settings, threads });
  const step = compileTrainingStep<Specs, Spec, Specs>({
    loss: ({ params, frozen, batch }) => objective.loss(trained.assemble(params, frozen), batch),
    params: trained.paramSpecs,
    frozen: trained.frozenSpecs,
    batch: objective.spec,
    optimizer: optimizerOf(settings),
    learningRate: scheduleOf(settings, source.steps),
    clipNorm: settings.clipNorm,
    ...(threads === undefined ? {} : { threads }),
  });
  const run = await openRun<TrainingRecord>({
    folder,
    seed,
    config: describeRun({ model, trained, objective, data: source.fingerprint, settings, evaluation: options }),
    unnamed: trainingPath(model.blocks !== undefined),
    idOf: ({ id }) => id,
  });
  const interrupt = options.signal ? { signal: interruptible(options.signal)!, stop: () => {} } : listenForInterrupt();
  let progress: Progress | undefined;
  let saveNow: (() => Promise<void>) | undefined;
  try {
    let state = step.init(trained.params, trained.frozen) as TrainingState<Specs, Specs>;
    let position: Omit<SavedState, "params" | "optimizer"> = { step: 0, tokens: 0, seconds: 0 };
    const earlier = await loadState(folder, state as Pick<SavedState, "params" | "optimizer">);
    if (earlier) {
      const { params, optimizer, ...rest } = earlier;
      state = { params, optimizer, frozen: trained.frozen };
      position = rest;
      if (onRecord) {
        for await (const record of run.records()) if (record.step <= rest.step) await onRecord(record, source);
      }
    }
    let savedStep = position.step;
    const started = performance.now() - 1000 * position.seconds;
    const seconds = () => (performance.now() - started) / 1000;
    const save = async () => {
      if (savedStep === position.step) return;
      await saveState(folder, {
        ...(state as Pick<SavedState, "params" | "optimizer">),
        ...position,
        seconds: seconds(),
      });
      savedStep = position.step;
    };
    saveNow = save;
    progress = startProgress("training", {
      ...amountOf(source, position),
      display: options.display,
    });
    const policy = () => trained.snapshot(position.step, state.params as ModelParameters);
    for await (const update of source.updatesAfter(position.step, policy, interrupt.signal)) {
      if (interrupt.signal.aborted) {
        await save();
        throw stopped(position.step, source.steps, folder, interrupt.signal);
      }
      const { batches } = update;
      const [first, ...others] = batches.map(({ tensors }) => tensors);
      const result = await step.step(state, first!, ...others);
      state = result.state;
      checkFinite(result, update, savedStep);
      position = {
        ...position,
        step: update.step,
        tokens: position.tokens + batches.reduce((sum, { tokens }) => sum + tokens, 0),
      };
      const isLast = update.step === source.steps;
      const scores = await evaluations.after(update.step, isLast, state.params as ModelParameters);
      const record: TrainingRecord = {
        id: String(update.step),
        step: update.step,
        epoch: update.epoch,
        loss: result.loss,
        learningRate: result.learningRate,
        gradientNorm: result.gradientNorm,
        tokens: position.tokens,
        ...metricsOf(update.metrics, result.metrics),
        scores,
      };
      // Before the state is saved: a resumed run does not make this record again.
      if (!run.done.has(record.id)) await run.append(record);
      const value = scores && evaluations.valueOf(scores);
      if (value !== undefined && evaluations.isBetter(value, position.best?.value)) {
        await saveBest(folder, update.step, state.params as ModelParameters);
        position = { ...position, best: { step: update.step, value } };
        await save();
      }
      await onRecord?.(record, source);
      progress.update(amountOf(source, position).initial, noteOf(record, source.steps));
      if (isLast || update.step % saveEvery === 0) await save();
      // Yield to Ctrl-C and the display.
      await nextTurn();
    }
    progress.succeed(`${source.steps} updates, ${position.tokens.toLocaleString("en-US")} tokens`);
    const { best } = position;
    const params = best ? await loadBest(folder, best.step, trained.params) : (state.params as ModelParameters);
    const { config: _, step: __, ...weights } = trained.snapshot(source.steps, params);
    return {
      ...weights,
      step: best?.step ?? source.steps,
      ...(best ? { value: best.value } : {}),
      steps: source.steps,
      seconds: earlier?.step === source.steps ? earlier.seconds : seconds(),
    };
  } catch (error) {
    progress?.fail();
    // The source was stopped while it made an update: those before it are kept.
    if (interrupt.signal.aborted) await saveNow?.();
    throw error;
  } finally {
    interrupt.stop();
    await run.close();
    await evaluations.dispose();
    await step.dispose();
  }
}

/** What the source and the objective tell of an update, if they do. */
function metricsOf(...parts: (Readonly<Record<string, number>> | undefined)[]): Pick<TrainingRecord, "metrics"> {
  const metrics = Object.assign({}, ...parts) as Record<string, number>;
  return Object.keys(metrics).length > 0 ? { metrics } : {};
}

/** Progress in tokens if their number is known, else in updates. */
function amountOf(
  { tokens, steps }: { tokens?: number | undefined; steps: number },
  done: { step: number; tokens: number },
) {
  return tokens === undefined
    ? { total: steps, initial: done.step, unit: "updates" }
    : { total: tokens, initial: done.tokens, unit: "tokens" };
}

function optimizerOf({ optimizer, beta1, beta2, weightDecay }: Settings): Optimizer {
  const options = { beta1, beta2, weightDecay, decays: (_: string, shape: readonly number[]) => shape.length > 1 };
  if (optimizer === "sgd") return sgd({ weightDecay });
  return optimizer === "muon" ? muon({ ...options, hidden: (path) => HIDDEN_LAYER.test(path) }) : adamW(options);
}

/** Layers between the embeddings and the vocabulary, by Hugging Face's names; adapters among them. */
const HIDDEN_LAYER = /\.(layers|h)\.\d+\./;

function noteOf({ step, loss, scores }: TrainingRecord, steps: number): string {
  const told = Object.entries(scores ?? {}).map(([name, value]) => `, ${name} ${value.toPrecision(4)}`);
  return `update ${step}/${steps}, loss ${loss.toFixed(3)}${told.join("")}`;
}

function stopped(step: number, steps: number, folder: string, signal: AbortSignal): ThoughtbookError {
  return new ThoughtbookError("interrupted", `training was stopped after update ${step} of ${steps}`, {
    hint: `Start it again with the same settings to go on from there: its state is in ${folder}.`,
    cause: signal.reason,
  });
}

function checkFinite(
  { loss, gradientNorm, learningRate }: { loss: number; gradientNorm: number; learningRate: number },
  { step }: Pick<Update<unknown>, "step">,
  savedStep: number,
): void {
  if (Number.isFinite(loss) && Number.isFinite(gradientNorm)) return;
  const what = Number.isFinite(loss) ? `the gradient's norm is ${gradientNorm}` : `the loss is ${loss}`;
  throw new ThoughtbookError(
    "execution",
    `training diverged: ${what} in update ${step}, at the learning rate ${learningRate.toPrecision(3)}`,
    { hint: `Choose a lower learning rate or a longer warm-up. The state of update ${savedStep} is saved.` },
  );
}
