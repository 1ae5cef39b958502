import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "./connection.js";
import type { Fault } from "./fault.js";

/** Consecutive faults that take a server out of rotation. */
const FAULTS = 2;

export interface PoolOptions {
  /** How long a server that was taken out is left alone. */
  coolDownMs: number;
  /** Maximum wait for a server that asks to wait. */
  longestWaitMs: number;
}

/** A request's place at a server. */
export interface Lease {
  readonly connection: Connection;
  succeed(): void;
  fail(fault: Fault): void;
  /** It ended for a reason that is not the server's fault. */
  abandon(): void;
}

/** Servers of one model, balanced by the outstanding tokens of each. */
export interface Pool {
  /**
   * Get a place at the server with the fewest outstanding tokens; not at the one to be avoided, if another one works.
   * Waits if all working servers asked to wait. If none works, the one that has rested longest is tried once more.
   */
  take(tokens: number, avoided: Connection | undefined, signal: AbortSignal): Promise<Lease>;
  /** Whether a server other than this one works now. */
  hasOther(connection: Connection): boolean;
  /** Whether all servers were taken out, and none has answered since. */
  isDead(): boolean;
  readonly urls: readonly string[];
}

interface Server {
  connection: Connection;
  outstanding: number;
  requests: number;
  /** Faults since its last answer. */
  faults: number;
  /** It is left alone until then, in milliseconds since 1970. */
  outUntil: number;
  /** It asked to wait until then. */
  busyUntil: number;
}

export function createPool(connections: readonly Connection[], { coolDownMs, longestWaitMs }: PoolOptions): Pool {
  const servers = connections.map(
    (connection): Server => ({ connection, outstanding: 0, requests: 0, faults: 0, outUntil: 0, busyUntil: 0 }),
  );
  // A returning server is first tried with one request.
  const works = (server: Server, now: number) =>
    server.outUntil <= now && !(server.faults >= FAULTS && server.requests > 0);
  const isFree = (server: Server, now: number) => works(server, now) && server.busyUntil <= now;

  const lease = (server: Server, tokens: number): Lease => {
    server.outstanding += tokens;
    server.requests += 1;
    const leave = () => {
      server.outstanding -= tokens;
      server.requests -= 1;
    };
    return {
      connection: server.connection,
      succeed() {
        leave();
        server.faults = 0;
        server.outUntil = 0;
      },
      fail({ blame, waitMs }) {
        leave();
        const now = Date.now();
        if (waitMs !== undefined) server.busyUntil = Math.max(server.busyUntil, now + waitMs);
        if (!blame) return;
        server.faults += 1;
        if (server.faults >= FAULTS) server.outUntil = now + coolDownMs;
      },
      abandon: leave,
    };
  };

  return {
    urls: connections.map(({ url }) => url),
    async take(tokens, avoided, signal) {
      for (;;) {
        signal.throwIfAborted();
        const now = Date.now();
        const free = servers.filter((server) => isFree(server, now));
        const others = free.filter(({ connection }) => connection !== avoided);
        const best = least(others.length > 0 ? others : free, ({ outstanding }) => outstanding);
        if (best) return lease(best, tokens);
        const working = servers.filter((server) => works(server, now));
        const first = least(working, ({ busyUntil }) => busyUntil);
        if (!first) return lease(least(servers, ({ outUntil }) => outUntil)!, tokens);
        await sleep(Math.min(first.busyUntil - now, longestWaitMs), undefined, { signal });
      }
    },
    hasOther: (connection) => servers.some((each) => each.connection !== connection && isFree(each, Date.now())),
    isDead: () => servers.every(({ faults }) => faults >= FAULTS),
  };
}

function least<T>(items: readonly T[], key: (item: T) => number): T | undefined {
  return items.reduce<T | undefined>((best, item) => (best && key(best) <= key(item) ? best : item), undefined);
}
