import { execFileSync, spawn } from "node:child_process";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Chain,
  importanceSignals,
  type MeasuredChain,
  openImportanceCache,
  rankSteps,
  type SignalOptions,
} from "thoughtbook/astar";
import { createLocalModel, type LanguageModel, type LocalModel, loadLocalModel, loadModel } from "thoughtbook/llm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONDITION_SENTENCES } from "../../../lib/dist/astar/importance/importance.js";
import { CHECKPOINTS, writeChatModel } from "../../model/generate/helpers.js";

let root: string;
let model: LocalModel;
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "thoughtbook-importance-"));
  await writeChatModel(join(root, "model"));
  model = await loadLocalModel(join(root, "model"));
});
afterAll(async () => {
  await model.dispose();
  rmSync(root, { recursive: true, force: true });
});

const chainOf = (seed: number, count = 4): Chain => ({
  question: `the dog ${seed} sat on the log`,
  steps: Array.from({ length: count }, (_, i) =>
    `the cat ${seed + i} ran, and the mat`.slice(0, 6 + ((seed + i) % 14)),
  ),
  solution: `then the cat and the dog ${seed} ran.`,
});
const chains = (count: number) => Array.from({ length: count }, (_, seed) => chainOf(seed));

async function measure(
  chains: readonly Chain[],
  options?: SignalOptions,
  by: LanguageModel = model,
): Promise<MeasuredChain[]> {
  const found: MeasuredChain[] = [];
  for await (const { signals } of importanceSignals(by, chains, options)) found.push(signals);
  return found;
}

const ids = (text: string, continues: boolean) => model.tokenizer!.encode(text, { addSpecialTokens: false, continues });

describe("signals of importance", () => {
  it("are the mean NLL of question and solution after each step, and their attention to it", async () => {
    const chain = chainOf(3);
    const [{ steps, heads, sinkTokens, ...cuts }] = (await measure([chain])) as [MeasuredChain];
    expect([heads, sinkTokens, cuts]).toEqual([4, 0, { cutSteps: 0, cutQuestion: false, cutSolution: false }]);
    for (const [i, step] of chain.steps.entries()) {
      const prompt = { ids: ids(step, false) };
      expect(steps[i]!.tokens).toBe(prompt.ids.length);
      for (const side of ["question", "solution"] as const) {
        // Ids of the parts are joined.
        const continuation = { ids: [...ids(chain[side], true), ...ids(CONDITION_SENTENCES[side], true)] };
        const [{ logProbs, attention }] = (await model.score([{ prompt, continuation }], { attention: true })) as [
          Awaited<ReturnType<LanguageModel["score"]>>[0],
        ];
        const { tokens, nll, mass } = steps[i]![side];
        expect(tokens).toBe(continuation.ids.length);
        expect(nll).toBeCloseTo(-logProbs.reduce((sum, each) => sum + each, 0) / tokens, 4);
        expect(mass).toBeCloseTo(
          attention!.mass.reduce((sum, each) => sum + each, 0),
          4,
        );
        expect(mass).toBeLessThanOrEqual(heads * tokens);
      }
    }
  });

  it("can have a token that takes up attention before each step", async () => {
    const chain = chainOf(3);
    const [without, withSink] = [await measure([chain]), await measure([chain], { sink: true })];
    const [first, second] = [without[0]!.steps[0]!, withSink[0]!.steps[0]!];
    expect(withSink[0]!.sinkTokens).toBe(1);
    expect(second.tokens).toBe(first.tokens);
    const prompt = { ids: [model.tokenizer!.special.bos!.id, ...ids(chain.steps[0]!, false)] };
    const continuation = { ids: [...ids(chain.question, true), ...ids(CONDITION_SENTENCES.question, true)] };
    const [score] = await model.score([{ prompt, continuation }], { attention: true });
    const behindSink = score!.attention!.mass.subarray(1).reduce((sum, each) => sum + each, 0);
    expect(second.question.mass).toBeCloseTo(behindSink, 4);
    expect(second.question.mass).toBeLessThan(first.question.mass);
  });

  it("can do without the sentences", async () => {
    const chain = chainOf(3);
    const [{ steps }] = (await measure([chain], { sentences: { question: "", solution: "" } })) as [MeasuredChain];
    expect(steps[0]!.question.tokens).toBe(ids(chain.question, true).length);
  });

  it("compute equal steps once, and leave empty ones out", async () => {
    let pairs = 0;
    const counting: LocalModel = {
      ...model,
      score: (requests, options) => {
        pairs += requests.length;
        return model.score(requests, options);
      },
    };
    const chain = { ...chainOf(1), steps: ["the cat", "", "the dog", "the cat"] };
    const [signals] = await measure([chain], {}, counting);
    expect(pairs).toBe(4);
    expect(signals!.steps[1]).toBeNull();
    expect(signals!.steps[3]).toEqual(signals!.steps[0]);
    expect(rankSteps(signals!).order.at(-1)).toBe(1);
    expect(await measure([{ ...chain, steps: [] }], {}, counting)).toMatchObject([{ steps: [] }]);
    expect(pairs).toBe(4);
  });

  it("use the last tokens that fit of what is longer than the context, and say so", async () => {
    const host = await model.host();
    const small = createLocalModel({
      name: "small",
      config: { ...model.config, maxPositions: 48 },
      host: { ...host, config: { ...model.config, maxPositions: 48 } },
      tokenizer: model.tokenizer,
    });
    const none = { question: "", solution: "" };
    const long = "the cat sat on the mat, and the dog sat on the log; ".repeat(6);
    const plain = chainOf(1);
    const cut = await measure(
      [
        { ...plain, steps: [long, "the cat"] },
        { ...plain, question: long },
      ],
      { sentences: none },
      small,
    );
    const longest = Math.max(ids(plain.question, true).length, ids(plain.solution, true).length);
    expect(cut[0]).toMatchObject({ cutSteps: 1, cutQuestion: false, cutSolution: false });
    expect(cut[0]!.steps[0]!.tokens).toBe(48 - longest);
    const [same] = await measure(
      [{ ...plain, steps: [model.tokenizer!.decode(ids(long, false).slice(longest - 48))] }],
      { sentences: none },
      small,
    );
    expect(same!.steps[0]).toEqual(cut[0]!.steps[0]);
    expect(cut[1]).toMatchObject({ cutQuestion: true, cutSolution: false });
    expect(cut[1]!.steps[0]!.question.tokens).toBe(24);
    for (const { steps } of cut) for (const step of steps) expect(Number.isFinite(step!.question.nll)).toBe(true);
    await small.dispose();
  });

  it("refuse a model that lacks what they need, and a chain without a question", async () => {
    const withoutTokenizer = await loadModel(join(CHECKPOINTS, "gpt2"));
    await expect(measure(chains(1), {}, withoutTokenizer)).rejects.toThrow(/\(text\), which bidirectional importance/);
    const blind: LanguageModel = { ...model, capabilities: new Set(["score", "text", "tokenIds"]) };
    await expect(measure(chains(1), {}, blind)).rejects.toThrow(/attention weights \(attention\)/);
    const none = { sentences: { question: "", solution: "" } };
    await expect(measure([{ ...chainOf(1), question: "" }], none)).rejects.toThrow(/has no question/);
    await withoutTokenizer.dispose();
  });

  it("never are NaN: a model with broken weights is an error", async () => {
    const broken: LanguageModel = {
      ...model,
      score: async (requests, options) => {
        const scores = await model.score(requests, options);
        scores[1]!.logProbs[0] = Number.NaN;
        return scores;
      },
    };
    await expect(measure(chains(1), {}, broken)).rejects.toMatchObject({ code: "execution" });
  });
});

describe("a cache of signals", () => {
  const file = (name: string) => join(root, `${name}.jsonl`);
  const cached = async (path: string, data: readonly Chain[], by: LocalModel = model, sink = false) => {
    const cache = await openImportanceCache(path, by, { data: { splitting: "clean" }, sink });
    try {
      return await measure(data, { cache, sink }, by);
    } finally {
      await cache.close();
    }
  };
  const counted = (): { by: LocalModel; pairs: () => number } => {
    let pairs = 0;
    const score: LocalModel["score"] = (requests, options) => {
      pairs += requests.length;
      return model.score(requests, options);
    };
    return { by: { ...model, score }, pairs: () => pairs };
  };

  it("gives what was computed before, and computes only what is new", async () => {
    const first = await cached(file("a"), chains(3));
    expect(first).toEqual(await measure(chains(3)));
    const bytes = readFileSync(file("a"), "utf8");
    expect(bytes.trim().split("\n").length).toBe(4);
    const again = counted();
    expect(await cached(file("a"), chains(3), again.by)).toEqual(first);
    expect(await cached(file("a"), chains(2), again.by)).toEqual(first.slice(0, 2));
    expect(again.pairs()).toBe(0);
    expect(readFileSync(file("a"), "utf8")).toBe(bytes);
  });

  it("goes on after a run that was cut off anywhere, to the same bytes", async () => {
    const whole = await cached(file("whole"), chains(4));
    const bytes = readFileSync(file("whole"));
    for (const kept of [0, 10, 200, 700, bytes.length - 1]) {
      writeFileSync(file("cut"), bytes);
      truncateSync(file("cut"), Math.min(kept, bytes.length));
      expect(await cached(file("cut"), chains(4))).toEqual(whole);
      expect(readFileSync(file("cut"))).toEqual(bytes);
    }
  });

  it("is the same after SIGKILL", async () => {
    // Long enough for several groups, of few distinct steps; the child is killed when the first group is there.
    const steps = Array.from({ length: 500 }, (_, i) => (i % 2 ? "the cat" : "the dog"));
    const many = Array.from({ length: 60 }, (_, seed) => ({ ...chainOf(seed), steps }));
    writeFileSync(join(root, "chains.json"), JSON.stringify(many));
    const program = `
      import { readFileSync } from "node:fs";
      import { importanceSignals, openImportanceCache } from "thoughtbook/astar";
      import { loadLocalModel } from "thoughtbook/llm";
      const [folder, chains, file] = process.argv.slice(2);
      const model = await loadLocalModel(folder);
      const cache = await openImportanceCache(file, model);
      for await (const _ of importanceSignals(model, JSON.parse(readFileSync(chains, "utf8")), { cache })) {
        process.stdout.write(".");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await cache.close();
      await model.dispose();`;
    const script = join(import.meta.dirname, "importance-child.tmp.mjs");
    writeFileSync(script, program);
    const args = (name: string) => [script, join(root, "model"), join(root, "chains.json"), file(name)];
    try {
      execFileSync(process.execPath, args("unbroken"));
      const child = spawn(process.execPath, args("killed"), { stdio: ["ignore", "pipe", "inherit"] });
      await new Promise<void>((resolve) => child.stdout.once("data", () => resolve()));
      child.kill("SIGKILL");
      await new Promise<void>((resolve) => child.once("close", () => resolve()));
      const lines = readFileSync(file("killed"), "utf8").trim().split("\n").length;
      expect(lines).toBeGreaterThan(1);
      expect(lines).toBeLessThan(61);
      appendFileSync(file("killed"), '{"chain":"abc');
      execFileSync(process.execPath, args("killed"));
    } finally {
      rmSync(script);
    }
    expect(readFileSync(file("killed"), "utf8")).toBe(readFileSync(file("unbroken"), "utf8"));
  }, 180_000);

  it("refuses other data, another model, other settings and another file, and says what to do", async () => {
    await cached(file("b"), chains(2));
    const other = [chainOf(0), { ...chainOf(1), question: "another" }];
    await expect(cached(file("b"), other)).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringMatching(/b\.jsonl:3 holds the importance of another chain: the data changed/),
      hint: expect.stringMatching(/another cache file, or delete/),
    });
    const another: LocalModel = { ...model, hash: async () => "0123" };
    await expect(cached(file("b"), chains(2), another)).rejects.toThrow(/made with model = .*, but now it is "0123"/);
    const fast: LocalModel = { ...model, numerics: "fast" };
    await expect(cached(file("b"), chains(2), fast)).rejects.toThrow(/numerics = "exact", but now it is "fast"/);
    const before = readFileSync(file("b"), "utf8");
    writeFileSync(file("b"), before.replace('"numerics":"exact",', ""));
    expect(readFileSync(file("b"), "utf8")).not.toBe(before);
    expect(await cached(file("b"), chains(2))).toHaveLength(2);
    await expect(cached(file("b"), chains(2), fast)).rejects.toThrow(/numerics = "exact", but now it is "fast"/);
    await expect(cached(file("b"), chains(2), model, true)).rejects.toThrow(/sink = false, but now it is true/);
    await expect(openImportanceCache(file("b"), model, { data: { splitting: "faithful" } })).rejects.toThrow(
      /splitting = "clean", but now it is "faithful"/,
    );
    const nameless: LocalModel = { ...model, hash: async () => undefined };
    await expect(openImportanceCache(file("b"), nameless)).rejects.toThrow(/has no hash/);
    for (const text of ["{}\n", "not a cache", '{"question":"q"}']) {
      writeFileSync(file("c"), text);
      await expect(openImportanceCache(file("c"), model)).rejects.toThrow(/no cache of importance/);
      expect(readFileSync(file("c"), "utf8")).toBe(text);
    }
    writeFileSync(file("b"), readFileSync(file("b"), "utf8").replace(/"heads":4/, '"heads":"4"'));
    await expect(cached(file("b"), chains(2))).rejects.toMatchObject({ code: "corrupt-data" });
  });

  it("can be interrupted and goes on", async () => {
    const stop = AbortSignal.abort();
    const cache = await openImportanceCache(file("d"), model);
    await expect(measure(chains(2), { cache, signal: stop })).rejects.toMatchObject({ code: "interrupted" });
    await cache.close();
    const again = await openImportanceCache(file("d"), model);
    const done: number[] = [];
    await measure(chains(2), { cache: again, onProgress: (count) => done.push(count) });
    await again.close();
    expect(done).toEqual([1, 2]);
  });
});
