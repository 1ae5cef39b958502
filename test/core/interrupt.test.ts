import { interruptible, listenForInterrupt, mapInTurns, UNINTERRUPTED } from "thoughtbook/core";
import { afterEach, describe, expect, it } from "vitest";

const NOTEBOOK = Symbol.for("thoughtbook.interrupt");
const inNotebook = (signal: AbortSignal) =>
  Object.defineProperty(globalThis, NOTEBOOK, { value: () => signal, configurable: true });
afterEach(() => {
  Reflect.deleteProperty(globalThis, NOTEBOOK);
});

describe("interruptible", () => {
  it("is the caller's signal outside of a notebook", () => {
    const { signal } = new AbortController();
    expect(interruptible(signal)).toBe(signal);
    expect(interruptible()).toBeUndefined();
  });

  it("is aborted by the notebook as well as by the caller", () => {
    const [notebook, caller, other] = [new AbortController(), new AbortController(), new AbortController()];
    inNotebook(notebook.signal);
    const [alone, both, others] = [interruptible(), interruptible(caller.signal), interruptible(other.signal)];
    caller.abort();
    expect([alone, both, others].map((signal) => signal?.aborted)).toEqual([false, true, false]);
    notebook.abort();
    expect([alone, both, others].map((signal) => signal?.aborted)).toEqual([true, true, true]);
    expect(listenForInterrupt().signal.aborted).toBe(true);
    expect(interruptible(UNINTERRUPTED)?.aborted).toBe(false);
  });
});

describe("mapInTurns", () => {
  const busy = (ms: number) => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  };

  it("keeps the order, and lets the event loop have turns", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const results = await mapInTurns([1, 2, 3, 4], (n, index) => {
      busy(60);
      return n * 10 + index;
    });
    clearInterval(timer);
    expect(results).toEqual([10, 21, 32, 43]);
    expect(turns).toBeGreaterThan(1);
  });

  it("ends when it is interrupted", async () => {
    const controller = new AbortController();
    setTimeout(() => controller.abort());
    let done = 0;
    const work = mapInTurns(Array.from({ length: 100 }), () => busy(20 + 0 * done++), controller.signal);
    await expect(work).rejects.toMatchObject({ code: "interrupted" });
    expect(done).toBeLessThan(20);
  });
});
