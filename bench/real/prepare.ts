import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { badInput } from "thoughtbook/core";
import { isTokenModel, loadModel, type TokenModel } from "thoughtbook/llm";
import { contest } from "./contest.js";
import { dequantised } from "./dequantised.js";
import {
  engineCommand,
  findPythons,
  type Places,
  type PythonPeer,
  pythonCommand,
  type RealPeer,
  type ServedPeer,
  TITLES,
} from "./peer-list.js";
import { openProcesses } from "./processes.js";
import type { Setting, Sizes } from "./setting.js";

export interface RealOptions extends Places {
  /** The GGUF file. */
  file: string;
  /** What this engine opens. Default: the file. */
  model?: string | undefined;
  /** A Hugging Face folder of the dequantised model. Default: it is made. */
  hf?: string | undefined;
  /** Who takes part, where it is there. */
  peers: readonly RealPeer[];
  sizes: Sizes;
  threads: number;
  seed: string;
  /** How long to wait before a turn for other programs to finish. */
  patienceSeconds: number;
  /** For what is made: dequantised models, records of evaluations. */
  folder: string;
  onProgress(line: string): void;
}

/** Positions beyond those of the longest prompt and its text. */
const SPARE_POSITIONS = 256;

export interface Prepared {
  setting: Setting;
  /** Peers that were asked for and are not there. */
  missing: { title: string; reason: string }[];
  /** The model dequantised, as a GGUF file. */
  f32File(): Promise<string>;
  close(): Promise<void>;
}

/** Look for the peers, and give what measures work with. */
export async function prepare(options: RealOptions): Promise<Prepared> {
  const { file, model: spec = file, sizes, threads, seed, patienceSeconds, folder, onProgress } = options;
  await checkFile(file);
  const tokens = await openTokenizer(spec);
  const { found, missing: withoutPython } = await findPythons(options);
  const reasons: Partial<Record<RealPeer, string>> = { ...withoutPython, ...withoutPrograms(options.llama) };
  const missing = options.peers.flatMap((peer) => {
    const reason = reasons[peer];
    return reason === undefined ? [] : [{ title: TITLES[peer], reason }];
  });
  for (const { title, reason } of missing) onProgress(`left out: ${title}: ${reason}`);
  const processes = openProcesses();
  const pythons = [...new Set([...Object.values(options.pythons), ...options.python])];
  const hfFolder = async () => options.hf ?? dequantised("hf", { file, folder, pythons, onProgress });

  const pythonOf = (peer: PythonPeer): string => {
    const path = found[peer];
    if (path !== undefined) return path;
    throw badInput(`${TITLES[peer]} is not there: ${withoutPython[peer]}`, "Give --python PATH.");
  };
  const has = (peer: RealPeer) => options.peers.includes(peer) && reasons[peer] === undefined;
  const engine: Setting["engineCommand"] = (numerics, { lowMemory = false } = {}) =>
    engineCommand({ model: spec, numerics, lowMemory, threads });
  const optionsOf = async (peer: ServedPeer): Promise<object> => {
    const context = Math.max(sizes.promptTokens + sizes.newTokens, sizes.textTokens) + SPARE_POSITIONS;
    if (peer === "llama-python") return { file, threads, context, cache: "f16" };
    return { folder: await hfFolder(), threads, context, rows: Math.max(sizes.questions, sizes.texts) };
  };
  return {
    missing,
    f32File: () => dequantised("gguf", { file, folder, pythons, onProgress }),
    close: () => processes.close(),
    setting: {
      sizes,
      file,
      model: spec,
      threads,
      seed,
      tokens,
      llama: options.llama,
      processes,
      has,
      pythonOf,
      hfFolder,
      folder,
      patienceSeconds,
      engineCommand: engine,
      engine: (numerics, given) => processes.get(numerics, engine(numerics, given)),
      async python(peer) {
        return processes.get(peer, pythonCommand(peer, pythonOf(peer), await optionsOf(peer)));
      },
      contest: (given) => contest({ ...given, rounds: sizes.rounds, patienceSeconds, onProgress }),
      onProgress,
    },
  };
}

async function checkFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile()) return;
  throw badInput(`${file} is no file`, "Give --gguf a GGUF file.");
}

async function openTokenizer(spec: string): Promise<TokenModel> {
  const model = await loadModel(spec);
  if (isTokenModel(model) && model.capabilities.has("chat")) return model;
  throw badInput(`${spec} has no tokenizer or chat template`, "Take the file of an instruct model.");
}

function withoutPrograms(llama: string | undefined): Partial<Record<RealPeer, string>> {
  if (llama === undefined) return { llama: "no --llama FOLDER" };
  const absent = ["llama-batched-bench", "llama-server"].filter((name) => !existsSync(join(llama, name)));
  return absent.length > 0 ? { llama: `${llama} has no ${absent.join(", ")}` } : {};
}
