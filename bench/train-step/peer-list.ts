import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectFolder, ThoughtbookError } from "thoughtbook/core";
import type { PeerCommand } from "../shared/peers.js";
import type { ModelName } from "./models.js";
import { findPackage } from "./packages.js";
import type { PeerArguments } from "./trainer.js";

export const PEER_NAMES = [
  "engine",
  "engine-1-thread",
  "prototype",
  "tfjs-wasm",
  "tfjs-node",
  "jax-js",
  "torch-eager",
  "torch-compile",
] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** The peer that all others are compared with. */
export const BASELINE: PeerName = "engine";

/** Where the peers are that are no dependencies of this repository. */
export interface PeerPlaces {
  threads: number;
  /** Python with torch. */
  python?: string;
  /** Folder with `trace.mjs` and its packages. */
  prototype?: string;
  /** Folder in which `@jax-js/jax` is installed. */
  jax?: string;
  /** Node for jax-js; this one by default. */
  jaxNode?: string;
  /** Folder in which `@tensorflow/tfjs-node` is installed; this repository by default. */
  tfjsNode?: string;
}

export interface PlannedPeer {
  name: PeerName;
  title: string;
  /** Whether it measures matrix products as well. */
  measuresProducts: boolean;
  command: PeerCommand;
}

export interface SkippedPeer {
  name: PeerName;
  title: string;
  skipped: string;
}

/** How to start a peer for a problem, or why it cannot take part. */
export function planPeer(
  name: PeerName,
  places: PeerPlaces,
  model: ModelName,
  problem: string,
): PlannedPeer | SkippedPeer {
  const { threads, python, prototype, jax, jaxNode = process.execPath, tfjsNode = projectFolder() } = places;
  const title = titleOf(name, threads);
  const skip = (skipped: string): SkippedPeer => ({ name, title, skipped });
  const node = (script: string, options: Partial<PeerArguments> = {}, executable = process.execPath): PlannedPeer => {
    const peerOptions: PeerArguments = { problem, threads, ...options };
    const file = join(import.meta.dirname, `${script}.ts`);
    const given = ["--import", import.meta.resolve("tsx"), file, JSON.stringify(peerOptions)];
    return {
      name,
      title,
      measuresProducts: name === "engine",
      command: { name, command: executable, arguments: given },
    };
  };
  switch (name) {
    case "engine":
      return node("peer-engine");
    case "engine-1-thread":
      return threads === 1 ? skip("the engine runs with one thread already") : node("peer-engine", { threads: 1 });
    case "prototype":
      if (prototype === undefined) return skip("no --prototype FOLDER");
      if (!existsSync(join(prototype, "trace.mjs"))) return skip(`${prototype} has no trace.mjs`);
      return model === "gpt"
        ? node("peer-prototype", { folder: prototype })
        : skip("the prototype has no lowerings for rotary positions");
    case "tfjs-wasm":
      return node("peer-tfjs", { backend: "wasm" });
    case "tfjs-node": {
      const found = findPackage("@tensorflow/tfjs-node", tfjsNode);
      if (found === null) return skip(`@tensorflow/tfjs-node is not installed in ${tfjsNode}`);
      return found.name === "@tensorflow/tfjs-node"
        ? node("peer-tfjs", { backend: "node", folder: tfjsNode })
        : skip(`@tensorflow/tfjs-node in ${tfjsNode} is only another name for ${found.name} ${found.version}`);
    }
    case "jax-js":
      if (jax === undefined) return skip("no --jax FOLDER");
      if (findPackage("@jax-js/jax", jax) === null) return skip(`${jax} has no package @jax-js/jax`);
      // Its parser uses iterator helpers, which came with Node 22.
      if (jaxNode === process.execPath && !("Iterator" in globalThis)) {
        return skip(`it needs Node 22 or newer, and this is ${process.version}: give --jax-node PATH`);
      }
      return node("peer-jax", { folder: jax }, jaxNode);
    case "torch-eager":
    case "torch-compile": {
      if (python === undefined) return skip("no --python PATH");
      const options: PeerArguments = { problem, threads, backend: name === "torch-eager" ? "eager" : "compile" };
      return {
        name,
        title,
        measuresProducts: name === "torch-eager",
        command: {
          name,
          command: python,
          arguments: [join(import.meta.dirname, "torch_peer.py"), JSON.stringify(options)],
          // What an earlier run compiled must not shorten the compilation of this one.
          environment: { TORCHINDUCTOR_CACHE_DIR: join(problem, "inductor") },
        },
      };
    }
  }
}

function titleOf(name: PeerName, threads: number): string {
  const count = (n: number) => `${n} ${n === 1 ? "thread" : "threads"}`;
  const titles: Record<PeerName, string> = {
    engine: `this engine, ${count(threads)}`,
    "engine-1-thread": `this engine, ${count(1)}`,
    prototype: "prototype of this engine",
    "tfjs-wasm": "TF.js wasm",
    "tfjs-node": "tfjs-node",
    "jax-js": "jax-js wasm",
    "torch-eager": "PyTorch eager",
    "torch-compile": "torch.compile",
  };
  return titles[name];
}

/** @throws ThoughtbookError for a name that no peer has */
export function asPeerName(name: string): PeerName {
  const known = PEER_NAMES.find((peer) => peer === name);
  if (known) return known;
  throw new ThoughtbookError("bad-input", `no peer is called "${name}"`, { hint: `Peers: ${PEER_NAMES.join(", ")}.` });
}
