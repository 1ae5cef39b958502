import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect, promisify } from "node:util";
import { createHttpModel, loadModel } from "thoughtbook/llm";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { root } from "../../notebook/helpers.js";
import { type Call, type Fake, type FakeOptions, type Mishap, QUICK, startFake } from "./fake-server.js";

const KEY = "sk-hush-4f81d2c07ab95e3366";
const PROMPT = "the walrus Ermintrude keeps nineteen umbrellas in Reykjavik";
const IDS = [90001, 90002, 90003, 90004, 90005, 90006];

/** Servers love to repeat what they were sent. */
const echo = ({ body, headers }: Call) => ({
  error: { message: `cannot handle ${JSON.stringify(body)} of ${headers.authorization}` },
});

const MISHAPS: [string, (call: Call) => Mishap][] = [
  ...[400, 401, 404, 413, 422, 429, 500, 503].map((status): [string, (call: Call) => Mishap] => [
    `status ${status}`,
    (call) => ({ status, body: echo(call) }),
  ]),
  ["a text", (call) => ({ status: 500, body: `sorry: ${JSON.stringify(call.body)} ${call.headers.authorization}` })],
  [
    "vLLM's words",
    ({ body }) => ({ status: 422, body: { detail: `input: ${body.prompt ?? JSON.stringify(body.messages)}` } }),
  ],
  ...(["refuse", "half", "stall", "malformed", "page", "none"] as const).map(
    (mishap): [string, (call: Call) => Mishap] => [mishap, () => mishap],
  ),
  ["cut", () => ({ cutAfter: 2 })],
  ["bad event", () => ({ badEvent: 2 })],
];

/** Everything that is written to the console while the test runs. */
let written = "";
beforeEach(() => {
  written = "";
  const note = (...all: unknown[]) => {
    written += all.map((each) => (typeof each === "string" ? each : inspect(each, { depth: 9 }))).join(" ");
    return true;
  };
  for (const method of ["log", "info", "warn", "error", "debug"] as const)
    vi.spyOn(console, method).mockImplementation(note);
  vi.spyOn(process.stderr, "write").mockImplementation(note);
  vi.spyOn(process.stdout, "write").mockImplementation(note);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const everything = (error: unknown): string =>
  `${inspect(error, { depth: 9, showHidden: true })} ${(error as Error | undefined)?.stack} ${JSON.stringify(error)} ${written}`;

function expectSecret(text: string): void {
  expect(text).not.toContain(KEY);
  expect(text).not.toContain(KEY.slice(3, 15));
  for (const word of ["walrus", "Ermintrude", "umbrellas", "90003"]) expect(text).not.toContain(word);
}

describe("keys and prompts", () => {
  it.each(MISHAPS)("stand in no message and no log after %s", async (name, mishap) => {
    const fake = await startFake({ mishap });
    const model = await createHttpModel({
      ...QUICK,
      baseUrl: fake.url,
      apiKey: KEY,
      attempts: 2,
      ...(name === "stall" ? { timeoutMs: 200 } : {}),
    });
    onTestFinished(() => model.dispose());
    const prompts = [PROMPT, { messages: [{ role: "user", content: PROMPT }] }, { ids: IDS }];
    let failures = 0;
    for (const prompt of prompts) {
      for (const options of [{ seed: 1 }, { seed: 1, onText: () => {} }]) {
        const error = await model.generate([{ prompt }], options).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        if (error) failures++;
        expectSecret(everything(error));
      }
    }
    const scored = await model
      .score([{ prompt: { ids: IDS }, continuation: { ids: [5] } }])
      .catch((error: unknown) => error);
    expectSecret(everything(scored));
    expect(failures).toBeGreaterThan(0);
    expect(fake.asked()[0]!.headers.authorization).toBe(`Bearer ${KEY}`);
    expectSecret(inspect(model, { depth: 9, showHidden: true }));
  });

  it("a server's own words are shown where they tell nothing", async () => {
    const body = { error: { message: "This model's maximum context length is 4096 tokens." } };
    const fake = await startFake({ mishap: () => ({ status: 400, body }) });
    const model = await createHttpModel({ ...QUICK, baseUrl: fake.url });
    onTestFinished(() => model.dispose());
    await expect(model.generate([{ prompt: PROMPT }])).rejects.toThrow(
      /status 400: This model's maximum context length/,
    );
    const echoing = await startFake({ mishap: (call) => ({ status: 400, body: echo(call) }) });
    const other = await createHttpModel({ ...QUICK, baseUrl: echoing.url });
    onTestFinished(() => other.dispose());
    await expect(other.generate([{ prompt: PROMPT }])).rejects.toThrow(
      /status 400 \(its words repeat what it was sent, and are left out\)$/,
    );
  });

  it("stand in no message of the first contact", async () => {
    const fake = await startFake({ apiKey: "another", mishap: () => undefined });
    const error = await createHttpModel({ ...QUICK, baseUrl: fake.url, apiKey: KEY }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ code: "bad-input", message: expect.stringMatching(/status 401/) });
    expectSecret(everything(error));
    const bad = await createHttpModel({ ...QUICK, baseUrl: fake.url, apiKey: `${KEY}\n${KEY}` }).catch(
      (thrown: unknown) => thrown,
    );
    expect(bad).toMatchObject({ message: "the option apiKey holds characters that no key has" });
    expectSecret(everything(bad));
  });

  it("a key is in no file of the cache", async () => {
    const cache = mkdtempSync(join(tmpdir(), "thoughtbook-http-"));
    onTestFinished(() => rmSync(cache, { recursive: true, force: true }));
    const fake = await startFake();
    const model = await createHttpModel({ ...QUICK, baseUrl: fake.url, apiKey: KEY, cache });
    onTestFinished(() => model.dispose());
    await model.generate([{ prompt: PROMPT, seed: 1 }]);
    const files = readdirSync(cache, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files).toHaveLength(1);
    const content = readFileSync(join(files[0]!.parentPath, files[0]!.name), "utf8");
    expect(content).not.toContain(KEY);
    expect(content).not.toContain("walrus");
  });

  /** What a process of its own writes: the client's log is bound to the console when it is first used. */
  const outputOf = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, THOUGHTBOOK_API_KEY: KEY };
    const run = promisify(execFile)(process.execPath, args, { env, cwd: root });
    const { stdout, stderr } = await run.catch((thrown: unknown) => thrown as { stdout: string; stderr: string });
    return stdout + stderr;
  };

  it("the command line tells neither, with --debug too", async () => {
    const fake = await startFake({ mishap: (call) => ({ status: 400, body: echo(call) }) });
    const args = ["--debug", "generate", "--model", `${fake.url}#tiny`, "--prompt", PROMPT];
    const output = await outputOf(join(root, "lib", "bin.mjs"), ...args);
    expect(output).toMatch(/status 400 \(its words repeat/);
    expectSecret(output);
    expect(fake.asked()[0]!.headers.authorization).toBe(`Bearer ${KEY}`);
  });

  it("the client does not log a broken stream that repeats them", async () => {
    const fake = await startFake({ mishap: () => ({ badEvent: 0 }) });
    const script = `
      import { createHttpModel } from "thoughtbook/llm";
      const model = await createHttpModel({ baseUrl: ${JSON.stringify(fake.url)}, attempts: 2, backoffMs: 1 });
      await model.generate([{ prompt: ${JSON.stringify(PROMPT)} }], { onText() {} }).catch(console.error);
      await model.dispose();`;
    const output = await outputOf("--input-type=module", "-e", script);
    expect(output).toMatch(/an answer that is no JSON/);
    expectSecret(output);
    expect(fake.asked()).toHaveLength(2);
  });
});

describe("the key", () => {
  const sent = async (fake: Fake, options: object = {}) => {
    const { apiKey: _, ...quick } = QUICK;
    const model = await loadModel(`${fake.url}#tiny`, { http: { ...quick, ...options } });
    await model.dispose();
    return fake.calls.at(-1)!.headers.authorization;
  };

  it("comes from the option, the environment or the file .env, in this order", async () => {
    const fake = await startFake();
    const folder = mkdtempSync(join(tmpdir(), "thoughtbook-env-"));
    const before = process.cwd;
    process.cwd = () => folder;
    onTestFinished(() => {
      process.cwd = before;
      rmSync(folder, { recursive: true, force: true });
    });
    vi.stubEnv("OPENAI_API_KEY", undefined);
    vi.stubEnv("THOUGHTBOOK_API_KEY", undefined);
    expect(await sent(fake)).toBeUndefined();
    writeFileSync(join(folder, ".env"), '# mine\nOPENAI_API_KEY="from-file"\n');
    expect(await sent(fake)).toBe("Bearer from-file");
    vi.stubEnv("OPENAI_API_KEY", "from-environment");
    expect(await sent(fake)).toBe("Bearer from-environment");
    vi.stubEnv("THOUGHTBOOK_API_KEY", "ours");
    expect(await sent(fake)).toBe("Bearer ours");
    expect(await sent(fake, { apiKey: "option" })).toBe("Bearer option");
    vi.stubEnv("THOUGHTBOOK_API_KEY", "");
    expect(await sent(fake)).toBeUndefined();
    expect(await sent(fake, { apiKey: "" })).toBeUndefined();
  });

  it("of OpenAI is not sent to another machine in the clear", async () => {
    const { findApiKey } = (await import(new URL("../../../lib/dist/llm/http/key.js", import.meta.url).href)) as {
      findApiKey: (urls: string[], given?: string, environment?: Record<string, string>) => Promise<string | undefined>;
    };
    const environment = { OPENAI_API_KEY: "theirs" };
    const find = (url: string, more: Record<string, string> = {}) =>
      findApiKey([url], undefined, { ...environment, ...more });
    expect(await find("https://api.openai.com/v1")).toBe("theirs");
    expect(await find("https://example.org/v1")).toBe("theirs");
    expect(await find("http://127.0.0.1:8000/v1")).toBe("theirs");
    expect(await find("http://10.0.0.5:8000/v1")).toBeUndefined();
    expect(await find("http://10.0.0.5:8000/v1", { THOUGHTBOOK_API_KEY: "ours" })).toBe("ours");
    expect(await find("https://api.openai.com/v1", { THOUGHTBOOK_API_KEY: "ours" })).toBe("theirs");
  });

  it("and nothing else of OpenAI's account goes to other servers", async () => {
    vi.stubEnv("OPENAI_ORG_ID", "my-organisation");
    vi.stubEnv("OPENAI_PROJECT_ID", "my-project");
    const options: FakeOptions = {};
    const fake = await startFake(options);
    await sent(fake);
    const headers = JSON.stringify(fake.calls.at(-1)!.headers);
    expect(headers).not.toMatch(/my-organisation|my-project/);
  });
});
