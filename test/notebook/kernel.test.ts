import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Kernel, kernelCommand, type Outcome, startKernel } from "thoughtbook/notebook";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { isAlive, root, temporaryFolder } from "./helpers.js";

interface Ran {
  outcome: Outcome;
  text: string;
  types: string[];
}

async function run(
  kernel: Kernel,
  code: string,
  options: { timeoutSeconds?: number; signal?: AbortSignal } = {},
): Promise<Ran> {
  const types: string[] = [];
  let text = "";
  const outcome = await kernel.execute(code, {
    ...options,
    onOutput: ({ header, content }) => {
      types.push(header.msg_type);
      if (header.msg_type === "stream") text += content.text;
    },
  });
  // tslab aborts what comes within 200 ms of a failed cell.
  if (outcome.status === "error") await delay(250);
  return { outcome, text, types };
}

describe("a healthy kernel", () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await startKernel({ cwd: root });
  });
  afterAll(() => kernel.stop());

  it("loses no line of a burst of 5,000", async () => {
    const { outcome, text, types } = await run(kernel, "for (let i = 0; i < 5000; i++) console.log(i);");
    expect(outcome.status).toBe("ok");
    // In few messages: nbclient gives up on a queue of thousands.
    expect(types.length).toBeLessThan(10);
    expect(text).toBe(Array.from({ length: 5000 }, (_, i) => `${i}\n`).join(""));
  });

  it("sends an execution count before the output, as other kernels do", async () => {
    const { types } = await run(kernel, "1 + 1");
    expect(types).toEqual(["execute_input", "stream"]);
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

  it("is interrupted in a loop without an end, and goes on", async () => {
    expect((await run(kernel, "while (true) {}", { timeoutSeconds: 0.3 })).outcome).toEqual({
      status: "timeout",
      seconds: 0.3,
    });
    await delay(250);
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 300);
    expect((await run(kernel, "await new Promise(() => {});", { signal: stop.signal })).outcome).toEqual({
      status: "interrupted",
    });
    await delay(250);
    expect((await run(kernel, "console.log(3)")).text).toBe("3\n");
  });
});

describe("a kernel in trouble", () => {
  let kernel: Kernel | undefined;
  afterEach(() => kernel?.stop());

  it("is killed where it cannot be interrupted", async () => {
    kernel = await startKernel({ cwd: root, graceSeconds: 0.3 });
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
      'const { startKernel } = await import("thoughtbook/notebook");' +
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
