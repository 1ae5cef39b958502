import { type Completion, createHttpModel, type HttpModelOptions, type RequestPlace } from "thoughtbook/llm";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { type Fake, type FakeOptions, fakeLogProb, fakeText, type Mishap, QUICK, startFake } from "./fake-server.js";

async function open(fakes: readonly Fake[], more: Partial<HttpModelOptions> = {}) {
  const model = await createHttpModel({ ...QUICK, baseUrl: fakes.map(({ url }) => url), ...more });
  onTestFinished(() => model.dispose());
  return model;
}

const REQUESTS = Array.from({ length: 24 }, (_, i) => ({ prompt: `question ${i}`, seed: i }));
const RIGHT = REQUESTS.map(({ prompt, seed }) => fakeText(prompt, seed, 0));

/** Run the requests; each must be told once, and be right. */
async function runAndCheck(fakes: readonly Fake[], more: Partial<HttpModelOptions> = {}, samples = 1) {
  const model = await open(fakes, more);
  const told = new Map<string, Completion>();
  const onFinish = (completion: Completion, { request, sample }: RequestPlace) => {
    const place = `${request} ${sample}`;
    expect(told.has(place)).toBe(false);
    told.set(place, completion);
  };
  const results = await model.generate(REQUESTS, { onFinish, samples });
  expect(told.size).toBe(REQUESTS.length * samples);
  for (const [request, each] of results.entries()) {
    expect(each).toHaveLength(samples);
    expect(each[0]!.text).toBe(RIGHT[request]);
    for (const [sample, completion] of each.entries()) expect(told.get(`${request} ${sample}`)).toBe(completion);
  }
  return { model, results };
}

/** Every third request goes wrong once, each time it comes with another prompt. */
const now = (mishap: Mishap): NonNullable<FakeOptions["mishap"]> => {
  const met = new Set<unknown>();
  return ({ body }, nth) => {
    if (nth % 3 !== 0 || met.has(body.prompt)) return undefined;
    met.add(body.prompt);
    return mishap;
  };
};

describe("faults between adapter and server", () => {
  it.each<[string, Mishap]>([
    ["a reset", "refuse"],
    ["half a body", "half"],
    ["a stall", "stall"],
    ["no JSON", "malformed"],
    ["a page", "page"],
    ["no choices", "none"],
    ["busy", { status: 429 }],
    ["an error of the server", { status: 500, body: { error: { message: "boom" } } }],
    ["a gateway's error", { status: 502, body: "<html>bad gateway</html>" }],
    ["no service", { status: 503 }],
    ["a time-out of the server", { status: 408 }],
  ])("%s: no record is lost or doubled", async (_, mishap) => {
    const fake = await startFake({ mishap: now(mishap) });
    await runAndCheck([fake], mishap === "stall" ? { timeoutMs: 300 } : {});
    expect(fake.asked().length).toBeGreaterThan(REQUESTS.length);
  });

  it("a storm of 429 with Retry-After: asks no more often than it is told to", async () => {
    const began = Date.now();
    let refused = 0;
    const fake = await startFake({
      mishap: () => {
        if (Date.now() - began > 500) return undefined;
        refused += 1;
        return { status: 429, headers: { "retry-after-ms": "300" } };
      },
    });
    await runAndCheck([fake], { attempts: 20 });
    // Sixteen in flight, in two waves; with pauses of a few milliseconds it would be hundreds.
    expect(refused).toBeGreaterThanOrEqual(16);
    expect(refused).toBeLessThanOrEqual(40);
  });

  it.each([
    ["in seconds", () => "1"],
    ["as a date", () => new Date(Date.now() + 1999).toUTCString()],
  ])("honours Retry-After %s", async (_, header) => {
    const times: number[] = [];
    const fake = await startFake({
      mishap: (_call, nth) => {
        times.push(Date.now());
        return nth === 0 ? { status: 503, headers: { "retry-after": header() } } : undefined;
      },
    });
    const model = await open([fake]);
    await model.generate([{ prompt: "a" }]);
    expect(times[1]! - times[0]!).toBeGreaterThan(900);
    expect(times[1]! - times[0]!).toBeLessThan(2300);
  });

  it("honours it each time, also from a server that fails repeatedly", async () => {
    const times: number[] = [];
    const fake = await startFake({
      mishap: (_call, nth) => {
        times.push(Date.now());
        return nth < 4 ? { status: 503, headers: { "retry-after-ms": "200" } } : undefined;
      },
    });
    const model = await open([fake]);
    await model.generate([{ prompt: "a" }]);
    for (let i = 1; i < 5; i++) expect(times[i]! - times[i - 1]!).toBeGreaterThan(190);
  });

  it("gives up on a server that asks for too much patience", async () => {
    const fake = await startFake({ mishap: () => ({ status: 429, headers: { "retry-after": "3600" } }) });
    const model = await open([fake]);
    await expect(model.generate([{ prompt: "a" }])).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(/status 429: as told; the server asks to wait 3600 s$/),
    });
    expect(fake.asked()).toHaveLength(1);
  });

  it.each<[number, string, RegExp]>([
    [400, "bad-input", /refuses a request: status 400: as told/],
    [401, "bad-input", /status 401/],
    [404, "not-found", /status 404/],
    [413, "bad-input", /status 413/],
    [501, "network", /status 501/],
  ])("does not repeat what is refused with %i", async (status, code, message) => {
    const fake = await startFake({
      mishap: ({ body }) => (body.prompt === "question 0" ? { status } : undefined),
      delayMs: 20,
    });
    const model = await open([fake], { concurrency: 4 });
    const kept: string[] = [];
    const work = model.generate(REQUESTS, { onFinish: ({ text }) => kept.push(text) });
    await expect(work).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    // Those in flight come to their end, and nothing new begins.
    expect(fake.asked()).toHaveLength(4);
    expect([...kept].sort()).toEqual(RIGHT.slice(1, 4).sort());
  });

  it("does not repeat what an empty account cannot pay", async () => {
    const body = { error: { message: "You exceeded your quota", code: "insufficient_quota" } };
    const fake = await startFake({ mishap: () => ({ status: 429, body }) });
    const model = await open([fake]);
    await expect(model.generate([{ prompt: "a" }])).rejects.toThrow(/refuses a request: status 429: You exceeded/);
    expect(fake.asked()).toHaveLength(1);
  });

  it.each<[Mishap, string, RegExp]>([
    ["refuse", "network", /gives no answer after 3 attempts: connection lost/],
    ["half", "network", /half an answer/],
    ["stall", "timeout", /no answer within 0\.25 s/],
    ["malformed", "corrupt-data", /an answer that is no JSON/],
    ["page", "corrupt-data", /an answer with a wrong/],
    ["none", "corrupt-data", /an answer without choices/],
    [{ status: 500 }, "network", /status 500: as told/],
  ])("gives up after some attempts at %j", async (mishap, code, message) => {
    const fake = await startFake({ mishap: () => mishap });
    const model = await open([fake], { attempts: 3, ...(mishap === "stall" ? { timeoutMs: 250 } : {}) });
    await expect(model.generate([{ prompt: "a" }])).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
    expect(fake.asked()).toHaveLength(3);
  });

  it("says when nobody answers at the address", async () => {
    const fake = await startFake();
    await fake.close();
    await expect(open([fake])).rejects.toMatchObject({
      code: "network",
      message: `${fake.url} gives no answer after 3 attempts: connection refused`,
    });
    await expect(createHttpModel({ ...QUICK, baseUrl: "http://127.0.0.1:1" })).rejects.toThrow(
      "http://127.0.0.1:1/v1 refuses a request: no client may use this port",
    );
    const other = await startFake();
    await other.close();
    await expect(open([fake, other])).rejects.toThrow(
      new RegExp(`^no server answers \\(${fake.url}, ${other.url}\\); the first: .*connection refused$`),
    );
  });

  it("scores through faults", async () => {
    const mishaps: Mishap[] = ["refuse", "half", "malformed", "none", { status: 500 }];
    const fake = await startFake({ mishap: (_, nth) => mishaps[nth] });
    const model = await open([fake]);
    const requests = REQUESTS.map((_, i) => ({ prompt: { ids: [i + 1] }, continuation: { ids: [5] } }));
    const scores = await model.score(requests);
    expect(scores.map(({ logProbs }) => logProbs[0])).toEqual(requests.map(() => fakeLogProb(5, 1)));
  });
});

describe("the wrong number of choices", () => {
  it.each<[string, FakeOptions]>([
    ["one at a time", { mostChoices: 1 }],
    ["three at a time", { mostChoices: 3 }],
    ["one too few", { mishap: (_, nth) => (nth % 2 === 0 ? "few" : undefined) }],
    ["none now and then", { mishap: (_, nth) => (nth % 4 === 0 ? "none" : undefined) }],
    ["two too many", { mishap: () => "many" }],
  ])("%s: the rest is asked for, surplus dropped", async (_, options) => {
    const fake = await startFake(options);
    const { results } = await runAndCheck([fake], {}, 4);
    for (const samples of results) expect(new Set(samples.map(({ text }) => text)).size).toBe(4);
  });

  it("the rest is drawn with another seed, the same each time", async () => {
    const seeds = async () => {
      const fake = await startFake({ mostChoices: 2 });
      const model = await open([fake]);
      await model.generate([{ prompt: "a", seed: 1, samples: 4 }]);
      return fake.asked().map(({ body }) => [body.seed, body.n]);
    };
    const first = await seeds();
    expect(first).toHaveLength(2);
    expect(first[0]).toEqual([1, 4]);
    expect(first[1]![0]).not.toBe(1);
    expect(first[1]![1]).toBe(2);
    expect(await seeds()).toEqual(first);
  });
});

describe("several servers of one model", () => {
  it("are balanced by outstanding tokens", async () => {
    const fakes = [await startFake({ delayMs: 15 }), await startFake({ delayMs: 15 })] as const;
    const model = await open(fakes, { concurrency: 8 });
    // One long text weighs as much as many short ones.
    const requests = [
      { prompt: "long", maxNewTokens: 5000 },
      ...Array.from({ length: 7 }, (_, i) => ({ prompt: `${i}` })),
    ];
    await model.generate(requests, { maxNewTokens: 10 });
    expect(fakes.map((fake) => fake.asked().length)).toEqual([1, 7]);
    await model.generate(REQUESTS);
    for (const fake of fakes) expect(fake.asked().length).toBeGreaterThan(10);
  });

  it("one of two dies in the middle: its requests go to the other", async () => {
    const [first, second] = [await startFake({ delayMs: 10 }), await startFake({ delayMs: 10 })];
    let answers = 0;
    const model = await open([first, second], { concurrency: 8 });
    const finished: number[] = [];
    const results = await model.generate(REQUESTS, {
      onFinish: (_, { request }) => {
        finished.push(request);
        if (++answers === 5) void first.close();
      },
    });
    expect(results.map(([completion]) => completion!.text)).toEqual(RIGHT);
    expect(finished.sort((a, b) => a - b)).toEqual(REQUESTS.map((_, i) => i));
    expect(second.asked().length).toBeGreaterThan(REQUESTS.length / 2);
  });

  it.each<[string, Mishap]>([
    ["refuses connections", "refuse"],
    ["answers 500", { status: 500 }],
    ["stalls", "stall"],
  ])("one that %s is taken out, and comes back after its rest", async (_, mishap) => {
    let sick = true;
    const [first, second] = [await startFake({ mishap: () => (sick ? mishap : undefined) }), await startFake()];
    const model = await open([first, second], { concurrency: 2, coolDownMs: 1000, timeoutMs: 250 });
    await model.generate(REQUESTS);
    // Two faults in a row, and those in flight at the same time.
    expect(first.asked().length).toBeLessThanOrEqual(3);
    sick = false;
    await new Promise((resolve) => setTimeout(resolve, 1050));
    await model.generate(REQUESTS);
    expect(first.asked().length).toBeGreaterThan(8);
  });

  it("a request that failed at one goes to another", async () => {
    const [first, second] = [await startFake({ mishap: () => "refuse" }), await startFake()];
    const model = await open([first, second]);
    await model.generate([{ prompt: "a" }]);
    expect([first, second].map((fake) => fake.asked().length)).toEqual([1, 1]);
  });

  it("need not all be there when the model is opened", async () => {
    const [dead, alive] = [await startFake(), await startFake()];
    await dead.close();
    await runAndCheck([dead, alive]);
  });

  it("says so when all are dead", async () => {
    const fakes = [await startFake(), await startFake()];
    const model = await open(fakes, { attempts: 6 });
    await model.generate([{ prompt: "a" }]);
    for (const fake of fakes) await fake.close();
    await expect(model.generate(REQUESTS)).rejects.toMatchObject({
      code: "network",
      message: `no server answers (${fakes[0]!.url}, ${fakes[1]!.url}); the last one: connection refused`,
    });
  });

  it("one that asks for patience is left alone while the other works", async () => {
    const wait = { status: 429, headers: { "retry-after": "30" } };
    const [first, second] = [await startFake({ mishap: () => wait }), await startFake()];
    await runAndCheck([first, second], { concurrency: 4 });
    expect(first.asked().length).toBeLessThanOrEqual(4);
  });
});

describe("an interrupted call", () => {
  it("ends at once, with what was finished told", async () => {
    const fake = await startFake({ mishap: (_, nth) => (nth >= 6 ? "stall" : undefined), delayMs: 5 });
    const model = await open([fake], { concurrency: 3, timeoutMs: 20_000 });
    const controller = new AbortController();
    const kept: string[] = [];
    const work = model.generate(REQUESTS, {
      signal: controller.signal,
      onFinish: ({ text }) => kept.push(text),
    });
    await vi.waitFor(() => expect([kept.length, fake.asked().length]).toEqual([6, 9]), { timeout: 10_000 });
    const began = Date.now();
    controller.abort();
    await expect(work).rejects.toMatchObject({ code: "interrupted", message: "generating text was interrupted" });
    expect(Date.now() - began).toBeLessThan(2000);
    expect(new Set(kept).size).toBe(6);
    for (const text of kept) expect(RIGHT.slice(0, 9)).toContain(text);
    expect(fake.asked()).toHaveLength(9);
    await expect(model.generate(REQUESTS, { signal: controller.signal })).rejects.toMatchObject({
      code: "interrupted",
    });
    expect(fake.asked()).toHaveLength(9);
    const scoring = model.score([{ prompt: { ids: [1] }, continuation: { ids: [2] } }], {
      signal: AbortSignal.timeout(30),
    });
    await expect(scoring).rejects.toMatchObject({ code: "interrupted", message: "scoring was interrupted" });
  });

  it("an error of a callback is the caller's, whatever it is", async () => {
    const fake = await startFake();
    const model = await open([fake]);
    for (const thrown of [
      new SyntaxError("mine"),
      new TypeError("terminated"),
      Object.assign(new Error("x"), { code: "ECONNRESET" }),
    ]) {
      const fail = () => {
        throw thrown;
      };
      fake.calls.length = 0;
      await expect(model.generate([{ prompt: "a", seed: 1 }], { onFinish: fail })).rejects.toBe(thrown);
      await expect(model.generate([{ prompt: "a", seed: 1 }], { onText: fail })).rejects.toBe(thrown);
      expect(fake.asked()).toHaveLength(2);
    }
  });
});
