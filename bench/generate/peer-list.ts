import { join } from "node:path";
import type { PeerCommand } from "../shared/peers.js";
import type { PeerArguments } from "./peer.js";

export const GENERATE_PEERS = ["engine", "transformers-js", "python"] as const;
export type GeneratePeer = (typeof GENERATE_PEERS)[number];

/** The peer that all others are compared with. */
export const ENGINE: GeneratePeer = "engine";

export interface PlannedPeer {
  name: GeneratePeer;
  title: string;
  command: PeerCommand;
}

export interface SkippedPeer {
  name: GeneratePeer;
  title: string;
  skipped: string;
}

const TITLES: Readonly<Record<GeneratePeer, string>> = {
  engine: "this engine",
  "transformers-js": "transformers.js",
  python: "Python transformers",
};

/** How to start a peer, or why it cannot take part. */
export function planPeer(
  name: GeneratePeer,
  options: PeerArguments,
  python: string | undefined,
): PlannedPeer | SkippedPeer {
  const title = TITLES[name];
  const argument = JSON.stringify(options);
  if (name === "python") {
    if (python === undefined) return { name, title, skipped: "no --python PATH" };
    const script = join(import.meta.dirname, "transformers_peer.py");
    return { name, title, command: { name: title, command: python, arguments: [script, argument] } };
  }
  const script = join(import.meta.dirname, name === "engine" ? "peer-engine.ts" : "peer-transformers.ts");
  const given = ["--import", import.meta.resolve("tsx"), script, argument];
  return { name, title, command: { name: title, command: process.execPath, arguments: given } };
}
