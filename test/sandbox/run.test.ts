import { execFileSync, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openSandbox, type Program, type Sandbox } from "thoughtbook/sandbox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";
import { interpretersOf } from "./helpers.js";

const TIMEOUT = { timeout: 300_000 };

const isAlive = (pid: number) => {
  try {
    return !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
};

describe("a sandbox", TIMEOUT, () => {
  let sandbox: Sandbox;
  beforeAll(() => {
    sandbox = openSandbox({ timeLimitMs: 5000, workers: 1 });
  });
  afterAll(() => sandbox.close());
  const python = (code: string, more: Partial<Program> = {}) => sandbox.run({ language: "python", code, ...more });
  const javascript = (code: string, more: Partial<Program> = {}) =>
    sandbox.run({ language: "javascript", code, ...more });

  it("gives what a program printed, its value and its time", async () => {
    expect(
      await python("import sys\nprint('a', 1)\nprint('b', file=sys.stderr)\n[1, (2.5, None), {'k': {1}}]"),
    ).toEqual({
      ok: true,
      stdout: "a 1\n",
      stderr: "b\n",
      value: [1, [2.5, null], { k: new Set([1]) }],
      error: null,
      milliseconds: expect.any(Number),
    });
    expect(await javascript("console.log('a', 1); console.error('b'); ({ k: [1, 2.5, null, undefined, 3n] })")).toEqual(
      {
        ok: true,
        stdout: "a 1\n",
        stderr: "b\n",
        value: { k: [1, 2.5, null, undefined, 3n] },
        error: null,
        milliseconds: expect.any(Number),
      },
    );
    expect("value" in (await python("x = 1"))).toBe(false);
    expect(await python("lambda: 1")).toMatchObject({ ok: true, stderr: "" });
  });

  it("prints values of JavaScript as Node does", async () => {
    const values =
      "'text', ['a', \"it's\"], { a: 1, 'b-c': { d: { e: { f: 1 } } } }, new Map([[1, { a: 2 }]]), new Set(['x']), -0, 10n, null, undefined, () => 1, class A {}, [undefined, , 3], Symbol('s'), new Date(0), /x/g, 'x'.repeat(3), true, [[[[1]]]], Object.create(null), new (class B { x = 1 })(), [1.5, 'b'], {}, []";
    const code = `console.log(${values}); console.log('%s is %d and %i%%', 'x', 1.5, 2.7, 'more'); console.log(Array.from({ length: 3 }, (_, i) => ({ name: 'number ' + i, value: i * 1000000, tags: ['a', 'b'] })))`;
    const node = execFileSync(process.execPath, ["-e", code], { encoding: "utf8" });
    expect((await javascript(code)).stdout).toBe(node);
  });

  it("tells errors by their message, line and traceback", async () => {
    const failed = await python("def f(x):\n    return 1 / x\n\nprint('before')\nf(0)");
    expect(failed.error).toEqual({ kind: "error", message: "ZeroDivisionError: division by zero (line 2)" });
    expect(failed.stdout).toBe("before\n");
    expect(failed.stderr).toMatch(
      /^Traceback[\s\S]*line 5[\s\S]*f\(0\)[\s\S]*line 2[\s\S]*ZeroDivisionError: division by zero\n$/,
    );
    expect(failed.stderr).not.toMatch(/sandbox|exec\(/);
    expect((await python("x = = 1")).error).toEqual({ kind: "error", message: "SyntaxError: invalid syntax (line 1)" });
    expect((await python("import numpy")).error).toMatchObject({ kind: "error", message: /No module named 'numpy'/ });
    expect((await python("import sys\nsys.exit('stop')")).error).toEqual({
      kind: "error",
      message: "SystemExit: stop",
    });
    expect(await python("import sys\nsys.exit(0)")).toMatchObject({ ok: true, error: null });
    const thrown = await javascript("function f() {\n  throw new TypeError('no')\n}\nf()");
    expect(thrown.error).toEqual({ kind: "error", message: "TypeError: no (line 2)" });
    expect(thrown.stderr).toMatch(/^TypeError: no\n +at f \(program.js:2/);
    expect((await javascript("throw { a: 1 }")).error).toEqual({ kind: "error", message: "thrown: { a: 1 }" });
    expect((await javascript("let = ;")).error!.message).toMatch(/^SyntaxError: .*\(line 1\)$/);
  });

  it("gives programs their input", async () => {
    const stdin = "3\nä b\r\nlast";
    const code = "import sys\nn = int(input('? '))\nprint(n, input(), sys.stdin.read())";
    expect((await python(code, { stdin })).stdout).toBe("? 3 ä b\r last\n");
    expect((await python("print(open(0).read())", { stdin: "all" })).stdout).toBe("all\n");
    expect((await python("import sys\nprint([line for line in sys.stdin])", { stdin: "a\nb\n" })).stdout).toBe(
      "['a\\n', 'b\\n']\n",
    );
    expect((await python("input()")).error).toMatchObject({ kind: "error", message: /^EOFError/ });
    expect(
      (await javascript("console.log(Number(readline()), prompt('? '), readline(), readline())", { stdin })).stdout,
    ).toBe("? 3 ä b last null\n");
    // Nothing is left of it, also where a program closed or replaced its streams.
    for (const code of [
      "open(0).read()",
      "import os\nfor n in range(3): os.close(n)",
      "import os\nos.dup2(2, 1)\nos.dup2(1, 0)",
    ]) {
      expect(await python(code, { stdin: "x" }), code).toMatchObject({ ok: true });
      const echo = await python("import sys\nprint(input())\nprint('e', file=sys.stderr)", { stdin: "again" });
      expect(echo).toMatchObject({ ok: true, stdout: "again\n", stderr: "e\n" });
    }
    expect((await python("input()")).error!.message).toMatch(/^EOFError/);
  });

  it("runs what waits: promises, timers, asyncio", async () => {
    const code =
      "setTimeout(() => console.log('c'), 20); (async () => { console.log('a'); await null; console.log('b'); return 5 })()";
    expect(await javascript(code)).toMatchObject({ ok: true, stdout: "a\nb\nc\n", value: 5 });
    expect(await javascript("await new Promise((done) => setTimeout(done, 5)); console.log('m')")).toMatchObject({
      stdout: "m\n",
    });
    expect((await javascript("(async () => { throw new RangeError('late') })()")).error!.message).toMatch(
      /^RangeError: late/,
    );
    const main =
      "import asyncio\nasync def f(n):\n    await asyncio.sleep(n / 100)\n    return n\nasync def main():\n    return await asyncio.gather(f(2), f(1))\nprint(asyncio.run(main()))";
    expect(await python(main)).toMatchObject({ ok: true, stdout: "[2, 1]\n", stderr: "" });
  });

  it("starts each program anew", async () => {
    const dirty = [
      "x = 1",
      "import builtins, json, math, random, sys, os, decimal",
      "builtins.len = None; builtins.x = 1; math.pi = 3; json.loads = None; random.seed(1); sys.path.clear()",
      "sys.modules['json'] = None; os.environ['A'] = 'b'; decimal.getcontext().prec = 2; sys.stdout = None",
      "import __main__; __main__.y = 2",
    ].join("\n");
    expect(await python(dirty)).toMatchObject({ ok: true });
    const clean =
      "import json, math, os, decimal, sys\nprint(len('ab'), math.pi > 3.1, json.loads('1'), dict(os.environ), decimal.getcontext().prec, len(sys.path) > 0, 'x' in globals() or 'y' in globals())";
    expect(await python(clean)).toMatchObject({ stdout: "2 True 1 {} 28 True False\n", stderr: "" });
    await javascript(
      "globalThis.x = 1; Array.prototype.map = null; Object.prototype.y = 1; console.log = null; let z = 1",
    );
    expect(await javascript("console.log(typeof x, typeof z, [1].map((each) => each), ({}).y)")).toMatchObject({
      stdout: "undefined undefined [ 1 ] undefined\n",
    });
    // The same each time: sets of texts have an order, random numbers a seed.
    const random = "import random\nprint(random.random(), {'a', 'b', 'c', 'd'}, hash('x'))";
    expect((await python(random)).stdout).toBe((await python(random)).stdout);
    // Memory that one program used comes to the next as zeros, and within the limit again.
    expect(await python("x = b'secret' * 10 ** 7\nlen(x)")).toMatchObject({ value: 6e7 });
    expect(await python("x = b'secret' * 10 ** 7\nlen(x)")).toMatchObject({ value: 6e7 });
  });

  it("gives classes, pickles and tests of the standard library what they need of a main module", async () => {
    const code =
      "import dataclasses, pickle, typing, enum, unittest, functools\n@dataclasses.dataclass\nclass A:\n    x: int\n    y: 'list[int]' = dataclasses.field(default_factory=list)\nprint(pickle.loads(pickle.dumps(A(1))), typing.get_type_hints(A), __name__)\nif __name__ == '__main__': print('main')";
    expect((await python(code)).stdout).toBe("A(x=1, y=[]) {'x': <class 'int'>, 'y': list[int]} __main__\nmain\n");
  });

  it("runs programs side by side, in their order", async () => {
    const both = openSandbox({ workers: 2, languages: ["javascript"] });
    try {
      const wait = (n: number): Program => ({
        language: "javascript",
        code: `setTimeout(() => console.log(${n}), ${n % 2 ? 300 : 1})`,
      });
      const started = performance.now();
      const results = await both.runAll([1, 2, 3, 4].map(wait));
      expect(results.map(({ stdout }) => stdout)).toEqual(["1\n", "2\n", "3\n", "4\n"]);
      expect(performance.now() - started).toBeLessThan(5000);
      expect(both.processes().length).toBe(2);
      expect(() => both.run({ language: "python", code: "1" })).toThrow(/no language "python" in this sandbox/);
    } finally {
      await both.close();
    }
    expect(both.processes()).toEqual([]);
    await expect(both.run({ language: "javascript", code: "1" })).rejects.toThrow(/closed/);
  });

  it("can give each program a process of its own", async () => {
    const once = openSandbox({ workers: 1, fresh: "interpreter", languages: ["javascript"] });
    try {
      expect(await once.run({ language: "javascript", code: "1" })).toMatchObject({ value: 1 });
      expect(once.processes()).toEqual([]);
      expect(await once.run({ language: "javascript", code: "2" })).toMatchObject({ value: 2 });
    } finally {
      await once.close();
    }
  });

  it("is interrupted at once, and leaves no process", async () => {
    const before = interpretersOf(process.pid);
    const controller = new AbortController();
    const mine = openSandbox({ workers: 2, timeLimitMs: 60_000, languages: ["javascript"] });
    const endless = Array.from({ length: 5 }, (): Program => ({ language: "javascript", code: "for (;;) {}" }));
    const running = mine.runAll(endless, { signal: controller.signal });
    await sleep(1500);
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
    await mine.close();
    expect(interpretersOf(process.pid).filter((pid) => !before.includes(pid))).toEqual([]);
    await expect(
      sandbox.run({ language: "javascript", code: "1" }, { signal: AbortSignal.abort() }),
    ).rejects.toMatchObject({
      code: "interrupted",
    });
  });

  it("leaves no process where its own process is killed, or forgets to close it", async () => {
    if (process.platform !== "linux") return console.log("skipped: processes are counted in /proc");
    const script = (rest: string) =>
      `import { openSandbox } from ${JSON.stringify(join(root, "lib", "dist", "sandbox", "index.js"))};
       const sandbox = openSandbox({ workers: 1, timeLimitMs: 2000 });
       await sandbox.run({ language: "javascript", code: "1" }); ${rest}`;
    const start = (code: string) =>
      spawn(process.execPath, ["--input-type=module", "-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    const forgets = start(script("console.log('done');"));
    expect(await new Promise((resolve) => forgets.once("exit", resolve))).toBe(0);
    const killed = start(
      script("console.log('running'); await sandbox.run({ language: 'javascript', code: 'for (;;) {}' });"),
    );
    await new Promise((resolve) => killed.stdout!.once("data", resolve));
    await sleep(300);
    const theirs = interpretersOf(killed.pid!);
    expect(theirs.length).toBe(1);
    killed.kill("SIGKILL");
    for (let waited = 0; theirs.some(isAlive) && waited < 15_000; waited += 100) await sleep(100);
    expect(theirs.filter(isAlive)).toEqual([]);
  });

  it("refuses options and programs that it cannot take", async () => {
    expect(() => openSandbox({ timeLimitMs: 0 })).toThrow(/timeLimitMs is 0/);
    expect(() => openSandbox({ memoryMb: 10 })).toThrow(
      /memoryMb for python is 10, expected a whole number, 64 or more/,
    );
    expect(() => openSandbox({ languages: ["ruby" as "python"] })).toThrow(/"ruby".*/);
    expect(() => openSandbox({ workers: 1.5 })).toThrow(/workers/);
    await expect(javascript("1", { timeLimitMs: -1 })).rejects.toThrow(/timeLimitMs is -1/);
  });

  it("keeps to the limits that it is given", async () => {
    const tight = openSandbox({ outputBytes: 10, memoryMb: 64, timeLimitMs: 3000, workers: 1 });
    try {
      expect(await tight.run({ language: "javascript", code: "console.log('123456789')" })).toMatchObject({ ok: true });
      expect(await tight.run({ language: "javascript", code: "console.log('1234567890')" })).toMatchObject({
        ok: false,
        stdout: "1234567890",
        error: { kind: "output", message: "the program printed more than 10 bytes" },
      });
      expect(await tight.run({ language: "python", code: "x = bytearray(50_000_000)" })).toMatchObject({
        error: { kind: "memory" },
      });
      expect(await tight.run({ language: "python", code: "x = bytearray(20_000_000)" })).toMatchObject({ ok: true });
    } finally {
      await tight.close();
    }
    const { error, milliseconds } = await javascript("for (;;) {}", { timeLimitMs: 200 });
    expect(error).toEqual({ kind: "timeout", message: "the program took longer than 200 ms" });
    expect(milliseconds).toBeGreaterThanOrEqual(200);
  });
});
