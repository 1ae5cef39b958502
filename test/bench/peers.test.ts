import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { type Peer, startPeer } from "../../bench/shared/peers.js";
import { failure } from "../core/helpers.js";

let peer: Peer;
beforeEach(() => {
  const script = join(import.meta.dirname, "fake-peer.ts");
  const given = ["--import", import.meta.resolve("tsx"), script];
  peer = startPeer({ name: "fake", command: process.execPath, arguments: given });
});
afterEach(() => peer.close());

const DOUBLED = z.object({ number: z.number() });

describe("a peer", () => {
  it("answers one request after another", async () => {
    expect(await peer.request("double", { number: 21 }, DOUBLED)).toEqual({ number: 42 });
    expect(await peer.request("double", { number: -1 }, DOUBLED)).toEqual({ number: -2 });
  });

  it("may print: that is no reply", async () => {
    const printed = await peer.request("print", { text: '{"ok": "no reply"}' }, z.object({ printed: z.boolean() }));
    expect(printed).toEqual({ printed: true });
    expect(await peer.request("noise", {}, z.object({ made: z.boolean() }))).toEqual({ made: true });
  });

  it("reports an error and goes on", async () => {
    expect((await failure(peer.request("fail", {}, z.unknown()))).message).toBe("fake: the peer's reason");
    expect((await failure(peer.request("dance", {}, z.unknown()))).message).toBe('fake: unknown request "dance"');
    expect(await peer.request("double", { number: 1 }, DOUBLED)).toEqual({ number: 2 });
  });

  it("is told on when it answers something else", async () => {
    const error = await failure(peer.request("double", { number: 1 }, z.object({ text: z.string() })));
    expect(error.message).toBe('fake answered "double" with {"ok":{"number":2}}');
  });

  it("that crashes fails its request and all later ones, with what it said", async () => {
    const error = await failure(peer.request("crash", {}, z.unknown()));
    expect(error.message).toMatch(/^fake ended \(exit code 3\): .*last words$/s);
    expect(await failure(peer.request("double", { number: 1 }, DOUBLED))).toBe(error);
  });

  it("that is silent for too long is ended", async () => {
    const error = await failure(peer.request("hang", {}, z.unknown(), 0.5));
    expect(error.message).toBe('fake gave no answer to "hang" in 0.5 s');
    await peer.close();
  });

  it("is asked one thing at a time", async () => {
    const first = peer.request("double", { number: 4 }, DOUBLED);
    expect((await failure(peer.request("double", { number: 5 }, DOUBLED))).message).toContain("before it had answered");
    expect(await first).toEqual({ number: 8 });
  });
});

it("a program that is not there cannot be started", async () => {
  const missing = startPeer({ name: "missing", command: "/nowhere/python", arguments: [] });
  const error = await failure(missing.request("double", { number: 1 }, DOUBLED));
  expect(error.message).toMatch(/^missing cannot be started: .*ENOENT/);
  expect(error.hint).toBe("Check the path /nowhere/python.");
  await missing.close();
});
