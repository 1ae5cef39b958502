import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type Kernel, kernelCommand, type Outcome, startKernel } from "../../lib/dist/notebook/kernel.js";
import { isAlive, root, temporaryFolder } from "./helpers.js";

interface Ran {
  outcome: Outcome;
  text: string;
  types: string[];
  /** What is shown of the last expression, by type. */
  result: Record<string, unknown> | undefined;
}

async function run(
  kernel: Kernel,
  code: string,
  options: { timeoutSeconds?: number; signal?: AbortSignal } = {},
): Promise<Ran> {
  const types: string[] = [];
  let text = "";
  let result: Record<string, unknown> | undefined;
  const outcome = await kernel.execute(code, {
    ...options,
    onOutput: ({ header, content }) => {
      types.push(header.msg_type);
      if (header.msg_type === "stream") text += content.text;
      if (header.msg_type === "execute_result") result = content.data as Record<string, unknown>;
    },
  });
  return { outcome, text, types, result };
}

describe("a healthy kernel", () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await startKernel({ cwd: root });
  }, 60_000);
  afterAll(() => kernel?.stop());

  it("loses no line of a burst of 5,000", async () => {
    const { outcome, text, types } = await run(kernel, "for (let i = 0; i < 5000; i++) console.log(i);");
    expect(outcome.status).toBe("ok");
    // In few messages: nbclient gives up on a queue of thousands.
    expect(types.length).toBeLessThan(10);
    expect(text).toBe(Array.from({ length: 5000 }, (_, i) => `${i}\n`).join(""));
  });

  it("sends an execution count before the output, as other kernels do", async () => {
    const { types } = await run(kernel, "1 + 1");
    expect(types).toEqual(["execute_input", "execute_result"]);
  });

  it("keeps the order of streams and displays", async () => {
    const code =
      'import { showMarkdown } from "thoughtbook/notebook";\n' +
      'console.log(1); console.log(2); console.error(3); showMarkdown("4"); console.log(5);\n' +
      'throw new Error("6");';
    const { types } = await run(kernel, code);
    expect(types).toEqual(["execute_input", "stream", "stream", "display_data", "stream", "error"]);
  });

  it("reports what a cell throws with name, message and place", async () => {
    const { outcome, types } = await run(
      kernel,
      'function inner() { throw new TypeError("no such budget"); }\ninner();',
    );
    expect(outcome).toMatchObject({ status: "error", ename: "TypeError", evalue: "no such budget" });
    expect(outcome.status === "error" && outcome.traceback.join("\n")).toMatch(/at inner/);
    expect(types).toContain("error");
  });

  it("shows the next step that one of our errors carries", async () => {
    const { outcome } = await run(
      kernel,
      'import { ThoughtbookError } from "thoughtbook/core";\n' +
        'throw new ThoughtbookError("bad-input", "no split x", { hint: "Use test." });',
    );
    expect(outcome).toMatchObject({ ename: "ThoughtbookError", evalue: "no split x. Use test." });
  });

  it("reports a type error with its position", async () => {
    const { outcome } = await run(kernel, '\nlet budget: number = "x";');
    expect(outcome).toMatchObject({ status: "error", ename: "TypeScriptError" });
    expect(outcome.status === "error" && outcome.evalue).toBe(
      "2:5 - Type 'string' is not assignable to type 'number'.",
    );
  });

  it.each([
    ["a rejection", 'Promise.reject(new Error("floating"));\nnull;', "unhandled rejection: floating"],
    [
      "an unawaited call",
      'void (async () => { await null; throw new Error("deep"); })();',
      "unhandled rejection: deep",
    ],
    ["a rejection with a string", 'void Promise.reject("text");', "unhandled rejection: 'text'"],
  ])("fails a cell for %s that nobody handles", async (_, code, message) => {
    const { outcome } = await run(kernel, code);
    expect(outcome).toMatchObject({ status: "error", evalue: message });
  });

  it("fails the next cell for an exception in a timer of an earlier one", async () => {
    expect((await run(kernel, 'setTimeout(() => { throw new Error("late"); }, 20);\nnull;')).outcome.status).toBe("ok");
    await delay(150);
    const { outcome } = await run(kernel, "1");
    expect(outcome).toMatchObject({
      status: "error",
      evalue: "uncaught exception: from work that an earlier cell left unawaited: late",
    });
    expect((await run(kernel, "2")).outcome.status).toBe("ok");
  });

  it("finds a variable of an earlier cell in a shorthand property", async () => {
    await run(kernel, "const seed = 7, width = 2;");
    const code = "const options = { seed, inner: { width } };\nlet other = 0;\n({ other } = { other: 5 });";
    expect((await run(kernel, `${code}\nconsole.log(options, other);`)).text).toBe(
      "{ seed: 7, inner: { width: 2 } } 5\n",
    );
  });

  it("takes `for await` at top level", async () => {
    expect((await run(kernel, "for await (const x of [1, 2]) console.log(x);")).text).toBe("1\n2\n");
  });

  it("calls back after a write", async () => {
    const code = 'await new Promise<void>((resolve) => process.stdout.write("a", () => resolve()));\nconsole.log("b");';
    expect((await run(kernel, code, { timeoutSeconds: 5 })).text).toBe("ab\n");
  });

  it("prints no colours", async () => {
    expect((await run(kernel, "console.log({ a: 1 })")).text).toBe("{ a: 1 }\n");
  });

  it("resolves and type-checks the library's subpaths", async () => {
    const code = 'import { graphStatistics } from "thoughtbook/graph";\nconsole.log(graphStatistics([[], [0]]).depth);';
    expect((await run(kernel, code)).text).toBe("1\n");
    const wrong = await run(kernel, 'graphStatistics("text");');
    expect(wrong.outcome).toMatchObject({ ename: "TypeScriptError" });
  });

  it.each([
    ["a number", "1 + 1", "2"],
    ["text, as it is", '"a\\nb"', "a\nb"],
    ["null", "null", "null"],
    ["an object", "({ a: [1] })", "{ a: [ 1 ] }"],
    ["what is awaited", "await (async () => 42)()", "42"],
    ["what is awaited twice", "(await (await Promise.resolve(Promise.resolve([7])))).length", "1"],
    ["a value after output", "console.log(1); 8", "8"],
  ])("sends %s as the result of the last expression", async (_, code, text) => {
    expect((await run(kernel, code)).result).toEqual({ "text/plain": text });
  });

  it.each([
    ["undefined", "void 0"],
    ["a declaration", "const declared = 1;"],
    ["a statement", "if (true) { 1; }"],
    ["an assignment", "let q = 1;\nq = 5"],
    ["a compound assignment", "let q = 1;\nq += 5;"],
    ["a destructuring assignment", "let q = 1;\n({ q } = { q: 9 });"],
  ])("sends no result for %s", async (_, code) => {
    const { outcome, types } = await run(kernel, code);
    expect(outcome.status).toBe("ok");
    expect(types).toEqual(["execute_input"]);
  });

  it("shows a data frame and a list of records as tables", async () => {
    const frame = await run(
      kernel,
      'import { DataFrame } from "danfojs-node";\nnew DataFrame([{ a: 1, b: "<x>" }, { a: 2, b: "y" }])',
    );
    expect(frame.result).toEqual({
      "text/html": expect.stringContaining('<td style="text-align:left">&lt;x&gt;</td>'),
      "text/plain": "a  b\n1  <x>\n2  y",
    });
    const records = await run(kernel, "[{ id: 1 }, { id: 2, right: true }]");
    expect(records.result).toEqual({
      "text/html": expect.stringContaining("<table>"),
      "text/plain": "[ { id: 1 }, { id: 2, right: true } ]",
    });
  });

  it("shows a figure as a picture", async () => {
    const code =
      'import { histogramFigure } from "thoughtbook/plot";\n' +
      'histogramFigure({ name: "a", title: "A", xTitle: "x", series: [{ name: "s", values: [1, 2, 2] }] })';
    const { outcome, result } = await run(kernel, code);
    expect(outcome.status).toBe("ok");
    expect(Object.keys(result ?? {})).toEqual(["image/png", "application/vnd.plotly.v1+json", "text/plain"]);
  });

  it("answers the request after a failed cell", async () => {
    expect((await run(kernel, 'throw new Error("1")')).outcome.status).toBe("error");
    expect((await run(kernel, "2")).result).toEqual({ "text/plain": "2" });
  });

  it("aborts what was sent behind a cell that fails, as a front end that runs all cells wants it", async () => {
    const code = 'await new Promise((resolve) => setTimeout(resolve, 100)); throw new Error("1");';
    const [first, second] = await Promise.all([run(kernel, code), run(kernel, "const notRun = 2;")]);
    expect(first.outcome).toMatchObject({ status: "error", evalue: "1" });
    expect(second.outcome).toMatchObject({ status: "error", evalue: "not run, because a cell before it failed" });
    expect(second.types).toEqual([]);
  });

  it("keeps what a cell declared before it failed, and what was there before", async () => {
    await run(kernel, "const before = 1;");
    const failed = await run(
      kernel,
      "const early: number = before + 1; let unset;\nclass Early { v = 3; }\nfunction half() { return early / 2; }\n" +
        'type Side = "left";\nthrow new Error("stop");\nconst late = 4;',
    );
    expect(failed.outcome).toMatchObject({ evalue: "stop" });
    const code = 'const side: Side = "left";\n[before, early, unset, new Early().v, half(), side]';
    expect((await run(kernel, code)).result).toEqual({ "text/plain": "[ 1, 2, undefined, 3, 1, 'left' ]" });
    expect((await run(kernel, "late")).outcome).toMatchObject({ evalue: "1:1 - Cannot find name 'late'." });
  });

  it("keeps the earlier value of a variable that a failing cell did not come to", async () => {
    await run(kernel, "const again = 1;");
    await run(kernel, 'await Promise.reject(new Error("stop"));\nconst again = "text";');
    expect((await run(kernel, "again + 1")).result).toEqual({ "text/plain": "2" });
  });

  it.each([
    [
      "what may be undefined",
      "const found = [1].find((n) => n > 1);\nfound.toFixed();",
      "'found' is possibly 'undefined'",
    ],
    ["parameters without a type", "function same(x) { return x; }", "Parameter 'x' implicitly has an 'any' type"],
    ["what was caught", "try { null; } catch (e) { e.message; }", "'e' is of type 'unknown'"],
  ])("is strict about %s", async (_, code, message) => {
    const { outcome } = await run(kernel, code);
    expect(outcome).toMatchObject({ ename: "TypeScriptError", evalue: expect.stringContaining(message) });
  });

  it("takes what an earlier cell has checked, as `notebooks check` does", { timeout: 60_000 }, async () => {
    await run(kernel, "const sought = [1, 2].find((n) => n > 1);\nlet level: number | undefined;");
    const unchecked = await run(kernel, "sought + 1");
    expect(unchecked.outcome).toMatchObject({ evalue: expect.stringContaining("'sought' is possibly 'undefined'") });
    await run(kernel, 'if (sought === undefined) throw new Error("none");\nlevel = 5;');
    expect((await run(kernel, "sought + level")).result).toEqual({ "text/plain": "7" });
    const wrong = await run(kernel, "const nothing: string = undefined;");
    expect(wrong.outcome).toMatchObject({ ename: "TypeScriptError" });
  });

  it.each([
    ["before anything is awaited", "const kept = 1; while (true) {}"],
    ["after something is awaited", "await null; const kept = 1; while (true) {}"],
    ["in a timer", "const kept = 1; await new Promise(() => setTimeout(() => { while (true) {} }));"],
    ["without a turn of the event loop", "const kept = 1; while (true) await null;"],
    ["that waits", "const kept = 1; await new Promise(() => {});"],
  ])("is interrupted in work without an end %s, keeps its variables, and goes on", async (_, code) => {
    const started = performance.now();
    expect((await run(kernel, code, { timeoutSeconds: 0.5 })).outcome).toEqual({ status: "timeout", seconds: 0.5 });
    expect(performance.now() - started).toBeLessThan(5000);
    expect((await run(kernel, "kept")).result).toEqual({ "text/plain": "1" });
  });
});

describe("an interruption", () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await startKernel({ cwd: root });
    const code =
      'import { evaluate } from "thoughtbook/eval";\nimport { cot } from "thoughtbook/strategies";\nimport { loadTask } from "thoughtbook/tasks";\n' +
      'import { loadModel } from "thoughtbook/llm";\n' +
      'const model = await loadModel("mini");\nconst task = await loadTask("word-problems:3", { limit: 2000 });\n' +
      "const prompts = Array.from({ length: 5000 }, (_, i) => 'Tom has ' + i);\n" +
      'await model.generate([{ prompt: "Tom", maxNewTokens: 2 }]);';
    expect((await run(kernel, code)).outcome.status).toBe("ok");
  }, 120_000);
  afterAll(() => kernel.stop());

  it.each([
    ["generate", "await model.generate(prompts.map((prompt) => ({ prompt, maxNewTokens: 200, stopIds: [] })));"],
    [
      "score",
      'await model.score(prompts.map((prompt) => ({ prompt, continuation: " He eats them all.".repeat(15) })));',
    ],
    ["evaluate", 'await evaluate(cot(), task, { model, folder: "runs/test/interrupted", overwrite: true });'],
    [
      "work in a loop",
      "for (const prompt of prompts) await model.generate([{ prompt, maxNewTokens: 50, stopIds: [] }]);",
    ],
  ])("ends %s with its own error, and the next cell runs", { timeout: 60_000 }, async (_, code) => {
    const { outcome, types } = await run(kernel, `let ending: unknown;\ntry { ${code} } catch (e) { ending = e; }`, {
      timeoutSeconds: 3,
    });
    expect(outcome.status).toBe("timeout");
    expect(types).toContain("execute_input");
    await expect
      .poll(async () => (await run(kernel, "(ending as { code?: string } | undefined)?.code")).result, {
        timeout: 20_000,
      })
      .toEqual({ "text/plain": "interrupted" });
  });
});

describe("a kernel in trouble", () => {
  let kernel: Kernel | undefined;
  afterEach(() => kernel?.stop());

  it("is killed where it does not end in time", async () => {
    kernel = await startKernel({ cwd: root, graceSeconds: 0.1 });
    const { outcome } = await run(kernel, "await null; while (true) {}", { timeoutSeconds: 0.3 });
    expect(outcome.status).toBe("timeout");
    await delay(100);
    expect(isAlive(kernel.pid)).toBe(false);
    expect((await run(kernel, "1")).outcome).toEqual({ status: "died", reason: "killed by SIGKILL" });
  });

  it("is reported as dead when it is killed in mid-cell, with what it had printed", async () => {
    kernel = await startKernel({ cwd: root });
    const { pid } = kernel;
    setTimeout(() => process.kill(pid, "SIGKILL"), 500);
    const { outcome, text } = await run(kernel, 'console.log("before"); await new Promise(() => {});');
    expect(outcome).toEqual({ status: "died", reason: "killed by SIGKILL" });
    expect(text).toBe("before\n");
  });

  it("is reported as dead when a cell ends the process", async () => {
    kernel = await startKernel({ cwd: root });
    expect((await run(kernel, "process.exit(3)")).outcome).toEqual({
      status: "died",
      reason: "ended with exit code 3",
    });
  });

  it("takes the processes that a cell started with it", async () => {
    kernel = await startKernel({ cwd: root });
    const code = 'import { spawn } from "node:child_process";\nconsole.log(spawn("sleep", ["600"]).pid);';
    const child = Number((await run(kernel, code)).text);
    expect(isAlive(child)).toBe(true);
    await kernel.stop();
    await delay(50);
    expect(isAlive(child)).toBe(false);
  });

  it("ends when the process that started it is killed, even in a loop without an end", async () => {
    const script =
      `const { startKernel } = await import(${JSON.stringify(join(root, "lib/dist/notebook/kernel.js"))});` +
      `const kernel = await startKernel({ cwd: ${JSON.stringify(root)} });` +
      "console.log(kernel.pid);" +
      'await kernel.execute("await null; while (true) {}", { onOutput() {} });';
    const parent = spawn(process.execPath, ["--input-type=module", "-e", script], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const pid = await new Promise<number>((resolve) => parent.stdout.once("data", (data) => resolve(Number(data))));
    await delay(300);
    expect(isAlive(pid)).toBe(true);
    parent.kill("SIGKILL");
    await expect.poll(() => isAlive(pid), { timeout: 5000 }).toBe(false);
  });

  it("ends instead of waiting for ever when a port is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const port = (server.address() as { port: number }).port;
    const file = join(temporaryFolder(), "connection.json");
    const ports = { shell_port: port, iopub_port: port, stdin_port: port, control_port: port, hb_port: port };
    writeFileSync(
      file,
      JSON.stringify({ transport: "tcp", ip: "127.0.0.1", key: "k", signature_scheme: "hmac-sha256", ...ports }),
    );
    const [command, ...args] = kernelCommand().map((part) => part.replace("{connection_file}", file));
    const { status, stderr } = spawnSync(command!, args, { encoding: "utf8", timeout: 20_000 });
    expect(status).toBe(1);
    expect(stderr).toMatch(/the kernel cannot start: .*address already in use/i);
  });

  it("says what it printed if it does not start", async () => {
    await expect(startKernel({ cwd: "/no/such/folder" })).rejects.toThrow(/kernel could not be started/);
    const broken = startKernel({ cwd: root, env: { ...process.env, NODE_OPTIONS: "--no-such-option" } });
    await expect(broken).rejects.toThrow(/ended with exit code 9: .*--no-such-option is not allowed/);
  });
});
