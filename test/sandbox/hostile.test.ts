import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSandbox, type ProgramErrorKind, type ProgramResult, type Sandbox } from "thoughtbook/sandbox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const SECRET = "do-not-tell-8c1f";
const HOST_FILE = "/etc/passwd";

type Hostile = [name: string, code: string, kind: ProgramErrorKind | "ok"];

/** What a program may try; `ok` where it ends by itself, contained. */
const PYTHON: Hostile[] = [
  ["an infinite loop", "while True: pass", "timeout"],
  [
    "a loop that swallows interrupts",
    "while True:\n  try:\n    while True: pass\n  except BaseException: pass",
    "timeout",
  ],
  [
    "a handler for interrupts",
    "import signal\nsignal.signal(signal.SIGINT, lambda *a: None)\nwhile True: pass",
    "timeout",
  ],
  ["a loop in C", "import itertools\nsum(itertools.count())", "timeout"],
  ["a power that takes minutes", "x = 7 ** (10 ** 8)\nprint(x % 10)", "timeout"],
  ["a regular expression that explodes", "import re\nre.match('(a+)+b', 'a' * 60)", "timeout"],
  ["sleep", "import time\ntime.sleep(100)", "timeout"],
  ["1 GB at once", "x = bytearray(10 ** 9)", "memory"],
  ["1 GB in pieces", "x = []\nwhile True: x.append(bytearray(10 ** 7))", "memory"],
  ["a text of 1 GB", "x = 'ab' * (5 * 10 ** 8)", "memory"],
  ["1 GB by mmap", "import mmap\nmmap.mmap(-1, 10 ** 9)", "memory"],
  ["100 MB of output", "for _ in range(100): print('x' * 10 ** 6)", "output"],
  ["100 MB of output at once", "import os\nos.write(1, b'x' * 10 ** 8)", "output"],
  [
    "output without end to stderr",
    "import sys\nwhile True:\n  try: sys.stderr.write('x' * 1000)\n  except BaseException: pass",
    "output",
  ],
  ["recursion", "def f(n): return f(n + 1)\nf(0)", "error"],
  [
    "recursion without a limit",
    "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(n): return [f(n + 1)]\nf(0)",
    "memory",
  ],
  [
    "recursion in C",
    "import sys\nsys.setrecursionlimit(10 ** 9)\nx = []\nfor _ in range(10 ** 6): x = [x]\nrepr(x)",
    "error",
  ],
  ["fork", "import os\nos.fork()", "forbidden"],
  ["a fork bomb", "import os\nwhile True: os.fork()", "forbidden"],
  ["system", "import os\nos.system('touch /tmp/owned')", "forbidden"],
  ["subprocess", "import subprocess\nsubprocess.run(['id'])", "forbidden"],
  ["posix by its own name", "import posix\nposix.execv('/bin/sh', ['sh'])", "forbidden"],
  ["multiprocessing", "import multiprocessing\nmultiprocessing.Process(target=print).start()", "forbidden"],
  ["a file of the host", `print(open('${HOST_FILE}').read())`, "forbidden"],
  ["writing a file", "open('/tmp/owned', 'w').write('x')", "forbidden"],
  ["a file by pathlib", `import pathlib\nprint(pathlib.Path('${HOST_FILE}').read_text())`, "forbidden"],
  ["a file by os.open", `import os\nos.open('${HOST_FILE}', os.O_RDONLY)`, "forbidden"],
  ["a file by io", `import _io\n_io.FileIO('${HOST_FILE}')`, "forbidden"],
  ["the library that all programs share", "open('/lib/python314.zip', 'r+b').write(b'x')", "forbidden"],
  ["a folder", "import os\nprint(os.listdir('/'))", "forbidden"],
  ["/proc", "print(open('/proc/self/environ').read())", "forbidden"],
  ["/proc/1", "print(open('/proc/1/cmdline').read())", "forbidden"],
  ["the environment", `import os\nprint(dict(os.environ))\nprint(os.getenv('SANDBOX_SECRET'))`, "ok"],
  ["a socket", "import socket\nsocket.create_connection(('127.0.0.1', PORT))", "forbidden"],
  ["a raw socket", "import socket\nsocket.socket().connect(('127.0.0.1', PORT))", "forbidden"],
  ["a name server", "import socket\nprint(socket.gethostbyname('localhost'))", "forbidden"],
  ["urllib", "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:PORT')", "forbidden"],
  ["http.client", "import http.client\nhttp.client.HTTPConnection('127.0.0.1', PORT).request('GET', '/')", "forbidden"],
  ["pyodide.http", "import pyodide.http\npyodide.http.open_url('http://127.0.0.1:PORT')", "forbidden"],
  ["js", "import js\nprint(js.process.env.SANDBOX_SECRET)", "forbidden"],
  ["js by importlib", "import importlib\nprint(importlib.import_module('js').process.env)", "forbidden"],
  ["js by __import__", "print(__import__('js').fetch)", "forbidden"],
  ["js without the import hook", "import sys\nsys.meta_path.pop(0)\nimport js", "forbidden"],
  ["pyodide_js", "import pyodide_js\nprint(pyodide_js.FS)", "forbidden"],
  ["run_js", "from pyodide.code import run_js\nprint(run_js('process.env'))", "forbidden"],
  ["run_js by its module", "import pyodide._run_js", "forbidden"],
  ["pyodide.ffi", "from pyodide.ffi import create_proxy", "forbidden"],
  ["_pyodide_core", "import _pyodide_core", "forbidden"],
  ["ctypes", "import ctypes\nctypes.CDLL(None).system(b'id')", "forbidden"],
  ["_ctypes", "import _ctypes", "forbidden"],
  [
    "the collector of garbage",
    "import gc\nprint([o for o in gc.get_objects() if 'Js' in type(o).__name__])",
    "forbidden",
  ],
  [
    "frames of the sandbox",
    "import sys\nf = sys._getframe()\nwhile f.f_back: f = f.f_back\nf.f_globals['refuse'] = print\nimport os\nos.fork()",
    "ok",
  ],
  [
    "subclasses of object",
    "for c in object.__subclasses__():\n  if c.__name__ == 'JsProxy': print(c, c.__subclasses__())",
    "ok",
  ],
  ["leaving at once", "import os\nos._exit(0)", "ok"],
  ["abort", "import os\nos.abort()", "forbidden"],
  ["killing", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "forbidden"],
  ["broken byte code", "def f(): pass\nf.__code__ = f.__code__.replace(co_code=bytes([255, 255] * 500))\nf()", "error"],
  ["a thread", "import threading\nthreading.Thread(target=print).start()", "error"],
  ["breakpoint", "breakpoint()", "forbidden"],
];

const JAVASCRIPT: Hostile[] = [
  ["an infinite loop", "while (true) {}", "timeout"],
  ["a loop that swallows errors", "for (;;) try { for (;;) {} } catch {}", "timeout"],
  ["promises without end", "const again = () => Promise.resolve().then(again); again(); 1", "timeout"],
  ["a timer without end", "setInterval(() => {}, 1)", "timeout"],
  ["a timer that waits long", "setTimeout(() => console.log('late'), 1e6)", "timeout"],
  ["a regular expression that explodes", "/(a+)+b/.test('a'.repeat(60))", "timeout"],
  ["1 GB at once", "new ArrayBuffer(1e9)", "memory"],
  ["1 GB of text", "'ab'.repeat(5e8)", "memory"],
  ["1 GB in pieces", "const all = []; for (;;) all.push(new Uint8Array(1e7))", "memory"],
  ["100 MB of output", "for (let i = 0; i < 100; i++) console.log('x'.repeat(1e6))", "output"],
  ["output without end", "for (;;) try { console.error('x'.repeat(1000)) } catch {}", "output"],
  ["recursion", "function f() { return f() + 1 } f()", "error"],
  ["process", "process.exit(0)", "forbidden"],
  ["the environment", "console.log(process.env.SANDBOX_SECRET)", "forbidden"],
  ["require", `require('fs').readFileSync('${HOST_FILE}')`, "forbidden"],
  ["import", `import { readFileSync } from 'node:fs'; console.log(readFileSync('${HOST_FILE}'))`, "forbidden"],
  ["import()", "await import('node:child_process')", "forbidden"],
  ["fetch", "await fetch('http://127.0.0.1:PORT')", "forbidden"],
  ["WebSocket", "new WebSocket('ws://127.0.0.1:PORT')", "forbidden"],
  ["a worker", "new Worker('x.js')", "forbidden"],
  ["the constructor of functions", "console.log(typeof console.log.constructor('return this')().process)", "ok"],
  ["the constructor's constructor", "this.constructor.constructor('return process')().exit()", "forbidden"],
  [
    "prototypes",
    "Object.prototype.toString = () => { throw 1 }; Array.prototype.map = null; JSON.stringify = null; console.log('x')",
    "error",
  ],
  [
    "a prototype's setter",
    "Object.defineProperty(Object.prototype, 'stdout', { set() { throw 1 }, get() { return 'forged' } }); 1",
    "ok",
  ],
  ["an error that cannot be read", "throw { get message() { for (;;) {} }, toString() { for (;;) {} } }", "timeout"],
  ["a getter that does not end, as the value", "({ get a() { for (;;) {} } })", "timeout"],
  ["a proxy as the value", "new Proxy({}, { ownKeys() { throw new Error('no') } })", "error"],
  ["std and os of QuickJS", "std.loadFile('/etc/passwd')", "forbidden"],
  ["WebAssembly", "new WebAssembly.Memory({ initial: 65536 })", "forbidden"],
];

describe("hostile programs", () => {
  let sandbox: Sandbox;
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.end("reached");
  });
  let port = 0;
  const folder = mkdtempSync(join(tmpdir(), "thoughtbook-sandbox-"));
  beforeAll(async () => {
    process.env.SANDBOX_SECRET = SECRET;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    server.on("connection", () => requests++);
    port = (server.address() as AddressInfo).port;
    writeFileSync(join(folder, "kept"), "kept");
    sandbox = openSandbox({ timeLimitMs: 10_000, workers: 1 });
  });
  afterAll(async () => {
    await sandbox.close();
    server.close();
    delete process.env.SANDBOX_SECRET;
    rmSync(folder, { recursive: true, force: true });
  });

  const tryAll = async (language: "python" | "javascript", programs: Hostile[], after: string) => {
    for (const [name, code, kind] of programs) {
      const result = await sandbox.run({
        language,
        code: code.replaceAll("PORT", String(port)),
        // All others end by themselves.
        timeLimitMs: kind === "timeout" ? 400 : 10_000,
      });
      expect
        .soft({ name, kind: result.error?.kind ?? "ok" }, JSON.stringify(result).slice(0, 600))
        .toEqual({ name, kind });
      expect.soft(result.ok, name).toBe(kind === "ok");
      unharmed(name, result);
      const next = await sandbox.run({ language, code: after });
      expect.soft({ name, ...next, milliseconds: 0 }).toEqual(clean(next));
    }
    expect(requests).toBe(0);
  };
  const unharmed = (name: string, { stdout, stderr, value }: ProgramResult) => {
    const said = stdout + stderr + JSON.stringify(value ?? "");
    expect.soft(said.includes(SECRET), name).toBe(false);
    expect.soft(said.includes("root:"), name).toBe(false);
    expect.soft(stdout.length + stderr.length, name).toBeLessThan(1_100_000);
    expect.soft(existsSync("/tmp/owned"), name).toBe(false);
    expect.soft(readdirSync(folder), name).toEqual(["kept"]);
  };
  const clean = (next: ProgramResult) => ({
    name: expect.any(String),
    ok: true,
    stdout: "3.14159 [2, 1] 3\n",
    stderr: "",
    error: null,
    milliseconds: 0,
    ...("value" in next ? { value: next.value } : {}),
  });

  it("of Python are contained and reported, and the next program finds nothing of them", {
    timeout: 600_000,
  }, async () => {
    const after = [
      "import os, sys, math, json, signal, builtins",
      "assert signal.getsignal(signal.SIGINT) is signal.default_int_handler",
      "assert sys.getrecursionlimit() == 1000 and len(sys.meta_path) > 1",
      "print(round(math.pi, 5), json.loads('[2, 1]'), len('abc'))",
    ].join("\n");
    await tryAll("python", PYTHON, after);
  });

  it("that replace parts of the interpreter's driver leave no file, and tell no kind of their own", {
    timeout: 120_000,
  }, async () => {
    const python = (code: string) => sandbox.run({ language: "python", code });
    const patched = (code: string) =>
      python(`import sys\ndriver = sys._getframe(1).f_globals\ndriver["refuse"] = lambda what: None\n${code}`);
    for (const path of ["/owned", "/dev/owned", "/home/owned", "/tmp/owned", "/lib/owned"]) {
      expect((await patched(`open("${path}", "w").write("x")\nprint("wrote")`)).stdout, path).toBe("wrote\n");
      const { error } = await patched(`print(open("${path}").read())`);
      expect(error?.message, path).toMatch(/FileNotFoundError/);
    }
    const answer = JSON.stringify(JSON.stringify({ value: 1, error: { kind: "boom", message: 5 } }));
    expect((await patched(`driver["dumps"] = lambda outcome: ${answer}`)).error).toEqual({
      kind: "error",
      message: "5",
    });
    expect(await python("6 * 7")).toMatchObject({ ok: true, value: 42 });
  });

  it("of JavaScript are contained and reported, and the next program finds nothing of them", {
    timeout: 300_000,
  }, async () => {
    const after = 'console.log(Math.PI.toFixed(5), "[2, 1]", [1, 2].map((x) => x)[1] + 1)';
    await tryAll("javascript", JAVASCRIPT, after);
  });
});
