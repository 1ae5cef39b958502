import { type Command, Option } from "@commander-js/extra-typings";
import type { AOT_STRATEGIES } from "../../aot/index.js";
import { decodeEscapes, didYouMean, ThoughtbookError } from "../../core/index.js";
import type { Part } from "../../data/index.js";
import type { EvaluateOptions, SamplingParams } from "../../eval/index.js";
import type { StrategyName } from "../../strategies/index.js";
import type { TaskOptions } from "../../tasks/index.js";
import type { Flags } from "../flags.js";
import { BATCH_SIZE, LOW_MEMORY_HELP, MEMORY, NUMERICS, parseNumerics, THREADS } from "../memory.js";
import { MODEL_SPEC } from "../models.js";
import { byteSize, count, decimal, integer, range, wholeNumber } from "../numbers.js";

export type EvaluateFlags = Flags<typeof addEvaluateOptions>;

/** DOTS with the model's own plan, in one text, or along one trajectory: see "thoughtbook dots". */
type DotsStrategyName = "dots" | "dots-internalised" | `dots:${string}`;

/** What `--strategy` takes. */
export type EvaluatedStrategy = StrategyName | keyof typeof AOT_STRATEGIES | DotsStrategyName;

// Written out so that the help loads no engine.
const STRATEGY_NAMES: readonly EvaluatedStrategy[] = [
  ...(["direct", "cot", "think", "solve", "program"] as const),
  ...(["cot-sc", "self-refine", "least-to-most", "analogical", "tree-of-thoughts", "forest-of-thoughts"] as const),
  ...([
    "aot",
    "aot-single",
    "aot-best-of-k",
    "aot-plugin",
    "aot-released",
    "aot-no-graph",
    "aot-no-contraction",
  ] as const),
  ...(["aot-no-dependent", "aot-no-judge", "aot-majority", "aot-verifier"] as const),
  ...(["dots", "dots-internalised"] as const),
  ...["", "plan+", "rewrite+"].flatMap((analysis) =>
    ["cot", "program"].flatMap((solution) =>
      ["", "+verify"].map((check) => `dots:${analysis}${solution}${check}` as const),
    ),
  ),
];

const PARTS: readonly Part[] = ["tune", "rest"];

export const addEvaluateOptions = (command: Command) =>
  command
    .requiredOption("--model <model>", MODEL_SPEC)
    .requiredOption(
      "--task <task>",
      "word-problems:OPERATIONS, functions:STEPS, the name of a data set, or a file of your own, see below",
    )
    .option("--backend <name>", "what runs it: local, transformers or openai (default: as the model says)")
    .option("--backend-args <args>", "k=v,k=v or a dict literal, see below")
    .addOption(
      new Option(
        "--strategy <name>",
        "how each problem is attempted (default: cot; with a system prompt solve, which leaves the how to it)",
      ).choices(STRATEGY_NAMES),
    )
    .option("--system-prompt-name <name>", "a system prompt by name, see below")
    .option("--system-prompt <text>", "a system prompt; \\n, \\t, \\\\, \\u2713 and the like are decoded, see below")
    .option("--assistant-prefill <text>", "what each text begins with; decoded likewise")
    .option(
      "--asking <kind>",
      'how the model is asked: a kind of "thoughtbook operations asking", or a file of "operations tune" (default: by its name)',
    )
    .option(
      "--soft-prompt <folder>",
      'vectors before the prompts: "prompt" in the folder of "thoughtbook grpo --train vectors"',
    )
    .option("--demonstrations <n>", "worked examples of GSM8K's training split before each problem", wholeNumber)
    .option("--sampling-params <params>", "temperature=0.6,top_p=0.95,max_tokens=4096 or a dict literal, see below")
    .option("--budget <tokens...>", "the most new tokens, several for a curve (default: 256)", budgets)
    .option("--n <n>", "texts for each problem (default: 1)", count)
    .option("--temperature <t>", "divide the logits by it; 0 is greedy (default: 0)", decimal)
    .option("--top-p <p>", "choose among the fewest tokens with this probability together", decimal)
    .option("--top-k <k>", "sample among this many best tokens", count)
    .option("--seed <n>", "where the random numbers of the texts come from (default: 0)", integer)
    .option("--as-test", "the first 10 problems with 2048 new tokens at most, whatever max_tokens says")
    .option("--limit <n>", "the most problems (default: 1000 word problems or functions, all of a data set)", count)
    .option("--split <split>", "which split (default: test)")
    .addOption(new Option("--part <part>", "only this part of the split of a data set (default: all)").choices(PARTS))
    .option("--distractors <range>", "facts of word problems that the answer does not need (default: 0)", range)
    .option("--depth <range>", "of word problems: edges on the longest path from operation to operation", range)
    .option("--width <range>", "of word problems: operations in the largest layer", range)
    .addOption(
      new Option("--order <order>", "of the facts of word problems (default: mixed)").choices([
        "computation",
        "shuffled",
        "mixed",
      ]),
    )
    .option("--problem-seed <n>", "which word problems or functions (default: 0)", integer)
    .option("--path <file>", "the file of the data set")
    .option("--log-probs", "keep the ids of completions and their log-probabilities in the records")
    .option("--batch-size <n>", BATCH_SIZE, count)
    .option("--threads <n>", THREADS, count)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--numerics <path>", NUMERICS, parseNumerics)
    .option("--low-memory", LOW_MEMORY_HELP)
    .option(
      "--result-dir <folder>",
      "the folder of the results (default: runs/evaluate/ and a name for these settings)",
    )
    .option("--overwrite", "remove an evaluation that is in the folder, and start anew")
    .option("--json", "print the summary as one JSON object");

/** Sampling settings, as flags give them one way or another. */
export interface Settings extends Pick<EvaluateOptions, "temperature" | "topP" | "topK" | "minP" | "logProbs"> {
  strategy: EvaluatedStrategy;
  systemPrompt: string | undefined;
  assistantPrefill: string | undefined;
  seed: number;
  samples: number;
  budgets: number[];
}

const TEST = { problems: 10, tokens: 2048 } as const;

/** Each flag and the key of `--sampling-params` with the same meaning. */
const SAME = [
  ["temperature", "--temperature", "temperature"],
  ["topP", "--top-p", "top_p"],
  ["topK", "--top-k", "top_k"],
  ["budget", "--budget", "max_tokens"],
  ["n", "--n", "n"],
  ["seed", "--seed", "seed"],
] as const satisfies readonly (readonly [keyof EvaluateFlags, string, keyof SamplingParams])[];

/**
 * @throws bad-input for a setting given twice, or one that cannot be read
 */
export async function settingsOf(flags: EvaluateFlags): Promise<Settings> {
  // Imported here so that other commands do not load the engine.
  const { parseSamplingParams, RELEASED_SAMPLING } = await import("../../eval/index.js");
  const given = flags.samplingParams === undefined ? {} : parseSamplingParams(flags.samplingParams);
  for (const [flag, option, key] of SAME) {
    if (flags[flag] !== undefined && given[key] !== undefined) {
      throw twice(option, `${key} of --sampling-params`);
    }
  }
  const params: SamplingParams = flags.samplingParams === undefined ? given : { ...RELEASED_SAMPLING, ...given };
  const [topP, topK] = [flags.topP ?? params.top_p, flags.topK ?? params.top_k];
  const systemPrompt = await systemPromptOf(flags);
  return {
    strategy: flags.strategy ?? (systemPrompt === undefined ? "cot" : "solve"),
    systemPrompt,
    assistantPrefill: flags.assistantPrefill === undefined ? undefined : decodeEscapes(flags.assistantPrefill),
    temperature: flags.temperature ?? params.temperature ?? 0,
    // Drop filters without effect, so that the same settings in other words are the same run.
    topP: topP === 1 ? undefined : topP,
    topK: topK !== undefined && topK < 1 ? undefined : topK,
    minP: params.min_p === 0 ? undefined : params.min_p,
    logProbs: flags.logProbs,
    seed: flags.seed ?? params.seed ?? 0,
    samples: flags.n ?? params.n ?? 1,
    budgets: budgetsOf(flags, params),
  };
}

/** @throws bad-input for --limit and --as-test together */
export function taskOptionsOf(flags: EvaluateFlags): TaskOptions {
  const { limit, asTest, split, part, distractors, depth, width, order, problemSeed } = flags;
  if (asTest && limit !== undefined) throw twice("--limit", "--as-test");
  return { limit: asTest ? TEST.problems : limit, split, part, distractors, depth, width, order, seed: problemSeed };
}

function budgetsOf({ budget, asTest }: EvaluateFlags, params: SamplingParams): number[] {
  if (asTest && budget !== undefined) throw twice("--budget", "--as-test");
  if (asTest) return [TEST.tokens];
  return budget ?? [params.max_tokens ?? 256];
}

async function systemPromptOf({ systemPromptName: name, systemPrompt: text }: EvaluateFlags) {
  if (name !== undefined && text !== undefined) throw twice("--system-prompt-name", "--system-prompt");
  if (name === undefined) return text === undefined ? undefined : decodeEscapes(text);
  const { SYSTEM_PROMPT_NAMES, SYSTEM_PROMPTS } = await import("../../operations/index.js");
  const known = SYSTEM_PROMPT_NAMES.find((each) => each === name);
  if (known !== undefined) return SYSTEM_PROMPTS[known];
  throw new ThoughtbookError("bad-input", `there is no system prompt named ${JSON.stringify(name)}`, {
    hint: `${didYouMean(name, SYSTEM_PROMPT_NAMES)}Choose ${SYSTEM_PROMPT_NAMES.join(", ")}, or give one of your own with --system-prompt.`,
  });
}

export const twice = (one: string, other: string): ThoughtbookError =>
  new ThoughtbookError("bad-input", `${one} and ${other} say the same thing`, { hint: "Give one of them." });

/** One value of an option that takes several; commas separate as well as spaces do. */
function budgets(text: string, earlier: number[] = []): number[] {
  return [...earlier, ...text.split(",").map((part) => count(part.trim()))];
}
