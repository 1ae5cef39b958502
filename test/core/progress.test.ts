import { execFile } from "node:child_process";
import { promisify, stripVTControlCharacters } from "node:util";
import { type NotebookDisplay, startProgress, trackProgress } from "thoughtbook/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NOTEBOOK_DISPLAY } from "../../lib/dist/core/display.js";
import { collect, failure } from "./helpers.js";

/** A display that keeps what it was told. */
function fakeDisplay() {
  const lines: string[] = [];
  return {
    lines,
    show: (line: string) => lines.push(line),
    finish: (line: string, ok: boolean) => lines.push(`${ok ? "ok" : "failed"} ${line}`),
    log: (line: string) => lines.push(`log ${line}`),
  };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe("startProgress", () => {
  it("shows count, share, rate and time left; the last line has no timings", () => {
    const display = fakeDisplay();
    const progress = startProgress("GSM8K test", { total: 1319, unit: "problems", display });
    vi.advanceTimersByTime(200);
    progress.update(412);
    vi.advanceTimersByTime(99_800);
    progress.update(500, "loss 1.32");
    progress.log("a remark");
    progress.update(1319);
    progress.succeed();
    expect(display.lines).toEqual([
      "GSM8K test  0/1,319 problems (0 %)",
      "GSM8K test  412/1,319 problems (31 %), 2,060/s, 0.4 s left",
      "GSM8K test  500/1,319 problems (37 %), 5/s, 2 min 43 s left, loss 1.32",
      "log a remark",
      "ok GSM8K test: 1,319 problems",
    ]);
  });

  it.each([
    [10, 1, 100, "1/100 (1 %), 6/min, 17 min left"],
    [100, 1, 100, "1/100 (1 %), 0.6/min, 2 h 45 min left"],
    [1, 12.34, 500, "12.3/500 (2 %), 12.3/s, 40 s left"],
    [1, 100, 100, "100/100 (100 %), 100/s"],
    [1, 5, undefined, "5, 5/s"],
    [1, 5, 0, "5, 5/s"],
  ])("after %s s with %s of %s: %s", (seconds, done, total, text) => {
    const display = fakeDisplay();
    const progress = startProgress("x", { total, display });
    vi.advanceTimersByTime(seconds * 1000);
    progress.update(done);
    expect(display.lines.at(-1)).toBe(`x  ${text}`);
  });

  it("does not count units done before the start as speed", () => {
    const display = fakeDisplay();
    const progress = startProgress("x", { total: 100, initial: 80, display });
    vi.advanceTimersByTime(1000);
    progress.update(90);
    expect(display.lines).toEqual(["x  80/100 (80 %)", "x  90/100 (90 %), 10/s, 1 s left"]);
  });

  it("shows at most one line every 100 ms, and the last one of a burst", () => {
    const display = fakeDisplay();
    const progress = startProgress("x", { display });
    for (let done = 1; done <= 500; done++) {
      vi.advanceTimersByTime(1);
      progress.update(done);
    }
    expect(display.lines.length).toBe(6);
    vi.advanceTimersByTime(1);
    progress.update(501);
    vi.advanceTimersByTime(1000);
    expect(display.lines.length).toBe(7);
    expect(display.lines.at(-1)).toMatch(/^x {2}501, /);
  });

  it("changes no more after it has finished", () => {
    const display = fakeDisplay();
    const progress = startProgress("x", { display });
    progress.update(1);
    progress.fail();
    progress.update(2);
    progress.succeed();
    vi.advanceTimersByTime(1000);
    expect(display.lines).toEqual(["x", "failed x: failed after 1"]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each<[string, (progress: ReturnType<typeof startProgress>) => void]>([
    ["ok x", (progress) => progress.succeed()],
    ["ok x: loaded", (progress) => progress.succeed("loaded")],
    ["failed x: failed", (progress) => progress.fail()],
    ["failed x: no network", (progress) => progress.fail("no network")],
  ])("may end without a count: %s", (line, finish) => {
    const display = fakeDisplay();
    finish(startProgress("x", { display }));
    expect(display.lines.at(-1)).toBe(line);
  });

  it("counts what was announced if it was never updated", () => {
    const display = fakeDisplay();
    startProgress("x", { total: 3, unit: "files", display }).succeed();
    expect(display.lines.at(-1)).toBe("ok x: 3 files");
  });
});

describe("trackProgress", () => {
  it("passes the items on", async () => {
    for (const items of [["a", "b"], new Set(["a", "b"])]) {
      const display = fakeDisplay();
      expect(await collect(trackProgress(items, "x", { unit: "letters", display }))).toEqual(["a", "b"]);
      expect(display.lines).toEqual(["x  0/2 letters (0 %)", "ok x: 2 letters"]);
    }
  });

  it("counts on from what was done before", async () => {
    const display = fakeDisplay();
    await collect(trackProgress(["a", "b"], "x", { initial: 3, display }));
    expect(display.lines).toEqual(["x  3/5 (60 %)", "ok x: 5"]);
  });

  it("tells when the source fails", async () => {
    async function* source() {
      yield 1;
      throw new Error("broken");
    }
    const display = fakeDisplay();
    expect((await failure(collect(trackProgress(source(), "x", { display })))).message).toBe("broken");
    expect(display.lines).toEqual(["x", "failed x: failed after 1"]);
  });

  it("tells when the loop is left", async () => {
    const display = fakeDisplay();
    for await (const item of trackProgress([1, 2, 3], "x", { display })) {
      if (item === 2) break;
    }
    expect(display.lines.at(-1)).toBe("failed x: stopped after 1");
  });

  it("lets the event loop have a turn while the work is synchronous", async () => {
    let turns = 0;
    const ticker = setInterval(() => turns++, 1);
    for await (const _ of trackProgress([1, 2, 3], "x", { display: fakeDisplay() })) {
      vi.advanceTimersByTime(150);
      const end = process.hrtime.bigint() + 5_000_000n;
      while (process.hrtime.bigint() < end);
    }
    clearInterval(ticker);
    expect(turns).toBeGreaterThan(0);
  });
});

describe("in a notebook", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    Reflect.deleteProperty(globalThis, NOTEBOOK_DISPLAY);
  });

  it("is one output, updated in place", () => {
    const display = vi.fn<NotebookDisplay>();
    Object.assign(globalThis, { [NOTEBOOK_DISPLAY]: display });
    const printed = vi.spyOn(process.stdout, "write").mockReturnValue(true);
    const first = startProgress("first", { total: 2 });
    const second = startProgress("second");
    vi.advanceTimersByTime(1000);
    first.update(1);
    first.log("a remark");
    second.succeed();
    first.fail();
    expect(printed).toHaveBeenCalledWith("a remark\n");
    printed.mockRestore();
    expect(display.mock.calls).toEqual([
      [{ "text/plain": "first  0/2 (0 %)" }, { displayId: "progress-1", update: false }],
      [{ "text/plain": "second" }, { displayId: "progress-2", update: false }],
      [{ "text/plain": "first  1/2 (50 %), 1/s, 1 s left" }, { displayId: "progress-1", update: true }],
      [{ "text/plain": "second" }, { displayId: "progress-2", update: true }],
      [{ "text/plain": "first: failed after 1" }, { displayId: "progress-1", update: true }],
    ]);
  });
});

describe("on stderr", () => {
  it("is plain lines without a terminal: the first, the last, one every 10 s", () => {
    const lines: unknown[] = [];
    vi.spyOn(process.stderr, "write").mockImplementation((line) => lines.push(line) > 0);
    const progress = startProgress("x", { total: 25, unit: "steps" });
    for (let done = 1; done <= 25; done++) {
      vi.advanceTimersByTime(1000);
      progress.update(done);
    }
    progress.succeed();
    expect(lines).toEqual([
      "x  0/25 steps (0 %)\n",
      "x  10/25 steps (40 %), 1/s, 15 s left\n",
      "x  20/25 steps (80 %), 1/s, 5 s left\n",
      "x: 25 steps\n",
    ]);
  });

  it("is a spinner on a terminal, and the process ends with it", async () => {
    // A process of its own whose stderr claims to be a terminal.
    const program = `
      import { setTimeout as sleep } from "node:timers/promises";
      import { startProgress } from "thoughtbook/core";
      Object.assign(process.stderr, { isTTY: true, columns: 80, cursorTo() {}, clearLine() {}, moveCursor() {} });
      const outer = startProgress("outer", { total: 2 });
      await sleep(150);
      outer.update(1);
      const inner = startProgress("inner");
      inner.succeed();
      outer.log("a remark");
      outer.update(2);
      outer.succeed();`;
    const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: import.meta.dirname,
      env: { ...process.env, TERM: "xterm", CI: undefined },
      timeout: 10_000,
    });
    const shown = stripVTControlCharacters(stderr);
    expect(shown).toMatch(/outer {2}0\/2 \(0 %\)/);
    expect(shown).toMatch(/outer {2}1\/2 \(50 %\)/);
    expect(shown).toMatch(/inner\n/);
    expect(shown).toMatch(/a remark\n/);
    expect(shown).toMatch(/[✔√] outer: 2\n$/);
    expect(shown).not.toMatch(/Multiple concurrent spinners/);
  });
});
