import type { TokenModel } from "thoughtbook/llm";
import type { PeerCommand } from "../shared/peers.js";
import type { Contest, ContestOptions } from "./contest.js";
import type { Numerics } from "./engine.js";
import type { PythonPeer, RealPeer, ServedPeer } from "./peer-list.js";
import type { Processes, RunningPeer } from "./processes.js";

/** Sizes of the work. */
export interface Sizes {
  rounds: number;
  /** Rows of decoding. */
  batches: readonly number[];
  promptTokens: number;
  newTokens: number;
  /** Questions that are answered together. */
  questions: number;
  /** Tokens of a text that is read or scored, and of the prompt with 8 samples. */
  textTokens: number;
  texts: number;
  loraSteps: number;
  /** Tokens of the prompts that a server gets in turn: what a long one leaves behind shows in the next. */
  servePrompts: readonly number[];
}

/** What a measure works with. */
export interface Setting {
  sizes: Sizes;
  /** The GGUF file. */
  file: string;
  /** What this engine opens: the file. */
  model: string;
  threads: number;
  seed: string;
  /** The model's tokenizer, in this process; its weights are not read. */
  tokens: TokenModel;
  /** Folder of llama.cpp's programs. */
  llama: string | undefined;
  processes: Processes;
  engine(numerics: Numerics, options?: { lowMemory?: boolean }): Promise<RunningPeer>;
  engineCommand(numerics: Numerics, options?: { lowMemory?: boolean }): PeerCommand;
  /** Whether a peer takes part. */
  has(peer: RealPeer): boolean;
  python(peer: ServedPeer): Promise<RunningPeer>;
  /** The Python of a peer; throws where there is none. */
  pythonOf(peer: PythonPeer): string;
  /** The model dequantised, as a Hugging Face folder. */
  hfFolder(): Promise<string>;
  /** For what is made on the way. */
  folder: string;
  patienceSeconds: number;
  contest(options: Omit<ContestOptions, "rounds" | "patienceSeconds" | "onProgress">): Promise<Contest>;
  onProgress(line: string): void;
}
