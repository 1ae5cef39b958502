import type { Command } from "@commander-js/extra-typings";
import type { SignalResults, SignalRow } from "../astar/index.js";
import { resolveUserPath, writeWhole } from "../core/index.js";
import type { Flags } from "./flags.js";
import { MEMORY, NUMERICS, parseNumerics, useMemory } from "./memory.js";
import { MODEL_SPEC } from "./models.js";
import { byteSize, count, decimal, integer } from "./numbers.js";
import { resumable } from "./resumable.js";
import { alignedLines } from "./table.js";

const OUTPUT = `
Signals: both, attention and nll as "compress --signal" has them, with alpha 0, 0.5 and 1 and each normalisation; drop (of the answer's
log-probability without the step); position (later is higher), length in tokens, random. Each is compared with six measures of importance
of the data set Thought Anchors: resampling, counterfactual and forced, of accuracy (its size) and as KL. Told are the mean rank
correlation over chains, and the precision in the highest tenth, with 95 % intervals.

The folder gets a record a chain; Ctrl-C keeps what is finished, and the same command goes on from there.`;

export function addSignalsCommand(program: Command): void {
  signalsCommand(program).action((flags) => resumable((signal) => signals(flags, signal)));
}

const signalsCommand = (program: Command) =>
  program
    .command("signals")
    .description("compare signals of importance with measured importance (A*-Thought)")
    .requiredOption("--data <file.jsonl>", "chains of Thought Anchors: thought_anchors.jsonl")
    .requiredOption("--out <folder>", "the folder of the records")
    .option("--scorer-model-path <model>", `weighs steps: ${MODEL_SPEC}`, "mini-scorer")
    .option("--limit <n>", "the first chains only", count)
    .option("--groups <sizes>", "sentences that make one step, several with commas (default: 1,5)", (text) =>
      text.split(",").map(count),
    )
    .option("--no-drop", "leave out the drop, which takes as many texts as a chain has steps")
    .option("--longest-drop <n>", "leave the drop out for chains of more characters", count)
    .option("--sink", "put the token that begins texts before each step")
    .option("--seed <n>", "where random numbers come from", integer, 0)
    .option("--hours <h>", "stop after this many hours and keep what is finished", decimal)
    .option("--results <file.json>", "write all numbers to this file")
    .option("--figures <folder>", "export the figure of rank correlations there")
    .option("--numerics <path>", NUMERICS, parseNumerics)
    .option("--memory <size>", MEMORY, byteSize)
    .addHelpText("after", OUTPUT);

async function signals(flags: Flags<typeof signalsCommand>, interruption: AbortSignal): Promise<void> {
  const { data, out, scorerModelPath, limit, groups, drop, longestDrop, sink, seed, hours, results, figures } = flags;
  useMemory(flags.memory);
  const { measureSignals } = await import("../astar/index.js");
  const { loadModel } = await import("../llm/index.js");
  const { withinHours } = await import("../study/index.js");
  const scorer = await loadModel(scorerModelPath, {
    signal: interruption,
    session: { arena: false },
    numerics: flags.numerics,
  });
  try {
    const given = {
      ...{ scorer, limit, groups, drop, longestDrop, sink, seed },
      data: resolveUserPath(data),
      folder: resolveUserPath(out),
    };
    const found = await withinHours(hours, interruption, (signal) => measureSignals({ ...given, signal }));
    if (found === undefined) {
      console.log(`the ${hours} hours are over; the same command goes on from there`);
      return;
    }
    if (results !== undefined) await writeWhole(resolveUserPath(results), `${JSON.stringify(found, null, 1)}\n`);
    console.log(readable(found));
    if (figures !== undefined) {
      const { exportFigure, signalsFigure } = await import("../plot/index.js");
      const title = "Signals of importance against measured importance";
      const subtitle = `${found.chains} chains of Thought Anchors, sentence by sentence; bars are 95 % intervals over chains`;
      await exportFigure(
        signalsFigure({ name: "astar-signals", title, subtitle, rows: found.rows }),
        resolveUserPath(figures),
      );
    }
  } finally {
    await scorer.dispose();
  }
}

function readable({ chains, rows }: SignalResults): string {
  const range = ({ value, interval }: SignalRow["correlation"]) =>
    interval ? `${value.toFixed(2)} (${interval.map((end) => end.toFixed(2)).join(" – ")})` : value.toFixed(2);
  return [
    `${chains} chains`,
    ...alignedLines([
      [
        "signal",
        "alpha",
        "normalisation",
        "sentences",
        "importance",
        "chains",
        "correlation (95 %)",
        "precision at 10 %",
      ],
      ...rows.map((row) => [
        row.signal,
        row.alpha === null ? "–" : String(row.alpha),
        row.normalisation ?? "–",
        String(row.group),
        row.gold.replaceAll("_importance", "").replaceAll("_", " "),
        String(row.chains),
        range(row.correlation),
        range(row.precision),
      ]),
    ]),
  ].join("\n");
}
