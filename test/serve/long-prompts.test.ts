import { createLocalModel } from "thoughtbook/llm";
import { score } from "thoughtbook/model";
import { type Server, startServer } from "thoughtbook/serve";
import { describe, expect, it, onTestFinished } from "vitest";
import { randomModel } from "../model/generate/helpers.js";
import { until } from "./helpers.js";

const LENGTH = 8000;
const ids = Array.from({ length: LENGTH }, (_, i) => (i * 7919) % 97);

/** A server of a model with a long context and no tokenizer. */
async function longServer(): Promise<{ server: Server; host: ReturnType<typeof randomModel> }> {
  const host = randomModel({ max_position_embeddings: 8192 });
  const model = createLocalModel({ name: "long", config: host.config, host });
  const server = await startServer(model, { port: 0 });
  onTestFinished(async () => {
    await server.close({ grace: 0 });
    await model.dispose();
  });
  return { server, host };
}

/** Log-probabilities of a long text. */
const echo = { model: "long", prompt: ids, max_tokens: 0, echo: true, logprobs: 0, return_tokens_as_token_ids: true };

const ask = ({ url }: Server, body: object, signal?: AbortSignal) =>
  fetch(`${url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal ? { signal } : {}),
  });

describe("long texts", () => {
  it("are scored as they are without a server, while /health answers and other texts go on", async () => {
    const { server, host } = await longServer();
    let done = false;
    const asked = ask(server, echo).then(async (answer) => {
      const { choices } = (await answer.json()) as { choices: { logprobs: { token_logprobs: number[] } }[] };
      done = true;
      return choices[0]!.logprobs.token_logprobs;
    });
    await until(() => server.active === 1, "it has begun");
    let healthy = 0;
    let texts = 0;
    const probe = (async () => {
      while (!done) {
        const { status } = await fetch(`${server.url}/health`);
        if (status === 200 && !done) healthy++;
      }
    })();
    const others = (async () => {
      while (!done) {
        const answer = await ask(server, { model: "long", prompt: [1, 2, 3], max_tokens: 1 });
        await answer.arrayBuffer();
        if (answer.ok && !done) texts++;
      }
    })();
    const scores = await asked;
    await Promise.all([probe, others]);
    // It has 16 parts; what takes its turn between any two of them would do.
    expect(healthy).toBeGreaterThan(3);
    expect(texts).toBeGreaterThan(3);
    const [alone] = await score(host, [ids]);
    expect(scores.slice(1)).toHaveLength(alone!.length);
    for (const [i, each] of alone!.entries()) expect(scores[i + 1]).toBeCloseTo(each, 4);
  });

  it("are given up when their client leaves", async () => {
    const { server } = await longServer();
    const start = performance.now();
    await ask(server, echo).then((answer) => answer.arrayBuffer());
    const whole = performance.now() - start;
    const controller = new AbortController();
    const several = Array.from({ length: 8 }, () => ask(server, echo, controller.signal).catch(() => {}));
    await until(() => server.active === 8, "all have begun");
    const left = performance.now();
    controller.abort();
    await Promise.all(several);
    await until(() => server.active === 0, "nothing is in work");
    const answer = await ask(server, { model: "long", prompt: [1, 2, 3], max_tokens: 1 });
    expect(answer.ok).toBe(true);
    // Eight of them would take eight times as long.
    expect(performance.now() - left).toBeLessThan(4 * whole);
  });
});
