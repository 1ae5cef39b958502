import {
  type Generation,
  type GenerationRequest,
  generate,
  type NewToken,
  openGenerator,
  type TextGenerator,
} from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { apart, checkpoint, randomModel } from "./helpers.js";

const request = (seed: number, more: Partial<GenerationRequest> = {}): GenerationRequest => ({
  prompt: Array.from({ length: 1 + ((7 * seed) % 20) }, (_, i) => 3 + ((seed * 13 + i * 5) % 250)),
  maxNewTokens: 10 + ((11 * seed) % 50),
  stopIds: [],
  seed,
  ...more,
});

/** Submit requests, each when the one before has its second token: in the middle of its work. */
function submitInTurn(generator: TextGenerator, requests: readonly GenerationRequest[]): Promise<Generation[][]> {
  const [first, ...others] = requests;
  let tokens = 0;
  return new Promise((resolve, reject) => {
    let rest: Promise<Generation[][]> | undefined;
    const onToken = () => {
      if (++tokens === 2) rest = others.length > 0 ? submitInTurn(generator, others) : Promise.resolve([]);
    };
    generator
      .submit([first!], { onToken })
      .then(async (texts) => [texts, ...(await rest!)])
      .then(resolve, reject);
  });
}

describe("a generator", () => {
  it("gives requests that join while it works the texts that they get alone", async () => {
    const model = randomModel();
    const requests = Array.from({ length: 14 }, (_, seed) => request(seed, seed % 3 === 0 ? { samples: 3 } : {}));
    const alone: Generation[][] = [];
    for (const each of requests) alone.push(await generate(model, [each]));
    for (const batchSize of [4, undefined]) {
      const generator = openGenerator(model, { batchSize });
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, generator.active);
      }, 1);
      const texts = await submitInTurn(generator, requests);
      clearInterval(watch);
      expect(most).toBeGreaterThan(2);
      if (batchSize) expect(most).toBeLessThanOrEqual(batchSize);
      for (const [i, each] of texts.entries()) {
        expect(each.map(({ ids }) => ids)).toEqual(alone[i]!.map(({ ids }) => ids));
        for (const [k, { logProbs }] of each.entries())
          expect(apart(logProbs, alone[i]![k]!.logProbs)).toBeLessThan(1e-4);
      }
      await generator.close();
      expect([generator.active, generator.waiting]).toEqual([0, 0]);
    }
  });

  it("takes a prompt that is longer than all before, and goes on after it was idle", async () => {
    const model = randomModel();
    const generator = openGenerator(model);
    const long = request(1, { prompt: Array.from({ length: 900 }, (_, i) => 3 + (i % 200)), maxNewTokens: 8 });
    const short = request(2, { maxNewTokens: 120 });
    const [[a], [b]] = (await submitInTurn(generator, [short, long])) as [Generation[], Generation[]];
    expect(a!.ids).toEqual((await generate(model, [short]))[0]!.ids);
    expect(b!.ids).toEqual((await generate(model, [long]))[0]!.ids);
    await new Promise(setImmediate);
    expect((await generator.submit([short]))[0]!.ids).toEqual(a!.ids);
    await generator.close();
  });

  it("begins with the longest prompts, so that texts of like length have a batch together", async () => {
    const generator = openGenerator(randomModel(), { batchSize: 1 });
    const finished: number[] = [];
    const prompts = [4, 90, 12, 40].map((length) => Array.from({ length }, (_, i) => 3 + i));
    const texts = await generator.submit(
      prompts.map((prompt) => ({ prompt, maxNewTokens: 2 })),
      { onFinish: ({ request }) => finished.push(request) },
    );
    expect(finished).toEqual([1, 3, 2, 0]);
    expect(texts.map(({ request }) => request)).toEqual([0, 1, 2, 3]);
    await generator.close();
  });

  it("makes room for a long prompt that waits behind short ones which end at once", async () => {
    const model = randomModel();
    const ids = (length: number, first: number) => Array.from({ length }, (_, i) => first + (i % 90));
    const short = [0, 1, 2, 3].map((i) => ({ prompt: ids(4, 3 + i), maxNewTokens: 1, stopIds: [] }));
    const long = [5, 6].map((i) => ({ prompt: ids(400, i), maxNewTokens: 8, stopIds: [] }));
    const generator = openGenerator(model, { batchSize: 2 });
    const [, texts] = await Promise.all([generator.submit(short), generator.submit(long)]);
    const alone = await generate(model, long);
    expect(texts.map(({ ids }) => ids)).toEqual(alone.map(({ ids }) => ids));
    await generator.close();
  });

  it("frees the rows of a request that is aborted at the next step, and those of no other", async () => {
    const model = randomModel();
    const generator = openGenerator(model, { batchSize: 4 });
    const [stop, stopWaiting] = [new AbortController(), new AbortController()];
    let tokens = 0;
    const aborted = generator.submit([request(1, { maxNewTokens: 1000, samples: 3 })], {
      signal: stop.signal,
      onToken: () => {
        // In the middle of a step.
        if (++tokens === 30) stop.abort(new Error("enough"));
      },
    });
    const other = generator.submit([request(2, { maxNewTokens: 100 })]);
    const waiting = generator.submit([request(3, { maxNewTokens: 1000 })], { signal: stopWaiting.signal });
    stopWaiting.abort();
    await expect(waiting).rejects.toMatchObject({ code: "interrupted" });
    await expect(aborted).rejects.toMatchObject({ code: "interrupted", cause: { message: "enough" } });
    expect(tokens).toBeLessThanOrEqual(33);
    expect(generator.active).toBe(1);
    expect((await other)[0]!.ids).toEqual((await generate(model, [request(2, { maxNewTokens: 100 })]))[0]!.ids);
    const late = new AbortController();
    late.abort();
    await expect(generator.submit([request(4)], { signal: late.signal })).rejects.toMatchObject({
      code: "interrupted",
    });
    await generator.close();
  });

  it("fails one request by its callback, and refuses one that is wrong; others go on", async () => {
    const model = randomModel();
    const generator = openGenerator(model);
    const good = generator.submit([request(5)]);
    const thrown = generator.submit([request(6)], {
      onToken: () => {
        throw new RangeError("mine");
      },
    });
    await expect(generator.submit([{ prompt: [999] }])).rejects.toThrow(/the id 999/);
    await expect(thrown).rejects.toThrow(RangeError);
    expect((await good)[0]!.ids).toEqual((await generate(model, [request(5)]))[0]!.ids);
    expect(await generator.submit([])).toEqual([]);
    await generator.close();
  });

  it("tells of weights that are no numbers, and works again when they are", async () => {
    const model = randomModel();
    const gain = model.weights["model.norm.weight"]!.data;
    const generator = openGenerator(model);
    const before = gain[0]!;
    gain[0] = Number.NaN;
    const failed = await Promise.allSettled([generator.submit([request(7)]), generator.submit([request(8)])]);
    for (const each of failed) expect(each).toMatchObject({ status: "rejected", reason: { code: "execution" } });
    gain[0] = before;
    expect((await generator.submit([request(7)]))[0]!.ids.length).toBe(request(7).maxNewTokens);
    await generator.close();
  });

  it("finishes at its close what was asked for, and takes no more", async () => {
    const generator = openGenerator(randomModel(), { batchSize: 1 });
    let done = 0;
    const works = [1, 2, 3].map((seed) => generator.submit([request(seed)]).then(() => done++));
    await generator.close();
    await Promise.all(works);
    expect(done).toBe(3);
    await expect(generator.submit([request(4)])).rejects.toThrow(/generator is closed/);
    await expect(generator.between(async () => 1)).rejects.toThrow(/generator is closed/);
  });

  it("does tasks between steps, for half of the time at most", async () => {
    const generator = openGenerator(randomModel());
    expect(await generator.between(async () => 7)).toBe(7);
    await expect(
      generator.between(() => {
        throw new RangeError("mine");
      }),
    ).rejects.toThrow(RangeError);
    const tokenTimes: number[] = [];
    const tasks: [number, number][] = [];
    const task = async () => {
      const start = performance.now();
      while (performance.now() - start < 10);
      tasks.push([start, performance.now()]);
    };
    const asked: Promise<void>[] = [];
    await generator.submit([request(1, { maxNewTokens: 1000 })], {
      onToken: () => {
        if (tokenTimes.push(performance.now()) === 10) for (let i = 0; i < 5; i++) asked.push(generator.between(task));
      },
    });
    await Promise.all(asked);
    expect(tasks.length).toBe(5);
    // Texts had their share between any two tasks.
    for (const [i, [start]] of tasks.slice(1).entries()) {
      const [, end] = tasks[i]!;
      expect(tokenTimes.filter((time) => time > end && time < start).length).toBeGreaterThan(0);
      expect(start - end).toBeGreaterThan(9);
    }
    await generator.close();
  });
});

describe("tokens as they come", () => {
  it("with their log-probabilities and the most probable ones in their places", async () => {
    const model = await checkpoint("stories260k");
    const tokens: NewToken[] = [];
    const requests = [
      { prompt: [1, 403], maxNewTokens: 12, topLogProbs: 3 },
      { prompt: [1], maxNewTokens: 4 },
    ];
    const [text, plain] = await generate(model, requests, { seed: 4, onToken: (token) => tokens.push(token) });
    const own = tokens.filter(({ request }) => request === 0);
    expect(own.map(({ id }) => id)).toEqual(text!.ids);
    expect(own.map(({ logProb }) => logProb)).toEqual(text!.logProbs);
    expect(own.map(({ top }) => top)).toEqual(text!.top);
    expect(plain!.top).toEqual([]);
    for (const [i, top] of text!.top.entries()) {
      expect(top.length).toBe(3);
      expect(top.toSorted((a, b) => b.logProb - a.logProb)).toEqual(top);
      expect(new Set(top.map(({ id }) => id)).size).toBe(3);
      expect(text!.logProbs[i]!).toBeLessThanOrEqual(top[0]!.logProb);
      const chosen = top.find(({ id }) => id === text!.ids[i]);
      if (chosen) expect(chosen.logProb).toBe(text!.logProbs[i]);
    }
    const [greedy] = await generate(model, [{ ...requests[0]!, temperature: 0 }]);
    expect(greedy!.top.map(([best]) => best!.id)).toEqual(greedy!.ids);
    await expect(generate(model, [{ prompt: [1], topLogProbs: -1 }])).rejects.toThrow(/topLogProbs is -1/);
  });
});
