import { z } from "zod";
import { type Peer, type PeerCommand, startPeer } from "../shared/peers.js";

const PREPARED = z.object({ versions: z.record(z.string(), z.string()), pid: z.int(), seconds: z.number().optional() });
/** Weights are converted, graphs compiled, and turns are long. */
export const PATIENCE_SECONDS = 3600;

export interface RunningPeer {
  process: Peer;
  pid: number;
  /** For opening the model, where the peer tells. */
  openSeconds: number | undefined;
}

/** Peers that run, each started when it is first needed. */
export interface Processes {
  /** The peer of this name, started by the command where it is not running. */
  get(name: string, command: PeerCommand): Promise<RunningPeer>;
  /** End all: the next measure needs others, and memory is short. */
  close(): Promise<void>;
  /** Of the packages of all peers that have run. */
  readonly versions: Readonly<Record<string, string>>;
}

export function openProcesses(): Processes {
  const running = new Map<string, Promise<RunningPeer>>();
  const versions: Record<string, string> = {};

  async function start(name: string, command: PeerCommand): Promise<RunningPeer> {
    const process = startPeer(command);
    try {
      const prepared = await process.request("prepare", {}, PREPARED, PATIENCE_SECONDS);
      for (const [key, version] of Object.entries(prepared.versions)) versions[`${name}: ${key}`] = version;
      return { process, pid: prepared.pid, openSeconds: prepared.seconds };
    } catch (error) {
      await process.close();
      throw error;
    }
  }

  return {
    versions,
    async get(name, command) {
      const known = running.get(name) ?? start(name, command);
      running.set(name, known);
      return known;
    },
    async close() {
      const started = await Promise.allSettled(running.values());
      running.clear();
      await Promise.all(started.map((peer) => peer.status === "fulfilled" && peer.value.process.close()));
    },
  };
}
