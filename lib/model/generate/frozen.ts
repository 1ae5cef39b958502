import type { SessionOptions } from "../../tensor/index.js";
import type { ModelConfig } from "../config/config.js";
import type { HostModel } from "../network/host-model.js";
import { modelInputs } from "../network/model-inputs.js";
import { arraysOf, fingerprintOf } from "./fingerprint.js";
import {
  compileFrozenStep,
  type FrozenStep,
  type GenerationPrograms,
  type NextScores,
  type StepState,
} from "./programs.js";

/*
 * ONNX Runtime multiplies a few rows by constants about three times as fast as by inputs: it packs constants for the
 * processor once, inputs in every call. So a small model that generates for a while gets programs with its weights
 * built in. A large one does not, as each program has its own copy; nor does one that is trained after every few
 * tokens.
 */

/** Building the weights in takes about as long as this many steps. */
const WORTH_STEPS = 64;
const MOST_BYTES = 2 ** 25;
/** Number of models of one configuration with such programs at the same time: a policy and its reference. */
const MOST_MODELS = 2;

/** State of a model's weights while they are in use. */
interface Frozen {
  config: ModelConfig;
  session: string;
  program: FrozenStep | undefined;
  /** Fingerprint of the numbers built in. */
  fingerprint: number;
  /** Number of calls of `generate` that use it now. */
  users: number;
  /** Whether the last user disposes of the program. */
  retired: boolean;
}

const byWeights = new WeakMap<object, Frozen>();
const byConfig = new WeakMap<ModelConfig, Frozen[]>();

/** Runs the steps of one call of `generate`. */
export interface StepRunner {
  step(state: StepState): Promise<NextScores>;
  /** Release the program when the call has ended. */
  release(): Promise<void>;
}

/**
 * @param expectedSteps number of steps the call may take. It decides which programs are used, rather than what was
 * compiled before: the programs round differently, and equal calls must give equal numbers
 */
export function createStepRunner(
  model: HostModel,
  programs: GenerationPrograms,
  session: SessionOptions | undefined,
  expectedSteps: number,
): StepRunner {
  const inputs = modelInputs(model);
  const withInputs = (state: StepState) => programs.step({ ...inputs, ...state }) as Promise<NextScores>;
  if (model.blocks || weightBytes(model) > MOST_BYTES || expectedSteps < WORTH_STEPS) {
    return { step: withInputs, release: async () => {} };
  }
  const frozen = frozenOf(model, JSON.stringify(session));
  frozen.users++;
  return {
    step(state) {
      if (!frozen.program) {
        frozen.fingerprint = fingerprintOf(model);
        frozen.program = compileFrozenStep(model, session);
        const others = (byConfig.get(model.config) ?? []).filter((each) => each !== frozen && each.program);
        for (const old of others.splice(MOST_MODELS - 1)) void retire(old);
        byConfig.set(model.config, [frozen, ...others]);
      }
      return frozen.program.step(state);
    },
    async release() {
      frozen.users--;
      if (frozen.retired) await retire(frozen);
    },
  };
}

/** Dispose of the programs of a configuration with weights built in. */
export async function disposeFrozen(config: ModelConfig): Promise<void> {
  const all = byConfig.get(config) ?? [];
  byConfig.delete(config);
  await Promise.all(all.map(retire));
}

function frozenOf(model: HostModel, session: string): Frozen {
  // Trained tensors identify a model.
  const key = model.adapter?.parameters ?? model.weights;
  const found = byWeights.get(key);
  // The numbers may have been changed in place.
  const fits =
    found?.config === model.config &&
    found.session === session &&
    (!found.program || found.fingerprint === fingerprintOf(model));
  if (found && fits) return found;
  if (found) void retire(found);
  const fresh = {
    config: model.config,
    session,
    program: undefined,
    fingerprint: 0,
    users: 0,
    retired: false,
  };
  byWeights.set(key, fresh);
  return fresh;
}

/** Dispose of a program now or, if in use, after its last user. */
async function retire(frozen: Frozen): Promise<void> {
  frozen.retired = frozen.users > 0;
  if (frozen.retired) return;
  const { program } = frozen;
  frozen.program = undefined;
  await program?.dispose();
}

function weightBytes(model: HostModel): number {
  return arraysOf(model).reduce((sum, { byteLength }) => sum + byteLength, 0);
}
