import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type CompressedRow, chainLines, compressRows, problemRow } from "thoughtbook/astar";
import { wordProblems } from "thoughtbook/data";
import { describe, expect, it } from "vitest";
import { writeAcceptedRows } from "../../../lib/dist/astar/compress/accepted-rows.js";
import { failure, temporaryFolder } from "../../core/helpers.js";

const problems = Array.from(wordProblems({ operations: [1, 3], seed: 4 }, 6));
const jsonl = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join("");
const readLines = (file: string) => readFileSync(file, "utf8").trimEnd().split("\n");

async function files(status: (at: number) => string) {
  const folder = await temporaryFolder();
  const rows: CompressedRow[] = [];
  const countTokens = (text: string) => text.length;
  for await (const { compressed } of compressRows(
    problems.map((problem) => problemRow(problem)),
    {
      mode: "necessary",
      countTokens,
    },
  )) {
    rows.push(compressed);
  }
  const paths = {
    chains: join(folder, "chains.jsonl"),
    format: "word-problems" as const,
    rows: join(folder, "rows.jsonl"),
    search: join(folder, "a.jsonl"),
  };
  writeFileSync(paths.chains, chainLines(problems));
  writeFileSync(paths.rows, jsonl(rows));
  writeFileSync(paths.search, jsonl(rows.map((row, at) => ({ ...row, status: status(at), kept: [] }))));
  const training = { file: join(folder, "training.jsonl"), student: { operations: new Set(["think"]) } };
  return { ...paths, mode: "necessary" as const, output: join(folder, "out.jsonl"), training, all: rows };
}

describe("writeAcceptedRows", () => {
  it("takes the rows of the chains that the search accepted, as they are, and sums them up", async () => {
    const options = await files((at) => (at % 2 === 0 ? "accepted" : "step limit"));
    const summary = await writeAcceptedRows(options);
    const taken = options.all.filter((_, at) => at % 2 === 0);
    expect(readLines(options.output).map((line) => JSON.parse(line))).toEqual(taken);
    expect(summary).toMatchObject({ mode: "necessary", statuses: { "not searched": 3 }, precision: { value: 1 } });
    expect(summary.rows).toMatchObject({ rows: 3, used: 3, malformed: 0 });
    const [before, after] = [taken.map(({ tokens }) => tokens.before), taken.map(({ tokens }) => tokens.after)];
    const sum = (all: number[]) => all.reduce((total, each) => total + each, 0);
    expect(summary.keptTokens).toBeCloseTo(sum(after) / sum(before), 12);
    const conversations = readLines(options.training.file).map((line) => JSON.parse(line));
    expect(conversations.map(({ messages }) => messages[0].content)).toEqual(
      problems.filter((_, at) => at % 2 === 0).map(({ question }) => question),
    );
  });

  it("says that a search accepted none", async () => {
    const options = await files(() => "exhausted");
    expect(await failure(writeAcceptedRows(options))).toMatchObject({
      code: "bad-input",
      message: /accepted no chain/,
    });
  });
});
