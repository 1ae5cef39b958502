import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { badInput, projectFolder, resolveUserPath, writeWhole } from "thoughtbook/core";
import { CHECKS, checkReal, readCheckResults, summariseChecks } from "./checks/index.js";
import { benchReal, readRealResults } from "./index.js";
import { MEASURES } from "./measures/index.js";
import { realPage } from "./page.js";
import { type PythonPeer, REAL_PEERS, type RealPeer } from "./peer-list.js";
import type { RealOptions } from "./prepare.js";
import { summariseReal } from "./summary.js";

interface RealFlags {
  gguf?: string;
  model?: string;
  hf?: string;
  python?: string[];
  pythonVllm?: string;
  pythonPeft?: string;
  pythonLlama?: string;
  pythonTransformers?: string;
  llama?: string;
  only: string[];
  checks?: string[] | true;
  peers: RealPeer[];
  rounds: number;
  batches: number[];
  promptTokens: number;
  newTokens: number;
  questions: number;
  texts: number;
  textTokens: number;
  loraSteps: number;
  servePrompts: number[];
  threads: number;
  seed: string;
  patience: number;
  prompts: number;
  problems: number;
  multiarith?: string;
  out: string;
  page?: true;
}

/** Add `real` to the benchmarks. */
export function addRealCommand(program: Command): void {
  program
    .command("real")
    .description("a real model of a GGUF file: this engine, llama.cpp, vLLM, transformers and PEFT at the same work")
    .option("--gguf <file>", "of an instruct model", path)
    .option("--model <spec>", "what this engine opens instead of the file, such as a folder")
    .option("--hf <folder>", "the model dequantised, for the peers in Python; made where it is not given", path)
    .option("--python <path>", "a Python with peers; may be given several times", paths)
    .option("--python-vllm <path>", "the Python with vLLM", path)
    .option("--python-transformers <path>", "the Python with transformers", path)
    .option("--python-peft <path>", "the Python with PEFT", path)
    .option("--python-llama <path>", "the Python with llama-cpp-python", path)
    .option("--llama <folder>", "holds llama-batched-bench and llama-server", path)
    .option("--only <measures>", `of ${MEASURES.join(", ")}`, oneOf(MEASURES), [...MEASURES])
    .option("--checks [checks]", `check instead of measure: of ${CHECKS.join(", ")}`, oneOf(CHECKS))
    .option("--peers <names>", `of ${REAL_PEERS.join(", ")}`, oneOf(REAL_PEERS), [...REAL_PEERS])
    .option("--rounds <n>", "rounds in which each peer has a turn", whole, 3)
    .option("--batches <numbers>", "rows of decoding", wholes, [1, 8, 64])
    .option("--prompt-tokens <n>", "of a prompt of decoding", whole, 64)
    .option("--new-tokens <n>", "of each text", whole, 64)
    .option("--questions <n>", "questions that come at once", whole, 64)
    .option("--texts <n>", "texts that are scored or read", whole, 8)
    .option("--text-tokens <n>", "of each of them", whole, 512)
    .option("--lora-steps <n>", "updates of a turn", whole, 2)
    .option("--serve-prompts <numbers>", "tokens of the server's prompts", wholes, [1000, 2000, 4000, 7800, 6500])
    .option("--threads <n>", "threads of each peer", whole, availableParallelism())
    .option("--seed <seed>", "of the problems", "real")
    .option("--patience <seconds>", "wait so long before a turn for other programs to finish", whole, 20)
    .option(
      "--prompts <n>",
      "checks: prompts of ids, texts of logprobs and fast, a quarter of the prompts of batch",
      whole,
      50,
    )
    .option("--problems <n>", "checks: problems of MultiArith", whole, 200)
    .option("--multiarith <file>", "checks: rows with input and target", path)
    .option("--out <folder>", "for real.json and real-checks.json", path, join(projectFolder(), "runs", "bench"))
    .option("--page", "write docs/real-models.md of what is in --out; without --gguf nothing else")
    .action(real);
}

async function real(flags: RealFlags): Promise<void> {
  const { gguf, out, page } = flags;
  if (gguf !== undefined) await measureOrCheck(flags, gguf);
  else if (!page) throw badInput("--gguf is missing", "Give the GGUF file of an instruct model.");
  if (!page) return;
  const file = join(projectFolder(), "docs", "real-models.md");
  await writeWhole(file, realPage(await readRealResults(out), await readCheckResults(out)));
  console.log(file);
}

async function measureOrCheck(flags: RealFlags, gguf: string): Promise<void> {
  const { rounds, batches, promptTokens, newTokens, questions, texts, textTokens, loraSteps, servePrompts, out } =
    flags;
  const options: RealOptions = {
    file: gguf,
    model: flags.model,
    hf: flags.hf,
    python: flags.python ?? [],
    pythons: pythonsOf(flags),
    llama: flags.llama,
    peers: flags.peers,
    sizes: { rounds, batches, promptTokens, newTokens, questions, texts, textTokens, loraSteps, servePrompts },
    threads: flags.threads,
    seed: flags.seed,
    patienceSeconds: flags.patience,
    folder: join(projectFolder(), "runs", "bench", "real"),
    onProgress: (line) => console.error(line),
  };
  if (flags.checks !== undefined) {
    const checks = flags.checks === true ? CHECKS : flags.checks;
    const { prompts, problems, multiarith } = flags;
    const { file, results } = await checkReal(checks, out, { ...options, prompts, problems, multiarith });
    console.log(`${summariseChecks(results)}\n\n${file}`);
    return;
  }
  const { file, results } = await benchReal(flags.only, out, options);
  console.log(`${summariseReal(results)}\n\n${file}`);
}

function pythonsOf(flags: RealFlags): Partial<Record<PythonPeer, string>> {
  const given = {
    vllm: flags.pythonVllm,
    transformers: flags.pythonTransformers,
    peft: flags.pythonPeft,
    "llama-python": flags.pythonLlama,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<
    Record<PythonPeer, string>
  >;
}

/** A parser of a list of names. */
function oneOf<Name extends string>(names: readonly Name[]): (text: string) => Name[] {
  return (text) =>
    text.split(",").map((each) => {
      const known = names.find((name) => name === each.trim());
      if (known) return known;
      throw new InvalidArgumentError(`"${each}" is none of ${names.join(", ")}.`);
    });
}

function whole(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new InvalidArgumentError("Expected a whole number above 0.");
}

const wholes = (text: string): number[] => text.split(",").map(whole);
const path = (text: string): string => resolveUserPath(text);
const paths = (text: string, before: string[] = []): string[] => [...before, path(text)];
