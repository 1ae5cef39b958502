import { setTimeout as sleep } from "node:timers/promises";
import type { Completion, LanguageModel, TextRequest } from "thoughtbook/llm";
import { gatherCalls } from "thoughtbook/rollouts";
import { describe, expect, it } from "vitest";
import { failure } from "../core/helpers.js";

/** Says what it was asked, the last request first; `calls` are numbers of requests, below 0 for `generate`. */
function echo(calls: number[] = [], asked: TextRequest[] = []): LanguageModel {
  const completionOf = ({ prompt }: TextRequest, sample: number): Completion => ({
    text: `${prompt}/${sample}`,
    finishReason: "stop",
    promptTokens: 1,
    completionTokens: 1,
  });
  return {
    name: "echo",
    capabilities: new Set(["text", "score"]),
    contextLength: undefined,
    parameterCount: undefined,
    hash: async () => undefined,
    async generate(requests, options = {}) {
      calls.push(-requests.length);
      asked.push(...requests);
      const texts = requests.map((request) =>
        Array.from({ length: request.samples ?? 1 }, (_, at) => completionOf(request, at + (request.firstSample ?? 0))),
      );
      for (const [request, samples] of [...texts.entries()].reverse()) {
        for (const [sample, completion] of samples.entries()) options.onFinish?.(completion, { request, sample });
        await sleep(2);
      }
      return texts;
    },
    async score(requests) {
      calls.push(requests.length);
      return requests.map(({ prompt }) => ({ ids: [String(prompt).length], logProbs: new Float32Array(1) }));
    },
    countTokens: async () => 1,
    dispose: async () => {},
  };
}

const said = async (model: LanguageModel, prompt: string, options: Partial<TextRequest> = {}) =>
  (await model.generate([{ prompt, ...options }]))[0]!.map(({ text }) => text);

describe("gatherCalls", () => {
  it("sends what all jobs wait for in one call, and each its own back", async () => {
    const calls: number[] = [];
    const gatherer = gatherCalls(echo(calls));
    const job = (name: string, times: number) =>
      gatherer.run(async (model) => {
        const texts: string[] = [];
        for (let i = 0; i < times; i++) texts.push(...(await said(model, `${name}${i}`)));
        return texts;
      });
    const scoring = gatherer.run(async (model) =>
      (
        await model.score([
          { prompt: "ab", continuation: "" },
          { prompt: "c", continuation: "" },
        ])
      ).map(({ ids }) => ids[0]),
    );
    expect(await Promise.all([job("a", 3), job("b", 1), scoring])).toEqual([
      ["a0/0", "a1/0", "a2/0"],
      ["b0/0"],
      [2, 1],
    ]);
    expect(calls).toEqual([-2, 2, -1, -1]);
  });

  it("takes several calls of one job at a time, and what comes in later turns, while others wait", async () => {
    const calls: number[] = [];
    const gatherer = gatherCalls(echo(calls));
    const wide = gatherer.run((model) => Promise.all(["a", "b", "c"].map((prompt) => said(model, prompt))));
    const slow = gatherer.run(async (model) => {
      await sleep(30);
      return said(model, "d");
    });
    expect(await Promise.all([wide, slow])).toEqual([[["a/0"], ["b/0"], ["c/0"]], ["d/0"]]);
    expect(calls).toEqual([-4]);
  });

  it("makes one request of what jobs ask alike but for their sample, and gives each its own samples", async () => {
    const [calls, asked]: [number[], TextRequest[]] = [[], []];
    const gatherer = gatherCalls(echo(calls, asked));
    const options = { seed: 1, temperature: 1 };
    const texts = [2, 0, 1].map((sample) => gatherer.run((model) => said(model, "a", options), sample));
    const pair = gatherer.run((model) => said(model, "b", { ...options, samples: 2 }), 1);
    const other = gatherer.run((model) => said(model, "a", { ...options, seed: 2 }));
    expect(await Promise.all([...texts, pair, other])).toEqual([["a/2"], ["a/0"], ["a/1"], ["b/2", "b/3"], ["a/0"]]);
    expect(calls).toEqual([-3]);
    expect(asked.map(({ prompt, samples }) => [prompt, samples])).toEqual([
      ["a", 3],
      ["b", 2],
      ["a", 1],
    ]);
  });

  it("generates only the samples that are waited for", async () => {
    const asked: TextRequest[] = [];
    const gatherer = gatherCalls(echo([], asked));
    const options = { seed: 1, temperature: 1 };
    const texts = [7, 2, 3].map((sample) => gatherer.run((model) => said(model, "a", options), sample));
    expect(await Promise.all(texts)).toEqual([["a/7"], ["a/2"], ["a/3"]]);
    expect(asked.map(({ samples, firstSample }) => [samples, firstSample])).toEqual([
      [2, 2],
      [1, 7],
    ]);
  });

  it("does not stop for a job that waits for the result of another one", async () => {
    const gatherer = gatherCalls(echo());
    let shared: Promise<string[]> | undefined;
    const jobs = [1, 2, 3].map(() =>
      gatherer.run(async (model) => {
        shared ??= said(model, "once");
        return [...(await shared), ...(await said(model, "each"))];
      }),
    );
    expect(await Promise.all(jobs)).toEqual(jobs.map(() => ["once/0", "each/0"]));
  });

  it("refuses no samples, and a model that gives too few", async () => {
    const gatherer = gatherCalls(echo());
    const none = gatherer.run((model) => said(model, "a", { samples: 0 }));
    const one = gatherer.run((model) => said(model, "a"));
    expect((await failure(none)).message).toMatch(/samples/);
    expect(await one).toEqual(["a/0"]);
    const silent: LanguageModel = { ...echo(), generate: async () => [] };
    expect((await failure(gatherCalls(silent).run((model) => said(model, "a")))).message).toMatch(/fewer texts/);
  });

  it("lets a job go on as soon as its own texts are there, and tells them as they come", async () => {
    const gatherer = gatherCalls(echo());
    const order: string[] = [];
    await Promise.all(
      ["first", "last"].map((prompt) =>
        gatherer.run(async (model) => {
          await model.generate([{ prompt }], { onFinish: ({ text }) => order.push(`told ${text}`) });
          order.push(prompt);
        }),
      ),
    );
    expect(order).toEqual(["told last/0", "last", "told first/0", "first"]);
  });

  it("gives the error of a call to the jobs that waited for it, and goes on with others", async () => {
    const broken = { ...echo(), score: () => Promise.reject(new Error("no power")) } as LanguageModel;
    const gatherer = gatherCalls(broken);
    const jobs = [1, 2].map(() => gatherer.run((model) => model.score([{ prompt: "a", continuation: "b" }])));
    const text = gatherer.run((model) => said(model, "a"));
    for (const job of jobs) expect((await failure(job)).message).toBe("no power");
    expect(await text).toEqual(["a/0"]);
  });

  it("refuses random numbers without a seed, and streams", async () => {
    const gatherer = gatherCalls(echo());
    const ask = (options: object) => gatherer.run((model) => model.generate([{ prompt: "a" }], options));
    expect((await failure(ask({ temperature: 1 }))).message).toMatch(/no seed/);
    expect((await failure(ask({ onText: () => {} }))).message).toMatch(/onText/);
    expect(await ask({ temperature: 1, seed: 3 })).toHaveLength(1);
  });
});
