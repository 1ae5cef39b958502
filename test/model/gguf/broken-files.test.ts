import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRandom, ThoughtbookError } from "thoughtbook/core";
import { exportGguf, loadTokenizer, openCheckpoint, readParameters } from "thoughtbook/model";
import { beforeAll, describe, expect, it } from "vitest";
import { HeaderCutOff, parseGgufHeader } from "../../../lib/dist/model/gguf/header.js";
import type { GgufEntry } from "../../../lib/dist/model/gguf/write.js";
import { failure, temporaryFolder } from "../../core/helpers.js";
import { fileOf, text, tinyFolder, tinyGguf, whole, zeros } from "./helpers.js";

let bytes: Buffer;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-"));
  try {
    const model = await tinyFolder("llama", { folder: join(folder, "model") });
    await exportGguf(await openCheckpoint(model), join(folder, "model.gguf"));
    bytes = await readFile(join(folder, "model.gguf"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

async function fileWith(content: Uint8Array): Promise<string> {
  const file = join(await temporaryFolder(), "model.gguf");
  await writeFile(file, content);
  return file;
}

/** A header of the given counts and what follows. */
function header({ version = 3, tensors = 0n, entries = 0n, rest = Buffer.alloc(0) as Buffer } = {}): Buffer {
  const start = Buffer.alloc(24);
  start.write("GGUF");
  start.writeUInt32LE(version, 4);
  start.writeBigUInt64LE(tensors, 8);
  start.writeBigUInt64LE(entries, 16);
  return Buffer.concat([start, rest]);
}

const uint32 = (value: number) => Buffer.from(new Uint32Array([value]).buffer);
const uint64 = (value: bigint) => Buffer.from(new BigUint64Array([value]).buffer);
const string = (value: string) => Buffer.concat([uint64(BigInt(value.length)), Buffer.from(value)]);
const info = (name: string, sizes: bigint[], type: number, offset: bigint) =>
  Buffer.concat([string(name), uint32(sizes.length), ...sizes.map(uint64), uint32(type), uint64(offset)]);
const tensors = (...infos: Buffer[]) =>
  header({ tensors: BigInt(infos.length), rest: Buffer.concat([...infos, Buffer.alloc(4096)]) });

describe("a GGUF file that lies", () => {
  const cases: [string, () => Buffer, string, RegExp][] = [
    ["nothing", () => Buffer.alloc(0), "corrupt-data", /cut off/],
    ["another format", () => Buffer.from("PK\x03\x04 and more"), "bad-input", /does not begin with "GGUF"/],
    ["the format before", () => Buffer.from("tjgg and more than that"), "bad-input", /before GGUF/],
    ["version 1", () => header({ version: 1 }), "bad-input", /version 1/],
    ["version 4", () => header({ version: 4 }), "bad-input", /version 4/],
    ["big-endian", () => header({ version: 0x03000000 }), "bad-input", /big-endian/],
    ["2⁶⁰ tensors", () => header({ tensors: 1n << 60n }), "corrupt-data", /tensors, more than/],
    ["2⁶⁰ entries", () => header({ entries: 1n << 60n }), "corrupt-data", /entries of metadata, more than/],
    ["a long key", () => header({ entries: 1n, rest: uint64(1n << 40n) }), "corrupt-data", /too many/],
    [
      "a value of no type",
      () => header({ entries: 1n, rest: Buffer.concat([string("a"), uint32(99)]) }),
      "corrupt-data",
      /type 99/,
    ],
    [
      "a list of 2⁵⁰ numbers",
      () => header({ entries: 1n, rest: Buffer.concat([string("a"), uint32(9), uint32(4), uint64(1n << 50n)]) }),
      "corrupt-data",
      /too many/,
    ],
    [
      "a list of lists",
      () => header({ entries: 1n, rest: Buffer.concat([string("a"), uint32(9), uint32(9), uint64(1n)]) }),
      "corrupt-data",
      /list of lists/,
    ],
    [
      "a key twice",
      () =>
        header({
          entries: 2n,
          rest: Buffer.concat(["a", "a"].map((key) => Buffer.concat([string(key), uint32(4), uint32(1)]))),
        }),
      "corrupt-data",
      /"a" twice/,
    ],
    ["five dimensions", () => tensors(info("t", [1n, 1n, 1n, 1n, 1n], 0, 0n)), "corrupt-data", /5 dimensions/],
    ["an empty tensor", () => tensors(info("t", [0n], 0, 0n)), "corrupt-data", /sizes 0/],
    ["sizes that overflow", () => tensors(info("t", [1n << 40n, 1n << 40n], 0, 0n)), "corrupt-data", /has the sizes/],
    ["an unknown type", () => tensors(info("t", [32n], 77, 0n)), "bad-input", /type 77/],
    ["a type of earlier files", () => tensors(info("t", [32n], 31, 0n)), "bad-input", /type 31/],
    ["half a block", () => tensors(info("t", [31n], 8, 0n)), "corrupt-data", /whole blocks of 32/],
    ["a tensor beyond the file", () => tensors(info("t", [1n << 20n], 0, 0n)), "corrupt-data", /cut off/],
    ["an offset beyond the file", () => tensors(info("t", [32n], 0, 1n << 62n)), "corrupt-data", /cut off/],
    ["an offset between the steps", () => tensors(info("t", [32n], 0, 7n)), "corrupt-data", /multiple of 32/],
    [
      "tensors over each other",
      () => tensors(info("a", [32n], 0, 0n), info("b", [32n], 0, 64n)),
      "corrupt-data",
      /overlap/,
    ],
    ["a tensor twice", () => tensors(info("a", [8n], 0, 0n), info("a", [8n], 0, 32n)), "corrupt-data", /twice/],
    [
      "a strange alignment",
      () => header({ entries: 1n, rest: Buffer.concat([string("general.alignment"), uint32(4), uint32(48)]) }),
      "corrupt-data",
      /power of 2/,
    ],
  ];

  it.each(cases)("by %s is an error that names it", async (_, content, code, message) => {
    const file = await fileWith(content());
    const error = await failure(openCheckpoint(file));
    expect(error).toMatchObject({ name: "ThoughtbookError", code });
    expect(error.message).toMatch(message);
    expect(error.message).toContain(file);
    expect(error.hint).toBeTruthy();
  });

  it("cut at any place of its header ends in an error", async () => {
    const end = [...parseGgufHeader(bytes, bytes.length, "it").tensors.values()][0]!.start;
    for (let length = 0; length < end; length += length < 2000 ? 1 : 97) {
      expect(() => parseGgufHeader(bytes.subarray(0, length), length, "it")).toThrow(
        length < 24 ? HeaderCutOff : Error,
      );
    }
    const file = await fileWith(bytes);
    for (const length of [end + 5000, end - 40, 300, 20, 3]) {
      await truncate(file, length);
      expect(await failure(openCheckpoint(file))).toMatchObject({
        code: "corrupt-data",
        message: expect.stringContaining("cut off"),
      });
    }
  });

  it("with any byte changed opens, or ends in a typed error, within bounded time", async () => {
    const random = createRandom("gguf");
    const end = [...parseGgufHeader(bytes, bytes.length, "it").tensors.values()][0]!.start;
    const start = performance.now();
    for (let i = 0; i < 3000; i++) {
      const changed = Buffer.from(bytes.subarray(0, end));
      // Mostly where counts and types are, and several at a time.
      for (let j = 0; j <= i % 3; j++) changed[random.integer(i % 2 ? end : 400)] = random.integer(256);
      try {
        parseGgufHeader(changed, bytes.length, "it");
      } catch (error) {
        expect(error instanceof ThoughtbookError || error instanceof HeaderCutOff).toBe(true);
      }
    }
    expect(performance.now() - start).toBeLessThan(20_000);
  });

  it("with random bytes of metadata gives a model, a tokenizer or a typed error", async () => {
    const random = createRandom("metadata");
    for (let i = 0; i < 60; i++) {
      const changed = Buffer.from(bytes);
      for (let j = 0; j < 3; j++) changed[24 + random.integer(6000)] = random.integer(256);
      const file = await fileWith(changed);
      for (const work of [async () => readParameters(await openCheckpoint(file)), () => loadTokenizer(file)]) {
        const error: unknown = await work().then(
          () => undefined,
          (reason: unknown) => reason,
        );
        if (error !== undefined) expect(error).toBeInstanceOf(ThoughtbookError);
      }
    }
  });
});

const real = (value: number): GgufEntry => ({ type: "float32", value });
const flag = (value: boolean): GgufEntry => ({ type: "bool", value });

describe("a GGUF file of something else", () => {
  const model = { "general.architecture": text("llama") };

  it.each([
    ["architecture", { "general.architecture": text("gemma3") }, /"gemma3"; supported are llama, qwen2, qwen3, gpt2/],
    ["kind", { "general.type": text("adapter") }, /general.type is "adapter"/],
    ["part", { ...model, "split.count": whole(3), "split.no": whole(1) }, /part 2 of 3/],
    ["capped logits", { ...model, "llama.final_logit_softcapping": real(30) }, /final_logit_softcapping is 30/],
    ["direction", { ...model, "llama.attention.causal": flag(false) }, /attention.causal is false/],
    ["mixture of experts", { ...model, "llama.expert_count": whole(8) }, /mixtures of experts/],
  ])("by its %s says so", async (_, metadata, message) => {
    const error = await failure(openCheckpoint(await fileOf(metadata, [zeros("token_embd.weight", [8, 32])])));
    expect(error).toMatchObject({ code: "bad-input", message: expect.stringMatching(message) });
  });

  it("by the scale of its attention says so, unless that is the usual one", async () => {
    const shape = {
      ...{ ...model, "llama.embedding_length": whole(32), "llama.context_length": whole(64) },
      ...{ "llama.feed_forward_length": whole(32), "llama.block_count": whole(1) },
      ...{ "llama.attention.head_count": whole(2), "llama.attention.layer_norm_rms_epsilon": real(1e-5) },
    };
    const open = async (scale: number) =>
      failure(
        openCheckpoint(
          await fileOf({ ...shape, "llama.attention.scale": real(scale) }, [zeros("token_embd.weight", [8, 32])]),
        ),
      );
    expect(await open(0.5)).toMatchObject({ code: "bad-input", message: expect.stringMatching(/scale is 0\.5/) });
    for (const usual of [0, 0.25]) expect((await open(usual)).message).toContain("missing: blk.0.attn_norm.weight");
  });

  it("without a key of its architecture names it", async () => {
    const error = await failure(openCheckpoint(await fileOf(model, [zeros("token_embd.weight", [8, 32])])));
    expect(error).toMatchObject({
      code: "corrupt-data",
      message: expect.stringContaining("llama.attention.head_count"),
    });
    const empty = await failure(openCheckpoint(await fileOf(model)));
    expect(empty).toMatchObject({ message: expect.stringContaining("token_embd.weight") });
  });

  it.each([
    [{ "tokenizer.ggml.model": text("bert") }, /kind "bert"; supported are gpt2 and llama/],
    [{ "tokenizer.ggml.model": text("gpt2"), "tokenizer.ggml.pre": text("qwen3") }, /pre-tokenizer "qwen3"/],
    [{ "tokenizer.ggml.model": text("gpt2"), "tokenizer.ggml.pre": text("gpt-2") }, /lacks tokenizer.ggml.merges/],
    [{ "tokenizer.ggml.model": text("llama") }, /but 0 scores/],
  ])("has a tokenizer of another kind: %j", async (metadata, message) => {
    const file = await fileOf({ ...model, ...metadata, "tokenizer.ggml.tokens": text(["a", "b"]) });
    const error = await failure(loadTokenizer(file));
    expect(error.message).toMatch(message);
    expect(error.message).toContain(file);
  });

  it("without a tokenizer is a model for ids", async () => {
    expect(await failure(loadTokenizer(await fileOf(model)))).toMatchObject({ code: "not-found" });
  });

  it("of weights that do not fit names them", async () => {
    const { file } = await tinyGguf("llama");
    const content = await readFile(file);
    content.write("xx", content.indexOf("blk.1.ffn_up.weight"));
    const error = await failure(openCheckpoint(await fileWith(content)));
    expect(error.message).toMatch(/missing: blk\.1\.ffn_up\.weight; not expected: xxk\.1/);
  });
});
