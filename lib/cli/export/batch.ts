import { type Command, Option } from "@commander-js/extra-typings";
import { resolveUserPath } from "../../core/index.js";
import type { Flags } from "../flags.js";
import { count } from "../numbers.js";

const ABOUT = `
A command with --model batch:FOLDER#NAME stores what it asks the model for in FOLDER, and ends. Then, round by round until it is done:
  thoughtbook export batch --requests FOLDER --out requests.jsonl
  vllm run-batch -i requests.jsonl -o answers.jsonl --model NAME      (or OpenAI's Batch API)
  thoughtbook import batch --requests FOLDER answers.jsonl
and the command again. Records are those of a server. --parts deals the requests to several nodes.`;

export function addBatchExport(exports: Command): void {
  batchCommand(exports).action(writeBatch);
  samplesCommand(exports).action(writeSamples);
}

const batchCommand = (exports: Command) =>
  exports
    .command("batch")
    .description("write the requests that wait for answers as files of OpenAI's Batch API")
    .requiredOption("--requests <folder>", "the folder of a model batch:FOLDER#NAME")
    .requiredOption("--out <file.jsonl>", "the new file; several have numbers behind their name")
    .option("--parts <n>", "files to deal them to, such as one for each node", count, 1)
    .addHelpText("after", ABOUT);

async function writeBatch({ requests, out, parts }: Flags<typeof batchCommand>): Promise<void> {
  const { exportBatch } = await import("../../llm/index.js");
  const written = await exportBatch(resolveUserPath(requests), resolveUserPath(out), { parts });
  if (written.length === 0) console.log("no request waits for an answer");
  for (const { file, requests } of written) console.log(`${requests.toLocaleString("en-US")} requests in ${file}`);
}

const samplesCommand = (exports: Command) =>
  exports
    .command("samples")
    .description("write an evaluation as lm-evaluation-harness's file of samples")
    .requiredOption("--records <folder>", "the folder of an evaluation")
    .requiredOption("--out <file.jsonl>", "the new file, such as samples_gsm8k_2026-12-01.jsonl")
    .option("--budget <tokens>", "which budget, where there are several", count)
    .addOption(
      new Option("--policy <policy>", "which grades").choices(["strict", "astar", "dots", "aot"]).default("strict"),
    );

async function writeSamples({ records, out, budget, policy }: Flags<typeof samplesCommand>): Promise<void> {
  const { exportSamples } = await import("../../eval/index.js");
  const file = resolveUserPath(out);
  const lines = await exportSamples(resolveUserPath(records), file, { budget, policy: policy as "strict" });
  console.log(`${lines.toLocaleString("en-US")} problems in ${file}`);
}
