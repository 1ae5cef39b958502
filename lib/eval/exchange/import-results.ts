import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import {
  badInput,
  groupBy,
  readIfThere,
  readJsonl,
  strictJson,
  ThoughtbookError,
  writeWhole,
} from "../../core/index.js";
import type { EvaluationSummary } from "../evaluate.js";
import { type EvaluationRecord, recordId } from "../records.js";
import { summarizeRecords } from "../summary.js";

export interface ImportResultsOptions {
  /** Counts the tokens of texts where the file does not say. Default: 4 bytes a token, which records say. */
  countTokens?: ((text: string) => number) | undefined;
  /** Maximum new tokens of a text, where the file does not say. */
  budget?: number | undefined;
  /** Of lm-evaluation-harness: the filter whose verdicts count. Default: the first one in the file. */
  filter?: string | undefined;
}

export interface ImportedResults {
  records: EvaluationRecord[];
  summary: EvaluationSummary;
  /** Filters of the harness's file; of several, one was taken. */
  filters: string[];
}

/** A graded text of another program. */
interface ForeignText {
  problem: string;
  sample: number;
  reference: string;
  completion: string;
  correct: boolean;
  answer?: string | undefined;
  promptTokens?: number | undefined;
  completionTokens?: number | undefined;
}

interface Foreign {
  model: string;
  task: string;
  strategy: string;
  policy: "astar" | "strict";
  temperature: number;
  budget: number | undefined;
  texts: ForeignText[];
  filters: string[];
}

/**
 * Take results of SkyThought or A*-Thought's evaluation (`results.json`, with `summary.json` beside it), or of
 * lm-evaluation-harness (`samples_TASK_DATE.jsonl`, with `results_DATE.json` beside it), as an evaluation of this library:
 * `records.jsonl` and `summary.json` in a folder. The verdicts are those of the file: SkyThought's stand as the policy
 * `astar`, the harness's as `strict`. A text of as many tokens as the budget counts as cut off.
 *
 * @throws bad-input for a file of another kind, without texts (log-likelihoods), or where the budget is unknown;
 *   corrupt-data, not-found, file-system
 */
export async function importResults(
  path: string,
  out: string | undefined,
  options: ImportResultsOptions = {},
): Promise<ImportedResults> {
  const file = await resultFile(path);
  const foreign = file.endsWith(".jsonl") ? await readSamples(file, options.filter) : await readReleased(file);
  const budget = foreign.budget ?? options.budget;
  if (budget === undefined) {
    throw badInput(`${file} does not say how many new tokens a text may have`, "Give it as the budget.");
  }
  const records = foreign.texts.map((text) => recordOf(text, foreign, budget, options));
  const counts = new Set([...groupBy(records, ({ problem }) => problem).values()].map(({ length }) => length));
  if (counts.size > 1) {
    throw new ThoughtbookError("corrupt-data", `${file} has ${[...counts].join(" or ")} texts for a problem`, {
      hint: "A file holds equally many for each problem; is it complete?",
    });
  }
  const summary: EvaluationSummary = {
    model: foreign.model,
    task: foreign.task,
    problems: new Set(records.map(({ problem }) => problem)).size,
    leftOut: 0,
    strategy: foreign.strategy,
    temperature: foreign.temperature,
    seed: 0,
    budgets: summarizeRecords(records),
  };
  if (out !== undefined) {
    await writeWhole(join(out, "records.jsonl"), records.map((record) => `${strictJson(record)}\n`).join(""));
    await writeWhole(join(out, "summary.json"), `${JSON.stringify(summary, null, 2)}\n`);
  }
  return { records, summary, filters: foreign.filters };
}

/** The file itself, or the one of a folder. */
async function resultFile(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) {
    throw new ThoughtbookError("not-found", `there is no ${path}`, {
      hint: "Give results.json, samples_….jsonl, or their folder.",
    });
  }
  if (!found.isDirectory()) return path;
  const names = await readdir(path);
  const candidates = names.filter((name) => name === "results.json" || /^samples_.*\.jsonl$/.test(name));
  if (candidates.length === 1) return join(path, candidates[0]!);
  throw badInput(
    `${path} holds ${candidates.length === 0 ? "no results.json and no samples_….jsonl" : candidates.join(", ")}`,
    candidates.length === 0 ? "Name the file." : "Name one of them.",
  );
}

function recordOf(
  { problem, sample, reference, completion, correct, answer, ...tokens }: ForeignText,
  { policy }: Foreign,
  budget: number,
  { countTokens }: ImportResultsOptions,
): EvaluationRecord {
  const counted = tokens.completionTokens;
  const estimate = () => Math.ceil(Buffer.byteLength(completion) / 4);
  const completionTokens = counted ?? (countTokens ? countTokens(completion) : estimate());
  const finishReason = completionTokens >= budget ? "length" : "stop";
  const promptTokens = tokens.promptTokens ?? 0;
  return {
    id: recordId(problem, sample, budget),
    problem,
    sample,
    budget,
    kind: "math",
    reference,
    calls: [{ operation: "generate", promptTokens, completionTokens, finishReason }],
    promptTokens,
    completion,
    completionTokens,
    finishReason,
    ...(counted === undefined ? { countedBy: countTokens ? "tokenizer" : "estimate" } : {}),
    ...(answer === undefined ? {} : { answer }),
    correct: { [policy]: correct },
    seed: 0,
  };
}

const responseSchema = z.looseObject({ content: z.string(), correctness: z.union([z.boolean(), z.number()]) });
const usageSchema = z.looseObject({ completion_tokens: z.number(), prompt_tokens: z.number().optional() });
/** Lists; or, in earlier versions of SkyThought, by temperature. */
const listOf = <T extends z.ZodType>(item: T) =>
  z.union([
    z.array(item),
    z.record(z.string(), z.union([item, z.array(item)])).transform((all) => Object.values(all).flat()),
  ]);
const releasedSchema = z.record(
  z.string(),
  z.looseObject({ responses: listOf(responseSchema), token_usages: listOf(usageSchema).optional() }),
);
const summarySchema = z.looseObject({
  configuration: z
    .looseObject({
      task: z.looseObject({ name: z.string() }).optional(),
      model: z.looseObject({ name: z.string() }).optional(),
      sampling_params: z
        .looseObject({ max_tokens: z.number().optional(), temperature: z.number().optional() })
        .optional(),
    })
    .optional(),
});
/** Where data sets keep the right answer. */
const REFERENCES = ["references", "answer", "final_answer", "expected_answer", "solution"];

async function readReleased(file: string): Promise<Foreign> {
  const parsed = releasedSchema.safeParse(await jsonOf(file));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw badInput(
      `${file} is no results.json of SkyThought: ${path.join(".")}: ${message}`,
      "Name results.json or samples_….jsonl.",
    );
  }
  const besides = join(dirname(file), "summary.json");
  const summary =
    (await readIfThere(besides)) === undefined ? undefined : summarySchema.safeParse(await jsonOf(besides)).data;
  const { task, model, sampling_params: params } = summary?.configuration ?? {};
  const texts = Object.entries(parsed.data).flatMap(
    ([problem, { responses, token_usages: usages = [], ...fields }]) => {
      const reference = REFERENCES.map((name) => fields[name]).find((each) => each !== undefined && each !== null);
      return responses.map(
        ({ content, correctness }, sample): ForeignText => ({
          ...{ problem, sample, completion: content, correct: Boolean(correctness) },
          reference: String(Array.isArray(reference) ? reference[0] : (reference ?? "")),
          promptTokens: usages[sample]?.prompt_tokens,
          completionTokens: usages[sample]?.completion_tokens,
        }),
      );
    },
  );
  return {
    model: model?.name ?? basename(dirname(file)),
    task: task?.name ?? "unknown",
    strategy: "imported from SkyThought",
    policy: "astar",
    temperature: params?.temperature ?? 0,
    budget: params?.max_tokens,
    texts,
    filters: [],
  };
}

const sampleSchema = z.looseObject({
  doc_id: z.union([z.int(), z.string()]),
  target: z.unknown().optional(),
  arguments: z.unknown().optional(),
  resps: z.array(z.unknown()),
  filtered_resps: z.array(z.unknown()).optional(),
  filter: z.string().default("none"),
  metrics: z.array(z.string()).default(["exact_match"]),
});

async function readSamples(file: string, wanted: string | undefined): Promise<Foreign> {
  const samples: z.infer<typeof sampleSchema>[] = [];
  for await (const { value } of readJsonl(file, { schema: sampleSchema })) samples.push(value);
  const filters = [...new Set(samples.map(({ filter }) => filter))];
  const filter = wanted ?? filters[0];
  const own = samples.filter((sample) => sample.filter === filter);
  if (own.length === 0) {
    throw badInput(
      `${file} has no samples${wanted === undefined ? "" : ` of the filter ${wanted}`}`,
      `Filters there: ${filters.join(", ")}.`,
    );
  }
  const texts = own.flatMap((sample): ForeignText[] => {
    const completions = sample.resps.flat(2);
    if (!completions.every((text) => typeof text === "string")) {
      throw badInput(
        `${file}: sample ${sample.doc_id} holds log-likelihoods, no texts`,
        "Take a task that generates (output_type generate_until).",
      );
    }
    const metric = sample.metrics.find((name) => sample[name] !== undefined) ?? "exact_match";
    const verdict = Number(sample[metric]);
    if (!Number.isFinite(verdict)) {
      throw badInput(
        `${file}: sample ${sample.doc_id} has no number as ${metric}`,
        "Take a task with exact_match, acc or the like.",
      );
    }
    const answers = (sample.filtered_resps ?? []).flat();
    return completions.map((completion, at) => ({
      ...{ problem: String(sample.doc_id), sample: at, completion, reference: String(sample.target ?? "") },
      correct: verdict > 0.5,
      ...(typeof answers[at] === "string" ? { answer: answers[at] as string } : {}),
    }));
  });
  const [, task = "unknown", date = ""] = /^samples_(.*?)(?:_(\d{4}-.*))?\.jsonl$/.exec(basename(file)) ?? [];
  const results = await readIfThere(join(dirname(file), `results_${date}.json`));
  const { model_name: model, max_gen_toks: most } = (results ? harnessResults(results) : {}) as {
    model_name?: string;
    max_gen_toks?: number;
  };
  const given = JSON.stringify(own[0]!.arguments ?? "");
  const [, told] = /"max_gen_toks":\s*(\d+)/.exec(given) ?? [];
  const [, temperature = "0"] = /"temperature":\s*([\d.]+)/.exec(given) ?? [];
  return {
    model: model ?? basename(dirname(file)),
    task,
    strategy: `imported from lm-evaluation-harness, ${filter}`,
    policy: "strict",
    temperature: Number(temperature),
    budget: told === undefined ? most : Number(told),
    texts,
    filters,
  };
}

function harnessResults(text: string): { model_name?: string; max_gen_toks?: number } {
  try {
    const { model_name } = JSON.parse(text) as { model_name?: unknown };
    return typeof model_name === "string" ? { model_name } : {};
  } catch {
    return {};
  }
}

async function jsonOf(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new ThoughtbookError("corrupt-data", `${file} is no JSON`, { hint: "Is it complete?", cause });
  }
}
