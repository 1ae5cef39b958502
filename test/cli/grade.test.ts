import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { root } from "../notebook/helpers.js";

describe("thoughtbook grade", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-grade-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (lines: string[], ...args: string[]) => {
    const file = join(folder, "records.jsonl");
    writeFileSync(file, `${lines.join("\n")}\n`);
    return grade("--file", file, ...args);
  };
  const grade = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "lib", "bin.mjs"), "grade", ...args], {
      encoding: "utf8",
    });
    return { status, lines: stdout.trimEnd().split("\n"), stderr };
  };
  const RECORDS = [
    '{"id": "half", "completion": "so \\\\boxed{\\\\frac12}", "reference": 0.5}',
    '{"completion": "we count 7", "answer": "7"}',
    "oops",
    '{"id": 3, "response": "\\\\boxed{2}", "reference": "200"}',
    '{"id": "no reference", "response": "\\\\boxed{2}"}',
    '{"response": "<answer>5</answer> \\\\boxed{5}", "reference": "5"}',
  ];

  it("prints the accuracy under each policy, the disagreements and the malformed lines", () => {
    const { status, lines } = run(RECORDS);
    expect(status).toBe(0);
    expect(lines).toEqual([
      "strict   50.0 %  [15.0, 85.0]  2 of 4 correct, 1 unparseable",
      "astar   100.0 %  [51.0, 100.0]  4 of 4 correct, 0 unparseable",
      "dots     50.0 %  [15.0, 85.0]  2 of 4 correct, 0 unparseable",
      "aot      25.0 %  [4.6, 69.9]  1 of 4 correct, 1 unparseable",
      "policies disagree on 3 of 4 records",
      "  half",
      "    strict  correct     \\frac12",
      "    astar   correct     \\frac{1}{2}",
      "    dots    wrong       \\frac12",
      "    aot     wrong       \\frac12",
      "  2",
      "    strict  unparseable",
      "    astar   correct     7",
      "    dots    correct     7",
      "    aot     unparseable",
      "  3",
      "    strict  wrong       2",
      "    astar   correct     2",
      "    dots    wrong       2",
      "    aot     wrong       2",
      "malformed lines, not graded: 2",
      expect.stringMatching(/^ {2}line 3: invalid JSON: .*oops/),
      "  line 5: no reference and no answer",
    ]);
  });

  it("grades under one policy, the first records only", () => {
    expect(run(RECORDS, "--policy", "strict", "--limit", "1").lines).toEqual([
      "strict  100.0 %  [20.7, 100.0]  1 of 1 correct, 0 unparseable",
    ]);
  });

  it("is an error for a file without a record that can be graded, which says what they lack", () => {
    const lines = ['{"q": 1}', "oops", '{"completion": "5"}', '{"completion": "6"}', '{"reference": "5"}'];
    const { status, stderr, lines: printed } = run(lines);
    expect([status, printed]).toEqual([1, [""]]);
    expect(stderr).toContain(
      "has no record that can be graded: its 5 lines are malformed: no completion and no response (line 1 and 1 more); invalid JSON (line 2); no reference and no answer (line 3 and 1 more).",
    );
    expect(stderr).toContain("Each line needs a completion (or response) and a reference (or answer)");
    expect(run(['{"completion": 5, "answer": 5}']).stderr).toContain("its line is malformed: completion: ");
  });

  it("gives the pairs of the table the verdicts of the table", () => {
    const pairs = readFileSync(join(root, "test", "answer", "graded-pairs.jsonl"), "utf8")
      .trim()
      .split("\n");
    const right = pairs.filter((line) => JSON.parse(line).correct);
    const wrong = pairs.filter((line) => !JSON.parse(line).correct);
    expect(run(right, "--policy", "strict").lines[0]).toContain(`${right.length} of ${right.length} correct, 0 unpars`);
    expect(run(wrong, "--policy", "strict").lines[0]).toContain(` 0 of ${wrong.length} correct`);
  });

  it("refuses references that are JSON numbers too large to be exact", () => {
    const lines = ["9007199254740993", "-9007199254740993", "1e400", "12345678901234567890"].map(
      (number) => `{"completion": "\\\\boxed{9007199254740993}", "reference": ${number}}`,
    );
    const good = '{"completion": "\\\\boxed{9007199254740993}", "answer": "9007199254740993"}';
    const { lines: said } = run([...lines, good], "--policy", "strict");
    expect(said.slice(0, 2)).toEqual([
      "strict  100.0 %  [20.7, 100.0]  1 of 1 correct, 0 unparseable",
      "malformed lines, not graded: 4",
    ]);
    for (const line of said.slice(2)) expect(line).toMatch(/reference: .* too large to be exact.*write it as a string/);
    const { status, stderr } = run(lines, "--policy", "strict");
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/no record that can be graded: its 4 lines are malformed: .*too large/),
    ]);
  });

  it("names what is wrong with its input", () => {
    expect(grade("--file", "none.jsonl").stderr).toMatch(/^error: cannot read .*none\.jsonl: no such file/);
    expect(run([]).stderr).toMatch(/^error: .* has no records\. Run with --help for the fields\.$/m);
    expect(run(RECORDS, "--policy", "lenient").stderr).toMatch(/Allowed choices are strict, astar, dots, aot, all/);
    expect(run(RECORDS, "--policy", "strct").stderr).toMatch(/aot, all\. Did you mean strict\?/);
    expect(run(RECORDS, "--limit", "0").stderr).toMatch(/Expected a whole number above 0/);
    expect(grade("--help").lines.join("\n")).toContain("completion or response");
  });
});
