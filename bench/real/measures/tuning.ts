import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { shortChain } from "thoughtbook/data";
import { benchPeft, type PeftBenchOptions } from "../../fine-tune/peft.js";
import { waitUntilQuiet } from "../../shared/quiet.js";
import type { Contest } from "../contest.js";
import { TITLES } from "../peer-list.js";
import type { Setting } from "../setting.js";
import { problems } from "../texts.js";

const ROWS = 8;
const WAYS: readonly { title: string; trainable: PeftBenchOptions["trainable"] }[] = [
  { title: "LoRA of rank 8 on all linear layers", trainable: { lora: 8 } },
  { title: "a soft prompt of 20 tokens", trainable: { prompt: 20 } },
];

/** Tokens a second of fine-tuning beside frozen weights in float32, against PEFT on the same rows. */
export async function tuning(setting: Setting): Promise<Contest[]> {
  if (!setting.has("peft") || !setting.has("exact")) return [];
  const { sizes, folder, seed, threads, patienceSeconds, onProgress } = setting;
  const { loraSteps: steps } = sizes;
  const rows = problems(ROWS * (steps + 2), `${seed}/lora`);
  const data = join(folder, "rows.jsonl");
  await mkdir(folder, { recursive: true });
  const lines = rows.map((row) => `${JSON.stringify({ question: row.question, answer: shortChain(row) })}\n`);
  await writeFile(data, lines.join(""));
  const contests: Contest[] = [];
  for (const { title, trainable } of WAYS) {
    const { sides, ratio, tokensPerUpdate, firstLossDifference } = await benchPeft({
      model: await setting.hfFolder(),
      python: setting.pythonOf("peft"),
      data,
      trainable,
      counted: "all",
      rows: ROWS,
      steps,
      threads,
      seed: 0,
      beforeTurn: () => waitUntilQuiet({ patienceSeconds }),
      onProgress: (line) => onProgress(`${title}: ${line}`),
    });
    contests.push({
      measure: "lora",
      title: `${title}, ${ROWS} rows an update`,
      unit: "tokens/s",
      better: "more",
      references: ["exact"],
      conditions: {
        rows: ROWS,
        updates: steps,
        tokensAnUpdate: Math.round(tokensPerUpdate),
        ...(firstLossDifference === null ? {} : { firstLossDifference: firstLossDifference.toExponential(1) }),
      },
      peers: sides.map(({ tokensPerSecond }, i) => ({
        name: i === 0 ? "exact" : "peft",
        title: i === 0 ? TITLES.exact : TITLES.peft,
        value: tokensPerSecond,
        timesAsGood: i === 0 ? {} : { exact: ratio },
        // Of the updates themselves bench fine-tune keeps the spread.
        rounds: [],
      })),
      failed: sides.flatMap(({ name, failure }, i) =>
        failure === null ? [] : [{ name, title: i === 0 ? TITLES.exact : TITLES.peft, reason: failure }],
      ),
    });
  }
  return contests;
}
