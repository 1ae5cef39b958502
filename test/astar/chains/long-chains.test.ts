import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { countOutcome, type RowOutcome, type RowTally, readChainRows } from "thoughtbook/astar";
import { readJsonl } from "thoughtbook/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emptyTally } from "../../../lib/dist/astar/chains/chain-rows.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-long-chains-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function read(file: string): Promise<{ outcomes: RowOutcome[]; tally: RowTally }> {
  const [outcomes, tally] = [[] as RowOutcome[], emptyTally()];
  for await (const outcome of readChainRows(file)) {
    countOutcome(tally, outcome);
    outcomes.push(outcome);
  }
  return { outcomes, tally };
}

async function readRows(rows: readonly object[]) {
  const file = join(folder, "rows.jsonl");
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  return read(file);
}

const REPLY = "Two and two.\n\nThat is four.\n</think>\n\nThe answer is 4.";

describe("a question with the response that was sampled for it", () => {
  it.each([
    [{ question: "2 + 2?", response: REPLY }],
    [{ problem: "2 + 2?", generation: REPLY }],
    [{ query: "2 + 2?", output: `<think>\n${REPLY}` }],
    [{ question: "2 + 2?", reasoning: "Two and two.\n\nThat is four.", response: "The answer is 4." }],
  ])("reads %j", async (row) => {
    const { outcomes } = await readRows([row]);
    expect(outcomes).toMatchObject([
      {
        used: true,
        row: {
          id: "line 1",
          question: "2 + 2?",
          steps: ["Two and two.", "That is four."],
          solution: "The answer is 4.",
          answer: "4",
        },
      },
    ]);
  });

  it("takes the reference, not the chain's own answer, and the index of the problem as id", async () => {
    const { outcomes } = await readRows([
      { gsm8k_test_index: 7, question: "2 + 3?", answer: "2 + 3 = <<2+3=5>>5\n#### 5", response: REPLY },
    ]);
    expect(outcomes).toMatchObject([{ used: true, row: { id: "gsm8k/test/7", answer: "5" } }]);
  });

  it("names and counts a chain without </think>", async () => {
    const { outcomes, tally } = await readRows([
      { question: "2 + 2?", response: "Two and two, and so on" },
      { question: "2 + 2?", response: REPLY },
    ]);
    expect(outcomes[0]).toMatchObject({
      used: false,
      reason: "missing tags",
      detail: expect.stringContaining("no </think>"),
    });
    expect(tally).toMatchObject({ rows: 2, used: 1, "missing tags": 1 });
  });
});

describe("the real long chains", () => {
  const data = process.env.THOUGHTBOOK_DATA;

  it.each(["deepseek_r1", "qwq", "r1_distill_qwen"])("reads %s as it is, each row by itself", async (name) => {
    if (!data) return console.log("skipped: set THOUGHTBOOK_DATA to read the long chains");
    const file = join(data, "gsm8k_long_chains", `${name}.jsonl`);
    const { outcomes, tally } = await read(file);
    expect(tally.rows).toBe(524);
    expect(tally.used).toBeGreaterThanOrEqual(510);
    const squeeze = (text: string) => text.replaceAll(/\s+/g, " ").trim();
    let at = 0;
    const ids = new Set<string>();
    for await (const { value } of readJsonl(file)) {
      const { question, response, gsm8k_test_index: index } = value as Record<string, string>;
      const outcome = outcomes[at++]!;
      if (!outcome.used) {
        expect(response).not.toContain("</think>");
        continue;
      }
      const { row } = outcome;
      ids.add(row.id);
      expect([row.id, row.question]).toEqual([`gsm8k/test/${index}`, question]);
      // Steps and solution are all of the response, in order, and nothing else.
      expect(squeeze(`${row.steps.join(" ")} </think> ${row.solution}`)).toBe(
        squeeze(response!.replace("</think>", " </think> ")),
      );
    }
    expect(ids.size).toBe(tally.used);
  });
});
