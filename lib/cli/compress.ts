import { type Command, Option } from "@commander-js/extra-typings";
import type { CompressionSummary, CompressMode, SpentWork, ThoughtTags } from "../astar/index.js";
import { resolveUserPath, ThoughtbookError } from "../core/index.js";
import { twice } from "./evaluate/evaluate-flags.js";
import type { Flags } from "./flags.js";
import { LOW_MEMORY_HELP, MEMORY, NUMERICS, parseNumerics, useMemory } from "./memory.js";
import { MODEL_SPEC } from "./models.js";
import { byteSize, count, decimal, integer, wholeNumber } from "./numbers.js";
import { resumable } from "./resumable.js";
import { percent } from "./table.js";

const MODES: readonly CompressMode[] = [
  "faithful",
  "paper",
  "best-first",
  "full",
  "solution-only",
  "necessary",
  "random",
  "importance",
  "last",
  "token-skip",
];

const OUTPUT = `
Searches: faithful (the released code), paper (Algorithm 1), best-first (an A* with an open list). Baselines: full,
solution-only, necessary (our word problems say which steps are), and of a size that --like or --keep-share says random,
importance, last (steps) and token-skip (tokens).

Rows of the format conversations are ShareGPT, messages, Alpaca or TRL's prompt with completion, of one question and one reply each (a
system turn is the row's system prompt). The reply holds thought and solution between the tags, or its thought before </think> or as
reasoning_content (or reasoning, thinking). Rows of a question (problem, query) with its response (generation, reply) hold thought
and solution in the response likewise, and the reference as answer. Rows of several exchanges, and of a masked reply, are left out by name.

The output holds one row a chain in the ShareGPT layout with rate, steps and how the search ended. Rows that cannot be used are
named and left out. Ctrl-C keeps what is finished; the same command goes on from there.`;

export function addCompressCommand(program: Command): void {
  compressCommand(program).action(compress);
}

const compressCommand = (program: Command) =>
  program
    .command("compress")
    .description("shorten long chains of thought (A*-Thought)")
    .addOption(new Option("--mode <mode>", "how steps are chosen").choices(MODES).default("faithful"))
    .option("--validator-model-path <model>", `scores and solves paths: ${MODEL_SPEC}`, "mini")
    .option("--scorer-model-path <model>", "weighs steps, likewise (default: mini-scorer for mini, else the validator)")
    .requiredOption("--data-path <file>", "chains: parquet, JSONL, JSON or CSV")
    .requiredOption("--output-path <file.jsonl>", "the compressed rows")
    .option("--training-path <file.jsonl>", "the same as conversations to train a model like the validator on")
    .addOption(
      new Option("--training-solutions <part>", "what it has of the solutions")
        .choices(["whole", "answer"])
        .default("whole"),
    )
    .option("--cache-path <file.jsonl>", "the scorer's signals (default: beside the output)")
    .option("--thought-begin-tag <tag>", "in the rows", "<|begin_of_thought|>")
    .option("--thought-end-tag <tag>", "likewise", "<|end_of_thought|>")
    .option("--solution-begin-tag <tag>", "likewise", "<|begin_of_solution|>")
    .option("--solution-end-tag <tag>", "likewise", "<|end_of_solution|>")
    .option(
      "--alpha <weight>",
      "of the solution's side in the importance; best-first takes that among equals only",
      decimal,
      0.5,
    )
    .option("--beta <weight>", "walks: of the thought in the costs", decimal, 0.1)
    .option("--a-star-expand-size <n>", "walks: children of a node", count, 2)
    .option("--neighbours <n>", "walks: steps on either side that come with a step", wholeNumber, 1)
    .option(
      "--min-search-steps <n>",
      "of a walk before a path is verified (default: 5); of best-first, the fewest steps to keep (default: 0)",
      wholeNumber,
    )
    .option("--max-search-steps <n>", "of a walk; of best-first, paths that are verified", count, 20)
    .option("--no-monotone", "best-first: do not take for granted that more steps never hurt")
    .option("--beam <n>", "best-first: keep only the best open states (default: all)", count)
    .addOption(
      new Option("--splitting <rule>", "of thoughts into steps").choices(["clean", "faithful"]).default("clean"),
    )
    .option("--max-len <n>", "the first rows only; -1 for all", integer, -1)
    .option("--load-s1k", "the columns of s1K-1.1")
    .addOption(new Option("--format <format>", "of the rows").choices(["conversations", "s1k", "word-problems"]))
    .addOption(
      new Option("--normalisation <rule>", "of the attention").choices(["code", "paper", "lift"]).default("code"),
    )
    .addOption(
      new Option(
        "--signal <signal>",
        "what importance is made of; drop: of the solution's log-probability without the step",
      )
        .choices(["both", "attention", "nll", "random", "drop"])
        .default("both"),
    )
    .option("--sink", "put the token that begins texts before each step")
    .option("--samples <n>", "solutions that are written to verify a path", count, 1)
    .option("--needed <n>", "of them that must be right (default: more than half)", count)
    .option("--max-new-tokens <n>", "the most tokens of a solution", count, 256)
    .addOption(
      new Option("--prompting <way>", "how the validator is asked")
        .choices(["operation", "released"])
        .default("operation"),
    )
    .option("--keep-share <share>", "of a thought's tokens, for baselines of a given size", decimal)
    .option("--like <file.jsonl>", "compressed rows: baselines of a given size keep as much of each", resolveUserPath)
    .option("--seed <n>", "where random numbers come from", integer, 0)
    .option("--memory <size>", MEMORY, byteSize)
    .option("--numerics <path>", NUMERICS, parseNumerics)
    .option("--low-memory", LOW_MEMORY_HELP)
    .option("--json", "print the summary as one JSON object")
    .addHelpText("after", OUTPUT);

function compress(flags: Flags<typeof compressCommand>): Promise<void> {
  return resumable((signal) => compressUntil(flags, signal));
}

async function compressUntil(flags: Flags<typeof compressCommand>, signal: AbortSignal): Promise<void> {
  useMemory(flags.memory);
  // Here, so that other commands need not load the engine.
  const { compressFile, metered, needsOf, noWork } = await import("../astar/index.js");
  const { isTokenModel, loadModel } = await import("../llm/index.js");
  const { mode, alpha, normalisation, samples, needed } = flags;
  if (flags.like !== undefined && flags.keepShare !== undefined) throw twice("--like", "--keep-share");
  if (flags.format !== undefined && flags.loadS1k) throw twice("--format", "--load-s1k");
  const output = resolveUserPath(flags.outputPath);
  const needs = needsOf(mode);
  const started = performance.now();
  // Without arenas: each batch shape would keep memory of its own, a hundred megabytes each.
  const session = { arena: false };
  const { numerics, lowMemory } = flags;
  const loading = { signal, session, numerics, lowMemory };
  const validator = await loadModel(flags.validatorModelPath, loading);
  const scorer = needs.scorer
    ? await loadModel(flags.scorerModelPath ?? scorerFor(flags.validatorModelPath), loading)
    : undefined;
  try {
    const [counting] = [validator, scorer].flatMap((model) =>
      model && isTokenModel(model) && model.tokenizer ? { model, tokenizer: model.tokenizer } : [],
    );
    if (!counting) {
      throw new ThoughtbookError("bad-input", "tokens cannot be counted: no tokenizer is in reach", {
        hint: "Give a checkpoint as the scorer, or as the validator.",
      });
    }
    // What the rows depend on besides data and models; printed with the summary.
    const settings = {
      mode,
      ...(numerics === "fast" ? { numerics } : {}),
      ...(lowMemory ? { lowMemory } : {}),
      importance: { alpha, normalisation, signal: flags.signal },
      search: {
        beta: flags.beta,
        expandSize: flags.aStarExpandSize,
        neighbours: flags.neighbours,
        minSteps: flags.minSearchSteps,
        maxSteps: flags.maxSearchSteps,
        monotone: flags.monotone,
        beamWidth: flags.beam,
        samples,
        needed,
        maxNewTokens: flags.maxNewTokens,
        prompting: flags.prompting,
      },
      read: {
        format: flags.format ?? (flags.loadS1k ? "s1k" : "conversations"),
        splitting: flags.splitting,
        ...(flags.maxLen >= 0 ? { limit: flags.maxLen } : {}),
      },
      sink: flags.sink,
      share: flags.keepShare,
      tags: tagsOf(flags),
      seed: flags.seed,
    };
    const spent = noWork();
    const summary = await compressFile({
      ...settings,
      scorer: scorer && metered(scorer, spent),
      validator: needs.validator ? metered(validator, spent) : undefined,
      data: resolveUserPath(flags.dataPath),
      output,
      cache: resolveUserPath(flags.cachePath ?? `${output}.importance.jsonl`),
      training: flags.trainingPath
        ? { file: resolveUserPath(flags.trainingPath), student: validator, solutions: flags.trainingSolutions }
        : undefined,
      like: flags.like,
      countTokens: (text) => counting.tokenizer.encode(text, { addSpecialTokens: false }).length,
      counter: await counting.model.hash(),
      signal,
      onSkipped: (place, reason, detail) => console.error(`${place} is left out: ${reason} (${detail})`),
    });
    const seconds = (performance.now() - started) / 1000;
    const peakMemory = process.resourceUsage().maxRSS / 2 ** 20;
    console.log(
      flags.json
        ? JSON.stringify({ ...summary, settings, seconds, peakMemory, spent })
        : readable(summary, { seconds, peakMemory, spent }),
    );
  } finally {
    await Promise.all([validator.dispose(), scorer?.dispose()]);
  }
}

/** The scorer for a validator: of the embedded models, the one trained on our problems as plain text. */
const scorerFor = (validator: string): string => (validator === "mini" ? "mini-scorer" : validator);

const tagsOf = ({
  thoughtBeginTag,
  thoughtEndTag,
  solutionBeginTag,
  solutionEndTag,
}: Flags<typeof compressCommand>): ThoughtTags => ({
  thoughtBegin: thoughtBeginTag,
  thoughtEnd: thoughtEndTag,
  solutionBegin: solutionBeginTag,
  solutionEnd: solutionEndTag,
});

function readable(
  summary: CompressionSummary,
  { seconds, peakMemory, spent }: { seconds: number; peakMemory: number; spent: SpentWork },
): string {
  const { rows, statuses, keptSteps, keptTokens, meanRate, precision, recall, cut, tooLong } = summary;
  const { searchSteps, scored, verified, weighed } = summary;
  const { rows: read, used, ...remarks } = rows;
  const told = Object.entries(remarks).filter(([, number]) => number > 0);
  return [
    `${used} of ${read} rows${told.map(([what, number]) => `, ${number} ${what}`).join("")}`,
    `kept ${percent(keptTokens)} % of the tokens, ${percent(keptSteps)} % of the steps; mean rate ${percent(meanRate)} %`,
    Object.entries(statuses)
      .map(([status, number]) => `${status} ${percent(number / used)} %`)
      .join(", "),
    ...(precision && recall
      ? [
          `${percent(precision.value)} % of the kept steps are necessary; ${percent(recall.value)} % of the necessary ones kept`,
        ]
      : []),
    `a row: ${searchSteps.toFixed(1)} search steps; calls: ${weighed.toFixed(1)} steps weighed, ${scored.toFixed(1)} paths scored, ${verified.toFixed(1)} solved`,
    ...(cut + tooLong > 0
      ? [`${cut} rows with parts too long for the scorer, ${tooLong} with paths too long for the validator`]
      : []),
    ...Object.entries(spent).flatMap(([kind, { calls, texts, read, written, seconds }]) =>
      calls === 0
        ? []
        : `${kind}: ${calls} model calls of ${texts} texts, ${(read / used).toFixed(0)} tokens read${written > 0 ? ` and ${(written / used).toFixed(0)} written` : ""} a row, ${(seconds / used).toFixed(2)} s a row`,
    ),
    `${seconds.toFixed(1)} s, ${(seconds / used).toFixed(2)} s a row (what an earlier run finished included), ${peakMemory.toFixed(2)} GB at the most`,
  ].join("\n");
}
