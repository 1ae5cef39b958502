import { describe, expect, it } from "vitest";
import { startBusyClock, waitUntilQuiet } from "../../bench/shared/quiet.js";
import { runRounds } from "../../bench/shared/rounds.js";

describe("rounds", () => {
  it("give each peer one turn, starting with another one each time", async () => {
    const order: string[] = [];
    const results = await runRounds({
      peers: ["a", "b", "c"],
      rounds: 3,
      turn: async (peer, round) => {
        order.push(peer + round);
        return `${peer}${round}`;
      },
    });
    expect(order).toEqual(["a0", "b0", "c0", "b1", "c1", "a1", "c2", "a2", "b2"]);
    expect(results.map(({ turns }) => turns)).toEqual([
      ["a0", "a1", "a2"],
      ["b0", "b1", "b2"],
      ["c0", "c1", "c2"],
    ]);
  });

  it("never let two peers work at once", async () => {
    let working = 0;
    await runRounds({
      peers: [1, 2, 3],
      rounds: 2,
      async turn() {
        expect(++working).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 2));
        working--;
        return true;
      },
    });
  });

  it("go on without a peer that fails, and know why", async () => {
    const turned: string[] = [];
    const results = await runRounds({
      peers: ["good", "bad"],
      rounds: 3,
      turn: async (peer, round) => {
        if (peer === "bad" && round === 1) throw new Error("out of memory");
        return `${peer}${round}`;
      },
      onTurn: (_, __, turn) => turned.push(turn),
    });
    expect(results).toEqual([
      { turns: ["good0", "good1", "good2"], failure: null },
      { turns: ["bad0", null, null], failure: "out of memory" },
    ]);
    expect(turned).toEqual(["good0", "bad0", "good1", "good2"]);
  });

  it("let a peer sit a round out", async () => {
    const even = async (_: string, round: number) => (round % 2 === 0 ? round : null);
    const [slow] = await runRounds({ peers: ["slow"], rounds: 3, turn: even });
    expect(slow).toEqual({ turns: [0, null, 2], failure: null });
  });
});

describe("waiting for a quiet machine", () => {
  it("samples until nothing else runs", async () => {
    const busy = [1.5, 0.4, 0.1, 1.2];
    const measure = async () => busy.shift()!;
    expect(await waitUntilQuiet({ patienceSeconds: 60, measure })).toBe(0.1);
    expect(busy).toEqual([1.2]);
  });

  it("gives up when its patience ends, after one sample at least", async () => {
    let samples = 0;
    const measure = async () => ++samples;
    expect(await waitUntilQuiet({ patienceSeconds: 0, measure })).toBe(1);
  });

  it("counts processor time, less what one knows of", () => {
    const clock = startBusyClock();
    const used = process.cpuUsage();
    const end = performance.now() + 400;
    while (performance.now() < end);
    const { user, system } = process.cpuUsage(used);
    // This thread alone kept one processor busy; the counters step by 10 ms.
    const busy = clock.busyProcessors();
    expect(busy).toBeGreaterThan(0.5);
    expect(clock.busyProcessors((user + system) / 1e6)).toBeLessThan(busy);
  });
});
