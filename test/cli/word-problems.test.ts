import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { generateWordProblem, PROBLEM_FIELDS, problemRecord } from "thoughtbook/data";
import { describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

const bin = join(root, "lib", "bin.mjs");

describe("thoughtbook word-problems", () => {
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [bin, "word-problems", ...args], {
      encoding: "utf8",
    });
    return {
      status,
      records: stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
      stderr,
    };
  };

  it("prints the library's problems, one JSON line each, with the fields asked for", () => {
    const { status, records, stderr } = run(
      ...[
        "--count",
        "3",
        "--seed",
        "5",
        "--start",
        "2",
        "--operations",
        "3-4",
        "--distractors",
        "1",
        "--split",
        "test",
      ],
      ...["--order", "shuffled", "--depth", "1-2", "--width", "2", "--fields", PROBLEM_FIELDS.join(",")],
    );
    expect([status, stderr]).toEqual([0, ""]);
    const expected = [2, 3, 4].map((index) =>
      problemRecord(
        generateWordProblem({
          seed: 5,
          index,
          operations: [3, 4],
          distractors: 1,
          split: "test",
          order: "shuffled",
          depth: [1, 2],
          width: [2, 2],
        }),
        PROBLEM_FIELDS,
      ),
    );
    expect(records).toEqual(JSON.parse(JSON.stringify(expected)));
    expect(Object.keys(run("--count", "1", "--fields", "answer,question").records[0])).toEqual(["answer", "question"]);
  });

  it("goes on only as long as somebody reads", () => {
    const { stdout, status } = spawnSync(
      "/bin/sh",
      ["-c", `"${process.execPath}" "${bin}" word-problems --count 1000000000 | head -n 2`],
      { encoding: "utf8", timeout: 20_000 },
    );
    expect(status).toBe(0);
    expect(stdout.trim().split("\n").length).toBe(2);
  });

  it("says what is wrong with an option", () => {
    expect(run("--fields", "question,colour")).toMatchObject({ status: 1, records: [] });
    expect(run("--fields", "question,colour").stderr).toMatch(/no field "colour".*id, split, scenario/);
    expect(run("--operations", "two").stderr).toMatch(/expected a number or a range/);
    expect(run("--operations", "4-40").stderr).toMatch(/operations is 4-40.*from 1 to 12/);
    expect(run("--operations", "3", "--depth", "7").stderr).toMatch(
      /no problem has depth 7-7 with 3-3 operations.*depths of 1-2/s,
    );
  });
});
