import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { partOf } from "thoughtbook/data";
import { annotatedQuality, type Candidates, readCandidates, tuneOperations } from "thoughtbook/eval";
import { readKind } from "thoughtbook/operations";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ScriptedModel, scriptedModel } from "../../operations/helpers.js";
import { SILENT } from "../helpers.js";

const hasData = Boolean(process.env.THOUGHTBOOK_DATA);
if (!hasData) console.log("skipped: operations are tuned on GSM8K, in THOUGHTBOOK_DATA");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tune-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const way = (parts: object) => ({ place: "user" as const, begin: "", stop: [], ...parts });
const candidates: Candidates = {
  operations: {
    plan: [
      { name: "prose", way: way({ instruction: "P" }) },
      { name: "list", way: way({ instruction: "L" }) },
      { name: "nothing", way: way({ instruction: "N" }) },
    ],
  },
};
/** Writes a plan where it is asked by L. */
const planner = (): ScriptedModel =>
  scriptedModel(({ prompt }) => {
    const said = (prompt as unknown as { messages: { content: string }[] }).messages[0]!.content;
    return said.startsWith("L") ? "1. Add them.\n2. Say it." : said.startsWith("P") ? "Just add." : "?";
  });
const options = () => ({ candidates, problems: 2, seed: 1, maxNewTokens: 50, folder, display: SILENT });

it("the ways to try are data that fit, and each begins with the operation's own", async () => {
  const { operations } = await readCandidates();
  for (const ways of Object.values(operations)) {
    expect(ways![0]).toMatchObject({ name: "own", way: { begin: "", place: "user" } });
    expect(new Set(ways!.map(({ name }) => name)).size).toBe(ways!.length);
  }
});

it("a list with two ways of the same name is refused, since results would not tell them apart", async () => {
  const file = join(folder, "twice.json");
  const [first] = candidates.operations.plan!;
  writeFileSync(file, JSON.stringify({ operations: { plan: [first, first] } }));
  await expect(readCandidates(file)).rejects.toThrow(/two ways have the same name/);
});

describe.skipIf(!hasData)("tuneOperations", () => {
  it("takes an operation that is named twice for one, and calls the kind by the model's folder", async () => {
    const model = { ...planner(), name: "models/Own 1/" };
    const { tried } = await tuneOperations(model, { ...options(), operations: ["plan", "plan"] });
    expect(tried).toHaveLength(3);
    expect(await readKind(join(folder, "asking.json"))).toMatchObject({ name: "Own 1", models: ["own-1"] });
  });

  it("keeps what was found for other operations, and replaces what is tuned again", async () => {
    const answer = [{ name: "own", way: way({}) }];
    const both = { ...options(), candidates: { operations: { ...candidates.operations, answer } } };
    await tuneOperations(planner(), { ...both, operations: ["answer"] });
    for (const problems of [2, 3]) await tuneOperations(planner(), { ...both, problems, operations: ["plan"] });
    const { operations, about } = await readKind(join(folder, "asking.json"));
    expect(operations).toMatchObject({ answer: { place: "user" }, plan: { instruction: "L" } });
    const { tried } = about as { tried: { arm: string }[] };
    expect(tried.map(({ arm }) => arm)).toEqual(["own", "prose", "list", "nothing"]);
  });

  it("asks for several operations in one call of the model", async () => {
    const model = planner();
    const two = { operations: { plan: candidates.operations.plan!, answer: candidates.operations.plan! } };
    const { tried } = await tuneOperations(model, { ...options(), candidates: two });
    // A round is one call: both operations, all ways, all problems.
    expect(model.calls.map(({ requests }) => requests.length)).toEqual([12, 12]);
    expect(tried.map(({ operation }) => operation)).toEqual(["plan", "plan", "plan", "answer", "answer", "answer"]);
  });

  it("chooses the way that works, tells what was tried, and writes a kind that can be read", async () => {
    const { kind, tried } = await tuneOperations(planner(), options());
    expect(kind.operations.plan).toMatchObject({ instruction: "L" });
    expect(tried.map(({ arm, problems, successes, chosen }) => [arm, problems, successes, chosen])).toEqual([
      ["prose", 5, 0, false],
      ["list", 5, 5, true],
      ["nothing", 2, 0, false],
    ]);
    expect(tried[1]!.interval[0]).toBeGreaterThan(0.5);
    expect((await readKind(join(folder, "asking.json"))).operations).toEqual(kind.operations);
    const records = readFileSync(join(folder, "records.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(records).toHaveLength(12);
    expect(records.every(({ problem }) => problem.startsWith("gsm8k/train/") && partOf(problem) === "tune")).toBe(true);
  });

  it("goes on after a kill, without asking again what is finished", async () => {
    const first = planner();
    const whole = await tuneOperations(first, options());
    const lines = readFileSync(join(folder, "records.jsonl"), "utf8").trim().split("\n");
    rmSync(join(folder, "records.jsonl"));
    // Killed while the sixth record was being written.
    appendFileSync(join(folder, "records.jsonl"), `${lines.slice(0, 5).join("\n")}\n${lines[5]!.slice(0, 20)}`);
    const second = planner();
    expect(await tuneOperations(second, options())).toEqual(whole);
    const asked = second.calls.flatMap(({ requests }) => requests).length;
    expect(asked).toBe(lines.length - 5);
    expect(readFileSync(join(folder, "records.jsonl"), "utf8").trim().split("\n").sort()).toEqual([...lines].sort());
  });

  it("a way that was changed is asked anew under the same name", async () => {
    await tuneOperations(planner(), options());
    const changed: Candidates = {
      operations: {
        plan: candidates.operations.plan!.map((each) =>
          each.name === "prose" ? { name: "prose", way: way({ instruction: "L!" }) } : each,
        ),
      },
    };
    const { tried } = await tuneOperations(planner(), { ...options(), candidates: changed });
    expect(tried[0]).toMatchObject({ arm: "prose", successes: 5 });
  });
});

describe.skipIf(!hasData)("annotatedQuality", () => {
  /** Answers everything as the annotated test split has it, from what the prompt shows. */
  it("counts graphs of the right shape, and sub-questions that are questions", async () => {
    const model = scriptedModel(() => "1. How many are there? []\n2. The total is known [1]");
    const [decompose, ...others] = await annotatedQuality(model, {
      ...{ operations: ["decompose", "decompose"], problems: 30, seed: 1, maxNewTokens: 50, folder, display: SILENT },
    });
    expect(others).toEqual([]);
    expect(decompose!.parsed.value).toBe(1);
    expect(decompose!.questions!.value).toBe(0.5);
    // Two steps, one after the other: some problems are so, most are not.
    expect(decompose!.right!.value).toBeGreaterThan(0);
    expect(decompose!.right!.value).toBeLessThan(0.7);
    const { "fewer sub-questions": fewer = 0, "other dependencies": other = 0 } = decompose!.causes;
    expect(fewer).toBeGreaterThan(5);
    expect(fewer + other).toBe(Math.round(30 * (1 - decompose!.right!.value)));
  });

  it("a question copied is no contraction, one without its numbers no rewriting, a wrong choice no judgement", async () => {
    const echo = scriptedModel(({ prompt }) => {
      const { content } = (prompt as unknown as { messages: { content: string }[] }).messages[0]!;
      const question = content.slice(content.indexOf("\n\n") + 2);
      if (content.includes("Known:")) return question.slice(0, question.indexOf("\nKnown:"));
      return content.startsWith("Rewrite") ? `Here it is again: ${question}` : "Best: 9";
    });
    const results = await annotatedQuality(echo, {
      ...{ operations: ["contract", "rewrite", "judge"], problems: 40, seed: 1, maxNewTokens: 50, display: SILENT },
    });
    const right = Object.fromEntries(results.map(({ operation, right }) => [operation, right!.value]));
    expect(right.contract).toBe(0);
    // Where the last sentence is no question, the problem again in other words asks none either.
    expect(right.rewrite).toBeGreaterThan(0.6);
    expect(right.judge).toBe(0);
    const causes = Object.fromEntries(results.map(({ operation, causes }) => [operation, causes]));
    const copied = scriptedModel(({ prompt }) => {
      const { content } = (prompt as unknown as { messages: { content: string }[] }).messages[0]!;
      return content.slice(content.indexOf("\n\n") + 2);
    });
    const [copy] = await annotatedQuality(copied, {
      ...{ operations: ["rewrite"], problems: 5, seed: 1, maxNewTokens: 50, display: SILENT },
    });
    expect(copy).toMatchObject({ right: { value: 0 }, causes: { "a copy": 5 } });
    expect(causes.judge).toEqual({ "it cannot be read": 40 });
    expect(Object.keys(causes.contract!)).toEqual(["a copy"]);
  });
});
