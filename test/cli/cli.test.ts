import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeCell, root, temporaryFolder, writeCells } from "../notebook/helpers.js";

const bin = join(root, "lib", "bin.mjs");

describe("thoughtbook", () => {
  let cache: string;
  beforeAll(() => {
    cache = mkdtempSync(join(tmpdir(), "thoughtbook-cli-"));
  });
  afterAll(() => rmSync(cache, { recursive: true, force: true }));

  const offline = () => ({
    ...process.env,
    THOUGHTBOOK_CACHE: cache,
    THOUGHTBOOK_DATA: "",
    HTTPS_PROXY: "http://127.0.0.1:9",
    https_proxy: "http://127.0.0.1:9",
  });
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
      cwd: root,
      env: offline(),
      encoding: "utf8",
    });
    return { status, stdout, stderr };
  };

  it("tells its version", () => {
    const { version } = JSON.parse(readFileSync(join(root, "lib", "package.json"), "utf8"));
    for (const flag of ["--version", "-V"]) expect(run(flag)).toMatchObject({ status: 0, stdout: `${version}\n` });
  });

  it.each([
    [["score", "--model", "minni", "--ids", "1,2"], /^error: there is no model "minni"\. Did you mean mini\? /],
    [["generate", "--model", "mini-score", "--prompt", "x"], /Did you mean mini-scorer(?: or mini-base)?\? /],
    [["models", "check", "./data/model"], /there is no folder .*data\/model\. Did you mean models\? /],
    [["evaluate", "--model", "mini", "--task", "gsm9k"], /Did you mean gsm8k\? /],
    [
      ["evaluate", "--model", "mini", "--task", "svamp", "--strategy", "solv"],
      /solve, program, .*\. Did you mean solve\?/,
    ],
    [["evaluate", "--model", "mini", "--task", "svamp", "--backend", "locl"], /Did you mean local\? /],
    [["data", "download", "gsm8k", "--split", "tset"], /Did you mean test(?: or \w+)?\? /],
  ])("%j names what is near", (args, message) => {
    const { status, stderr } = run(...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(1);
  });

  it("lists the data sets with splits, homes and licences", () => {
    const { status, stdout } = run("data", "list");
    expect(status).toBe(0);
    expect(stdout).toMatch(/^gsm8k {2}GSM8K.*\(MIT, https:/);
    expect(stdout).toMatch(/test_socratic\s+1,319 rows/);
  });

  it.each([
    [
      ["data", "download", "gsm9k"],
      /^error: there is no data set "gsm9k"; known are gsm8k, .*\. Did you mean gsm8k\? Run `npx thoughtbook data list`\.$/,
    ],
    [
      ["data", "download", "gsm8k", "--split", "dev"],
      /^error: gsm8k has no split "dev"; it has train, .*data list`\.$/,
    ],
    [
      ["notebooks", "run", "none.ipynb"],
      /^error: cannot read the notebook none\.ipynb: no such file or folder\. Check the path\.$/,
    ],
    [
      ["notebooks", "run", "--scale", "smoke", "--update"],
      /^error: --update writes the committed notebooks, so it does not go with --scale smoke\. Use --scale standard/,
    ],
    [
      ["notebooks", "run", "--scale", "standard", "--update", "-p", "seed=1"],
      /^error: --update writes the committed notebooks, so it does not go with -p\./,
    ],
    [
      ["notebooks", "run", "--scale", "huge"],
      /^error: option '--scale <scale>' argument 'huge' is invalid\. Allowed choices are smoke, standard, full\./,
    ],
    [["notebooks", "run", "-p", "seed"], /argument 'seed' is invalid\. expected name=value\./],
    [["notebooks", "run", "--cell-timeout", "soon"], /expected a number of seconds above 0/],
  ])("%j is an error of one line with the next step", (args, message) => {
    const { status, stderr } = run(...args);
    expect(status).toBe(1);
    expect(stderr.trim().split("\n")[0]).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it("says what to do without a network, and shows the stack only with --debug", () => {
    const quiet = run("data", "download", "gsm8k", "--split", "test");
    expect(quiet.status).toBe(1);
    const [line] = quiet.stderr.trim().split("\n").slice(-1);
    expect(line).toMatch(/^error: gsm8k test is not at hand and could not be downloaded: .*THOUGHTBOOK_DATA/);
    expect(quiet.stderr).not.toMatch(/^\s+at /m);
    const loud = run("--debug", "data", "download", "gsm8k", "--split", "test");
    expect(loud.stderr).toMatch(/^\s+at /m);
  });

  it("ends quietly when its output is cut off", () => {
    const command = `set -o pipefail; "${process.execPath}" "${bin}" data list | true`;
    expect(spawnSync("bash", ["-c", command], { cwd: root, encoding: "utf8" })).toMatchObject({
      status: 0,
      stderr: "",
    });
  });

  it("names a folder that cannot be written", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(folder, "a.ipynb", "1");
    writeFileSync(join(folder, "taken"), "");
    const { status, stderr } = run("notebooks", "run", file, "--out", join(folder, "taken"));
    expect(status).toBe(1);
    expect(stderr.trim()).toMatch(
      /^error: cannot make the folder .*taken.*: .*\. Choose another folder, or change its permissions\.$/,
    );
  });

  it("runs a notebook with a parameter and says where it lies", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(
      folder,
      "a.ipynb",
      codeCell("const rows = 1;", ["parameters"]),
      "console.log(rows * 2);",
    );
    const { status, stdout, stderr } = run("notebooks", "run", file, "--out", join(folder, "out"), "-p", "rows=21");
    expect(stderr).toMatch(/a {2}\[3\/3\] ok \d+\.\d s {2}console\.log\(rows \* 2\);/);
    expect(status).toBe(0);
    expect(stdout).toContain(
      `1 notebook executed: ${join(folder, "out")}, figures in ${join(folder, "out", "figures")}`,
    );
    expect(readFileSync(join(folder, "out", "a.ipynb"), "utf8")).toContain("42");
  });

  it("ends with an error and shows the cell when a notebook fails", async () => {
    const folder = temporaryFolder();
    const file = await writeCells(folder, "a.ipynb", "const x = 1;\nx.toUpperCase();");
    const { status, stderr } = run("notebooks", "run", file, "--out", join(folder, "out"));
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /2 \| x\.toUpperCase\(\);\n {2}TypeScriptError: 2:3 - Property 'toUpperCase' does not exist/,
    );
    expect(stderr.trim().split("\n").at(-1)).toMatch(/^error: 1 of 1 notebooks failed: /);
  });

  it("interrupts the kernel on Ctrl-C, keeps what had finished, and leaves no process", async () => {
    const folder = temporaryFolder();
    const first = await writeCells(folder, "first.ipynb", "console.log('done');");
    const second = await writeCells(folder, "second.ipynb", "console.log(process.pid);", "while (true) {}");
    const out = join(folder, "out");
    const child = spawn(process.execPath, [bin, "notebooks", "run", first, second, "--out", out], {
      cwd: root,
      env: offline(),
    });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      stderr += text;
      if (/second {2}\[1\/2\] ok/.test(text)) setTimeout(() => child.kill("SIGINT"), 300);
    });
    const status = await new Promise((resolve) => child.once("exit", resolve));
    expect(status).toBe(130);
    expect(stderr.trim().split("\n").at(-1)).toMatch(
      /^error: interrupted; the notebooks that had finished are written/,
    );
    expect(existsSync(join(out, "first.ipynb"))).toBe(true);
    const pid = Number(/"(\d+)\\n"/.exec(readFileSync(join(out, "second.ipynb"), "utf8"))?.[1]);
    expect(pid).toBeGreaterThan(0);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });

  it("installs the kernel for Jupyter where it is told to", () => {
    const folder = temporaryFolder();
    const { status, stdout } = run("kernel", "install", "--data-dir", folder);
    expect(status).toBe(0);
    expect(stdout).toContain(`wrote ${join(folder, "kernels", "thoughtbook", "kernel.json")}`);
  });
});
