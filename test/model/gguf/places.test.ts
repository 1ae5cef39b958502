import { copyFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { loadModel } from "thoughtbook/llm";
import {
  listModels,
  loadTokenizer,
  openCheckpoint,
  readParameters,
  resolveModel,
  saveCheckpoint,
} from "thoughtbook/model";
import { fineTune } from "thoughtbook/train";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { failure, temporaryFolder } from "../../core/helpers.js";
import { fakeHub, isolateHub } from "../hub/hub-server.js";
import { tinyGguf } from "./helpers.js";

const REPOSITORY = "owner/tiny";
let home: string;
beforeEach(async () => {
  home = await temporaryFolder();
  isolateHub(home);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a GGUF file as a model", () => {
  it("generates as a folder of its weights does", async () => {
    const { folder, file } = await tinyGguf("llama", "q8_0");
    const checkpoint = await openCheckpoint(file);
    await saveCheckpoint(folder, { config: checkpoint.config, parameters: await readParameters(checkpoint) });
    const textsOf = async (place: string) => {
      const model = await loadModel(place);
      const requests = ["def f(x):", "12*3 ="].map((prompt) => ({ prompt, maxNewTokens: 12, temperature: 0 }));
      const completions = await model.generate(requests);
      await model.dispose();
      return completions.map(([first]) => first!.tokens!.completionIds);
    };
    const ids = await textsOf(file);
    expect(ids.flat().length).toBeGreaterThan(2);
    expect(ids).toEqual(await textsOf(folder));
  });

  it("needs no ending, as Ollama's have none", async () => {
    const { file } = await tinyGguf("llama");
    const blob = join(dirname(file), "sha256-0123");
    await rename(file, blob);
    expect(await resolveModel(blob)).toBe(blob);
    expect((await openCheckpoint(blob)).config.family).toBe("llama");
  });

  it("alone in a folder is what the folder stands for", async () => {
    const { file } = await tinyGguf("llama");
    const folder = join(home, "alone");
    await mkdir(folder);
    await copyFile(file, join(folder, "a.gguf"));
    expect(await resolveModel(folder)).toBe(join(folder, "a.gguf"));
    await copyFile(file, join(folder, "b.gguf"));
    const error = await failure(resolveModel(folder));
    expect(error).toMatchObject({ code: "bad-input", message: expect.stringContaining("a.gguf, b.gguf") });
    // Beside a checkpoint it is one of several files of that.
    await writeFile(join(folder, "config.json"), "{}");
    expect(await resolveModel(folder)).toBe(folder);
  });

  it("that is missing is an error with the names beside it", async () => {
    const { file } = await tinyGguf("llama");
    const error = await failure(resolveModel(join(dirname(file), "modle.gguf")));
    expect(error).toMatchObject({ code: "not-found", message: expect.stringContaining("no file") });
    expect(error.hint).toContain("model.gguf");
    expect(await failure(resolveModel("nothing-here.gguf"))).toMatchObject({ code: "not-found" });
  });

  it("trains as a folder, and saves one with its tokenizer", async () => {
    const { folder, file } = await tinyGguf("llama");
    const data = join(home, "rows.jsonl");
    await writeFile(data, `${JSON.stringify({ prompt: "2 + 3 = ", completion: "5" })}\n`);
    const out = join(home, "tuned");
    const common = { model: file, data, maxSteps: 1, seed: 1 } as const;
    await fineTune({ ...common, out, lora: { rank: 2 } });
    expect((await openCheckpoint(out)).config.family).toBe("llama");
    const [tuned, original] = [await loadTokenizer(out), await loadTokenizer(folder)];
    expect(tuned.encode("def f(x):\n  return 12*x's")).toEqual(original.encode("def f(x):\n  return 12*x's"));
    expect(JSON.parse(await readFile(join(out, "generation_config.json"), "utf8"))).toHaveProperty("eos_token_id");
    const [before, after] = [
      await readParameters(await openCheckpoint(file)),
      await readParameters(await openCheckpoint(out)),
    ];
    expect(Object.keys(after)).toEqual(Object.keys(before));
  });
});

describe("a GGUF file of the hub", () => {
  const serve = async (files: Record<string, string | Uint8Array>) => {
    const hub = await fakeHub({ files });
    vi.stubEnv("HF_ENDPOINT", hub.url);
    return hub;
  };

  it("is downloaded alone, once, and found by its name or type", async () => {
    const { file } = await tinyGguf("llama");
    const content = await readFile(file);
    const hub = await serve({ "tiny-f16.gguf": content, "tiny-q4_k_m.gguf": "x", "README.md": "x" });
    const path = await resolveModel(`${REPOSITORY}:tiny-f16.gguf`);
    expect(basename(path)).toBe("tiny-f16.gguf");
    expect((await openCheckpoint(path)).config.family).toBe("llama");
    expect(
      hub.requests
        .filter((request) => request.includes("resolve"))
        .every((request) => request.includes("tiny-f16.gguf")),
    ).toBe(true);
    const before = hub.requests.length;
    expect(await resolveModel(`${REPOSITORY}:tiny-f16.gguf`)).toBe(path);
    expect(await resolveModel(`${REPOSITORY}:F16`)).toBe(path);
    expect(await resolveModel(`${REPOSITORY}@main:f16`)).toBe(path);
    expect(hub.requests.length).toBe(before);
    vi.stubEnv("HF_HUB_OFFLINE", "1");
    expect(await resolveModel(`${REPOSITORY}:tiny-f16.gguf`)).toBe(path);
    expect(await failure(resolveModel(`${REPOSITORY}:tiny-q4_k_m.gguf`))).toMatchObject({ code: "network" });
    expect((await listModels()).find(({ name }) => name === REPOSITORY)).toMatchObject({
      weights: ["gguf tiny-f16.gguf"],
      parameters: expect.any(Number),
    });
  });

  it.each([
    ["tiny-f61.gguf", "not-found", /no file tiny-f61\.gguf/, /tiny-f16\.gguf/],
    ["Q9", "not-found", /no GGUF file of the type Q9/, /tiny-f16\.gguf/],
    ["Q8_0", "bad-input", /several GGUF files of the type Q8_0/, /Name one/],
    ["big-00001-of-00002.gguf", "bad-input", /split into several files/, /merge/],
    ["../x.gguf", "bad-input", /neither a GGUF file/, /owner\/name:FILE\.gguf/],
  ])("that is %s is refused before a download", async (wanted, code, message, hint) => {
    const files = ["tiny-f16.gguf", "a-q8_0.gguf", "b-Q8_0.gguf", "big-00001-of-00002.gguf"];
    const hub = await serve(Object.fromEntries(files.map((name) => [name, "x"])));
    const error = await failure(resolveModel(`${REPOSITORY}:${wanted}`));
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    expect(error.hint).toMatch(hint);
    expect(hub.requests.filter((request) => request.includes("resolve"))).toEqual([]);
  });

  it("must be named where a model has no other weights", async () => {
    await serve({ "tiny-Q8_0.gguf": "x", "tiny-Q4_K_M.gguf": "x" });
    const error = await failure(resolveModel(REPOSITORY));
    expect(error).toMatchObject({ message: expect.stringContaining("tiny-Q4_K_M.gguf, tiny-Q8_0.gguf") });
    expect(error.hint).toContain(`${REPOSITORY}:tiny-Q4_K_M.gguf`);
  });
});
