import { join } from "node:path";
import { badInput, checkInterrupt, keptResult, type ProgressDisplay } from "../../core/index.js";
import { type LoadModelOptions, loadLocalModel } from "../../llm/index.js";
import { withinHours } from "../../study/index.js";
import { finetuneSolutions } from "../loop/finetune.js";
import { type RoundRecord, runLoop } from "../loop/run-loop.js";
import { loadValueHead } from "../loop/value-head.js";
import { reasonerReward } from "../rewards.js";
import { runSearch, type SearchSummary } from "../search/run-search.js";
import { type SearchReport, searchReport } from "../search/tree-report.js";
import { loadReasonerTask } from "../tasks/load.js";
import { type Job, jobsOf, type LoopPart, type ReasonerPlan, type SearchPart } from "./plan.js";

/** A loop with one seed. */
export interface LoopJobResult {
  id: string;
  part: string;
  title: string;
  model: string;
  modelHash: string;
  learner: string;
  task: string;
  heldOut: string;
  seed: number;
  rounds: readonly RoundRecord[];
}

/** A search under one budget. */
export interface SearchJobResult {
  id: string;
  part: string;
  title: string;
  model: string;
  task: string;
  search: string;
  score: string | null;
  value: string | null;
  budget: number;
  summary: SearchSummary;
  report: SearchReport;
}

export interface ReasonerResults {
  name: string;
  loops: LoopJobResult[];
  searches: SearchJobResult[];
  /** Ids of what is not finished. */
  unfinished: string[];
}

export interface ReasonerStudyOptions {
  folder: string;
  /** Specifications instead of the plan's, by its names of models. */
  specs?: Readonly<Record<string, string>> | undefined;
  /** Jobs, or beginnings of their ids such as "learners". Default: all. */
  only?: readonly string[] | undefined;
  /** Hours after which nothing more is begun, and what runs is stopped; its finished records stay. Default: no limit. */
  hours?: number | undefined;
  threads?: number | undefined;
  batchSize?: number | undefined;
  /** Path of the computation of searches without a value head; loops train, which is exact. Default: exact. */
  numerics?: LoadModelOptions["numerics"];
  signal?: AbortSignal | undefined;
  display?: ProgressDisplay | undefined;
  /** Called after each job with all that is finished so far: store it there. */
  onResults?: ((results: ReasonerResults) => Promise<void>) | undefined;
}

/**
 * Run a study of the reasoner, job by job in the order of the plan. It can be killed at any moment: the same call goes on, and finished
 * jobs are only read.
 *
 * @throws bad-input for an unknown job, or a folder with other settings; interrupted; as `runLoop` and `runSearch`
 */
export async function runReasonerStudy(plan: ReasonerPlan, options: ReasonerStudyOptions): Promise<ReasonerResults> {
  const { only, hours, onResults, folder } = options;
  const jobs = jobsOf(plan);
  const isAsked = ({ id }: Job) => only === undefined || only.some((each) => id === each || id.startsWith(`${each}/`));
  const unknown = only?.find((each) => !jobs.some(({ id }) => id === each || id.startsWith(`${each}/`)));
  if (unknown !== undefined)
    throw badInput(`there is no job ${unknown}`, `Those are ${jobs.map(({ id }) => id).join(", ")}.`);
  const results: ReasonerResults = { name: plan.name, loops: [], searches: [], unfinished: jobs.map(({ id }) => id) };
  await withinHours(hours, options.signal, async (signal) => {
    for (const job of jobs) {
      if (!isAsked(job)) continue;
      checkInterrupt(signal, "the study", "The same call goes on from there.");
      const place = join(folder, ...job.id.split("/"));
      const { model } = job.part;
      const settings = { job: job.id, part: job.part, spec: options.specs?.[model] ?? plan.models[model]!.spec };
      const run = { ...options, signal, place, spec: settings.spec, model: plan.models[model]!.title };
      if ("seed" in job) {
        results.loops.push(
          await keptResult(join(place, "result.json"), settings, () => loopJob(job.id, job.part, job.seed, run)),
        );
      } else {
        results.searches.push(
          await keptResult(join(place, "result.json"), settings, () => searchJob(job.id, job.part, job.budget, run)),
        );
      }
      results.unfinished = results.unfinished.filter((id) => id !== job.id);
      await onResults?.(results);
    }
  });
  return results;
}

interface JobPlace extends ReasonerStudyOptions {
  place: string;
  spec: string;
  /** Its title. */
  model: string;
}

async function loopJob(id: string, part: LoopPart, seed: number, run: JobPlace): Promise<LoopJobResult> {
  const { settings, title } = part;
  const { threads, batchSize, signal, display } = run;
  const { rounds, modelHash } = await runLoop({
    ...{ model: run.spec, settings, seed, threads, batchSize, signal, display },
    folder: join(run.place, "run"),
  });
  const { learner, task, heldOut } = settings;
  return { id, part: part.id, title, model: run.model, modelHash, learner, task, heldOut, seed, rounds };
}

async function searchJob(id: string, part: SearchPart, budget: number, run: JobPlace): Promise<SearchJobResult> {
  const { signal, display, threads, batchSize } = run;
  const { limit, split, maxNewTokens, seed, settings, title } = part;
  const task = await loadReasonerTask(part.task, { limit, split, signal });
  const headFolder = part.head && (await fittedHead(part, run));
  const model = await loadLocalModel(run.spec, {
    session: threads === undefined ? undefined : { threads },
    ...(signal ? { signal } : {}),
    // The head is fitted to what the exact path computes.
    ...(headFolder === undefined ? { numerics: run.numerics } : {}),
  });
  const head = headFolder === undefined ? undefined : await loadValueHead(headFolder, model);
  try {
    const { summary, records } = await runSearch(task, {
      ...{ model, maxNewTokens, seed, batchSize, signal, display, settings: { ...settings, budget } },
      parts: { reward: reasonerReward(), head: head?.values },
      folder: join(run.place, "run"),
    });
    return {
      ...{
        id,
        part: part.id,
        title,
        model: run.model,
        task: part.task,
        budget,
        summary,
        report: searchReport(records),
      },
      ...{ search: settings.search, score: settings.score ?? null, value: settings.value ?? null },
    };
  } finally {
    await head?.dispose();
    await model.dispose();
  }
}

/** A value head of the part's own model, fitted once for all budgets on attempts at the training split. */
async function fittedHead(part: SearchPart, run: JobPlace): Promise<string> {
  const { task, tasks, samples } = part.head!;
  const { threads, batchSize, signal, display, spec } = run;
  const place = join(run.folder, ...part.id.split("/"), "head");
  await runLoop({
    ...{ model: spec, seed: 0, threads, batchSize, signal, display, folder: join(place, "attempts") },
    settings: {
      ...{ task, heldOut: task, rounds: 1, tasks, pool: tasks, samples, learner: "bc", epochs: 1, heldOutTasks: 1 },
      maxNewTokens: part.maxNewTokens,
    },
  });
  const data = join(place, "attempts");
  const folder = join(place, "fitted");
  await finetuneSolutions({ model: spec, data, learner: "value", seed: 0, folder, threads, signal, display });
  return folder;
}
