import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadLocalModel } from "thoughtbook/llm";
import { OPERATIONS, type Outcome, runOperation } from "thoughtbook/operations";
import { describe, expect, it } from "vitest";
import { writeChatModel } from "../model/generate/helpers.js";
import { type Said, scriptedModel } from "./helpers.js";

const { cot, think } = OPERATIONS;
const inputs = ["A", "B", "C"].map((question) => ({ question }));
/** Which of the inputs a request is about. */
const asked = ({ prompt }: { prompt: unknown }): string =>
  (prompt as { messages: [{ content: string }] }).messages[0].content.at(-1)!;

describe("runOperation", () => {
  it("asks for all inputs in one call, greedily, and gives a value for each", async () => {
    const model = scriptedModel((request) => `so\n#### ${asked(request)}`);
    const outcomes = await runOperation(model, cot, inputs, { maxNewTokens: 50, topP: 0.9, batchSize: 7 });
    expect(model.calls).toHaveLength(1);
    expect(model.calls[0]!.options).toMatchObject({ maxNewTokens: 50, topP: 0.9, batchSize: 7 });
    expect(model.calls[0]!.requests.map(({ temperature, samples }) => [temperature, samples])).toEqual(
      Array(3).fill([0, 1]),
    );
    expect(outcomes.map(([outcome]) => outcome?.ok && outcome.value)).toEqual(
      ["A", "B", "C"].map((answer) => ({ reasoning: "so", answer })),
    );
    expect(outcomes[0]![0]).toMatchObject({ ok: true, text: "so\n#### A", attempts: 1, finishReason: "stop" });
  });

  it("tries again only what could not be read, with other random numbers, and counts what all attempts cost", async () => {
    const script: Record<string, Said[]> = {
      A: ["#### 1"],
      B: ["no", "no", "#### 2"],
      C: ["no", { text: "cut", finishReason: "length" }, "still no"],
    };
    const model = scriptedModel((request, _, call) => script[asked(request)]![call]!);
    const [a, b, c] = (await runOperation(model, cot, inputs, { seed: 5 })).map(([outcome]) => outcome!);
    expect(model.calls.map(({ requests }) => requests.map(asked))).toEqual([
      ["A", "B", "C"],
      ["B", "C"],
      ["B", "C"],
    ]);
    expect(model.calls.map(({ requests }) => requests[0]!.temperature)).toEqual([0, 0.7, 0.7]);
    const seeds = model.calls.flatMap(({ requests }) => requests.map(({ seed }) => seed));
    expect(new Set(seeds).size).toBe(7);
    expect(a).toMatchObject({ ok: true, attempts: 1, completionTokens: 6 });
    expect(b).toMatchObject({ ok: true, attempts: 3, completionTokens: 2 + 2 + 6 });
    expect(b!.promptTokens).toBe(3 * a!.promptTokens);
    expect(c).toMatchObject({
      ok: false,
      failure: "unparseable",
      reason: expect.stringContaining("####"),
      text: "still no",
      attempts: 3,
      completionTokens: 2 + 3 + 8,
    });
  });

  it("tells what was cut off from what cannot be read", async () => {
    const model = scriptedModel(() => ({ text: "1+1=2\n#### ", finishReason: "length" }));
    const [[outcome]] = (await runOperation(model, cot, inputs.slice(0, 1), { attempts: 2 })) as [[Outcome<unknown>]];
    expect(outcome).toMatchObject({ ok: false, failure: "cut-off", attempts: 2, finishReason: "length" });
    const [[thought]] = (await runOperation(model, think, inputs.slice(0, 1))) as [[Outcome<unknown>]];
    expect(thought).toMatchObject({ ok: true, value: { kind: "cut-off" }, attempts: 1 });
  });

  it("says how a server ended a text, and who counted its tokens", async () => {
    const script: Said[] = [
      { text: "no", finishReason: "content_filter", countedBy: "estimate" },
      { text: "no", finishReason: "other", serverReason: "odd", countedBy: "tokenizer" },
    ];
    const model = scriptedModel((_request, _sample, call) => script[call]!);
    const one = async (attempts: number) =>
      (await runOperation(model, cot, inputs.slice(0, 1), { attempts }))[0]![0]! as Outcome<unknown>;
    expect(await one(2)).toMatchObject({
      reason: expect.stringMatching(/ \(ended by odd\)$/),
      finishReason: "other",
      // Of the first attempt: the sum is no better.
      countedBy: "estimate",
    });
    script.push({ text: "#### 1", finishReason: "tool_calls" });
    const called = await one(1);
    expect(called).toMatchObject({ ok: false, finishReason: "tool_calls" });
    expect(called).not.toHaveProperty("countedBy");
    // From a server that never says how a text ends.
    script.push({ text: "#### 1", finishReason: "other", serverReason: "" });
    expect(await one(1)).toMatchObject({ ok: true, finishReason: "other", serverReason: "" });
  });

  it("gives several samples, each tried again by itself", async () => {
    const model = scriptedModel((request, sample, call) =>
      call === 0 && sample % 2 === 1 ? "no" : `#### ${asked(request)}${sample}`,
    );
    const outcomes = await runOperation(model, cot, inputs, { samples: 4, temperature: 1 });
    expect(outcomes.map((each) => each.map(({ attempts }) => attempts))).toEqual(Array(3).fill([1, 2, 1, 2]));
    expect(model.calls[1]!.requests).toHaveLength(6);
    expect(model.calls[1]!.requests.map(({ temperature }) => temperature)).toEqual(Array(6).fill(1));
    expect(model.calls[1]!.requests.map(asked).join("")).toBe("AABBCC");
    expect(new Set(model.calls[1]!.requests.map(({ seed }) => seed)).size).toBe(6);
  });

  it("draws the same for an input with the same seed, wherever it stands", async () => {
    const seedsOf = async (order: readonly number[]) => {
      const model = scriptedModel(() => "no");
      const some = order.map((at) => inputs[at]!);
      await runOperation(model, cot, some, { attempts: 2, seeds: order.map((at) => `id ${at}`) });
      return model.calls.map(({ requests }) => new Map(requests.map((request) => [asked(request), request.seed])));
    };
    const [forwards, backwards] = [await seedsOf([0, 1, 2]), await seedsOf([2, 1, 0])];
    expect(forwards).toEqual(backwards);
    const bySeed = async (seed: number) => {
      const model = scriptedModel(() => "#### 1");
      await runOperation(model, cot, inputs, { seed });
      return model.calls[0]!.requests.map((request) => request.seed);
    };
    expect(await bySeed(1)).toEqual(await bySeed(1));
    expect(new Set([...(await bySeed(1)), ...(await bySeed(2))]).size).toBe(6);
  });

  it("hands each outcome over when it is final, so that an interruption loses nothing", async () => {
    const abort = new AbortController();
    const kept: [string, boolean][] = [];
    const model = scriptedModel((request) => (asked(request) === "B" ? "no" : "#### 1"));
    const running = runOperation(model, cot, inputs, {
      signal: abort.signal,
      onOutcome: ({ ok }, { request, sample }) => {
        kept.push([`${request}/${sample}`, ok]);
        if (kept.length === 2) abort.abort();
      },
    });
    await expect(running).rejects.toThrow();
    expect(kept).toEqual([
      ["2/0", true],
      ["0/0", true],
    ]);
  });

  it("a prompt that does not fit is an outcome and keeps none of the others from being asked", async () => {
    const short = scriptedModel(() => "#### 1", {
      capabilities: new Set(["text", "chat", "countTokens"]),
      contextLength: 600,
    });
    const long = { question: "x".repeat(600) };
    const [[first], [second, third]] = (await runOperation(short, cot, [long, inputs[0]!], { samples: 2 })) as [
      Outcome<unknown>[],
      Outcome<unknown>[],
    ];
    expect(first).toMatchObject({ ok: false, failure: "too-long", attempts: 0, promptTokens: 0 });
    expect(second).toMatchObject({ ok: true });
    expect(third).toMatchObject({ ok: true });
    expect(short.calls[0]!.requests.map(asked)).toEqual(["A"]);
    expect(await runOperation(short, cot, [long])).toMatchObject([[{ failure: "too-long" }]]);
    expect(short.calls).toHaveLength(1);
  });

  it("counts the tokens of all prompts at once, and stops doing so when it is aborted", async () => {
    const abort = new AbortController();
    let [counting, most] = [0, 0];
    const model = scriptedModel(() => "#### 1", {
      capabilities: new Set(["text", "chat", "countTokens"]),
      contextLength: 600,
      async countTokens(_, { signal } = {}) {
        signal?.throwIfAborted();
        most = Math.max(most, ++counting);
        await new Promise((done) => setTimeout(done, 5));
        counting -= 1;
        return 10;
      },
    });
    const all = await runOperation(model, cot, inputs, { signal: abort.signal });
    expect(all.flat().every(({ ok }) => ok)).toBe(true);
    expect(most).toBe(inputs.length);
    abort.abort();
    await expect(runOperation(model, cot, inputs, { signal: abort.signal })).rejects.toThrow();
    expect(model.calls).toHaveLength(1);
  });

  it("refuses options that make no sense, before any work", async () => {
    const model = scriptedModel(() => "#### 1");
    for (const options of [{ attempts: 0 }, { samples: 1.5 }, { seeds: [1] }]) {
      await expect(runOperation(model, cot, inputs, options)).rejects.toMatchObject({ code: "bad-input" });
    }
    expect(model.calls).toEqual([]);
    expect(await runOperation(model, cot, [])).toEqual([]);
  });

  it("repeats exactly with a real model, batched as it likes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "thoughtbook-run-"));
    await writeChatModel(folder);
    const model = await loadLocalModel(folder);
    const run = (batchSize: number) =>
      runOperation(model, cot, inputs, { maxNewTokens: 12, attempts: 2, samples: 2, temperature: 1, batchSize });
    const outcomes = await run(8);
    expect(await run(8)).toEqual(outcomes);
    const texts = (all: Outcome<unknown>[][]) => all.flat().map(({ text }) => text);
    expect(texts(await run(1))).toEqual(texts(outcomes));
    expect(outcomes.flat().map(({ ok, attempts }) => [ok, attempts])).toEqual(Array(6).fill([false, 2]));
    expect(new Set(outcomes.flat().map(({ text }) => text)).size).toBeGreaterThan(3);
    const [first] = outcomes.flat();
    expect(first!.tokens!.completionIds).toHaveLength(first!.tokens!.logProbs.length);
    await model.dispose();
    rmSync(folder, { recursive: true, force: true });
  });
});
