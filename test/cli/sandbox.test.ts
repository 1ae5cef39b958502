import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";
import { interpretersOf } from "../sandbox/helpers.js";

const BIN = join(root, "lib", "bin.mjs");

describe("thoughtbook sandbox", { timeout: 120_000 }, () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-sandbox-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string, code: string) => {
    writeFileSync(join(folder, name), code);
    return join(folder, name);
  };
  const run = (...args: string[]) => spawnSync(process.execPath, [BIN, "sandbox", ...args], { encoding: "utf8" });

  it("runs a program of Python", () => {
    const program = file("double.py", "print(int(input()) * 2)");
    const { status, stdout } = run(program, "--language", "python", "--stdin", "21", "--json");
    expect(JSON.parse(stdout)).toEqual({
      ok: true,
      stdout: "42\n",
      stderr: "",
      error: null,
      milliseconds: expect.any(Number),
    });
    expect(status).toBe(0);
  });

  it("runs a program of JavaScript, whose language its name tells", () => {
    const { status, stdout, stderr } = run(file("hello.js", "console.log('hello'); console.error('there')"));
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "hello\n", stderr: "there\n" });
  });

  it("tells why a program failed, and exits with 1", () => {
    const program = file("endless.txt", "for (;;) {}");
    const { status, stdout } = run(program, "--language", "javascript", "--time-limit-ms", "300", "--json");
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, error: { kind: "timeout", message: /300 ms/ } });
    const plain = run(file("door.js", "process.exit(0)"));
    expect(plain.status).toBe(1);
    expect(plain.stderr).toMatch(/\nforbidden: ReferenceError: process is not defined \(line 1\)\n$/);
  });

  it("tells what it cannot take", () => {
    expect(run(join(folder, "nope.py")).stderr).toMatch(/cannot read .*nope\.py: no such file/);
    expect(run(file("a.txt", "1")).stderr).toMatch(
      /the language of .*a\.txt is not plain from its name\. Give --language/,
    );
    expect(run(file("a.js", "1"), "--memory-mb", "1").stderr).toMatch(/memoryMb for javascript is 1, expected/);
  });

  it("ends with Ctrl-C", async () => {
    const program = file("long.js", "for (;;) {}");
    const child = spawn(process.execPath, [BIN, "sandbox", program, "--time-limit-ms", "60000"], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (bytes) => {
      stderr += bytes;
    });
    // Once its interpreter is there it listens; where that cannot be seen, after a while.
    for (let waited = 0; waited < 30_000 && interpretersOf(child.pid!).length === 0; waited += 100) await sleep(100);
    await sleep(500);
    child.kill("SIGINT");
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(1);
    expect(stderr).toMatch(/interrupted/);
  });
});
