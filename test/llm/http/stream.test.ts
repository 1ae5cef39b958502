import { type Completion, createHttpModel, type HttpModelOptions, type RequestPlace } from "thoughtbook/llm";
import { describe, expect, it, onTestFinished } from "vitest";
import { type FakeOptions, fakeText, type Mishap, QUICK, startFake } from "./fake-server.js";

async function open(options: FakeOptions = {}, more: Partial<HttpModelOptions> = {}) {
  const fake = await startFake(options);
  const model = await createHttpModel({ ...QUICK, baseUrl: fake.url, ...more });
  onTestFinished(() => model.dispose());
  return { fake, model };
}

/** Gathers what is told, by request and sample. */
function listener() {
  const told = new Map<string, string>();
  const pieces: string[] = [];
  const onText = (text: string, { request, sample }: RequestPlace) => {
    const place = `${request} ${sample}`;
    pieces.push(text);
    told.set(place, (told.get(place) ?? "") + text);
  };
  return { told, pieces, onText };
}

const REQUESTS = Array.from({ length: 8 }, (_, i) => ({ prompt: `question ${i}`, seed: i }));
const withoutText = (results: Completion[][]) => results.map((each) => each.map(({ text }) => text));

describe("a stream", () => {
  it("tells a text in pieces and gives the same as without", async () => {
    const { fake, model } = await open();
    const { told, pieces, onText } = listener();
    const streamed = await model.generate(REQUESTS, { onText, samples: 2 });
    expect(streamed).toEqual(await model.generate(REQUESTS, { samples: 2 }));
    expect(pieces.length).toBeGreaterThan(16 * 5);
    for (const [request, samples] of streamed.entries())
      for (const [sample, { text }] of samples.entries()) expect(told.get(`${request} ${sample}`)).toBe(text);
    expect(fake.asked()[0]!.body).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    const chat = [{ prompt: { messages: [{ role: "user", content: "hi" }] }, seed: 1 }];
    const second = listener();
    const [[completion]] = (await model.generate(chat, { onText: second.onText })) as [[Completion]];
    expect([[completion]]).toEqual(await model.generate(chat));
    expect(second.told.get("0 0")).toBe(completion.text);
  });

  it.each<[string, Mishap]>([
    ["breaks in the middle", { cutAfter: 4 }],
    ["breaks before its first piece", { cutAfter: 0 }],
    ["ends without an end", { closeAfter: 4 }],
    ["ends just before its end", { closeAfter: 7 }],
    ["has an event that is no JSON", { badEvent: 3 }],
    ["is refused", "refuse"],
    ["is no stream", "stall"],
    ["is empty", "none"],
  ])("that %s is told once all the same", async (_, mishap) => {
    const broken = new Set<unknown>();
    const { fake, model } = await open({
      mishap: ({ body }) => {
        if (broken.has(body.prompt)) return undefined;
        broken.add(body.prompt);
        return mishap;
      },
    });
    const { told, onText } = listener();
    const results = await model.generate(REQUESTS, { onText });
    expect(fake.asked()).toHaveLength(REQUESTS.length * 2);
    for (const [i, { prompt, seed }] of REQUESTS.entries()) {
      expect(results[i]![0]!.text).toBe(fakeText(prompt, seed, 0));
      expect(told.get(`${i} 0`)).toBe(results[i]![0]!.text);
    }
  });

  it("that a server sends in too few choices is told for each sample once", async () => {
    for (const options of [{ mostChoices: 2 }, { mishap: () => "many" as const }]) {
      const { model } = await open(options);
      const { told, onText } = listener();
      const results = await model.generate(REQUESTS, { onText, samples: 3 });
      for (const [i, texts] of withoutText(results).entries()) {
        expect(texts).toHaveLength(3);
        expect(new Set(texts).size).toBe(3);
        expect(texts).toEqual([0, 1, 2].map((sample) => told.get(`${i} ${sample}`)));
      }
      expect(told.size).toBe(REQUESTS.length * 3);
    }
  });

  it("that breaks and cannot be had again is an error, not another text", async () => {
    // Without a seed: at once.
    const unseeded = await open({ mishap: (_, nth) => (nth === 0 ? { cutAfter: 4 } : undefined) });
    const { told, onText } = listener();
    await expect(unseeded.model.generate([{ prompt: "a" }], { onText })).rejects.toMatchObject({
      code: "network",
      message: expect.stringMatching(/broke off after a part of its text was told, and without a seed/),
      hint: expect.stringMatching(/Give a seed/),
    });
    expect(unseeded.fake.asked()).toHaveLength(1);
    expect(told.get("0 0")!.length).toBeGreaterThan(0);
    // Nothing told yet: the next one is as good.
    const silent = await open({ mishap: (_, nth) => (nth === 0 ? { cutAfter: 0 } : undefined) });
    const second = listener();
    const [[completion]] = (await silent.model.generate([{ prompt: "a" }], { onText: second.onText })) as [
      [Completion],
    ];
    expect(second.told.get("0 0")).toBe(completion.text);
    // With a seed that the server does not keep to.
    const fickle = await open({
      mishap: ({ body }, nth) => {
        body.seed = nth;
        return nth === 0 ? { cutAfter: 4 } : undefined;
      },
    });
    const third = listener();
    await expect(fickle.model.generate([{ prompt: "a", seed: 1 }], { onText: third.onText })).rejects.toThrow(
      /the server's second answer is another text/,
    );
    // And nothing of the second one is told.
    expect(fakeText("a", 0, 0).startsWith(third.told.get("0 0")!)).toBe(true);
    expect(fickle.fake.asked()).toHaveLength(2);
  });

  it("that stands still in the middle is a stall; one that moves is none, however long it takes", async () => {
    const { fake, model } = await open();
    const slow = await startSlow(6, 110);
    const patient = await createHttpModel({ ...QUICK, baseUrl: slow.url, timeoutMs: 400 });
    onTestFinished(() => patient.dispose());
    const { told, onText } = listener();
    await patient.generate([{ prompt: "a" }], { onText });
    expect(told.get("0 0")).toBe("xxxxxx");
    const still = await startSlow(6, 110, 3);
    const impatient = await createHttpModel({ ...QUICK, baseUrl: still.url, timeoutMs: 400, attempts: 2 });
    onTestFinished(() => impatient.dispose());
    await expect(impatient.generate([{ prompt: "a", seed: 1 }], { onText: listener().onText })).rejects.toMatchObject({
      code: "timeout",
    });
    await model.generate([{ prompt: "a" }]);
    expect(fake.asked()).toHaveLength(1);

    /** A stream of so many pieces, one at a time; it stops for good before one of them. */
    async function startSlow(pieces: number, everyMs: number, stopsAt = Number.POSITIVE_INFINITY) {
      const event = (at: number) => ({
        choices: [
          {
            index: 0,
            text: "x",
            finish_reason: at === pieces - 1 ? "length" : null,
            token_ids: [1],
            prompt_token_ids: [1],
            logprobs: { token_logprobs: [-1] },
          },
        ],
        usage: { prompt_tokens: 1, completion_tokens: pieces },
      });
      const { createServer } = await import("node:http");
      const server = createServer((request, response) => {
        if (request.method === "GET") {
          response.writeHead(200, { "content-type": "application/json" });
          response.end(JSON.stringify({ data: [{ id: "tiny", owned_by: "vllm" }] }));
          return;
        }
        response.writeHead(200, { "content-type": "text/event-stream" });
        let at = 0;
        const timer = setInterval(() => {
          if (at === stopsAt) return clearInterval(timer);
          response.write(`data: ${JSON.stringify(event(at++))}\n\n`);
          if (at < pieces) return;
          clearInterval(timer);
          response.end("data: [DONE]\n\n");
        }, everyMs);
        response.on("close", () => clearInterval(timer));
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      return { url: `http://127.0.0.1:${(server.address() as import("node:net").AddressInfo).port}/v1` };
    }
  });

  it("ends at once when it is interrupted", async () => {
    const { fake, model } = await open();
    const controller = new AbortController();
    const { told, onText } = listener();
    const finished: Completion[] = [];
    const work = model.generate([{ prompt: "a", seed: 1 }], {
      signal: controller.signal,
      onText: (text, place) => {
        onText(text, place);
        if (told.get("0 0")!.length > 6) controller.abort();
      },
      onFinish: (completion) => finished.push(completion),
    });
    await expect(work).rejects.toMatchObject({ code: "interrupted" });
    expect(told.get("0 0")!.length).toBeLessThan(fakeText("a", 1, 0).length);
    expect(finished).toEqual([]);
    expect(fake.asked()).toHaveLength(1);
  });
});
