import { join } from "node:path";
import type { Command } from "@commander-js/extra-typings";
import { badInput, canonicalJson, parseKeyValues, resolveUserPath, sha256 } from "../../core/index.js";
import type { BackendOptions, LanguageModel, LocalModel } from "../../llm/index.js";
import type { Strategy } from "../../rollouts/index.js";
import { useMemory } from "../memory.js";
import { resumable } from "../resumable.js";
import { nameOf } from "../table.js";
import {
  addEvaluateOptions,
  type EvaluatedStrategy,
  type EvaluateFlags,
  settingsOf,
  taskOptionsOf,
  twice,
} from "./evaluate-flags.js";
import { readableSummary } from "./evaluate-table.js";

const OUTPUT = `
Tasks: word-problems:4, word-problems:2-6 (each number of operations in turn), functions:2 or functions:1-3 (to write in
JavaScript, by the number of steps), any data set of "thoughtbook data list", or a file of your own, such as mine.jsonl (also
.json, .csv, .parquet). Functions, humaneval and mbpp are for the strategy program: their tests run in the sandbox of
"thoughtbook sandbox". With other tasks it asks for a program in JavaScript, runs it there, and takes its value as the answer.
The rows of a file have

  question  what is asked
  answer    the right answer, or a solution with \\boxed{} or ####
  id        optional; what records call the problem (default: the file's name and the row's number)
  kind      optional: math, gsm8k, choice, words, yes-no, symbols or game24 (default: as the answer looks)

A row without a question or an answer is an error that names it.

The folder gets records.jsonl (one line for each problem, sample and budget, the same for the same seed), run.json (settings)
and at the end summary.json and results.json (by problem: what was asked, and each text with its verdict and tokens), both
with the keys of A*-Thought's evaluation, which grades under the policy astar where it applies, else strict. Of several
budgets each has these two files in a folder of its own, budget-512. Ctrl-C keeps what is finished; the same command goes on
from there, without --overwrite, and with a higher --limit it goes on to more problems. With a lower one the folder keeps all
its records, and the summary is of the first ones. A folder with other settings is refused unless there is --overwrite.

--sampling-params takes temperature, top_p, top_k, min_p, max_tokens, n and seed. What it leaves out is temperature=0,
top_p=1 and max_tokens=32768 then, as in A*-Thought's evaluation. It says the same as --temperature, --top-p, --top-k,
--budget, --n and --seed; both at once for one thing are an error.

--backend-args, by backend (vllm and ray run in Python: serve the model with vLLM, and use openai):
  local         threads, device                 this library's engine
  transformers  threads, device, dtype          ONNX weights by transformers.js
  openai        base_url, api_key_env, dialect, concurrency, max_retries, timeout (seconds), cache
                a server; --model is the name there. Without base_url OpenAI's own; api_key_env names a variable.

System prompts, for models that follow instructions: skythought (a thought, then a solution, each between tags), and that
one with a sentence more: chain-of-draft, btc-effective-shortcut, btc-skip-steps. The wording is ours. In the text of
--system-prompt and --assistant-prefill \\n, \\t, \\r, \\\\, \\', \\", \\xHH and \\uHHHH are decoded, other backslashes stay.

How a model is asked follows from its name, by the table data/operations/asking.json; see "thoughtbook operations asking". Worked
examples come from GSM8K's training split, never from what is evaluated. --part tune is a third of a split, to choose ways of
asking on; --part rest are the others.

Accuracy is told under each policy that applies (see "thoughtbook grade"). Under strict a text that the budget cut off has
no final answer; the others grade it as it stands, as the released systems do: for astar its last number counts.
ACU is 100 x accuracy in percent / mean tokens of a text; in the table under astar where it applies, else strict; ACU a B
is divided by the parameters in billions. Intervals are Wilson's, at 95 %.`;

export function addEvaluateCommand(program: Command): void {
  addEvaluateOptions(
    program
      .command("evaluate")
      .description("measure how well a language model solves problems: accuracy, length, ACU, pass@k"),
  )
    .addHelpText("after", OUTPUT)
    .action(evaluateOnTask);
}

/** Strategies whose operation can be shown by worked examples. */
const DEMONSTRATED: readonly EvaluatedStrategy[] = ["direct", "cot", "program"];

function evaluateOnTask(flags: EvaluateFlags): Promise<void> {
  const hint = `The same command${flags.overwrite ? " without --overwrite" : ""} goes on from there.`;
  return resumable((signal) => evaluateUntil(flags, signal), hint);
}

async function evaluateUntil(flags: EvaluateFlags, signal: AbortSignal): Promise<void> {
  const { task: taskName, path, batchSize, resultDir, overwrite, json, asking, demonstrations } = flags;
  const settings = await settingsOf(flags);
  const chosenBackend = backendOf(flags);
  useMemory(flags.memory);
  // Imported here so that other commands do not load the engine.
  const { evaluate } = await import("../../eval/index.js");
  const { STRATEGIES } = await import("../../strategies/index.js");
  const { AOT_STRATEGIES } = await import("../../aot/index.js");
  const { DOTS_STRATEGIES } = await import("../../dots/index.js");
  const { isFileTask, loadTask } = await import("../../tasks/index.js");
  const { chooseBackend, loadOnBackend } = await import("../../llm/index.js");
  chooseBackend(flags.model, chosenBackend); // Fail before a data set is read, or downloaded.
  const file = path === undefined ? undefined : resolveUserPath(path);
  const loaded = await loadTask(taskName, { ...taskOptionsOf(flags), path: file, signal });
  const task = flags.asTest ? { ...loaded, settings: { ...loaded.settings, asTest: true } } : loaded;
  const { askedModel, askingSettings } = await import("../../operations/index.js");
  const { model: opened, spec, backend, args } = await loadOnBackend(flags.model, { ...chosenBackend, signal });
  try {
    if (demonstrations && !DEMONSTRATED.includes(settings.strategy)) {
      throw badInput(
        `there are no demonstrations for the strategy ${settings.strategy}`,
        `Choose ${DEMONSTRATED.join(", ")}, or leave them out.`,
      );
    }
    const asked = await askedModel(opened, { kind: asking, demonstrations, seed: settings.seed, signal });
    const strategies = { ...STRATEGIES, ...AOT_STRATEGIES, ...DOTS_STRATEGIES };
    const chosen = strategyNamed(strategies, settings.strategy)(settings);
    const { model, strategy } = await prompted(asked, chosen, flags.softPrompt);
    // A limit may be raised later, so the problems do not count; but a file of the same name may have changed.
    const problems = { ...task.settings, problems: undefined };
    const own = file ?? (isFileTask(taskName) ? resolveUserPath(taskName) : undefined);
    const decisive = {
      ...settings,
      spec,
      task: problems,
      file: own,
      hash: await model.hash(),
      asking: askingSettings(model),
      ...pathOf(flags),
    };
    const key = sha256(canonicalJson(decisive)).slice(0, 6);
    const folder = resolveUserPath(resultDir ?? join("runs", "evaluate", `${nameOf(spec)}_${nameOf(taskName)}_${key}`));
    const { strategy: _, systemPrompt: __, assistantPrefill: ___, ...sampling } = settings;
    const { summary } = await evaluate(strategy, task, {
      model,
      ...sampling,
      backend: { name: backend, args },
      folder,
      overwrite,
      batchSize,
      signal,
    });
    if (json) console.log(JSON.stringify(summary));
    else console.log(`${readableSummary(summary)}\n${folder}`);
  } finally {
    await opened.dispose();
  }
}

/** The model and the strategy with the vectors of a folder before the prompts, if there is one: of the task, or of each question. */
async function prompted(model: LanguageModel, strategy: Strategy, folder: string | undefined) {
  if (folder === undefined) return { model, strategy };
  const { loadSoftPrompt, withQuestionPrompts } = await import("../../grpo/index.js");
  const { requireCapability, withSoftPrompt } = await import("../../llm/index.js");
  requireCapability(model, "softPrompts", "--soft-prompt");
  const local = model as LocalModel;
  const prompts = await loadSoftPrompt(resolveUserPath(folder), local);
  const isForTask = prompts.length === 1 && prompts[0]!.name === "task";
  return isForTask
    ? { model: withSoftPrompt(local, prompts[0]!.vectors), strategy }
    : withQuestionPrompts(local, strategy, prompts);
}

/** The names were checked when the options were read. */
const strategyNamed = <S>(strategies: Readonly<Record<string, S>>, name: string): S => strategies[name]!;

/** How the numbers come about, where that is not the default. */
const pathOf = ({ numerics, lowMemory }: EvaluateFlags) => ({
  ...(numerics === "fast" ? { numerics } : {}),
  ...(lowMemory ? { lowMemory } : {}),
});

function backendOf({ backend, backendArgs, threads, numerics, lowMemory }: EvaluateFlags): BackendOptions {
  const args = backendArgs === undefined ? new Map() : parseKeyValues(backendArgs, "--backend-args");
  if (threads !== undefined && args.has("threads")) throw twice("--threads", "threads of --backend-args");
  return { backend, args, session: threads === undefined ? undefined : { threads }, numerics, lowMemory };
}
