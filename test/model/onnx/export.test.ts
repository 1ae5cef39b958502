import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AutoModelForCausalLM, pipeline, Tensor } from "@huggingface/transformers";
import {
  type Checkpoint,
  exportOnnx,
  generate,
  initializeParameters,
  type ModelConfig,
  openCheckpoint,
  openSafetensors,
  parseConfig,
  readConfig,
  readParameters,
  saveBpe,
  saveCheckpoint,
  score,
  trainBpe,
} from "thoughtbook/model";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readTensor } from "../../../lib/dist/model/weights/safetensors.js";
import { callOnnx, largestDifference, logitsAt, logProbsOf, openOnnx } from "./helpers.js";

const CHECKPOINTS = join(import.meta.dirname, "..", "..", "fixtures", "checkpoints");
let scratch: string;
beforeAll(() => {
  scratch = mkdtempSync(join(tmpdir(), "thoughtbook-export-"));
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const newFolder = () => join(mkdtempSync(join(scratch, "case-")), "out");
const fixture = (name: string): Promise<Checkpoint> => openCheckpoint(join(CHECKPOINTS, name));

/** A checkpoint of a model that has learned nothing, with large weights so that no two logits are near. */
async function randomCheckpoint(config: ModelConfig, seed = 1): Promise<Checkpoint> {
  const folder = newFolder();
  const parameters = initializeParameters(config, { seed, deviation: 0.3 });
  // Biases and gains too: those of a new model are 0 and 1.
  for (const [i, { shape, data }] of Object.values(parameters).entries()) {
    if (shape.length === 1) for (let j = 0; j < data.length; j++) data[j]! += 0.3 * Math.sin(7 * i + 3 * j);
  }
  await saveCheckpoint(folder, { config, parameters });
  return openCheckpoint(folder);
}

const rotaryConfig = (keys: Record<string, unknown> = {}) =>
  parseConfig({
    model_type: "llama",
    vocab_size: 300,
    hidden_size: 32,
    intermediate_size: 48,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    num_key_value_heads: 2,
    max_position_embeddings: 64,
    eos_token_id: null,
    ...keys,
  });

/** A matrix of int64 numbers. */
async function readRows(folder: string, name: string): Promise<number[][]> {
  const { shape, data } = await readTensor(
    await openSafetensors(join(CHECKPOINTS, folder, "expected.safetensors")),
    name,
  );
  const [rows, columns] = shape as [number, number];
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_, column) => Number(data[row * columns + column])),
  );
}

const readFloats = async (folder: string, name: string) =>
  (await readTensor(await openSafetensors(join(CHECKPOINTS, folder, "expected.safetensors")), name))
    .data as Float32Array;

describe.each(["llama-gqa-tied", "qwen2-bias", "qwen3-qknorm", "gpt2"])("%s, exported", (name) => {
  let out: string;
  let checkpoint: Checkpoint;
  let ids: number[][];
  let logits: Float32Array;
  const rowOf = (row: number, time: number) => {
    const size = checkpoint.config.vocabularySize;
    return logits.subarray((row * ids[0]!.length + time) * size, (row * ids[0]!.length + time + 1) * size);
  };
  beforeAll(async () => {
    checkpoint = await fixture(name);
    out = (await exportOnnx(checkpoint, newFolder(), { dtypes: ["fp32"] })).folder;
    ids = await readRows(name, "input_ids");
    logits = await readFloats(name, "logits");
  });
  const open = () => openOnnx(join(out, "onnx", "model.onnx"));

  it("has PyTorch's logits, in one call and step by step", async () => {
    const session = await open();
    const { config } = checkpoint;
    const whole = await callOnnx(session, config, { ids });
    expect(largestDifference(whole.logits!.data as Float32Array, logits)).toBeLessThan(1e-4);

    let step = await callOnnx(session, config, { ids: ids.map((row) => row.slice(0, 5)) });
    for (let time = 5; time < ids[0]!.length; time++) {
      step = await callOnnx(session, config, { ids: ids.map((row) => [row[time]!]), past: step });
      for (const row of ids.keys()) {
        expect(largestDifference(logitsAt(step, row, -1), rowOf(row, time))).toBeLessThan(1e-4);
      }
    }
    // One row may also go on by several tokens at once.
    const begun = await callOnnx(session, config, { ids: [ids[0]!.slice(0, 6)] });
    const rest = await callOnnx(session, config, { ids: [ids[0]!.slice(6)], past: begun });
    expect(largestDifference(logitsAt(rest, 0, -1), rowOf(0, ids[0]!.length - 1))).toBeLessThan(1e-4);
    await session.release();
  });

  it("has PyTorch's logits after padding on the left, and goes on from there", async () => {
    const session = await open();
    const { config } = checkpoint;
    const padded = await readRows(name, "left_padded_ids");
    const mask = await readRows(name, "attention_mask");
    expect(mask.flat()).toContain(0);
    const whole = await callOnnx(session, config, { ids: padded, mask });
    const last = padded.flatMap((_, row) => [...logitsAt(whole, row, -1)]);
    expect(largestDifference(last, await readFloats(name, "left_padded_last_logits"))).toBeLessThan(1e-4);

    const before = await callOnnx(session, config, {
      ids: padded.map((row) => row.slice(0, -1)),
      mask: mask.map((row) => row.slice(0, -1)),
    });
    const after = await callOnnx(session, config, { ids: padded.map((row) => row.slice(-1)), mask, past: before });
    for (const row of padded.keys()) {
      expect(largestDifference(logitsAt(after, row, -1), logitsAt(whole, row, -1))).toBeLessThan(1e-4);
    }
    await session.release();
  });

  it("goes on greedily in transformers.js as in PyTorch", async () => {
    const expected = JSON.parse(readFileSync(join(CHECKPOINTS, name, "expected.json"), "utf8")) as {
      greedy_continuation_of_row_0: number[];
    };
    const greedy = expected.greedy_continuation_of_row_0;
    const model = await AutoModelForCausalLM.from_pretrained(out, { dtype: "fp32" });
    const prompt = new Tensor("int64", BigInt64Array.from(ids[0]!, BigInt), [1, ids[0]!.length]);
    const options = { inputs: prompt, max_new_tokens: greedy.length, do_sample: false };
    const generated = (await model.generate(options)) as Tensor;
    expect(Array.from(generated.data as BigInt64Array, Number)).toEqual([...ids[0]!, ...greedy]);
    await model.dispose();
  });

  it("keeps what its configuration means", async () => {
    expect(await readConfig(out)).toEqual(checkpoint.config);
  });
});

describe("an exported model", () => {
  const rope = { rope_type: "llama3", rope_theta: 500, factor: 4, low_freq_factor: 1, high_freq_factor: 4 };
  it.each<[string, ModelConfig]>([
    ["heads that no fused operator takes", rotaryConfig({ head_dim: 6 })],
    ["scaled positions", rotaryConfig({ rope_parameters: { ...rope, original_max_position_embeddings: 8 } })],
    [
      "biases everywhere and another activation",
      rotaryConfig({ attention_bias: true, mlp_bias: true, hidden_act: "gelu" }),
    ],
    [
      "GPT-2 with other options",
      parseConfig({
        model_type: "gpt2",
        vocab_size: 300,
        n_embd: 24,
        n_head: 4,
        n_layer: 3,
        n_positions: 64,
        n_inner: 40,
        activation_function: "relu",
        scale_attn_by_inverse_layer_idx: true,
        tie_word_embeddings: false,
      }),
    ],
  ])("scores as the engine does: %s", async (_, config) => {
    const checkpoint = await randomCheckpoint(config);
    const { folder } = await exportOnnx(checkpoint, newFolder(), { dtypes: ["fp32"] });
    const texts = [0, 1].map((row) => Array.from({ length: 40 }, (_, i) => (i * 37 + row * 101) % 300));
    const weights = await readParameters(checkpoint);
    const expected = (await score({ config, weights }, texts)).flatMap((row) => [...row]);
    const session = await openOnnx(join(folder, "onnx", "model.onnx"));

    const whole = await callOnnx(session, config, { ids: texts });
    expect(largestDifference(logProbsOf(whole, texts), expected)).toBeLessThan(1e-4);
    const begun = await callOnnx(session, config, { ids: texts.map((row) => row.slice(0, 39)) });
    const last = await callOnnx(session, config, { ids: texts.map((row) => row.slice(39)), past: begun });
    expect(largestDifference(logitsAt(last, 1, -1), logitsAt(whole, 1, -1))).toBeLessThan(1e-4);
    await session.release();
  });

  it("gives the logits of the last tokens only, where it is asked", async () => {
    const checkpoint = await fixture("llama-gqa-tied");
    const options = { dtypes: ["fp32"], numLogitsToKeep: true } as const;
    const { folder } = await exportOnnx(checkpoint, newFolder(), options);
    const session = await openOnnx(join(folder, "onnx", "model.onnx"));
    const ids = await readRows("llama-gqa-tied", "input_ids");
    const call = (numLogitsToKeep: number) => callOnnx(session, checkpoint.config, { ids, numLogitsToKeep });
    const [all, two] = [await call(0), await call(2)];
    expect(all.logits!.dims).toEqual([2, 17, 131]);
    expect(two.logits!.dims).toEqual([2, 2, 131]);
    expect(largestDifference(logitsAt(two, 1, 0), logitsAt(all, 1, 15))).toBeLessThan(1e-5);
    await session.release();
  });
});

describe("a folder for transformers.js", () => {
  const CORPUS = ["the cat sat on the mat and the dog sat on the log", "one two three four five six seven eight"];
  const TEMPLATE = "{% for message in messages %}[{{ message.role }}]{{ message.content }}{% endfor %}";
  let checkpoint: Checkpoint;
  beforeAll(async () => {
    checkpoint = await randomCheckpoint(rotaryConfig({ tie_word_embeddings: true }), 2);
    const tokenizer = await trainBpe(CORPUS, { vocabularySize: 300, bosToken: "<s>", eosToken: "</s>" });
    await saveBpe(checkpoint.folder, tokenizer);
    writeFileSync(join(checkpoint.folder, "chat_template.jinja"), TEMPLATE);
  });
  const PROMPTS = ["the cat", "one two three four five", "dog"];
  /** The engine's greedy text, without which ids lead to it. */
  const continuations = async (tokenize: (text: string) => number[], decode: (ids: number[]) => string) => {
    const weights = await readParameters(checkpoint);
    const requests = PROMPTS.map((prompt) => ({ prompt: tokenize(prompt) }));
    const texts = await generate({ config: checkpoint.config, weights }, requests, {
      temperature: 0,
      maxNewTokens: 20,
    });
    return texts.map(({ ids }, i) => decode([...requests[i]!.prompt, ...ids]));
  };

  it("opens in its pipeline, whose greedy texts are the engine's, alone and in a batch", async () => {
    const { folder, files, notes } = await exportOnnx(checkpoint, newFolder());
    expect(notes).toEqual([]);
    expect(files.map(({ name }) => name)).toEqual([
      "config.json",
      "generation_config.json",
      "tokenizer.json",
      "tokenizer_config.json",
      "onnx/model.onnx",
      "onnx/model_quantized.onnx",
      "onnx/model_q4.onnx",
    ]);
    const generator = await pipeline("text-generation", folder, { dtype: "fp32" });
    const { tokenizer } = generator;
    const expected = await continuations(
      (text) => tokenizer.encode(text),
      (ids) => tokenizer.decode(ids, { skip_special_tokens: true }),
    );
    const options = { max_new_tokens: 20, do_sample: false };
    const textOf = (output: unknown) => (output as [{ generated_text: string }])[0].generated_text;
    for (const [i, prompt] of PROMPTS.entries()) expect(textOf(await generator(prompt, options))).toBe(expected[i]);
    const batch = (await generator(PROMPTS, options)) as unknown[];
    expect(batch.map(textOf)).toEqual(expected);

    const chat = tokenizer.apply_chat_template([{ role: "user", content: "hi" }], { tokenize: false });
    expect(chat).toBe("[user]hi");
    await generator.dispose();
  });

  it("opens with weights outside, and of the only type there", async () => {
    const options = { dtypes: ["q8"], externalData: true } as const;
    const { folder, files } = await exportOnnx(checkpoint, newFolder(), options);
    const sizes = Object.fromEntries(files.map(({ name, bytes }) => [name, bytes]));
    expect(Object.keys(sizes).filter((name) => name.startsWith("onnx/"))).toEqual([
      "onnx/model_quantized.onnx",
      "onnx/model_quantized.onnx_data",
    ]);
    expect(readdirSync(join(folder, "onnx")).length).toBe(2);
    const inline = await exportOnnx(checkpoint, newFolder(), { dtypes: ["q8"] });

    const texts: unknown[] = [];
    for (const place of [folder, inline.folder]) {
      const generator = await pipeline("text-generation", place);
      texts.push(await generator("the cat", { max_new_tokens: 20, do_sample: false }));
      await generator.dispose();
    }
    expect(texts[0]).toEqual(texts[1]);
  });
});

describe("what cannot be exported", () => {
  const attempt = async (folder: string, options = {}) => exportOnnx(await fixture("gpt2"), folder, options);

  it("leaves a folder with files as it is", async () => {
    const folder = mkdtempSync(join(scratch, "full-"));
    writeFileSync(join(folder, "mine.txt"), "x");
    await expect(attempt(folder)).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringContaining("mine.txt"),
    });
    expect(readdirSync(folder)).toEqual(["mine.txt"]);
  });

  it("fills an empty folder", async () => {
    const folder = mkdtempSync(join(scratch, "empty-"));
    await attempt(folder, { dtypes: ["fp32"] });
    expect(readdirSync(folder).sort()).toEqual(["config.json", "generation_config.json", "onnx"]);
  });

  it("names a place that cannot be written", async () => {
    const file = join(mkdtempSync(join(scratch, "file-")), "file");
    writeFileSync(file, "x");
    for (const folder of [file, join(file, "out")]) {
      await expect(attempt(folder)).rejects.toMatchObject({
        code: "file-system",
        message: expect.stringContaining(folder),
      });
    }
  });

  it("knows its types", async () => {
    const folder = newFolder();
    await expect(attempt(folder, { dtypes: ["fp16"] })).rejects.toThrow(/"fp16"/);
    await expect(attempt(folder, { dtypes: [] })).rejects.toMatchObject({ code: "bad-input" });
  });

  it("tells that there is no tokenizer", async () => {
    const { notes } = await attempt(newFolder(), { dtypes: ["q4"] });
    expect(notes).toEqual([expect.stringMatching(/no tokenizer\.json/)]);
  });

  it("refuses a broken tokenizer before any work", async () => {
    const checkpoint = await randomCheckpoint(rotaryConfig());
    writeFileSync(join(checkpoint.folder, "tokenizer.json"), '{"model": 1}');
    const folder = newFolder();
    await expect(exportOnnx(checkpoint, folder)).rejects.toMatchObject({ code: "corrupt-data" });
    expect(readdirSync(join(folder, ".."))).toEqual([]);
  });

  it("leaves nothing behind when it is interrupted", async () => {
    const folder = newFolder();
    const stop = new AbortController();
    stop.abort(new Error("enough"));
    await expect(attempt(folder, { signal: stop.signal })).rejects.toMatchObject({ code: "interrupted" });
    expect(readdirSync(join(folder, ".."))).toEqual([]);
  });
});
