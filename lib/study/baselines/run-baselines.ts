import { join } from "node:path";
import { badInput, checkInterrupt, didYouMean, type ProgressDisplay } from "../../core/index.js";
import { type EvaluationRecord, type EvaluationSummary, evaluate } from "../../eval/index.js";
import { type LanguageModel, type NumericalPath, numericalPath } from "../../llm/index.js";
import { askedModel, askingSettings } from "../../operations/index.js";
import type { Strategy } from "../../rollouts/index.js";
import { loadTask } from "../../tasks/index.js";
import { withinHours } from "../deadline.js";
import { modelSlot } from "../model-slot.js";
import { type BaselineComparison, compareArms } from "./compare-arms.js";
import { armId, type BaselineArm, type BaselinePlan, methodOf } from "./plan.js";

/** Measures of one arm, with everything needed to repeat it. */
export interface BaselineResult {
  id: string;
  model: string;
  modelHash?: string;
  task: string;
  split?: string;
  part?: string;
  problems: number;
  method: string;
  strategy: string;
  demonstrations?: number;
  samples: number;
  temperature: number;
  /** Name of the way of asking, where there is one. */
  asking?: string;
  /** Path of the computation, for models that run here. */
  numerics?: NumericalPath["numerics"];
  /** The command that measures the same alone. */
  command: string;
  budgets: EvaluationSummary["budgets"];
  /** How the soft prompt was learned, where there is one. */
  prompt?: BaselineArm["prompt"];
  /** What `measure` of the options found in the records. */
  measures?: Readonly<Record<string, unknown>>;
}

export interface BaselineResults {
  name: string;
  seed: number;
  /** Arms of the plan that are finished, in its order. */
  results: BaselineResult[];
  /** Ids of those that are not. */
  unfinished: string[];
  /** Pairs of finished arms. */
  comparisons: BaselineComparison[];
}

/** A model and a strategy with a prompt that was learned for them. */
export interface PromptedArm {
  model: LanguageModel;
  strategy: Strategy;
}

export interface BaselineOptions {
  /** Strategies by name. */
  strategies: Readonly<Record<string, () => Strategy>>;
  /** Folder of the records: each arm in one of its own. */
  folder: string;
  /** Loads a model by its specification. */
  load: (spec: string) => Promise<LanguageModel>;
  /** Specifications instead of those of the plan, by the plan's name of a model. */
  specs?: Readonly<Record<string, string>> | undefined;
  /** Ways of asking instead of the table's, by the plan's name of a model. */
  asking?: Readonly<Record<string, string>> | undefined;
  /** Arms to run. Default: all. */
  only?: readonly string[] | undefined;
  /** Hours after which nothing more is begun, and what runs is stopped; its finished records stay. Default: no limit. */
  hours?: number | undefined;
  batchSize?: number | undefined;
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
  /** Learns the soft prompt of an arm that has one; required for such arms. Its folder resumes. */
  optimise?:
    | ((
        prompt: NonNullable<BaselineArm["prompt"]>,
        arm: PromptedArm,
        place: {
          folder: string;
          seed: number;
          maxNewTokens: number;
          batchSize?: number | undefined;
          signal?: AbortSignal | undefined;
          display?: ProgressDisplay | undefined;
        },
      ) => Promise<PromptedArm>)
    | undefined;
  /** Measures more in the records of an arm, as plain data. */
  measure?: ((records: readonly EvaluationRecord[]) => Readonly<Record<string, unknown>>) | undefined;
  /** Called after each arm with all that is finished so far: store it there. */
  onResults?: ((results: BaselineResults) => Promise<void>) | undefined;
}

/**
 * Measure baselines, arm by arm in the order of the plan. Each attempt is a record in the arm's own folder as soon as it is graded: the
 * same call goes on after a kill at any moment, and finished arms are only read. When the hours are over, what is finished is returned.
 *
 * @throws bad-input for an unknown strategy, arm or name of a model, a folder with other settings; interrupted; as `evaluate`
 */
export async function runBaselines(plan: BaselinePlan, options: BaselineOptions): Promise<BaselineResults> {
  const { strategies, only, hours, onResults } = options;
  for (const { strategy } of plan.arms) {
    if (strategies[strategy] !== undefined) continue;
    throw badInput(`there is no strategy ${strategy}`, `Choose among ${Object.keys(strategies).join(", ")}.`);
  }
  const ids = plan.arms.map(armId);
  const prompted = plan.arms.find(({ prompt }) => prompt !== undefined);
  if (prompted && !options.optimise) {
    throw badInput(`the arm ${armId(prompted)} has a prompt to learn`, "Give `optimise`, which learns it.");
  }
  const unknown = only?.find((id) => !ids.includes(id));
  if (unknown !== undefined) throw badInput(`there is no arm ${unknown} in the plan`, `Those are ${ids.join(", ")}.`);
  const names = Object.keys(plan.models);
  const other = [options.specs, options.asking]
    .flatMap((given) => Object.keys(given ?? {}))
    .find((name) => !names.includes(name));
  if (other !== undefined) {
    throw badInput(
      `there is no model ${other} in the plan`,
      `${didYouMean(other, names)}Those are ${names.join(", ")}.`,
    );
  }
  const models = modelSlot(options.load);
  const results: BaselineResult[] = [];
  const records = new Map<string, readonly EvaluationRecord[]>();
  const soFar = (): BaselineResults => ({
    name: plan.name,
    seed: plan.seed,
    results: [...results],
    unfinished: ids.filter((id) => !records.has(id)),
    comparisons: compareArms(plan, records),
  });
  try {
    await withinHours(hours, options.signal, async (signal) => {
      for (const [at, arm] of plan.arms.entries()) {
        if (only && !only.includes(ids[at]!)) continue;
        checkInterrupt(signal, "the baselines");
        const spec = options.specs?.[arm.model] ?? plan.models[arm.model]!.spec;
        const measured = await measureArm(arm, spec, await models.use(spec), { ...options, plan, signal });
        results.push(measured.result);
        records.set(measured.result.id, measured.records);
        await onResults?.(soFar());
      }
    });
  } finally {
    await models.empty();
  }
  return soFar();
}

async function measureArm(
  arm: BaselineArm,
  spec: string,
  opened: LanguageModel,
  {
    plan,
    strategies,
    folder,
    asking,
    signal,
    batchSize,
    display,
    optimise,
    measure,
  }: BaselineOptions & {
    plan: BaselinePlan;
  },
): Promise<{ result: BaselineResult; records: readonly EvaluationRecord[] }> {
  const { task: name, split, part, limit, demonstrations, samples, temperature, topP, budgets, prompt } = arm;
  const kind = asking?.[arm.model];
  const id = armId(arm);
  const own = join(folder, ...id.split("/"));
  const plain = { model: opened, strategy: strategies[arm.strategy]!() };
  const place = { seed: plan.seed, maxNewTokens: Math.max(...budgets), batchSize, signal, display };
  const used = prompt ? await optimise!(prompt, plain, { ...place, folder: join(own, "learned") }) : plain;
  const model = await askedModel(used.model, { kind, demonstrations, seed: plan.seed, signal });
  const task = await loadTask(name, { split, part, limit, signal });
  const { summary, records } = await evaluate(used.strategy, task, {
    ...{ model, budgets, samples, temperature, topP, seed: plan.seed, batchSize, signal, display },
    folder: own,
    label: plan.models[arm.model]!.title,
  });
  const path = numericalPath(opened);
  const asked = askingSettings(model) as { kind: string } | undefined;
  const result: BaselineResult = {
    ...{ id, model: plan.models[arm.model]!.title },
    ...(summary.modelHash === undefined ? {} : { modelHash: summary.modelHash }),
    task: name,
    ...(split === undefined ? {} : { split }),
    ...(part === undefined ? {} : { part }),
    ...{ problems: summary.problems, method: methodOf(arm), strategy: arm.strategy },
    ...(demonstrations === undefined ? {} : { demonstrations }),
    ...{ samples, temperature },
    ...(asked ? { asking: asked.kind } : {}),
    ...path,
    command: commandOf(arm, spec, { asking: kind, seed: plan.seed, ...path }),
    budgets: summary.budgets,
    ...(prompt ? { prompt } : {}),
    ...(measure ? { measures: measure(records) } : {}),
  };
  return { result, records };
}

/**
 * The command that measures an arm alone; of a model's file only the name, whose folder differs from machine to machine, and of a
 * learned prompt its place below the folder of all records.
 */
function commandOf(
  arm: BaselineArm,
  spec: string,
  { asking, seed, numerics }: { asking?: string | undefined; seed: number } & NumericalPath,
): string {
  const flags: [string, string | number | undefined][] = [
    ["model", /^(?:\/|[A-Za-z]:[\\/]|~)/.test(spec) ? spec.replace(/^.*[\\/]/, "") : spec],
    ["task", arm.task],
    ["split", arm.split],
    ["part", arm.part],
    ["limit", arm.limit],
    ["strategy", arm.strategy],
    ["demonstrations", arm.demonstrations],
    ["asking", asking?.replace(/^.*[\\/](?=[^\\/]*$)/, "")],
    ["soft-prompt", arm.prompt ? `${armId(arm)}/learned/prompt` : undefined],
    ["n", arm.samples > 1 ? arm.samples : undefined],
    ["temperature", arm.temperature > 0 ? arm.temperature : undefined],
    ["top-p", arm.topP],
    ["seed", seed === 0 ? undefined : seed],
    ["numerics", numerics === "fast" ? numerics : undefined],
    ["budget", arm.budgets.join(" ")],
  ];
  return [
    "thoughtbook evaluate",
    ...flags.flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag} ${value}`])),
  ].join(" ");
}
