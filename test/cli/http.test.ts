import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Capability, ModelReport } from "thoughtbook/llm";
import { describe, expect, it } from "vitest";
import { fakeIds, fakeLogProb, fakeText, startFake } from "../llm/http/fake-server.js";
import { root } from "../notebook/helpers.js";

/** Not spawnSync: the server runs in this process. */
async function run(...args: string[]) {
  const child = spawn(process.execPath, [join(root, "lib", "bin.mjs"), ...args], {
    env: { ...process.env, THOUGHTBOOK_API_KEY: "" },
  });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stdout, stderr };
}

describe("models on a server, from the command line", { timeout: 60_000 }, () => {
  it("generate", async () => {
    const fake = await startFake();
    const model = ["--model", `${fake.url}#tiny`];
    const plain = await run("generate", ...model, "--prompt", "once", "--seed", "7");
    expect(plain).toEqual({ status: 0, stdout: `${fakeText("once", 7, 0)}\n`, stderr: "" });
    expect(fake.asked()[0]!.body.stream).toBe(true);
    const json = await run("generate", ...model, "--prompt", "once", "--seed", "7", "--samples", "2", "--json");
    const ids = [...fakeIds(fakeText("once", 7, 0), false), 2];
    expect(JSON.parse(json.stdout)[0]).toEqual({
      ids,
      text: fakeText("once", 7, 0),
      finishReason: "stop",
      tokenLogProbs: ids.map(fakeLogProb),
    });
    expect(JSON.parse(json.stdout)).toHaveLength(2);
    // Without --seed it is 0, as for a model on this machine: not the server's own choice.
    fake.calls.length = 0;
    await run("generate", ...model, "--ids", "5,6");
    expect(fake.asked()[0]!.body).toMatchObject({ prompt: [5, 6], seed: expect.any(Number) });
    const chat = await run("generate", ...model, "--prompt", "hi", "--chat", "--greedy");
    expect(chat.stdout).toBe(`${fakeText([{ role: "user", content: "hi" }], "greedy", 0)}\n`);
    // A server that tells no ids.
    const ollama = await startFake({ more: { "GET /api/version": () => ({ version: "1" }) }, owner: "library" });
    const bare = await run("generate", "--model", ollama.url, "--prompt", "once", "--seed", "7", "--json");
    const record = { ids: null, text: fakeText("once", 7, 0), finishReason: "stop", tokenLogProbs: null };
    expect(JSON.parse(bare.stdout)).toEqual([record]);
  });

  it("models check", async () => {
    const fake = await startFake();
    const spec = `${fake.url}#tiny`;
    const { status, stdout } = await run("models", "check", spec, "--batch", "4", "--seconds", "1", "--json");
    expect(status).toBe(0);
    const report = JSON.parse(stdout) as ModelReport;
    expect(report).toMatchObject({ name: spec, engine: expect.stringContaining(fake.url) });
    const works: Capability[] = ["text", "chat", "tokenIds", "countTokens", "tokenLogProbs", "score"];
    for (const [name, { status: found }] of Object.entries(report.capabilities)) {
      expect([name, found]).toEqual([name, works.includes(name as Capability) ? "works" : "absent"]);
    }
    expect(report.generation.map(({ batchSize }) => batchSize)).toEqual([1, 4]);

    const broken = await startFake({ mishap: ({ body }) => (body.messages ? { status: 400 } : undefined) });
    const second = await run("models", "check", `${broken.url}#tiny`, "--batch", "1", "--seconds", "1");
    expect(second.status).toBe(1);
    expect(second.stdout).toMatch(/^chat +fails: .*400/m);
    expect(second.stderr).toMatch(/error: .* fails at chat/);
  });

  it("score", async () => {
    const fake = await startFake();
    const model = ["--model", `${fake.url}#tiny`];
    const texts = await run("score", ...model, "--prompt", "ab", "--continuation", "cd", "--json");
    const before = fakeIds("ab").length;
    const tokenLogProbs = fakeIds("cd", false).map((id, i) => Math.fround(fakeLogProb(id, before + i)));
    expect(JSON.parse(texts.stdout)).toEqual({ tokenLogProbs, continuationTokens: 2 });
    const ids = await run("score", ...model, "--ids", "5,6,7");
    expect(ids.stdout).toMatch(/^2 tokens, log-probability -\d/);
  });

  it("errors name the server and what to do", async () => {
    const [fake, closed] = [await startFake({ owner: "somebody" }), await startFake()];
    await closed.close();
    const model = ["--model", `${fake.url}#tiny`];
    const cases: [string[], RegExp][] = [
      [["generate", ...model, "--ids", "1,2"], /does not give prompts and completions as token ids \(tokenIds\)/],
      [["generate", ...model, "--prompt", "a", "--top-k", "3"], /\(any other\) does not take topK/],
      [["score", ...model, "--prompt", "a", "--continuation", "b"], /does not give log-probabilities of given texts/],
      [["generate", "--model", `${closed.url}#x`, "--prompt", "a"], /connection refused\. Is the server running/],
    ];
    const outcomes = await Promise.all(cases.map(([args]) => run(...args)));
    for (const [i, { status, stdout, stderr }] of outcomes.entries()) {
      expect([status, stdout]).toEqual([1, ""]);
      expect(stderr).toMatch(cases[i]![1]);
      expect(stderr.trim().split("\n")).toHaveLength(1);
    }
  });
});
