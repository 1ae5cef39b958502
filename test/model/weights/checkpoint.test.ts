import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  hashCheckpoint,
  type ModelParameters,
  openCheckpoint,
  openSafetensors,
  readGenerationDefaults,
  readParameters,
  type StoredTensor,
  saveCheckpoint,
  writeSafetensors,
} from "thoughtbook/model";
import { beforeEach, describe, expect, it } from "vitest";
import { readParameter } from "../../../lib/dist/model/weights/checkpoint.js";
import { readTensor } from "../../../lib/dist/model/weights/safetensors.js";
import { parameterShapes } from "../../../lib/dist/model/weights/shapes.js";
import { failure, temporaryFolder } from "../../core/helpers.js";

const fixtures = join(import.meta.dirname, "../../fixtures/checkpoints");
const names = ["llama-gqa-tied", "qwen2-bias", "qwen3-qknorm", "gpt2", "stories260k"];

let folder: string;
beforeEach(async () => {
  folder = join(await temporaryFolder(), "model");
});

type Tensors = Record<string, StoredTensor>;

async function tensorsOf(name: string): Promise<Tensors> {
  const file = await openSafetensors(join(fixtures, name, "model.safetensors"));
  return Object.fromEntries(
    await Promise.all([...file.tensors.keys()].map(async (each) => [each, await readTensor(file, each)] as const)),
  );
}

/** A folder with the config.json of a fixture and other weights. */
async function folderWith(name: string, change: (tensors: Tensors) => Tensors, config: object = {}): Promise<string> {
  await mkdir(folder, { recursive: true });
  const original = JSON.parse(await readFile(join(fixtures, name, "config.json"), "utf8"));
  await writeFile(join(folder, "config.json"), JSON.stringify({ ...original, ...config }));
  await writeSafetensors(join(folder, "model.safetensors"), change(await tensorsOf(name)));
  return folder;
}

const renamed = (tensors: Tensors, rename: (name: string) => string): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [rename(name), tensor]));
const ones = (...shape: number[]): StoredTensor => ({
  dtype: "float32",
  shape,
  data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1),
});
const load = async (from: string) => readParameters(await openCheckpoint(from));

describe("a checkpoint", () => {
  it.each(names)("of %s is read as float32 under its names", async (name) => {
    const checkpoint = await openCheckpoint(join(fixtures, name));
    const parameters = await readParameters(checkpoint);
    expect(parameters).toEqual(await tensorsOf(name));
    const shapes = Object.fromEntries(Object.entries(parameters).map(([each, { shape }]) => [each, shape]));
    expect(shapes).toEqual(parameterShapes(checkpoint.config));
    const [first] = Object.keys(parameters);
    expect(await readParameter(checkpoint, first!)).toEqual(parameters[first!]);
  });

  it("has no other weights", async () => {
    const error = await failure(readParameter(await openCheckpoint(join(fixtures, "gpt2")), "lm_head.weight"));
    expect(error).toMatchObject({ code: "not-found", message: expect.stringContaining('"lm_head.weight"') });
  });

  it("must be a folder with config.json and weights", async () => {
    expect(await failure(openCheckpoint(folder))).toMatchObject({
      code: "not-found",
      message: expect.stringContaining("config.json"),
    });
    await mkdir(folder);
    await cp(join(fixtures, "gpt2", "config.json"), join(folder, "config.json"));
    const error = await failure(openCheckpoint(folder));
    expect(error).toMatchObject({ code: "not-found" });
    expect(error.message).toBe(`${folder} holds neither model.safetensors nor model.safetensors.index.json`);
  });

  it.each([
    [
      "pytorch_model.bin",
      "bad-input",
      /as a Python pickle, pytorch_model\.bin, which is not read/,
      /convert it with Python/,
    ],
    ["pytorch_model-00001-of-00002.bin", "bad-input", /pickle/, /convert/],
    ["consolidated.00.pth", "bad-input", /pickle/, /convert/],
    ["adapter_model.safetensors", "bad-input", /an adapter \(LoRA\)/, /Merge it/],
    ["model-q4.gguf", "not-found", /only model-q4\.gguf/, /safetensors/],
  ])("with weights only in %s is refused", async (name, code, message, hint) => {
    await mkdir(folder);
    await cp(join(fixtures, "gpt2", "config.json"), join(folder, "config.json"));
    await writeFile(join(folder, name), "\x80\x04.");
    const error = await failure(openCheckpoint(folder));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
    expect(error.hint).toMatch(hint);
  });

  it("with a header that lies is refused before any weight is read", async () => {
    await folderWith("gpt2", (tensors) => tensors);
    const file = join(folder, "model.safetensors");
    const bytes = await readFile(file);
    await writeFile(file, bytes.subarray(0, -4));
    const error = await failure(openCheckpoint(folder));
    expect(error).toMatchObject({ code: "corrupt-data", message: expect.stringContaining("it is incomplete") });
  });
});

describe("names as other programs write them", () => {
  it.each(["llama-gqa-tied", "qwen3-qknorm", "gpt2"])("may lack the prefix (%s)", async (name) => {
    await folderWith(name, (tensors) => renamed(tensors, (each) => each.replace(/^(model|transformer)\./, "")));
    expect(await load(folder)).toEqual(await tensorsOf(name));
  });

  it("may include the masks of early GPT-2 files", async () => {
    const masks = { "h.0.attn.bias": ones(1, 1, 64, 64), "transformer.h.1.attn.masked_bias": ones() };
    await folderWith("gpt2", (tensors) => ({ ...tensors, ...masks }));
    expect(await load(folder)).toEqual(await tensorsOf("gpt2"));
  });

  it("may include the frequencies of early Llama files", async () => {
    const buffers = { "model.layers.0.self_attn.rotary_emb.inv_freq": ones(4), "model.rotary_emb.inv_freq": ones(4) };
    await folderWith("llama-gqa-tied", (tensors) => ({ ...tensors, ...buffers }));
    expect(await load(folder)).toEqual(await tensorsOf("llama-gqa-tied"));
  });

  it.each([
    ["llama-gqa-tied", "model.embed_tokens.weight"],
    ["gpt2", "transformer.wte.weight"],
  ])("may have the tied embeddings of %s twice, or as the head only", async (name, embeddings) => {
    await folderWith(name, (tensors) => ({ ...tensors, "lm_head.weight": tensors[embeddings]! }));
    expect((await openCheckpoint(folder)).config.tiedEmbeddings).toBe(true);
    expect(await load(folder)).toEqual(await tensorsOf(name));

    await folderWith(name, (tensors) => renamed(tensors, (each) => (each === embeddings ? "lm_head.weight" : each)));
    expect((await openCheckpoint(folder)).config.tiedEmbeddings).toBe(true);
    expect(await load(folder)).toEqual(await tensorsOf(name));
  });

  it("may have a head that differs from embeddings said to be tied: they are not", async () => {
    const head = ones(131, 48);
    await folderWith("llama-gqa-tied", (tensors) => ({ ...tensors, "lm_head.weight": head }));
    expect((await openCheckpoint(folder)).config.tiedEmbeddings).toBe(false);
    expect(await load(folder)).toEqual({ ...(await tensorsOf("llama-gqa-tied")), "lm_head.weight": head });
  });

  it("may not have a weight twice", async () => {
    await folderWith("gpt2", (tensors) => ({ ...tensors, "wpe.weight": tensors["transformer.wpe.weight"]! }));
    const error = await failure(openCheckpoint(folder));
    expect(error).toMatchObject({ code: "corrupt-data" });
    expect(error.message).toMatch(
      /^transformer\.wpe\.weight is there twice: as .*wpe\.weight in .* and as .*wpe\.weight in /,
    );
  });
});

describe("weights that do not fit the configuration", () => {
  const without = (tensors: Tensors, pattern: RegExp) =>
    Object.fromEntries(Object.entries(tensors).filter(([name]) => !pattern.test(name)));

  it.each<[string, string, (tensors: Tensors) => Tensors, object, string | RegExp]>([
    ["are missing", "llama-gqa-tied", (t) => without(t, /model\.norm/), {}, "missing: model.norm.weight"],
    [
      "are missing, many",
      "gpt2",
      (t) => without(t, /ln_1/),
      {},
      "missing: transformer.h.0.ln_1.weight, transformer.h.0.ln_1.bias, transformer.h.1.ln_1.weight, and 1 more",
    ],
    ["lack the head", "qwen2-bias", (t) => without(t, /lm_head/), {}, "missing: lm_head.weight"],
    ["lack the embeddings", "llama-gqa-tied", (t) => without(t, /embed/), {}, "missing: model.embed_tokens.weight"],
    [
      "have a layer more",
      "gpt2",
      (t) => t,
      { n_layer: 1 },
      /^not expected: transformer\.h\.1\.attn\.c_attn\.bias, .*, and 9 more$/,
    ],
    [
      "have biases",
      "qwen2-bias",
      (t) => ({ ...t, "model.layers.0.mlp.up_proj.bias": ones(64) }),
      {},
      "not expected: model.layers.0.mlp.up_proj.bias",
    ],
    [
      "have another shape",
      "llama-gqa-tied",
      (t) => ({ ...t, "model.norm.weight": ones(47) }),
      {},
      "of the wrong shape: model.norm.weight is [47] instead of [48]",
    ],
    [
      "are transposed",
      "gpt2",
      (t) => ({ ...t, "transformer.h.0.mlp.c_fc.weight": ones(128, 32) }),
      {},
      /c_fc\.weight is \[128, 32\] instead of \[32, 128\]$/,
    ],
    [
      "have another vocabulary",
      "llama-gqa-tied",
      (t) => t,
      { vocab_size: 132 },
      "of the wrong shape: model.embed_tokens.weight is [131, 48] instead of [132, 48]",
    ],
    [
      "have all of it",
      "gpt2",
      (t) => ({ ...without(t, /wpe/), "transformer.wte.weight": ones(1), x: ones() }),
      {},
      /^missing: transformer\.wpe\.weight; not expected: transformer\.x; of the wrong shape: transformer\.wte\.weight is \[1\]/,
    ],
  ])("%s (%s): an error before any weight is read", async (_, name, change, config, expected) => {
    await folderWith(name, change, config);
    const error = await failure(openCheckpoint(folder));
    expect(error).toMatchObject({ name: "ThoughtbookError", code: "corrupt-data" });
    const start = `the weights in ${folder} do not fit its config.json: `;
    expect(error.message.slice(0, start.length)).toBe(start);
    const rest = error.message.slice(start.length);
    if (typeof expected === "string") expect(rest).toBe(expected);
    else expect(rest).toMatch(expected);
    expect(error.hint).toContain("same model");
  });

  it("are not floating-point numbers", async () => {
    const norm: StoredTensor = { dtype: "int32", shape: [48], data: new Int32Array(48) };
    await folderWith("llama-gqa-tied", (tensors) => ({ ...tensors, "model.norm.weight": norm }));
    const error = await failure(openCheckpoint(folder));
    expect(error).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("model.norm.weight is stored as I32; F32, F16 and BF16"),
    });
  });
});

describe("saving", () => {
  it.each(names)("%s gives the bytes that transformers wrote", async (name) => {
    const { config } = await openCheckpoint(join(fixtures, name));
    await saveCheckpoint(folder, { config, parameters: await load(join(fixtures, name)) });
    const written = await readFile(join(folder, "model.safetensors"));
    expect(written.equals(await readFile(join(fixtures, name, "model.safetensors")))).toBe(true);
    expect((await openCheckpoint(folder)).config).toEqual(config);
    expect(await readdir(folder)).toEqual(["config.json", "model.safetensors"]);
    expect(await readdir(join(folder, ".."))).toEqual(["model"]);
  });

  const llama = join(fixtures, "llama-gqa-tied");
  const content = async () => ({ config: (await openCheckpoint(llama)).config, parameters: await load(llama) });

  it.each([
    ["float16", 2 ** -11, 123_000],
    ["bfloat16", 2 ** -8, 123_000],
  ] as const)("in %s rounds the weights", async (dtype, rounding, most) => {
    await saveCheckpoint(folder, { ...(await content()), dtype });
    const original = await load(llama);
    for (const [name, { data }] of Object.entries(await load(folder))) {
      expect(
        data.every((value, i) => Math.abs(value - original[name]!.data[i]!) <= rounding * Math.abs(value) + 1e-7),
        name,
      ).toBe(true);
    }
    expect((await readFile(join(folder, "model.safetensors"))).length).toBeLessThan(most);
    expect(JSON.parse(await readFile(join(folder, "config.json"), "utf8"))).toMatchObject({ dtype });
  });

  it("in shards keeps each below the limit", async () => {
    await saveCheckpoint(folder, { ...(await content()), shardBytes: 40_000 });
    expect(await load(folder)).toEqual(await load(llama));
    const files = (await readdir(folder)).filter((file) => /^model-\d{5}-of-00008\.safetensors$/.test(file));
    expect(files).toHaveLength(8);
    for (const file of files) {
      const { tensors } = await openSafetensors(join(folder, file));
      const bytes = [...tensors.values()].reduce((sum, { start, end }) => sum + end - start, 0);
      expect(bytes <= 40_000 || tensors.size === 1).toBe(true);
    }
    const index = JSON.parse(await readFile(join(folder, "model.safetensors.index.json"), "utf8"));
    expect(index.metadata.total_size).toBe(59_616 * 4);
    expect(Object.keys(index.weight_map)).toHaveLength(29);
  });

  it("does not depend on the order of the weights", async () => {
    const { config, parameters } = await content();
    const bytes = async (given: ModelParameters) => {
      await saveCheckpoint(folder, { config, parameters: given, shardBytes: 40_000 });
      return Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), "latin1")));
    };
    expect(await bytes(Object.fromEntries(Object.entries(parameters).reverse()))).toEqual(await bytes(parameters));
  });

  it("with room for all needs no index", async () => {
    await saveCheckpoint(folder, { ...(await content()), shardBytes: 59_616 * 4 });
    expect(await readdir(folder)).toEqual(["config.json", "model.safetensors"]);
  });

  it("replaces other weights, and keeps other files", async () => {
    await saveCheckpoint(folder, { ...(await content()), shardBytes: 40_000, extraFiles: { "tokenizer.json": "{}" } });
    const parameters = await load(folder);
    parameters["model.norm.weight"]!.data.fill(5);
    await saveCheckpoint(folder, { ...(await content()), parameters });
    expect(await readdir(folder)).toEqual(["config.json", "model.safetensors", "tokenizer.json"]);
    expect(await load(folder)).toEqual(parameters);
    await saveCheckpoint(folder, {
      ...(await content()),
      shardBytes: 200_000,
      extraFiles: { "tokenizer.json": Buffer.from("[]") },
    });
    expect(await readdir(folder)).toEqual([
      "config.json",
      "model-00001-of-00002.safetensors",
      "model-00002-of-00002.safetensors",
      "model.safetensors.index.json",
      "tokenizer.json",
    ]);
    expect(await load(folder)).toEqual(await load(llama));
    expect(await readFile(join(folder, "tokenizer.json"), "utf8")).toBe("[]");
  });

  it("leaves nothing behind if it fails", async () => {
    const { config, parameters } = await content();
    parameters["model.norm.weight"]!.data[3] = 1e6;
    expect(await failure(saveCheckpoint(folder, { config, parameters, dtype: "float16" }))).toMatchObject({
      code: "bad-input",
    });
    expect(await readdir(join(folder, ".."))).toEqual([]);
    await saveCheckpoint(folder, { config, parameters });
    await failure(saveCheckpoint(folder, { config, parameters, dtype: "float16" }));
    expect(await readdir(folder)).toEqual(["config.json", "model.safetensors"]);
    expect(await load(folder)).toEqual(parameters);
  });

  it.each<[string, (parameters: ModelParameters) => void, RegExp]>([
    ["missing", (parameters) => delete parameters["model.norm.weight"], /missing: model\.norm\.weight/],
    [
      "surplus",
      (parameters) => Object.assign(parameters, { "lm_head.weight": ones(131, 48) }),
      /not expected: lm_head\.weight/,
    ],
    [
      "misshapen",
      (parameters) => Object.assign(parameters, { "model.norm.weight": ones(4) }),
      /model\.norm\.weight is \[4\] instead of \[48\]/,
    ],
    [
      "inconsistent",
      (parameters) => Object.assign(parameters["model.norm.weight"]!, { data: new Float32Array(47) }),
      /has 47 numbers/,
    ],
  ])("refuses %s weights", async (_, change, message) => {
    const { config, parameters } = await content();
    change(parameters);
    const error = await failure(saveCheckpoint(folder, { config, parameters }));
    expect(error).toMatchObject({ code: "bad-input" });
    expect(error.message).toMatch(message);
    expect(await readdir(join(folder, ".."))).toEqual([]);
  });

  it.each([
    "../evil",
    "/evil",
    "a/b",
    "a\\b",
    "",
    ".",
    "..",
    "config.json",
    "model.safetensors",
    "model-00001-of-00002.safetensors",
  ])("refuses the extra file %j", async (name) => {
    const error = await failure(saveCheckpoint(folder, { ...(await content()), extraFiles: { [name]: "" } }));
    expect(error).toMatchObject({ code: "bad-input", message: expect.stringContaining(JSON.stringify(name)) });
  });

  it.each([0, -1, Number.NaN])("refuses shards of %d bytes", async (shardBytes) => {
    expect(await failure(saveCheckpoint(folder, { ...(await content()), shardBytes }))).toMatchObject({
      code: "bad-input",
    });
  });

  it("never removes a file that stands where the folder should be", async () => {
    await writeFile(folder, "mine");
    expect(await failure(saveCheckpoint(folder, await content()))).toMatchObject({ code: "file-system" });
    expect(await readFile(folder, "utf8")).toBe("mine");
  });
});

describe("shards", () => {
  beforeEach(async () => {
    const { config } = await openCheckpoint(join(fixtures, "gpt2"));
    await saveCheckpoint(folder, { config, parameters: await load(join(fixtures, "gpt2")), shardBytes: 40_000 });
  });
  const index = () => join(folder, "model.safetensors.index.json");

  it("that are missing are named", async () => {
    await rm(join(folder, "model-00002-of-00004.safetensors"));
    const error = await failure(openCheckpoint(folder));
    expect(error).toMatchObject({ code: "not-found" });
    expect(error.message).toBe(
      `${folder} lacks model-00002-of-00004.safetensors, 1 of the 4 shards that model.safetensors.index.json names`,
    );
  });

  it("must hold what the index sees in them", async () => {
    await cp(join(folder, "model-00001-of-00004.safetensors"), join(folder, "model-00002-of-00004.safetensors"));
    const error = await failure(openCheckpoint(folder));
    expect(error).toMatchObject({ code: "corrupt-data" });
    expect(error.message).toMatch(/model-00002-of-00004\.safetensors lacks the tensor transformer\.h\.0\./);
  });

  it("may not hold a tensor twice", async () => {
    const first = await openSafetensors(join(folder, "model-00001-of-00004.safetensors"));
    const [name] = first.tensors.keys();
    const second = await openSafetensors(join(folder, "model-00002-of-00004.safetensors"));
    const tensors: Tensors = { [name!]: await readTensor(first, name!) };
    for (const each of second.tensors.keys()) tensors[each] = await readTensor(second, each);
    await writeSafetensors(second.path, tensors);
    expect(await failure(openCheckpoint(folder))).toMatchObject({
      code: "corrupt-data",
      message: expect.stringContaining("there twice"),
    });
  });

  it.each([
    ["{", /is not JSON/],
    ["[]", /holds no weight_map/],
    ['{"weight_map": {}}', /holds no weight_map/],
    ['{"weight_map": {"a": 5}}', /holds no weight_map/],
    ['{"weight_map": {"a": "../secret.safetensors"}}', /names "\.\.\/secret\.safetensors" as a file of its folder/],
    ['{"weight_map": {"a": "/etc/secret.safetensors"}}', /names "\/etc/],
    ['{"weight_map": {"a": "a\\\\b.safetensors"}}', /names "a\\\\b\.safetensors"/],
    ['{"weight_map": {"a": "pytorch_model.bin"}}', /names "pytorch_model\.bin"/],
  ])("of the index %s are an error", async (text, message) => {
    await writeFile(index(), text);
    const error = await failure(openCheckpoint(folder));
    expect(error).toMatchObject({ code: "corrupt-data" });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(index());
  });

  it("are not looked at where there is a single file", async () => {
    await cp(join(fixtures, "gpt2", "model.safetensors"), join(folder, "model.safetensors"));
    await writeFile(index(), "{");
    expect(await load(folder)).toEqual(await tensorsOf("gpt2"));
  });
});

describe("the hash", () => {
  it("depends on weights and configuration, not on layout or place", async () => {
    await folderWith("gpt2", (tensors) => tensors);
    const hash = await hashCheckpoint(await openCheckpoint(join(fixtures, "gpt2")));
    expect(hash).toBe("2f138b34ffa4f5f506853495a453dcbfd173ebd9e52ba4797edcf1ef2359feef");
    expect(await hashCheckpoint(await openCheckpoint(folder))).toBe(hash);

    await folderWith("gpt2", (tensors) => tensors, { eos_token_id: 1 });
    expect(await hashCheckpoint(await openCheckpoint(folder))).not.toBe(hash);

    await folderWith("gpt2", (tensors) => ({ ...tensors, "transformer.ln_f.bias": ones(32) }));
    expect(await hashCheckpoint(await openCheckpoint(folder))).not.toBe(hash);
  });

  it("covers every shard", async () => {
    const { config } = await openCheckpoint(join(fixtures, "gpt2"));
    const parameters = await load(join(fixtures, "gpt2"));
    const hashes = new Set<string>();
    for (const name of ["transformer.wte.weight", "transformer.ln_f.bias"]) {
      parameters[name]!.data[0] = 9;
      await saveCheckpoint(folder, { config, parameters, shardBytes: 40_000 });
      hashes.add(await hashCheckpoint(await openCheckpoint(folder)));
    }
    expect(hashes.size).toBe(2);
  });
});

describe("generation_config.json", () => {
  const read = async (text?: string) => {
    await mkdir(folder, { recursive: true });
    if (text !== undefined) await writeFile(join(folder, "generation_config.json"), text);
    const { config } = await openCheckpoint(join(fixtures, "llama-gqa-tied"));
    return readGenerationDefaults({ folder, config });
  };

  it("may be missing, or say nothing", async () => {
    const nothing = {
      endIds: [2],
      sample: undefined,
      temperature: undefined,
      topK: undefined,
      topP: undefined,
      minP: undefined,
      repetitionPenalty: undefined,
    };
    expect(await read()).toEqual(nothing);
    expect(await read("{}")).toEqual(nothing);
    expect(await read('{"eos_token_id": null, "temperature": null}')).toEqual(nothing);
  });

  it("says how to sample, and what ends a text", async () => {
    expect(
      await read(
        '{"eos_token_id": [5, 6], "do_sample": true, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "min_p": 0.1, "repetition_penalty": 1.05}',
      ),
    ).toEqual({
      endIds: [5, 6],
      sample: true,
      temperature: 0.7,
      topK: 20,
      topP: 0.8,
      minP: 0.1,
      repetitionPenalty: 1.05,
    });
    expect(await read('{"eos_token_id": 7}')).toMatchObject({ endIds: [7] });
  });

  it("may be wrong", async () => {
    expect(await failure(read('{"temperature": "hot"}'))).toMatchObject({
      code: "corrupt-data",
      message: expect.stringContaining("temperature"),
    });
    expect(await failure(read("{"))).toMatchObject({
      code: "corrupt-data",
      message: expect.stringContaining("is not JSON"),
    });
  });
});
