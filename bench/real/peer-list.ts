import { join } from "node:path";
import type { PeerCommand } from "../shared/peers.js";
import type { EngineOptions } from "./engine.js";
import { findPython } from "./python.js";

export const REAL_PEERS = [
  "fast",
  "exact",
  "llama",
  "vllm",
  "vllm-vnni",
  "transformers",
  "peft",
  "llama-python",
] as const;
export type RealPeer = (typeof REAL_PEERS)[number];

export const TITLES: Readonly<Record<RealPeer, string>> = {
  fast: "this engine, fast",
  exact: "this engine, exact",
  llama: "llama.cpp",
  vllm: "vLLM, bf16",
  "vllm-vnni": "vLLM, bf16, without the processor's bf16 products",
  transformers: "transformers, fp32",
  peft: "PEFT, fp32",
  "llama-python": "llama-cpp-python",
};

/** What a peer in Python imports. */
export const MODULES = {
  vllm: ["vllm"],
  "vllm-vnni": ["vllm"],
  transformers: ["torch", "transformers"],
  peft: ["torch", "transformers", "peft"],
  "llama-python": ["llama_cpp", "numpy"],
} as const satisfies Partial<Record<RealPeer, readonly string[]>>;
export type PythonPeer = keyof typeof MODULES;
/** Those that answer requests; PEFT has a benchmark of its own. */
export type ServedPeer = Exclude<PythonPeer, "peft">;

/** Where the peers are. */
export interface Places {
  /** Pythons for any peer, tried in turn. */
  python: readonly string[];
  /** The Python of one peer. */
  pythons: Readonly<Partial<Record<PythonPeer, string>>>;
  /** Folder of llama.cpp's programs. */
  llama: string | undefined;
}

/** The Python for each peer that has one, and why others have none. */
export async function findPythons({ python, pythons }: Places): Promise<{
  found: Partial<Record<PythonPeer, string>>;
  missing: Partial<Record<PythonPeer, string>>;
}> {
  const [found, missing]: [Partial<Record<PythonPeer, string>>, Partial<Record<PythonPeer, string>>] = [{}, {}];
  for (const peer of Object.keys(MODULES) as PythonPeer[]) {
    const own = pythons[peer] ?? (peer === "vllm-vnni" ? pythons.vllm : undefined);
    // One that was given for another peer may have this one's packages as well.
    const candidates = own === undefined ? [...new Set([...python, ...Object.values(pythons)])] : [own];
    const result = await findPython(candidates, MODULES[peer]);
    if ("path" in result) found[peer] = result.path;
    else missing[peer] = result.missing;
  }
  return { found, missing };
}

const SCRIPTS: Readonly<Record<ServedPeer, string>> = {
  vllm: "vllm_peer.py",
  "vllm-vnni": "vllm_peer.py",
  transformers: "transformers_peer.py",
  "llama-python": "llama_peer.py",
};

export const scriptOf = (name: string): string => join(import.meta.dirname, "python", name);

/** What oneDNN may use: most processors with AVX-512 have no products of bf16, which vLLM's speed depends on. */
const ENVIRONMENTS: Readonly<Partial<Record<ServedPeer, Record<string, string>>>> = {
  "vllm-vnni": { ONEDNN_MAX_CPU_ISA: "AVX512_CORE_VNNI" },
};

/** How to start a peer in Python. */
export const pythonCommand = (peer: ServedPeer, python: string, options: object): PeerCommand => ({
  name: TITLES[peer],
  command: python,
  arguments: [scriptOf(SCRIPTS[peer]), JSON.stringify(options)],
  environment: ENVIRONMENTS[peer] ?? {},
});

/** How to start this engine in a process of its own. */
export const engineCommand = (options: EngineOptions): PeerCommand => ({
  name: `this engine, ${options.numerics}${options.lowMemory ? ", low memory" : ""}`,
  command: process.execPath,
  arguments: [
    "--import",
    import.meta.resolve("tsx"),
    join(import.meta.dirname, "engine-peer.ts"),
    JSON.stringify(options),
  ],
});
