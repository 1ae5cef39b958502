import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createRandom, ThoughtbookError } from "thoughtbook/core";
import { functionProblems, generateWordProblem, subQuestionWordings } from "thoughtbook/data";
import { operationQuality } from "thoughtbook/eval";
import type { ChatMessage } from "thoughtbook/model";
import {
  askedModel,
  functionExample,
  type Kind,
  OPERATION_NAMES,
  OPERATIONS,
  operationExample,
  type Way,
} from "thoughtbook/operations";
import { describe, expect, it } from "vitest";
import { PROBLEM_OPERATIONS } from "../../lib/dist/operations/examples.js";
import { failure, temporaryFolder } from "../core/helpers.js";
import { scriptedModel } from "../operations/helpers.js";
import { SILENT } from "./helpers.js";

const options = { problems: 12, difficulty: [2, 3] as const, seed: 4, maxNewTokens: 400 };

/** What a perfect model writes, by operation and prompt. */
const truth = new Map<string, string>();
/** Of each question its sub-questions in all wordings. */
const wordings = new Map<string, string[][]>();
const random = createRandom(4).stream("operation quality");
for (let index = 0; index < 200; index++) {
  const problem = generateWordProblem({ seed: 4, index, operations: [2, 3], split: "test" });
  wordings.set(problem.question, subQuestionWordings(problem));
  for (const name of PROBLEM_OPERATIONS) {
    const example = operationExample(name, problem, random);
    if (example) truth.set(`${name} ${example.prompt}`, example.completion);
  }
}
for (const problem of functionProblems({ seed: 4, steps: [1, 3], split: "test" }, 12)) {
  const { prompt, completion } = functionExample(problem);
  truth.set(`code ${prompt}`, completion);
}
const NOT_RUN = ["program", "code"];
const model = (change: (text: string) => string) =>
  scriptedModel(
    ({ prompt }) => {
      const [{ operation, content }] = (prompt as { messages: [ChatMessage & { operation: string }] }).messages;
      return change(truth.get(`${operation} ${content}`)!);
    },
    { operations: new Set(OPERATION_NAMES) },
  );

describe("operationQuality", () => {
  it("finds what is true right", async () => {
    const results = await operationQuality(
      model((text) => text),
      options,
    );
    expect(results.map(({ operation }) => operation)).toEqual(OPERATION_NAMES);
    for (const { operation, parsed, right, tokens } of results) {
      expect(parsed, operation).toMatchObject({ value: 1, count: 12 });
      if (NOT_RUN.includes(operation)) expect(right).toBeUndefined();
      else expect(right, operation).toMatchObject({ value: 1, count: 12 });
      expect(tokens).toBeGreaterThan(0);
    }
  });

  it("finds what is false wrong, and what cannot be read unparsed", async () => {
    // Another number, another dependency, another verdict, another action.
    const wrong = model((text) =>
      text
        .replace(/#### (\d+)/g, (_, n) => `#### ${Number(n) + 1}`)
        .replace(/Best: (\d)/, (_, n) => `Best: ${n === "1" ? 2 : 1}`)
        .replace(/\[[\d, ]+\]$/, "[]")
        .replace(/\b(\d+)( [a-z]+\.)/g, (_, n, rest) => `${Number(n) + 1}${rest}`)
        .replace(/^right$/m, "wrong at step 1")
        .replace(/wrong at step (\d)/, (_, n) => `wrong at step ${n === "1" ? 2 : 1}`)
        .replace(/Find /g, "Get ")
        .replace(/Actions: .*/, "Actions: rewrite, program, verify"),
    );
    for (const { operation, right } of await operationQuality(wrong, options)) {
      if (!NOT_RUN.includes(operation)) expect(right!.value, operation).toBeLessThan(0.5);
    }
    for (const { operation, parsed, right } of await operationQuality(
      model(() => ""),
      options,
    )) {
      expect(parsed.value, operation).toBe(0);
      expect(right?.value ?? 0, operation).toBe(0);
    }
  });

  it("takes a graph as right if its questions ask for the right things, in any wording, and not for its edges alone", async () => {
    const asking = (wording: (wordings: readonly string[], written: string) => string) =>
      operationQuality(
        scriptedModel(
          ({ prompt }) => {
            const [{ content }] = (prompt as { messages: [ChatMessage] }).messages;
            const lines = truth.get(`decompose ${content}`)!.split("\n");
            return lines
              .map((line, at) =>
                line.replace(/(?<=^\d+\. ).*(?= \[)/, (own) => wording(wordings.get(content)![at]!, own)),
              )
              .join("\n");
          },
          { operations: new Set(OPERATION_NAMES) },
        ),
        { ...options, operations: ["decompose"] },
      );
    const right = async (...given: Parameters<typeof asking>) => (await asking(...given))[0]!.right!.value;
    expect(await right((all, own) => all.find((each) => each !== own)!)).toBe(1);
    expect(await right(() => "How many cows?")).toBe(0);
  });

  it("takes no question as contracted or rewritten that is the one it was given, and no thought that was cut off", async () => {
    const echo = scriptedModel(
      ({ prompt }) => (prompt as { messages: [ChatMessage] }).messages[0].content.split("\nKnown:")[0]!,
      { operations: new Set(OPERATION_NAMES) },
    );
    const [contract, rewrite] = await operationQuality(echo, { ...options, operations: ["contract", "rewrite"] });
    expect(contract).toMatchObject({ parsed: { value: 1 }, right: { value: 0 } });
    // Some questions are in order already.
    expect(rewrite!.right!.value).toBeLessThan(1);
    const thinking = scriptedModel(() => "<think>\nLet me see.", { operations: new Set(OPERATION_NAMES) });
    const [think] = await operationQuality(thinking, { ...options, operations: ["think"] });
    expect(think).toMatchObject({ parsed: { value: 0 }, right: { value: 0 } });
  });

  it("says where there is no example", async () => {
    const { contract } = OPERATIONS;
    await expect(
      operationQuality(
        model((text) => text),
        { ...options, operations: [contract.name as "contract"], difficulty: [1, 1] },
      ),
    ).rejects.toThrow("no problem of 1 to 1 operations has a contract example");
  });
});

/** A kind that is asked for answers and programs in ways of its own. */
function answering(answer: Partial<Way>, program: Partial<Way> = {}): Kind {
  const way: Way = { place: "user", begin: "", stop: [] };
  const operations = { answer: { ...way, ...answer }, program: { ...way, ...program } };
  return { ...{ name: "own", models: [], hashes: [], tags: false }, operations };
}

describe("operationQuality with a folder", () => {
  const perfect = () => model((text) => text);
  const some = { ...options, operations: ["cot", "plan", "contract"] as const, problems: 6 };
  const filesOf = async (folder: string) =>
    Promise.all(["records.jsonl", "summary.json"].map((file) => readFile(join(folder, file), "utf8")));
  const linesOf = async (folder: string) =>
    (await readFile(join(folder, "records.jsonl"), "utf8")).trimEnd().split("\n");

  it("shows how far it is, keeps what is finished, and goes on to the same bytes", async () => {
    const [folder, whole] = [await temporaryFolder(), await temporaryFolder()];
    const shown: string[] = [];
    const display = { ...SILENT, show: (text: string) => shown.push(text), finish: (text: string) => shown.push(text) };
    const all = await operationQuality(perfect(), { ...some, folder: whole, display });
    expect(shown[0]).toMatch(/^Measuring the operations of scripted {2}0\/18 outputs/);
    expect(shown.at(-1)).toBe("Measuring the operations of scripted: 18 outputs");
    expect(await linesOf(whole)).toHaveLength(18);

    // Interrupted in the second operation.
    const stop = new AbortController();
    const interrupted = perfect();
    const { generate } = interrupted;
    let calls = 0;
    interrupted.generate = async (requests, given) => {
      if (++calls < 2) return generate(requests, given);
      await generate(requests.slice(0, 4), given);
      stop.abort();
      throw new ThoughtbookError("interrupted", "generating text was interrupted");
    };
    const asked = { ...some, folder, display: SILENT };
    const error = await failure(operationQuality(interrupted, { ...asked, signal: stop.signal }));
    expect(error.code).toBe("interrupted");
    expect(await linesOf(folder)).toHaveLength(10);
    const rest = perfect();
    expect(await operationQuality(rest, asked)).toEqual(all);
    expect(rest.calls.map(({ requests }) => requests.length)).toEqual([2, 6]);
    expect(await filesOf(folder)).toEqual(await filesOf(whole));
    const none = perfect();
    expect(await operationQuality(none, asked)).toEqual(all);
    expect(none.calls).toEqual([]);
  });

  it("goes on to more problems, and with fewer keeps all", async () => {
    const [folder, whole] = [await temporaryFolder(), await temporaryFolder()];
    await operationQuality(perfect(), { ...some, problems: 4, folder, display: SILENT });
    const more = perfect();
    await operationQuality(more, { ...some, folder, display: SILENT });
    expect(more.calls.map(({ requests }) => requests.length)).toEqual([2, 2, 2]);
    await operationQuality(perfect(), { ...some, folder: whole, display: SILENT });
    expect(await filesOf(folder)).toEqual(await filesOf(whole));
    const few = await operationQuality(perfect(), { ...some, problems: 3, folder, display: SILENT });
    expect(few.map(({ parsed }) => parsed.count)).toEqual([3, 3, 3]);
    expect(new Set(await linesOf(folder))).toEqual(new Set(await linesOf(whole)));
  });

  it("is refused with other settings", async () => {
    const folder = await temporaryFolder();
    await operationQuality(perfect(), { ...some, folder, display: SILENT });
    const error = await failure(operationQuality(perfect(), { ...some, maxNewTokens: 5, folder, display: SILENT }));
    expect(error.message).toMatch(/config\.maxNewTokens = 400, but now it is 5/);
  });

  it("is refused where the model is asked in another way, and an operation that is named twice is one", async () => {
    const asked = { ...options, operations: ["answer", "answer"] as const, folder: await temporaryFolder() };
    const run = async (instruction: string) =>
      operationQuality(
        await askedModel(
          scriptedModel(() => "1"),
          { kind: answering({ instruction }) },
        ),
        {
          ...asked,
          display: SILENT,
        },
      );
    expect(await run("Say it.")).toHaveLength(1);
    expect((await failure(run("Tell it."))).message).toMatch(/asking\.operations\.answer\.instruction = "Say it\."/);
  });

  it("reads a program in the language that it is asked in", async () => {
    const kind = answering({}, { form: "python", begin: "```python\ndef solution():" });
    const python = await askedModel(
      scriptedModel(() => "\n    return 1\n```"),
      { kind },
    );
    const [program] = await operationQuality(python, { ...options, operations: ["program"], display: SILENT });
    expect(program!.parsed.value).toBe(1);
  });
});
