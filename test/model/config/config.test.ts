import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { configToHuggingFace, parameterCount, parseConfig, readConfig } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { attentionScale, type RotaryConfig } from "../../../lib/dist/model/config/config.js";
import { ropeFrequencies } from "../../../lib/dist/model/config/rope.js";
import { parameterShapes } from "../../../lib/dist/model/weights/shapes.js";
import { failure, temporaryFolder } from "../../core/helpers.js";

const fixtures = join(import.meta.dirname, "../../fixtures/checkpoints");

const sizes = { vocab_size: 50, hidden_size: 32, intermediate_size: 40, num_hidden_layers: 2, num_attention_heads: 4 };
const llama = { model_type: "llama", ...sizes };
const qwen2 = { model_type: "qwen2", ...sizes, num_key_value_heads: 2 };
const qwen3 = { model_type: "qwen3", ...sizes, num_key_value_heads: 2 };
const gpt2 = { model_type: "gpt2", vocab_size: 50, n_embd: 32, n_layer: 2, n_head: 4, n_positions: 64 };
const rotary = (raw: object) => parseConfig(raw) as RotaryConfig;

describe("the config.json of transformers 5", () => {
  it("of a Llama is understood", async () => {
    expect(await readConfig(join(fixtures, "llama-gqa-tied"))).toEqual({
      family: "llama",
      vocabularySize: 131,
      hiddenSize: 48,
      layers: 3,
      heads: 6,
      keyValueHeads: 2,
      headDimension: 8,
      intermediateSize: 80,
      activation: "silu",
      normEpsilon: 1e-6,
      maxPositions: 128,
      tiedEmbeddings: true,
      beginId: 1,
      endIds: [2],
      paddingId: undefined,
      rope: { kind: "default", theta: 10_000 },
      queryKeyValueBias: false,
      outputBias: false,
      feedForwardBias: false,
      queryKeyNorm: false,
    });
  });

  it("of a Qwen is understood", async () => {
    expect(await readConfig(join(fixtures, "qwen2-bias"))).toMatchObject({
      family: "qwen2",
      tiedEmbeddings: false,
      endIds: [],
      beginId: undefined,
      rope: { kind: "default", theta: 1_000_000 },
      queryKeyValueBias: true,
      outputBias: false,
      queryKeyNorm: false,
    });
    expect(await readConfig(join(fixtures, "qwen3-qknorm"))).toMatchObject({
      family: "qwen3",
      headDimension: 16,
      queryKeyValueBias: false,
      queryKeyNorm: true,
    });
  });

  it("of a GPT-2 is understood", async () => {
    expect(await readConfig(join(fixtures, "gpt2"))).toEqual({
      family: "gpt2",
      vocabularySize: 101,
      hiddenSize: 32,
      layers: 2,
      heads: 4,
      keyValueHeads: 4,
      headDimension: 8,
      intermediateSize: 128,
      activation: "gelu-tanh",
      normEpsilon: 1e-5,
      maxPositions: 64,
      tiedEmbeddings: true,
      beginId: 50_256,
      endIds: [50_256],
      paddingId: undefined,
      scaleByHeadDimension: true,
      scaleByLayer: false,
    });
  });
});

/** What the public checkpoints' config.json says of their architecture, and how many parameters their cards count. */
const PUBLIC: [string, number, object][] = [
  [
    "SmolLM2-135M",
    134_515_008,
    {
      model_type: "llama",
      vocab_size: 49_152,
      hidden_size: 576,
      intermediate_size: 1536,
      num_hidden_layers: 30,
      num_attention_heads: 9,
      num_key_value_heads: 3,
      rope_theta: 100_000,
      rope_scaling: null,
      rope_interleaved: false,
      tie_word_embeddings: true,
      max_position_embeddings: 8192,
      torch_dtype: "bfloat16",
    },
  ],
  [
    "TinyLlama-1.1B",
    1_100_048_384,
    {
      model_type: "llama",
      vocab_size: 32_000,
      hidden_size: 2048,
      intermediate_size: 5632,
      num_hidden_layers: 22,
      num_attention_heads: 32,
      num_key_value_heads: 4,
      rms_norm_eps: 1e-5,
      rope_scaling: null,
      tie_word_embeddings: false,
      pretraining_tp: 1,
    },
  ],
  [
    "Llama-3.2-1B",
    1_235_814_400,
    {
      model_type: "llama",
      vocab_size: 128_256,
      hidden_size: 2048,
      intermediate_size: 8192,
      num_hidden_layers: 16,
      num_attention_heads: 32,
      num_key_value_heads: 8,
      head_dim: 64,
      rope_theta: 500_000,
      rope_scaling: {
        factor: 32,
        high_freq_factor: 4,
        low_freq_factor: 1,
        original_max_position_embeddings: 8192,
        rope_type: "llama3",
      },
      tie_word_embeddings: true,
      max_position_embeddings: 131_072,
      eos_token_id: [128_001, 128_008, 128_009],
    },
  ],
  [
    "Qwen2.5-0.5B",
    494_032_768,
    {
      model_type: "qwen2",
      vocab_size: 151_936,
      hidden_size: 896,
      intermediate_size: 4864,
      num_hidden_layers: 24,
      num_attention_heads: 14,
      num_key_value_heads: 2,
      rope_theta: 1_000_000,
      sliding_window: 32_768,
      max_window_layers: 24,
      use_sliding_window: false,
      use_mrope: false,
      tie_word_embeddings: true,
    },
  ],
  [
    "Qwen3-0.6B",
    596_049_920,
    {
      model_type: "qwen3",
      vocab_size: 151_936,
      hidden_size: 1024,
      intermediate_size: 3072,
      num_hidden_layers: 28,
      num_attention_heads: 16,
      num_key_value_heads: 8,
      head_dim: 128,
      rope_theta: 1_000_000,
      sliding_window: null,
      tie_word_embeddings: true,
    },
  ],
  [
    "GPT-2",
    124_439_808,
    { model_type: "gpt2", vocab_size: 50_257, n_embd: 768, n_layer: 12, n_head: 12, n_positions: 1024, n_ctx: 1024 },
  ],
  [
    "DistilGPT2",
    81_912_576,
    { model_type: "gpt2", vocab_size: 50_257, n_embd: 768, n_layer: 6, n_head: 12, n_positions: 1024, _num_labels: 1 },
  ],
];

describe("the weights of a model", () => {
  it.each(PUBLIC)("of %s are as many as published", (_, count, raw) => {
    expect(parameterCount(parseConfig(raw))).toBe(count);
  });

  it("have the biases, norms and head that the configuration says", () => {
    const names = (raw: object) =>
      Object.keys(parameterShapes(parseConfig(raw)))
        .filter((name) => !/layers\.1|h\.1/.test(name))
        .map((name) => name.replace("model.layers.0.", ""));
    const weights = [
      "self_attn.q_proj",
      "self_attn.k_proj",
      "self_attn.v_proj",
      "self_attn.o_proj",
      "mlp.gate_proj",
      "mlp.up_proj",
      "mlp.down_proj",
    ];
    const plain = [
      "model.embed_tokens.weight",
      "input_layernorm.weight",
      "post_attention_layernorm.weight",
      "model.norm.weight",
      ...weights.map((name) => `${name}.weight`),
    ];
    const biases = weights.map((name) => `${name}.bias`);
    const head = "lm_head.weight";
    expect(names({ ...llama, tie_word_embeddings: true }).sort()).toEqual([...plain].sort());
    expect(names({ ...llama, attention_bias: true }).sort()).toEqual([...plain, head, ...biases.slice(0, 4)].sort());
    expect(names({ ...llama, mlp_bias: true }).sort()).toEqual([...plain, head, ...biases.slice(4)].sort());
    expect(names(qwen2).sort()).toEqual([...plain, head, ...biases.slice(0, 3)].sort());
    const norms = ["self_attn.q_norm.weight", "self_attn.k_norm.weight"];
    expect(names({ ...qwen3, attention_bias: true }).sort()).toEqual(
      [...plain, head, ...norms, ...biases.slice(0, 4)].sort(),
    );
    expect(names({ ...gpt2, tie_word_embeddings: false })).toContain(head);
  });

  it("of linear layers are [out, in], in GPT-2 [in, out]", () => {
    expect(parameterShapes(parseConfig({ ...llama, num_key_value_heads: 2, head_dim: 16 }))).toMatchObject({
      "model.embed_tokens.weight": [50, 32],
      "model.layers.1.self_attn.q_proj.weight": [64, 32],
      "model.layers.1.self_attn.k_proj.weight": [32, 32],
      "model.layers.1.self_attn.o_proj.weight": [32, 64],
      "model.layers.1.mlp.up_proj.weight": [40, 32],
      "model.layers.1.mlp.down_proj.weight": [32, 40],
      "lm_head.weight": [50, 32],
    });
    expect(parameterShapes(parseConfig({ ...gpt2, n_inner: 40 }))).toMatchObject({
      "transformer.wpe.weight": [64, 32],
      "transformer.h.1.attn.c_attn.weight": [32, 96],
      "transformer.h.1.mlp.c_fc.weight": [32, 40],
      "transformer.h.1.mlp.c_proj.weight": [40, 32],
    });
  });
});

describe("a key that is absent", () => {
  it("has the default of the family", () => {
    expect(parseConfig({ model_type: "llama" })).toMatchObject({
      vocabularySize: 32_000,
      hiddenSize: 4096,
      intermediateSize: 11_008,
      layers: 32,
      heads: 32,
      keyValueHeads: 32,
      headDimension: 128,
      maxPositions: 2048,
      normEpsilon: 1e-6,
      activation: "silu",
      tiedEmbeddings: false,
      beginId: 1,
      endIds: [2],
      rope: { kind: "default", theta: 10_000 },
    });
    expect(parseConfig({ model_type: "qwen2" })).toMatchObject({
      vocabularySize: 151_936,
      intermediateSize: 22_016,
      keyValueHeads: 32,
      headDimension: 128,
      maxPositions: 32_768,
      tiedEmbeddings: false,
      beginId: undefined,
      endIds: [],
    });
    expect(parseConfig({ model_type: "qwen3", hidden_size: 1024, num_attention_heads: 64 })).toMatchObject({
      headDimension: 128, // Not hidden_size / num_attention_heads.
      keyValueHeads: 32, // Not num_attention_heads.
    });
    expect(parseConfig({ model_type: "gpt2" })).toMatchObject({
      vocabularySize: 50_257,
      hiddenSize: 768,
      intermediateSize: 3072,
      layers: 12,
      heads: 12,
      maxPositions: 1024,
      tiedEmbeddings: true,
      activation: "gelu-tanh",
      endIds: [50_256],
    });
  });

  it("is not the same as null for special ids and key-value heads", () => {
    expect(parseConfig({ ...llama, bos_token_id: null, eos_token_id: null })).toMatchObject({
      beginId: undefined,
      endIds: [],
    });
    expect(parseConfig({ ...gpt2, bos_token_id: null, eos_token_id: null })).toMatchObject({
      beginId: undefined,
      endIds: [],
    });
    expect(parseConfig({ ...qwen2, num_key_value_heads: null })).toMatchObject({ keyValueHeads: 4 });
    expect(parseConfig({ ...llama, num_key_value_heads: null, head_dim: null })).toMatchObject({
      keyValueHeads: 4,
      headDimension: 8,
    });
  });
});

describe("special ids", () => {
  it("may be several, and -1 is none", () => {
    expect(parseConfig({ ...llama, eos_token_id: [3, 4, -1], pad_token_id: -1, bos_token_id: 7 })).toMatchObject({
      beginId: 7,
      endIds: [3, 4],
      paddingId: undefined,
    });
  });
});

describe("GPT-2", () => {
  it("understands the names of other families", () => {
    const aliases = { hidden_size: 32, num_hidden_layers: 2, num_attention_heads: 4, max_position_embeddings: 64 };
    expect(parseConfig({ model_type: "gpt2", vocab_size: 50, ...aliases })).toEqual(parseConfig(gpt2));
  });

  it("scales its scores as it says", () => {
    const scales = (raw: object) => [0, 1].map((layer) => attentionScale(parseConfig(raw), layer));
    expect(scales(gpt2)).toEqual([8 ** -0.5, 8 ** -0.5]);
    expect(scales({ ...gpt2, scale_attn_weights: false })).toEqual([1, 1]);
    expect(scales({ ...gpt2, scale_attn_by_inverse_layer_idx: true })).toEqual([8 ** -0.5, 8 ** -0.5 / 2]);
    expect(scales({ ...llama, head_dim: 16 })).toEqual([0.25, 0.25]);
  });
});

describe("rotary positions", () => {
  const llama3 = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 64 };
  const stretched = { kind: "llama3", factor: 8, lowFactor: 1, highFactor: 4, originalPositions: 64 };

  it.each([
    ["rope_theta alone", { rope_theta: 5 }, { kind: "default", theta: 5 }],
    [
      "the older key, type",
      { rope_theta: 5, rope_scaling: { type: "linear", factor: 2 } },
      { kind: "linear", theta: 5, factor: 2 },
    ],
    [
      "the older key, rope_type",
      { rope_theta: 5, rope_scaling: { rope_type: "llama3", ...llama3 } },
      { theta: 5, ...stretched },
    ],
    [
      "the newer key",
      { rope_parameters: { rope_type: "llama3", rope_theta: 5, ...llama3 } },
      { theta: 5, ...stretched },
    ],
    [
      "a theta beside the newer key",
      { rope_theta: 5, rope_parameters: { rope_type: "default" } },
      { kind: "default", theta: 5 },
    ],
    [
      "a theta in both places",
      { rope_theta: 5, rope_parameters: { rope_theta: 6, rope_type: "default" } },
      { kind: "default", theta: 6 },
    ],
    ["no scaling", { rope_theta: 5, rope_scaling: null, rope_parameters: null }, { kind: "default", theta: 5 }],
    [
      "both keys",
      { rope_theta: 9, rope_scaling: { type: "linear", factor: 2 }, rope_parameters: { rope_theta: 7 } },
      { kind: "linear", theta: 9, factor: 2 },
    ],
    [
      "an empty older key",
      { rope_theta: 9, rope_scaling: {}, rope_parameters: { rope_theta: 7 } },
      { kind: "default", theta: 7 },
    ],
    [
      "rope_type before type",
      { rope_scaling: { type: "linear", rope_type: "dynamic", factor: 2 } },
      { kind: "dynamic", theta: 10_000, factor: 2 },
    ],
    [
      "llama3 without the original length",
      {
        max_position_embeddings: 99,
        rope_scaling: { rope_type: "llama3", ...llama3, original_max_position_embeddings: null },
      },
      { theta: 10_000, ...stretched, originalPositions: 99 },
    ],
  ])("are read from %s", (_, keys, expected) => {
    for (const family of [llama, qwen2, qwen3]) expect(rotary({ ...family, ...keys }).rope).toEqual(expected);
  });

  it("turn as in transformers", () => {
    const frequencies = (keys: object) => [...ropeFrequencies(rotary({ ...llama, ...keys }).rope, 16)];
    const close = (given: number[], expected: number[]) => {
      expect(given).toHaveLength(expected.length);
      for (const [index, value] of expected.entries()) expect(Math.abs(given[index]! / value - 1)).toBeLessThan(1e-6);
    };
    const plain = [1, 0.316227766, 0.1, 0.0316227766, 0.01, 0.00316227766, 0.001, 0.000316227766];
    close(frequencies({}), plain);
    close(frequencies({ rope_scaling: { type: "dynamic", factor: 4 } }), plain);
    // Computed by transformers 5.18.
    close(
      frequencies({ rope_scaling: { type: "linear", factor: 4 } }),
      [0.25, 0.079056941, 0.0250000004, 0.00790569466, 0.00249999994, 0.000790569466, 0.000250000012, 7.90569466e-5],
    );
    close(
      frequencies({ rope_scaling: { rope_type: "llama3", ...llama3 } }),
      [1, 0.244384587, 0.0130422562, 0.00395284733, 0.00124999997, 0.000395284733, 0.000125000006, 3.95284733e-5],
    );
  });
});

describe("writing", () => {
  it.each([
    [
      "llama",
      { ...llama, attention_bias: true, mlp_bias: true, eos_token_id: [3, 4], pad_token_id: 0, hidden_act: "gelu" },
    ],
    [
      "llama3",
      {
        ...llama,
        rope_theta: 5,
        rope_scaling: {
          rope_type: "llama3",
          factor: 8,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 64,
        },
      },
    ],
    ["linear", { ...llama, rope_scaling: { type: "linear", factor: 2 }, bos_token_id: null, hidden_act: "relu" }],
    ["qwen2", { ...qwen2, head_dim: 16, tie_word_embeddings: true }],
    ["qwen3", { ...qwen3, attention_bias: true, hidden_act: "gelu_pytorch_tanh" }],
    [
      "gpt2",
      {
        ...gpt2,
        n_inner: 40,
        scale_attn_weights: false,
        scale_attn_by_inverse_layer_idx: true,
        tie_word_embeddings: false,
      },
    ],
    ...PUBLIC.map(([name, , raw]) => [name, raw] as [string, object]),
  ])("%s gives what reading takes", (_, raw) => {
    const config = parseConfig(raw);
    const written = configToHuggingFace(config, "float16");
    expect(parseConfig(JSON.parse(JSON.stringify(written)))).toEqual(config);
    expect(written).toMatchObject({ model_type: config.family, dtype: "float16", torch_dtype: "float16" });
  });

  it("gives both the older and the newer keys of positions", () => {
    const scaling = { rope_type: "linear", factor: 2 };
    expect(configToHuggingFace(parseConfig({ ...llama, rope_theta: 5, rope_scaling: scaling }))).toMatchObject({
      architectures: ["LlamaForCausalLM"],
      rope_theta: 5,
      rope_scaling: scaling,
      rope_parameters: { rope_theta: 5, ...scaling },
    });
  });
});

describe("sliding windows", () => {
  const windowed = {
    ...qwen2,
    max_position_embeddings: 64,
    use_sliding_window: true,
    sliding_window: 16,
    max_window_layers: 1,
  };

  it.each([
    ["switched off", { use_sliding_window: false }],
    ["as long as the texts", { sliding_window: 64 }],
    ["none", { sliding_window: null }],
    ["for layers that there are not", { max_window_layers: 2 }],
    ["for no layer", { layer_types: ["full_attention", "full_attention"] }],
  ])("without effect are accepted: %s", (_, change) => {
    expect(parseConfig({ ...windowed, ...change })).toEqual(parseConfig({ ...qwen2, max_position_embeddings: 64 }));
  });

  it.each([{}, { layer_types: ["full_attention", "sliding_attention"], max_window_layers: 9 }])(
    "with an effect are not: %j",
    async (change) => {
      const error = await failure(() => parseConfig({ ...windowed, ...change }));
      expect(error).toMatchObject({ code: "bad-input", message: expect.stringContaining("sliding_window is 16") });
      expect(error.hint).toContain("max_position_embeddings to 16");
    },
  );
});

describe("what is not supported", () => {
  it.each([
    [{ model_type: "mixtral" }, /model_type is "mixtral"; supported are llama, qwen2, qwen3 and gpt2/],
    [{ model_type: "toString" }, /model_type is "toString"/],
    [{}, /model_type is missing/],
    [{ ...llama, num_local_experts: 8 }, /num_local_experts is 8; mixtures of experts/],
    [{ ...qwen3, num_experts: 8 }, /num_experts is 8; mixtures of experts/],
    [{ ...llama, quantization_config: { quant_method: "awq" } }, /quantization_config is set; quantized weights/],
    [{ ...llama, partial_rotary_factor: 0.5 }, /partial_rotary_factor is 0\.5; only whole heads/],
    [{ ...llama, rope_parameters: { partial_rotary_factor: 0.5 } }, /rope_parameters\.partial_rotary_factor is 0\.5/],
    [
      { ...llama, rope_parameters: { full_attention: { rope_theta: 5 } } },
      /rope_parameters\.full_attention is a record of its own/,
    ],
    [
      { ...llama, rope_scaling: { rope_type: "yarn", factor: 4 } },
      /rope_scaling\.rope_type is "yarn"; supported are default, linear, dynamic, llama3/,
    ],
    [{ ...llama, rope_scaling: { type: 5 } }, /rope_scaling\.rope_type is 5/],
    [{ ...llama, hidden_act: "mish" }, /hidden_act is "mish"; supported are silu, swish, gelu/],
    [{ ...gpt2, activation_function: "quick_gelu" }, /activation_function is "quick_gelu"/],
    [{ ...gpt2, add_cross_attention: true }, /add_cross_attention is true; cross attention/],
    [{ ...qwen2, layer_types: ["linear_attention"] }, /layer_types has "linear_attention"/],
  ])("is an error that names the key: %j", async (raw, message) => {
    const error = await failure(() => parseConfig(raw, "some/config.json"));
    expect(error).toMatchObject({ name: "ThoughtbookError", code: "bad-input" });
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^some\/config\.json: /);
    expect(error.hint).toMatch(/^Choose .*\.$/);
  });
});

describe("what cannot be right", () => {
  it.each([
    [null, /holds no JSON object/],
    [[], /holds no JSON object/],
    [{ ...llama, hidden_size: "32" }, /hidden_size: .*expected number/],
    [{ ...llama, vocab_size: 0 }, /vocab_size: /],
    [{ ...llama, num_hidden_layers: 1.5 }, /num_hidden_layers: /],
    [{ ...llama, num_hidden_layers: 1e9 }, /num_hidden_layers: /],
    [{ ...gpt2, n_layer: 1e9 }, /n_layer: /],
    [{ ...llama, tie_word_embeddings: "yes" }, /tie_word_embeddings: /],
    [{ ...llama, eos_token_id: "</s>" }, /eos_token_id: /],
    [{ ...llama, num_attention_heads: 5 }, /hidden_size is 32, expected a multiple of num_attention_heads, 5/],
    [{ ...llama, num_key_value_heads: 3 }, /num_attention_heads is 4, expected a multiple of num_key_value_heads, 3/],
    [{ ...llama, head_dim: 7 }, /a head has 7 dimensions, expected an even number/],
    [{ ...gpt2, n_head: 5 }, /n_embd is 32, expected a multiple of n_head, 5/],
    [{ ...llama, rope_theta: -1 }, /rope_theta: /],
    [{ ...llama, rope_parameters: { rope_theta: "x" } }, /rope_parameters\.rope_theta: /],
    [{ ...llama, rope_scaling: { type: "linear" } }, /rope_scaling\.factor: /],
    [
      { ...llama, rope_scaling: { rope_type: "llama3", factor: 8, low_freq_factor: 1 } },
      /rope_scaling\.high_freq_factor: /,
    ],
    [
      { ...llama, rope_scaling: { rope_type: "llama3", factor: 8, low_freq_factor: 4, high_freq_factor: 4 } },
      /low_freq_factor is 4, expected less than high_freq_factor/,
    ],
  ])("is an error that names the key: %j", async (raw, message) => {
    const error = await failure(() => parseConfig(raw, "some/config.json"));
    expect(error).toMatchObject({ name: "ThoughtbookError", code: "corrupt-data" });
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^some\/config\.json/);
    expect(error.hint).toBeDefined();
  });

  it("may be the file itself", async () => {
    const folder = await temporaryFolder();
    expect(await failure(readConfig(folder))).toMatchObject({
      code: "not-found",
      message: expect.stringContaining(join(folder, "config.json")),
    });
    await writeFile(join(folder, "config.json"), "{");
    expect(await failure(readConfig(folder))).toMatchObject({
      code: "corrupt-data",
      message: expect.stringContaining("is not JSON"),
    });
    await mkdir(join(folder, "other", "config.json"), { recursive: true });
    expect(await failure(readConfig(join(folder, "other")))).toMatchObject({ code: "file-system" });
  });
});
