import { type Completion, createHttpModel, type HttpModelOptions } from "thoughtbook/llm";
import { describe, expect, it, onTestFinished } from "vitest";
import { type FakeOptions, fakeText, type Mishap, QUICK, startFake } from "./fake-server.js";

async function open(options: FakeOptions, more: Partial<HttpModelOptions>) {
  const fake = await startFake(options);
  const model = await createHttpModel({ ...QUICK, baseUrl: fake.url, ...more });
  onTestFinished(() => model.dispose());
  return { fake, model };
}

const REQUESTS = Array.from({ length: 30 }, (_, i) => ({
  prompt: { ids: [1, 2, 3, i + 4] },
  seed: i,
  maxNewTokens: 16,
}));
/** Each answer takes 4 tokens of the prompt and 16 of the text. */
const EACH = 20;

describe("a budget", () => {
  it.each([1, 5])("in tokens stops cleanly, with %i in flight", async (concurrency) => {
    const { fake, model } = await open({ delayMs: 5 }, { concurrency, budget: { tokens: 10 * EACH + 5 } });
    const kept: Completion[] = [];
    await expect(model.generate(REQUESTS, { onFinish: (completion) => kept.push(completion) })).rejects.toMatchObject({
      code: "budget",
      message: "the budget of 205 tokens is reached: 200 are taken, and the next request may take 20",
    });
    expect(kept).toHaveLength(10);
    expect(fake.asked()).toHaveLength(10);
    expect(model.usage()).toMatchObject({ requests: 10, promptTokens: 40, completionTokens: 160 });
    await expect(model.generate(REQUESTS)).rejects.toMatchObject({ code: "budget" });
    expect(fake.asked()).toHaveLength(10);
  });

  it("in money counts prompt and text by their prices", async () => {
    const prices = { prompt: 1_000_000, completion: 2_000_000 };
    const { model } = await open({}, { concurrency: 3, budget: { cost: 150, prices } });
    // 4 + 32 each.
    await expect(model.generate(REQUESTS)).rejects.toMatchObject({
      code: "budget",
      message: "the budget of 150 in money is reached: 144 are taken, and the next request may take 36",
    });
    expect(model.usage()).toEqual({ requests: 4, promptTokens: 16, completionTokens: 64, cost: 144 });
  });

  it("is not used up by texts that end early", async () => {
    // Set aside are 256 tokens each; taken are 22 and 5.
    const requests = REQUESTS.slice(0, 12).map(({ prompt, seed }) => ({ prompt, seed }));
    const { model } = await open({ delayMs: 2 }, { concurrency: 8, budget: { tokens: 600 } });
    const results = await model.generate(requests);
    for (const [i, { prompt, seed }] of requests.entries())
      expect(results[i]![0]!.text).toBe(fakeText(prompt.ids, seed, 0));
  });

  it.each<[Mishap, number]>([
    [{ status: 500 }, 0],
    [{ status: 429 }, 0],
    ["half", EACH],
    ["malformed", EACH],
    ["stall", EACH],
  ])("counts an answer lost by %j as what it may have cost", async (mishap, lost) => {
    const { model } = await open(
      { mishap: (_, nth) => (nth === 0 ? mishap : undefined) },
      mishap === "stall" ? { timeoutMs: 250 } : {},
    );
    await model.generate(REQUESTS.slice(0, 1));
    const { promptTokens, completionTokens } = model.usage();
    expect(promptTokens + completionTokens).toBe(EACH + lost);
  });

  it("covers scores", async () => {
    const { fake, model } = await open({}, { concurrency: 1, budget: { tokens: 20 } });
    const pairs = REQUESTS.map(({ prompt }) => ({ prompt, continuation: { ids: [5] } }));
    await expect(model.score(pairs)).rejects.toMatchObject({ code: "budget" });
    expect(fake.asked().length).toBeGreaterThan(1);
    expect(model.usage().promptTokens).toBeLessThanOrEqual(20);
  });
});
