import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadModel } from "thoughtbook/llm";
import {
  chatTemplateOf,
  exportOnnx,
  generate,
  type HostModel,
  initializeAdapter,
  loadAdapter,
  loadTokenizer,
  openCheckpoint,
  parseConfig,
  readParameters,
  saveAdapter,
  saveCheckpoint,
  score,
  scoreWithAttention,
  scoreWithTop,
} from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../../core/helpers.js";
import { CHECKPOINTS, CONFIG, randomModel, writeChatModel } from "../generate/helpers.js";
import { folderOf } from "../tokenizer/fixtures.js";

const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"4d7a".repeat(16)}\nsize 269060552\n`;

async function chatFolder(): Promise<string> {
  const folder = await temporaryFolder();
  await writeChatModel(folder);
  return folder;
}

describe("a pointer of Git LFS", () => {
  it.each(["model.safetensors", "tokenizer.json", "config.json", "tokenizer_config.json", "chat_template.jinja"])(
    "in place of %s is told, with the cure",
    async (name) => {
      const folder = await chatFolder();
      await writeFile(join(folder, name), POINTER);
      const error = await failure(loadModel(folder));
      expect([error.code, error.message]).toEqual([
        "corrupt-data",
        `${join(folder, name)} is a Git-LFS pointer, not the file of 269,060,552 bytes that it stands for`,
      ]);
      expect(error.hint).toMatch(/git lfs pull/);
    },
  );

  it("in place of a shard, of its index or of an adapter is told", async () => {
    const { config, weights } = randomModel();
    const folder = await temporaryFolder();
    await saveCheckpoint(folder, { config, parameters: weights, shardBytes: 40_000 });
    const shard = join(folder, "model-00002-of-00003.safetensors");
    const whole = await readFile(join(folder, "model.safetensors.index.json"), "utf8");
    const name = Object.values(JSON.parse(whole).weight_map as Record<string, string>).at(-1)!;
    await writeFile(join(folder, name), POINTER);
    expect((await failure(openCheckpoint(folder))).message, shard).toContain(`${name} is a Git-LFS pointer`);
    await writeFile(join(folder, "model.safetensors.index.json"), POINTER);
    expect((await failure(openCheckpoint(folder))).message).toContain("index.json is a Git-LFS pointer");

    const own = await temporaryFolder();
    await saveAdapter(own, config, initializeAdapter(config, { rank: 2, seed: 1 }));
    await writeFile(join(own, "adapter_model.safetensors"), POINTER);
    expect((await failure(loadAdapter(own, config))).message).toContain(
      "adapter_model.safetensors is a Git-LFS pointer",
    );
  });

  it("in place of an ONNX graph, or of weights beside it, is told", async () => {
    const { folder } = await exportOnnx(await openCheckpoint(join(CHECKPOINTS, "gpt2")), await temporaryFolder());
    const graph = join(folder, "onnx", "model.onnx");
    await writeFile(`${graph}_data`, POINTER);
    expect((await failure(loadModel(`onnx:${folder}`))).message).toContain(`${graph}_data is a Git-LFS pointer`);
    await writeFile(graph, POINTER);
    expect((await failure(loadModel(`onnx:${folder}`))).message).toContain(`${graph} is a Git-LFS pointer`);
  });

  it("in place of a pickle does not hide that fetching it is of no use", async () => {
    const folder = await temporaryFolder();
    await cp(join(CHECKPOINTS, "gpt2", "config.json"), join(folder, "config.json"));
    await writeFile(join(folder, "pytorch_model.bin"), POINTER);
    const { message, hint } = await failure(openCheckpoint(folder));
    expect(message).toContain("pytorch_model.bin is a Git-LFS pointer");
    expect(hint).toMatch(
      /git lfs pull.* Even then: .* as a Python pickle, pytorch_model\.bin, which is not read\. Choose/,
    );
  });

  it("in place of a named template is told", async () => {
    const folder = await folderOf({ "additional_chat_templates/default.jinja": POINTER });
    expect((await failure(chatTemplateOf(folder))).message).toContain("default.jinja is a Git-LFS pointer");
  });
});

describe("a tokenizer.json of a kind that is not supported", () => {
  const vocab = { "[UNK]": 0, the: 1, cat: 2 };
  it.each<[string, object, RegExp]>([
    ["word-level", { type: "WordLevel", vocab, unk_token: "[UNK]" }, /is a word-level tokenizer \(WordLevel\)/],
    ["word-level without its type", { vocab, unk_token: "[UNK]" }, /is a word-level tokenizer \(WordLevel\)/],
    ["of the future", { type: "Trie", vocab }, /is a tokenizer of the kind "Trie"/],
  ])("is named: %s", async (_, model, message) => {
    const folder = await folderOf({ "tokenizer.json": { version: "1.0", added_tokens: [], model } });
    const error = await failure(loadTokenizer(folder));
    expect([error.code, error.message]).toEqual(["bad-input", expect.stringMatching(message)]);
    expect(error.message).toMatch(/which is not supported: BPE, Unigram and WordPiece are/);
    expect(error.hint).toMatch(/token ids/);
  });
});

describe("weights that are no numbers", () => {
  const broken = (value: number, changes: object = {}): HostModel => {
    const model = randomModel(changes);
    model.weights["model.layers.1.mlp.up_proj.weight"]!.data[7] = value;
    return model;
  };
  const MESSAGE = (value: number, of: string) =>
    `the model's scores of ${of} are no numbers (NaN): its weight model.layers.1.mlp.up_proj.weight holds ${value} at place 7`;

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "are named, not scored: %s",
    async (value) => {
      const model = broken(value);
      const texts = [[5, 6, 7], { prompt: [5, 6], continuation: [8] }];
      const works = [
        () => score(model, texts),
        () => scoreWithTop(model, texts, 2),
        () => scoreWithAttention(model, texts),
      ];
      for (const work of works) {
        const error = await failure(work);
        expect([error.code, error.message]).toEqual(["execution", MESSAGE(value, "sequence 0")]);
        expect(error.hint).toMatch(/Download the checkpoint again/);
      }
    },
  );

  it("are named, nothing is generated", async () => {
    for (const temperature of [0, 1]) {
      const error = await failure(generate(broken(Number.NaN), [{ prompt: [5, 6], temperature }], { maxNewTokens: 4 }));
      expect([error.code, error.message]).toEqual(["execution", MESSAGE(Number.NaN, "request 0")]);
    }
  });

  it("of which no text makes use do no harm", async () => {
    const model = randomModel({ tie_word_embeddings: false });
    model.weights["model.embed_tokens.weight"]!.data[299 * CONFIG.hidden_size] = Number.NaN;
    expect((await score(model, [[5, 6, 7]]))[0]!.every(Number.isFinite)).toBe(true);
    expect((await failure(score(model, [[5, 299, 7]]))).message).toMatch(
      /its weight model\.embed_tokens\.weight holds NaN/,
    );
  });

  it("that are finite but too large are told as that; those of an adapter are named", async () => {
    const { config, weights } = randomModel();
    for (const name of Object.keys(weights)) if (/(up|gate|down)_proj/.test(name)) weights[name]!.data.fill(1e30);
    expect((await failure(score({ config, weights }, [[5, 6]]))).message).toMatch(/they are too large for float32/);

    const adapter = initializeAdapter(config, { rank: 2, targets: ["q_proj"], seed: 1 });
    const [name] = Object.keys(adapter.parameters);
    adapter.parameters[name!]!.data[0] = Number.NaN;
    const model = { ...randomModel(), adapter };
    expect((await failure(score(model, [[5, 6]]))).message).toContain(`its weight ${name} holds NaN at place 0`);
  });

  it("of a folder are told by `score` of the model", async () => {
    const folder = await chatFolder();
    const checkpoint = await openCheckpoint(folder);
    const parameters = await readParameters(checkpoint);
    parameters["model.norm.weight"]!.data[3] = Number.NaN;
    await saveCheckpoint(folder, { config: parseConfig(CONFIG), parameters });
    const model = await loadModel(folder);
    const error = await failure(model.score([{ prompt: "the cat", continuation: " sat" }]));
    expect(error.message).toContain("its weight model.norm.weight holds NaN at place 3");
    await model.dispose();
  });
});
