import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createHttpModel } from "thoughtbook/llm";
import { beforeAll, describe, expect, it } from "vitest";
import { root } from "../../notebook/helpers.js";
import { QUICK } from "./fake-server.js";
import { type Exchange, play, type Recording } from "./scenario.js";
import { type Asked, startScripted } from "./scripted.js";

const FOLDER = join(root, "test/fixtures/llm");
const recordings = readdirSync(FOLDER).map((name): [string, Recording] => [
  name,
  JSON.parse(readFileSync(join(FOLDER, name), "utf8")) as Recording,
]);

/** What tells requests apart; the rest may change without another recording. */
function keyOf({ method, path, body }: Asked | Exchange): string {
  const { prompt, messages, content, seed, n, stop, stream, echo, max_tokens, tokens } = body ?? {};
  return JSON.stringify([method, path, prompt, messages, content, seed, n, stop, stream, echo, max_tokens, tokens]);
}

describe.each(recordings)("what a real server answered: %s", (_, recording) => {
  let results: Awaited<ReturnType<typeof play>>;
  const unknown: Asked[] = [];
  let asked: Asked[] = [];

  beforeAll(async () => {
    const answers = new Map<string, Exchange[]>();
    for (const exchange of recording.exchanges) {
      const key = keyOf(exchange);
      answers.set(key, [...(answers.get(key) ?? []), exchange]);
    }
    const server = await startScripted(
      (call) => {
        const [first, ...rest] = answers.get(keyOf(call)) ?? [];
        if (!first) {
          unknown.push(call);
          return undefined;
        }
        if (rest.length > 0) answers.set(keyOf(call), rest);
        return { status: first.status, type: first.type, body: first.answer };
      },
      (close) => closing.push(close),
    );
    asked = server.asked;
    const model = await createHttpModel({ ...QUICK, baseUrl: server.url, concurrency: 1 });
    expect(model.dialect).toBe(recording.dialect);
    results = await play(model);
    await model.dispose();
    for (const close of closing) close();
  });
  const closing: (() => void)[] = [];

  it("is all that is asked for, once each", () => {
    expect(unknown).toEqual([]);
    expect(asked.map(keyOf).sort()).toEqual(recording.exchanges.map(keyOf).sort());
  });

  it("streams as it answers", () => {
    const { greedy, streamed, stopped, stoppedStream, chat, chatStreamed } = results;
    for (const [whole, { completion, pieces }] of [
      [greedy, streamed],
      [stopped, stoppedStream],
      [chat, chatStreamed],
    ] as const) {
      expect(completion.text).toBe(whole.text);
      expect(completion.finishReason).toBe(whole.finishReason);
      expect(pieces.join("")).toBe(whole.text);
      expect(completion.promptTokens).toBe(whole.promptTokens);
      expect(completion.completionTokens).toBe(whole.completionTokens);
      expect(completion).not.toHaveProperty("countedBy");
    }
    expect(streamed.pieces.length).toBeGreaterThan(4);
  });

  it("ends at the length, at a stop string, and by itself", () => {
    const { greedy, stopped, chat } = results;
    expect(greedy).toMatchObject({ finishReason: "length", completionTokens: 12 });
    expect(greedy.text).toContain(" eight");
    expect(stopped).toMatchObject({ finishReason: "stop", text: greedy.text.slice(0, greedy.text.indexOf(" eight")) });
    expect(chat.finishReason).toBe("stop");
    expect(chat.completionTokens).toBeLessThan(40);
    expect(greedy.promptTokens).toBe(results.counted);
  });

  it("repeats a text with its seed", () => {
    expect(results.again.text).toBe(results.seeded.text);
    expect(results.otherwise.text).not.toBe(results.seeded.text);
    expect(new Set(results.samples.map(({ text }) => text)).size).toBe(3);
  });

  it("goes on from ids", () => {
    expect(results.ids).toMatchObject([{ finishReason: "length", promptTokens: 4, completionTokens: 4 }]);
  });

  it("counts, and scores where it can", () => {
    expect(results.counted).toBeGreaterThan(4);
    expect(results.chatCounted).toBe(results.chat.promptTokens);
    if (recording.dialect === "vllm") expect(results.scored).toBe(1);
    else expect(results.scored).toMatchObject({ code: "bad-input" });
  });

  it("gives the log-probability of each token where it can", () => {
    const { greedy, streamed, ids } = results;
    if (recording.dialect !== "vllm") return expect(greedy).not.toHaveProperty("tokens");
    expect(greedy.tokens!.completionIds).toHaveLength(12);
    expect(greedy.tokens!.logProbs.every((each) => each <= 0)).toBe(true);
    expect(streamed.completion.tokens).toEqual(greedy.tokens);
    expect(ids).toMatchObject([{ tokens: { promptIds: [504, 28, 827, 28] } }]);
  });

  it("refuses a prompt that is too long, once", () => {
    for (const refused of [results.tooLong, results.tooLongStreamed]) {
      expect(refused).toMatchObject({
        code: "bad-input",
        message: expect.stringMatching(/refuses a request: status 400/),
      });
    }
  });
});
