import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createHttpModel, type HttpModelOptions } from "thoughtbook/llm";
import { describe, expect, it, onTestFinished } from "vitest";
import { root } from "../../notebook/helpers.js";
import { type Fake, type FakeOptions, fakeText, QUICK, startFake } from "./fake-server.js";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "thoughtbook-http-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function open(fake: Fake, more: Partial<HttpModelOptions>) {
  const model = await createHttpModel({ ...QUICK, baseUrl: fake.url, ...more });
  onTestFinished(() => model.dispose());
  return model;
}

const files = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

describe("the cache of answers", () => {
  it("keeps what repeats, for any address, key or place", async () => {
    const cache = newFolder();
    const [first, second] = [await startFake(), await startFake()];
    const requests = [
      { prompt: "a", seed: 1, samples: 2 },
      { prompt: "b", temperature: 0 },
      { prompt: { messages: [{ role: "user", content: "c" }] }, seed: 2 },
    ];
    const results = await (await open(first, { cache })).generate(requests);
    expect(first.asked()).toHaveLength(3);
    const again = await open(second, { cache, apiKey: "another-key", baseUrl: [second.url, first.url] });
    const told: string[] = [];
    const finished: unknown[] = [];
    expect(
      await again.generate([...requests].reverse(), {
        onText: (text) => told.push(text),
        onFinish: (_, place) => finished.push(place),
      }),
    ).toEqual([...results].reverse());
    expect(told.sort()).toEqual(
      results
        .flat()
        .map(({ text }) => text)
        .sort(),
    );
    expect(finished).toHaveLength(4);
    expect(second.asked()).toEqual([]);
    expect(first.asked()).toHaveLength(3);
    expect(again.usage()).toMatchObject({ requests: 0, promptTokens: 0 });
    // Scores too.
    const pairs = [{ prompt: { ids: [1, 2] }, continuation: { ids: [3] } }];
    const scores = await again.score(pairs);
    const asked = second.asked().length + first.asked().length;
    expect(await (await open(first, { cache })).score(pairs)).toEqual(scores);
    expect(second.asked().length + first.asked().length).toBe(asked);
  });

  it("tells apart all that an answer depends on", async () => {
    const cache = newFolder();
    const fake = await startFake();
    const model = await open(fake, { cache });
    const variants = [
      {},
      { prompt: "b" },
      { seed: 2 },
      { temperature: 0 },
      { topK: 3 },
      { maxNewTokens: 3 },
      { stopStrings: ["x"] },
      { samples: 2 },
      { prompt: { messages: [{ role: "user", content: "a" }] } },
      { prompt: { ids: [97] } },
    ];
    await model.generate(variants.map((variant) => ({ prompt: "a", seed: 1, ...variant })));
    expect(fake.asked()).toHaveLength(variants.length);
    await (await open(fake, { cache, body: { response_format: { type: "json_object" } } })).generate([
      { prompt: "a", seed: 1 },
    ]);
    await (await open(fake, { cache, identity: "revision 2" })).generate([{ prompt: "a", seed: 1 }]);
    expect(fake.asked()).toHaveLength(variants.length + 2);
    // Another model, and the same name with other weights.
    const others: FakeOptions[] = [
      { model: "tiny-2" },
      { entry: { root: "/models/other" } },
      { owner: "thoughtbook", entry: { hash: "ab".repeat(32) } },
      { owner: "thoughtbook", entry: { hash: "cd".repeat(32) } },
    ];
    for (const options of others) {
      const other = await startFake(options);
      await (await open(other, { cache })).generate([{ prompt: "a", seed: 1 }]);
      expect(other.asked()).toHaveLength(1);
    }
    // Nothing but the address tells what an unknown server has.
    for (const unknown of [await startFake({ owner: "x" }), await startFake({ owner: "x" })]) {
      for (const _ of [1, 2]) await (await open(unknown, { cache })).generate([{ prompt: "a", seed: 1 }]);
      expect(unknown.asked()).toHaveLength(1);
    }
  });

  it("does not keep what is drawn anew each time, unless told to", async () => {
    const cache = newFolder();
    const fake = await startFake();
    const model = await open(fake, { cache });
    const request = { prompt: "a", samples: 2 };
    expect(await model.generate([request])).not.toEqual(await model.generate([request]));
    expect(files(cache)).toEqual([]);
    const keeping = await open(fake, { cache, cacheSampled: true });
    // Two requests of one call are two draws.
    const results = await keeping.generate([request, request]);
    expect(results[0]).not.toEqual(results[1]);
    expect(await keeping.generate([request, request])).toEqual(results);
    expect(fake.asked()).toHaveLength(4);
  });

  it("does not believe a damaged entry, and writes it anew", async () => {
    const cache = newFolder();
    const fake = await startFake();
    const request = { prompt: "a", seed: 1 };
    const ask = async () => (await open(fake, { cache })).generate([request]);
    const right = await ask();
    const [file, ...others] = files(cache);
    expect(others).toEqual([]);
    const whole = readFileSync(file!, "utf8");
    const text = right[0]![0]!.text;
    const damages = ["", "{}", whole.slice(0, -30), whole.replace(text, `${text.slice(0, -1)}!`), "[1, 2", "null"];
    for (const [i, damage] of damages.entries()) {
      writeFileSync(file!, damage);
      expect(await ask()).toEqual(right);
      expect(fake.asked()).toHaveLength(2 + i);
      expect(readFileSync(file!, "utf8")).toBe(whole);
    }
    expect(files(cache)).toEqual([file]);
  });

  it("is off unless asked for, and is the library's where no folder is told", async () => {
    const folder = newFolder();
    const before = process.env.THOUGHTBOOK_CACHE;
    process.env.THOUGHTBOOK_CACHE = folder;
    onTestFinished(() => {
      if (before === undefined) delete process.env.THOUGHTBOOK_CACHE;
      else process.env.THOUGHTBOOK_CACHE = before;
    });
    const fake = await startFake();
    await (await open(fake, {})).generate([{ prompt: "a", seed: 1 }]);
    expect(files(folder)).toEqual([]);
    await (await open(fake, { cache: true })).generate([{ prompt: "a", seed: 1 }]);
    expect(files(folder)[0]).toMatch(/[/\\]http[/\\][0-9a-f]{2}[/\\][0-9a-f]{64}\.json$/);
  });
});

describe("a run that is killed", () => {
  it("goes on where it stopped: each finished request is asked for once", async () => {
    const cache = newFolder();
    const fake = await startFake({ delayMs: 15 });
    const run = (killAfter?: number) => runScript(fake.url, cache, killAfter);
    const first = await run(10);
    expect(first.signal).toBe("SIGKILL");
    expect(first.finished.length).toBeGreaterThanOrEqual(10);
    expect(first.finished.length).toBeLessThan(40);
    const asked = new Set(fake.asked().map(({ body }) => body.prompt));
    fake.calls.length = 0;
    const second = await run();
    expect(second.signal).toBe(null);
    const again = fake.asked().map(({ body }) => body.prompt);
    expect(new Set(again).size).toBe(again.length);
    for (const { prompt } of first.finished) expect(again).not.toContain(prompt);
    expect(new Set([...asked, ...again]).size).toBe(40);
    expect(second.finished.map(({ prompt }) => prompt).sort()).toEqual(
      Array.from({ length: 40 }, (_, i) => `question ${i}`).sort(),
    );
    for (const { prompt, text } of second.finished) {
      expect(text).toBe(fakeText(prompt, Number(prompt.split(" ")[1]), 0));
    }
  });
});

interface Finished {
  prompt: string;
  text: string;
}

/** A run in a process of its own, killed when it has told of so many. */
async function runScript(url: string, cache: string, killAfter = Number.POSITIVE_INFINITY) {
  const script = `
    import { createHttpModel } from "thoughtbook/llm";
    const model = await createHttpModel({ baseUrl: ${JSON.stringify(url)}, apiKey: "", cache: ${JSON.stringify(cache)}, concurrency: 4 });
    const requests = Array.from({ length: 40 }, (_, i) => ({ prompt: "question " + i, seed: i }));
    const onFinish = ({ text }, { request }) => console.log(JSON.stringify({ prompt: requests[request].prompt, text }));
    await model.generate(requests, { onFinish });
    await model.dispose();
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split("\n").length > killAfter) child.kill("SIGKILL");
  });
  const [, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  const finished = output
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Finished);
  return { signal, finished };
}
