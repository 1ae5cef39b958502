import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import OpenAI from "openai";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../core/helpers.js";
import { writeChatModel } from "../model/generate/helpers.js";
import { root } from "../notebook/helpers.js";

const bin = join(root, "lib", "bin.mjs");

interface Running {
  child: ChildProcess;
  url: string;
  /** What it has written so far. */
  log(): string;
  ended: Promise<number | null>;
}

async function start(args: string[], environment: Record<string, string> = {}): Promise<Running> {
  const child = spawn(process.execPath, [bin, "serve", "--port", "0", ...args], {
    env: { ...process.env, ...environment },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let log = "";
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const read = (chunk: Buffer) => {
      log += chunk;
      const found = /at (http:\S+\/v1)/.exec(log);
      if (found) resolve(found[1]!);
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    void ended.then(() => reject(new Error(log)));
  });
  return { child, url, log: () => log, ended };
}

describe("thoughtbook serve", { timeout: 60_000 }, () => {
  it("serves a folder to OpenAI's client, writes no secret down, and ends by Ctrl-C", async () => {
    const folder = await temporaryFolder();
    await writeChatModel(folder);
    const server = await start(["--model", folder, "--name", "me/toy"], { THOUGHTBOOK_API_KEY: "sk-secret" });
    const client = new OpenAI({ baseURL: server.url, apiKey: "sk-secret", maxRetries: 0 });
    const messages = [{ role: "user" as const, content: "hunter2 is my password" }];
    const whole = await client.chat.completions.create({
      model: "me/toy",
      messages,
      max_tokens: 5,
      ...{ ignore_eos: true },
    });
    expect(whole.usage!.completion_tokens).toBe(5);
    const wrong = new OpenAI({ baseURL: server.url, apiKey: "sk-mistyped", maxRetries: 0 });
    await expect(wrong.models.list()).rejects.toThrow(/API key is wrong/);
    await expect(client.embeddings.create({ model: "me/toy", input: "x" })).rejects.toThrow(/makes no embeddings/);
    const asking = { model: "me/toy", prompt: "x", suffix: "hunter2" };
    await expect(client.completions.create(asking)).rejects.toThrow(/suffix/);
    const stream = await client.chat.completions.create({
      model: "me/toy",
      messages,
      stream: true,
      ...{ ignore_eos: true },
    });
    let events = 0;
    const reading = (async () => {
      for await (const _ of stream) if (++events === 2) server.child.kill("SIGINT");
    })();
    // It may end by itself within the grace time; a second Ctrl-C ends it at once.
    while (!server.log().includes("waiting for 1 answers")) await new Promise((resolve) => setTimeout(resolve, 10));
    server.child.kill("SIGINT");
    await reading.catch((error: unknown) => expect(error).toMatchObject({ code: "shutting_down" }));
    expect(await server.ended).toBe(0);
    expect(server.log()).toMatch(/POST \/v1\/chat\/completions 200 \d+ ms me\/toy: \d+ \+ 5 tokens/);
    expect(server.log()).toMatch(/GET \/v1\/models 401 invalid_api_key \d+ ms/);
    expect(server.log()).toMatch(/POST \/v1\/embeddings 404 unsupported_endpoint \d+ ms/);
    expect(server.log()).toMatch(/POST \/v1\/completions 400 unsupported_parameter \(suffix\) \d+ ms/);
    for (const secret of ["hunter2", "sk-secret", "sk-mistyped"]) expect(server.log()).not.toContain(secret);
  });

  it("calls models by their folders' names, and writes nothing for requests when told so", async () => {
    const folder = await temporaryFolder();
    await writeChatModel(join(folder, "toy"));
    const server = await start(["--model", join(folder, "toy"), "--quiet"]);
    const client = new OpenAI({ baseURL: server.url, apiKey: "any", maxRetries: 0 });
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["toy"]);
    server.child.kill("SIGTERM");
    expect(await server.ended).toBe(0);
    expect(server.log()).not.toMatch(/GET/);
  });

  it("refuses what it should not do", async () => {
    const folder = await temporaryFolder();
    await writeChatModel(folder);
    const run = (...args: string[]) => {
      const { THOUGHTBOOK_API_KEY: _, ...env } = process.env;
      const { status, stderr } = spawnSync(process.execPath, [bin, "serve", ...args], { encoding: "utf8", env });
      return { status, stderr };
    };
    const bad: [string[], RegExp][] = [
      [["--model", folder, "--host", "0.0.0.0"], /others can reach 0\.0\.0\.0.*THOUGHTBOOK_API_KEY/],
      [["--model", folder, "--port", "x"], /Expected a whole number/],
      [["--model", folder, "--name", "a", "b"], /1 models and 2 names/],
      [["--model", folder, folder], /two models are called/],
    ];
    for (const [args, message] of bad) {
      const { status, stderr } = run(...args);
      expect(stderr).toMatch(message);
      expect(status).toBe(1);
    }
  });
});
