import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  chatTemplateOf,
  exportGguf,
  exportOnnx,
  hashCheckpoint,
  loadTokenizer,
  openCheckpoint,
  readGenerationDefaults,
  readParameters,
} from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { readOperations } from "../../../lib/dist/llm/local/operations-file.js";
import { openGguf } from "../../../lib/dist/model/gguf/file.js";
import { PRE_TOKENIZERS, preTokenizerComponent } from "../../../lib/dist/model/gguf/pre-tokenizers.js";
import { readParameter } from "../../../lib/dist/model/weights/checkpoint.js";
import { dequantise, readQuantised } from "../../../lib/dist/model/weights/quantised.js";
import { failure } from "../../core/helpers.js";
import { expectedOf } from "../tokenizer/fixtures.js";
import { TINY, tinyFolder, tinyGguf } from "./helpers.js";

describe("a model in a GGUF file", () => {
  it.each(Object.keys(TINY))("%s has the configuration and weights of its folder", async (name) => {
    const { folder, file } = await tinyGguf(name);
    const [original, opened] = [await openCheckpoint(folder), await openCheckpoint(file)];
    const normal = ({ normEpsilon, ...config }: typeof opened.config) => ({
      ...config,
      normEpsilon: Math.fround(normEpsilon),
    });
    expect(normal(opened.config)).toEqual(normal(original.config));
    const [before, after] = [await readParameters(original), await readParameters(opened)];
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const [weight, { shape, data }] of Object.entries(before)) {
      expect(after[weight]!.shape).toEqual(shape);
      const most = data.reduce((worst, value, i) => Math.max(worst, Math.abs(value - after[weight]!.data[i]!)), 0);
      // Half of the last bit of a number below 1 in half precision; vectors are as they were.
      expect(most).toBeLessThanOrEqual(shape.length > 1 ? 2 ** -12 : 0);
    }
  });

  it.each(["llama", "qwen2", "gpt2"])("%s in Q8_0 gives its blocks as they are", async (name) => {
    const { file } = await tinyGguf(name, "q8_0");
    const checkpoint = await openCheckpoint(file);
    const weights =
      name === "gpt2"
        ? ["transformer.h.0.attn.c_attn.weight"]
        : ["q_proj", "v_proj"].map((part) => `model.layers.1.self_attn.${part}.weight`);
    for (const weight of weights) {
      const matrix = (await readQuantised(checkpoint, weight))!;
      expect(matrix).toMatchObject({ bits: 8, blockSize: 32, zero: 128 });
      const { data, shape } = await readParameter(checkpoint, weight);
      const rows = dequantise(matrix);
      if (name !== "gpt2") {
        expect(matrix.shape).toEqual(shape);
        expect(rows).toEqual(data);
      } else {
        // Its layers are [in, out], the blocks are cut along `in`.
        expect(matrix.shape).toEqual([...shape].reverse());
        const [input, out] = shape as [number, number];
        expect(rows[3 * input + 5]).toBe(data[5 * out + 3]);
      }
    }
  });

  it("has no blocks where it is stored in floats", async () => {
    const { folder, file } = await tinyGguf("llama");
    const weight = "model.layers.0.mlp.up_proj.weight";
    expect(await readQuantised(await openCheckpoint(file), weight)).toBeUndefined();
    expect(await readQuantised(await openCheckpoint(folder), weight)).toBeUndefined();
  });

  it("is hashed by its content", async () => {
    const { file } = await tinyGguf("llama");
    const before = await hashCheckpoint(await openCheckpoint(file));
    const bytes = await readFile(file);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(file, bytes);
    expect(before).toMatch(/^[0-9a-f]{64}$/);
    expect(await hashCheckpoint(await openCheckpoint(file))).not.toBe(before);
  });

  it("that changed since it was opened is not read", async () => {
    const { file } = await tinyGguf("llama");
    const checkpoint = await openCheckpoint(file);
    await writeFile(file, Buffer.concat([await readFile(file), Buffer.alloc(1)]));
    const error = await failure(readParameters(checkpoint));
    expect(error).toMatchObject({ code: "corrupt-data", message: expect.stringContaining("has changed") });
  });
});

describe("a tokenizer in a GGUF file", () => {
  it.each(["gpt2", "llama3", "llama2", "mistral"])(
    "%s encodes and decodes as Python's tokenizers",
    async (tokenizer) => {
      const { folder, file } = await tinyGguf("llama", "f16", { tokenizer, changes: { vocab_size: 1200 } });
      const [original, opened] = [await loadTokenizer(folder), await loadTokenizer(file)];
      for (const { text, ids, decoded } of expectedOf(tokenizer)) {
        // SentencePiece puts a space before each text between special tokens; Metaspace only before the first, without one.
        if (tokenizer === "mistral" && /^[ ▁]|^$|<\/?s>|<unk>/.test(text)) continue;
        expect(opened.encode(text), text).toEqual(ids);
        expect(opened.decode(ids)).toBe(decoded);
      }
      const { bos, eos } = original.special;
      expect(opened.special).toMatchObject({ ...(bos && { bos }), ...(eos && { eos }) });
    },
  );

  it("keeps the chat template, the ids that end texts and the operations", async () => {
    const folder = await tinyFolder("llama");
    const template = "{% for message in messages %}<{{ message.role }}>{{ message.content }}{% endfor %}";
    await writeFile(join(folder, "chat_template.jinja"), template);
    await writeFile(join(folder, "thoughtbook.json"), JSON.stringify({ operations: ["cot"] }));
    const file = `${folder}.gguf`;
    await exportGguf(await openCheckpoint(folder), file);
    expect((await chatTemplateOf(file)).text).toBe(template);
    expect(await readOperations(file)).toEqual(new Set(["cot"]));
    const { endIds } = await readGenerationDefaults(await openCheckpoint(file));
    expect(endIds).toContain((await loadTokenizer(folder)).special.eos?.id);
  });

  it("cuts words as Qwen's, in normal form C, and says that llama.cpp leaves that out", async () => {
    const folder = await tinyFolder("qwen2");
    const path = join(folder, "tokenizer.json");
    const json = JSON.parse(await readFile(path, "utf8"));
    const pre_tokenizer = preTokenizerComponent(PRE_TOKENIZERS.qwen2!);
    await writeFile(path, JSON.stringify({ ...json, normalizer: { type: "NFC" }, pre_tokenizer }));
    const file = `${folder}.gguf`;
    const { notes } = await exportGguf(await openCheckpoint(folder), file);
    expect(notes.join()).toContain("normal form C");
    expect((await openGguf(file)).metadata.get("tokenizer.ggml.pre")).toBe("qwen2");
    const [original, opened] = [await loadTokenizer(folder), await loadTokenizer(file)];
    for (const text of ["cafe\u0301 123", "I'LL go\r\n\n  x", "12345 sums", ""]) {
      expect(opened.encode(text)).toEqual(original.encode(text));
    }
    expect(opened.encode("e\u0301")).toEqual(opened.encode("\u00e9"));
  });

  it("reads control tokens in a user's text as characters", async () => {
    const { file } = await tinyGguf("llama", "f16", { tokenizer: "llama3", changes: { vocab_size: 1200 } });
    const tokenizer = await loadTokenizer(file);
    const { token, id } = tokenizer.special.bos!;
    const ids = tokenizer.encode(`a ${token} b`, { specialTokensAsText: true, addSpecialTokens: false });
    expect(ids).not.toContain(id);
    expect(tokenizer.decode(ids)).toBe(`a ${token} b`);
  });
});

describe("an export to ONNX of a GGUF file", () => {
  it("has its configuration and tokenizer", async () => {
    const { file } = await tinyGguf("llama", "q8_0");
    const out = `${file}-onnx`;
    const { notes } = await exportOnnx(await openCheckpoint(file), out, { dtypes: ["q8"] });
    expect(notes).toEqual([]);
    expect((await loadTokenizer(out)).encode("12*x's")).toEqual((await loadTokenizer(file)).encode("12*x's"));
    expect(JSON.parse(await readFile(join(out, "config.json"), "utf8"))).toMatchObject({ model_type: "llama" });
  });
});

describe("an export to GGUF", () => {
  it.each(["bert", "unigram", "falcon", "suffix"])(
    "refuses the tokenizer %s, which llama.cpp has no name for",
    async (tokenizer) => {
      const folder = await tinyFolder("llama", { tokenizer, changes: { vocab_size: 1200 } });
      const file = `${folder}.gguf`;
      const error = await failure(exportGguf(await openCheckpoint(folder), file));
      expect(error).toMatchObject({ code: "bad-input", message: expect.stringContaining("tokenizer.json") });
      await expect(readFile(file)).rejects.toThrow();
    },
  );

  it("replaces no file, and says what is wrong with a type or a small embedding", async () => {
    const { folder, file } = await tinyGguf("llama");
    const checkpoint = await openCheckpoint(folder);
    expect(await failure(exportGguf(checkpoint, file))).toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("there already"),
    });
    const type = "q4_0" as "f16";
    expect(await failure(exportGguf(checkpoint, `${file}.2`, { type }))).toMatchObject({
      hint: expect.stringContaining("q8_0"),
    });
    const small = await tinyFolder("llama", { changes: { vocab_size: 20 } });
    expect(await failure(exportGguf(await openCheckpoint(small), `${small}.gguf`))).toMatchObject({
      message: expect.stringContaining("20 embeddings"),
    });
  });
});
