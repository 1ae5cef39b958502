import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { temporaryFolder } from "../core/helpers.js";
import { root } from "../notebook/helpers.js";

describe("thoughtbook data", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await temporaryFolder();
  });

  /** Run the command without a network, with the folder for data and cache. */
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "lib", "bin.mjs"), "data", ...args], {
      cwd: root,
      env: {
        ...process.env,
        THOUGHTBOOK_DATA: join(folder, "data"),
        THOUGHTBOOK_CACHE: join(folder, "cache"),
        HTTPS_PROXY: "http://127.0.0.1:9",
        https_proxy: "http://127.0.0.1:9",
      },
      encoding: "utf8",
    });
    return { status, stdout, stderr: stderr.trim() };
  };
  const write = (file: string, content: string) => {
    const path = join(folder, file);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, content);
    return path;
  };
  const row = (answer: string, question = "1 + 1?") => `${JSON.stringify({ question, answer })}\n`;

  it("lists kind, licence and home of each set, and the rows and the place of each split", () => {
    write("data/gsm8k/test.jsonl", row("#### 2"));
    write("cache/datasets/svamp/SVAMP.json", "[]");
    const { status, stdout, stderr } = run("list");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^gsm8k {2}GSM8K.* · math \(MIT, https:.*\n {2}train +7,473 rows {2}not at hand\n/);
    expect(stdout).toMatch(/^ {2}test +1,319 rows {2}folder$/m);
    expect(stdout).toMatch(/^bbh .* · choice, text \(MIT, https:.*\n {2}boolean_expressions +250 rows/m);
    expect(stdout).toMatch(/^svamp .*\n {2}test +1,000 rows {2}cache$/m);
    expect(stdout).toMatch(/^dots .* · search \(.*\n {2}train +\? rows {2}by --path only$/m);
  });

  it("shows three records, with long fields cut, and the malformed rows apart", () => {
    const rows = [
      row("#### 1"),
      row("none"),
      row("#### 2", `long ${"x".repeat(700)}`),
      row("a\nb\n#### 3"),
      row("#### 4"),
    ];
    const path = write("rows.jsonl", rows.join(""));
    const { status, stdout, stderr } = run("show", "gsm8k", "--path", path);
    expect(status).toBe(0);
    expect(stdout.match(/^gsm8k\/test\/\d · math$/gm)).toEqual([
      "gsm8k/test/0 · math",
      "gsm8k/test/2 · math",
      "gsm8k/test/3 · math",
    ]);
    expect(stdout).toContain("  question: 1 + 1?\n  answer: 1\n");
    expect(stdout).toMatch(/^ {2}question: long x+… \(705 characters\)$/m);
    expect(stdout).toContain("  solution: a\n    b\n");
    expect(stderr).toBe(`malformed: ${path}, line 2: answer: there is no ####\n1 malformed row left out`);
  });

  it("shows a JSON line a record with --json", () => {
    write("data/gsm8k/train.jsonl", row("#### 1") + row("#### 2"));
    const { stdout } = run("show", "gsm8k", "--split", "train", "--limit", "5", "--json");
    const records = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records).toEqual([
      { id: "gsm8k/train/0", kind: "math", question: "1 + 1?", answer: "1" },
      { id: "gsm8k/train/1", kind: "math", question: "1 + 1?", answer: "2" },
    ]);
  });

  it("names the file of each split that has a public one", () => {
    write("data/mmlu/test.json", "[]");
    const { status, stdout } = run("download", "mmlu");
    expect(status).toBe(0);
    expect(stdout).toBe(`mmlu test: ${join(folder, "data", "mmlu", "test.json")}\n`);
  });

  it.each([
    [
      ["show", "gsm9k"],
      /^error: there is no data set "gsm9k"; known are gsm8k, .*\. Did you mean gsm8k\? Run `npx thoughtbook data list`\.$/,
    ],
    [["show", "bbh"], /^error: bbh needs a split; it has boolean_expressions, .*\. Name one of them\.$/],
    [["show", "gsm8k", "--path", "none.jsonl"], /^error: there is no file .*none\.jsonl\. Check the path\.$/],
    [
      ["show", "gsm8k", "--limit", "some"],
      /^error: option '--limit <number>' argument 'some' is invalid\. Expected a whole num/,
    ],
    [["show", "dots"], /^error: dots train is not at hand and has no public file to download\. Name the file with/],
    [["download", "gsm9k"], /^error: there is no data set "gsm9k"; known are gsm8k, /],
    [["download", "dots"], /^error: dots train is not at hand and has no public file to download\. Name the file with/],
    [["download", "gsm8k", "--split", "dev"], /^error: gsm8k has no split "dev"; it has train, .*data list`\.$/],
  ])("%j is an error of one line with the next step", (args, message) => {
    const { status, stdout, stderr } = run(...args);
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr.split("\n")[0]).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });
});
