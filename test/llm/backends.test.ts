import { parseKeyValues } from "thoughtbook/core";
import { type BackendChoice, chooseBackend, loadOnBackend } from "thoughtbook/llm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { startFake } from "./http/fake-server.js";

const argsOf = (text: string) => parseKeyValues(text, "--backend-args");
const choose = (spec: string, backend?: string, args = "") => chooseBackend(spec, { backend, args: argsOf(args) });

describe("a backend by name", () => {
  it.each<[string, string | undefined, string, Partial<BackendChoice>]>([
    ["mini", undefined, "", { backend: undefined, spec: "mini", options: {} }],
    ["mini", "local", "", { backend: "local", spec: "mini", options: {} }],
    ["mini", "local", "threads=2", { options: { session: { threads: 2 } } }],
    ["mini", "local", "threads=1,device=cpu", { options: { session: { threads: 1, executionProviders: ["cpu"] } } }],
    ["a/b", "transformers", "", { backend: "transformers", spec: "onnx:a/b" }],
    ["a/b", "transformers", "dtype=q4,threads=2", { spec: "onnx:a/b#q4", options: { session: { threads: 2 } } }],
    ["onnx:a/b#q4", undefined, "device=cpu", { backend: "transformers", spec: "onnx:a/b#q4,cpu" }],
    ["onnx:a/b#q4", "transformers", "dtype=q4", { spec: "onnx:a/b#q4" }],
    ["gpt", "openai", "", { backend: "openai", spec: "https://api.openai.com/v1#gpt", options: { http: {} } }],
    ["m", "openai", "base_url=http://127.0.0.1:8000/v1", { spec: "http://127.0.0.1:8000/v1#m" }],
    ["m", "openai", "{'base_url': 'http://a/v1,http://b/v1'}", { spec: "http://a/v1,http://b/v1#m" }],
    [
      "http://a/v1#m",
      undefined,
      "timeout=1.5,max_retries=2,concurrency=4,cache=True,dialect=vllm,api_key_env=MY_KEY",
      {
        backend: "openai",
        spec: "http://a/v1#m",
        options: { http: { timeoutMs: 1500, attempts: 3, concurrency: 4, cache: true, dialect: "vllm" } },
        apiKeyVariable: "MY_KEY",
      },
    ],
  ])("%s, %s, %j", (spec, backend, args, expected) => {
    expect(choose(spec, backend, args)).toMatchObject(expected);
  });

  it.each<[string, string | undefined, string, RegExp]>([
    ["a/b", "vllm", "", /backend vllm runs in Python/],
    ["a/b", "ray", "", /backend ray runs in Python/],
    ["a/b", "cuda", "", /there is no backend "cuda"/],
    ["a/b", undefined, "threads=2", /arguments for a backend, and no backend/],
    ["http://a/v1#m", "local", "", /is for the backend openai, and local is given/],
    ["onnx:a", "local", "", /is for the backend transformers, and local is given/],
    ["onnx:a", "openai", "", /is for the backend transformers, and openai is given/],
    ["mini", "local", "dtype=q4", /--backend-args takes no "dtype"/],
    ["mini", "local", "threads=0", /threads of --backend-args is 0/],
    ["mini", "local", "device=tpu", /"tpu" is no device of this machine/],
    ["a/b", "transformers", "dtype=q5", /"q5" is neither a dtype/],
    ["onnx:a/b#q4", "transformers", "dtype=q8", /says q4, and --backend-args dtype=q8/],
    ["http://a/v1#m", "openai", "base_url=http://b/v1", /both give an address/],
    ["m", "openai", "base_url=b:8000", /base_url of --backend-args is "b:8000"/],
    ["m", "openai", "timeout=-1", /timeout of --backend-args is -1/],
    ["m", "openai", "cache=yes", /cache of --backend-args is "yes"/],
    ["m", "openai", "dialect=tgi", /dialect of --backend-args is "tgi"/],
  ])("refuses %s, %s, %j", (spec, backend, args, message) => {
    expect(() => choose(spec, backend, args)).toThrow(message);
  });

  it("tells who asks for vLLM what to use instead", () => {
    const hint = expect.stringContaining("--backend openai --backend-args base_url=http://127.0.0.1:8000/v1");
    expect(() => choose("a/b", "vllm")).toThrow(expect.objectContaining({ hint }));
  });

  it("takes no key, and does not repeat it", () => {
    for (const name of ["api_key", "token"]) {
      expect(() => choose("m", "openai", `${name}=secret-123`)).toThrow(/a key is among the backend's arguments/);
      expect(() => choose("m", "openai", `${name}=secret-123`)).not.toThrow(/secret-123/);
    }
  });
});

describe("a model on a server by the arguments of its backend", () => {
  afterEach(() => vi.unstubAllEnvs());

  it("has the key of the variable that is named", async () => {
    const fake = await startFake({ apiKey: "sesame" });
    vi.stubEnv("MY_TEST_KEY", "sesame");
    const args = argsOf(`base_url=${fake.url},api_key_env=MY_TEST_KEY,max_retries=0`);
    const { model, ...rest } = await loadOnBackend("tiny", { backend: "openai", args });
    const completions = await model.generate([{ prompt: "once", seed: 7 }]);
    expect(completions[0]![0]!.text.length).toBeGreaterThan(0);
    expect(rest).toEqual({
      spec: `${fake.url}#tiny`,
      backend: "openai",
      args: { base_url: fake.url, api_key_env: "MY_TEST_KEY", max_retries: 0 },
    });
    await model.dispose();
  });

  it("says that the variable is not set", async () => {
    const args = argsOf("base_url=http://127.0.0.1:9/v1,api_key_env=NO_SUCH_KEY");
    await expect(loadOnBackend("tiny", { backend: "openai", args })).rejects.toThrow(/variable NO_SUCH_KEY .* not set/);
  });
});
