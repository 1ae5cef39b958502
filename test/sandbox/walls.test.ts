import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { openSandbox } from "thoughtbook/sandbox";
import { expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

/** What code would try that got out of WebAssembly into the process around it; each gives what it got hold of. */
const ATTEMPTS: Record<string, string> = {
  "reads a file": "(await import('node:fs')).readFileSync('/etc/passwd', 'utf8')",
  "reads a file by promises": "await (await import('node:fs/promises')).readFile('/etc/passwd', 'utf8')",
  "lists a folder": "(await import('node:fs')).readdirSync('/')",
  "starts a process": "(await import('node:child_process')).execSync('id').toString()",
  "starts a thread": "new (await import('node:worker_threads')).Worker('1', { eval: true })",
  connects: "(await import('node:net')).connect(1, '127.0.0.1')",
  "connects a socket": "new (await import('node:net')).Socket().connect(1, '127.0.0.1')",
  listens: "(await import('node:net')).createServer().listen(0)",
  "connects by HTTP": "(await import('node:http')).get('http://127.0.0.1:1')",
  "connects by TLS": "(await import('node:tls')).connect(1)",
  "sends a datagram": "(await import('node:dgram')).createSocket('udp4')",
  "asks a name server": "await (await import('node:dns/promises')).lookup('localhost')",
  fetches: "await fetch('http://127.0.0.1:1')",
  "reads the environment": "JSON.stringify(process.env)",
  "reads the environment by its module":
    "JSON.stringify((await import('node:process')).default.env) === '{}' ? null : 'env'",
  "makes code of text": "new Function('return 1')()",
  "makes code by a constructor": "(() => {}).constructor('return 1')()",
  "opens a context": "(await import('node:vm')).runInNewContext('1')",
  "opens the inspector": "(await import('node:inspector')).open(0)",
  "loads native code":
    "(await import('node:process')).default.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6')",
  "asks for a binding": "(await import('node:process')).default.binding('fs').open",
  "sends a signal": "(await import('node:process')).default.kill((await import('node:process')).default.pid, 0)",
  "gets a module": "(await import('node:process')).default.getBuiltinModule('fs').readFileSync('/etc/passwd')",
  "makes a require": "(await import('node:module')).createRequire('/x')('fs')",
};

it("the process around an interpreter has no files, network, processes or environment itself", {
  timeout: 60_000,
}, async () => {
  if (process.platform !== "linux") return console.log("skipped: the command of a process is read in /proc");
  const sandbox = openSandbox({ workers: 1, languages: ["javascript"] });
  try {
    await sandbox.run({ language: "javascript", code: "1" });
    const pid = readdirSync("/proc").find(
      (name) => /^\d+$/.test(name) && readParent(name) === process.pid && read(name, "cmdline").includes("sandbox"),
    )!;
    expect(read(pid, "environ")).toBe("");
    const command = read(pid, "cmdline").split("\0");
    const flags = command.slice(
      1,
      command.findIndex((each) => each.endsWith("main.js")),
    );
    expect(flags.filter((flag) => flag.endsWith("permission"))).toHaveLength(1);
    expect(flags.join(" ")).not.toMatch(/allow-(fs-write|child|worker|addons|wasi|net)/);
    const walls = pathToFileURL(join(root, "lib", "dist", "sandbox", "worker", "walls.js")).href;
    const tries = Object.entries(ATTEMPTS).map(
      ([name, code]) => `await attempt(${JSON.stringify(name)}, async () => ${code});`,
    );
    const script = `
      import { writeSync } from "node:fs";
      import { raiseWalls } from ${JSON.stringify(walls)};
      const found = {};
      const attempt = async (name, action) => {
        try { const got = await action(); if (got !== null && got !== undefined) found[name] = String(got).slice(0, 80); } catch {}
      };
      const write = writeSync;
      raiseWalls();
      ${tries.join("\n")}
      write(1, JSON.stringify(found));`;
    const { stdout, stderr } = spawnSync(process.execPath, [...flags, "--input-type=module", "-e", script], {
      encoding: "utf8",
      env: {},
    });
    expect(stdout, stderr).toBe("{}");
  } finally {
    await sandbox.close();
  }
});

function read(pid: string, file: string): string {
  const path = join("/proc", pid, file);
  try {
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  } catch {
    return "";
  }
}

const readParent = (pid: string) => Number(read(pid, "stat").split(") ")[1]?.split(" ")[1]);
