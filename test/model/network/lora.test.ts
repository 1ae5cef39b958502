import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Adapter,
  forward,
  generate,
  initializeAdapter,
  loadAdapter,
  type ModelParameters,
  mergeAdapter,
  openCheckpoint,
  openSafetensors,
  readParameters,
  saveAdapter,
} from "thoughtbook/model";
import { compile, spec, type TensorSpec, tensorData } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import { adaptedLayers } from "../../../lib/dist/model/network/lora-adapter.js";
import { failure, temporaryFolder } from "../../core/helpers.js";
import { ADAPTED, ADAPTERS, BASE_MODEL, fixtureAdapter } from "../adapter-fixtures.js";
import { parityIds } from "../generate/helpers.js";

const CHECKPOINTS = join(import.meta.dirname, "..", "..", "fixtures", "checkpoints");

async function open(name: string) {
  const checkpoint = await openCheckpoint(join(CHECKPOINTS, name));
  return { config: checkpoint.config, parameters: await readParameters(checkpoint) };
}

/** An adapter that changes something: B is not 0. */
async function trainedAdapter(name: string) {
  const { config, parameters } = await open(name);
  const adapter = initializeAdapter(config, { rank: 3, alpha: 5, seed: 1 });
  for (const [key, { data }] of Object.entries(adapter.parameters)) {
    if (key.endsWith("lora_B.weight")) data.set(Array.from(data, (_, i) => ((i % 7) - 3) / 10));
  }
  return { config, parameters, adapter };
}

const specsOf = (parameters: ModelParameters): Record<string, TensorSpec> =>
  Object.fromEntries(Object.entries(parameters).map(([name, { shape }]) => [name, spec(shape)]));

describe("targets of an adapter", () => {
  it("are all linear layers, or those that end so, or fit a pattern", async () => {
    const { config } = await open("llama-gqa-tied");
    const all = adaptedLayers(config, ["all-linear"]);
    expect(all).toHaveLength(7 * config.layers);
    expect(all[0]).toBe("model.layers.0.self_attn.q_proj");
    expect(adaptedLayers(config, ["v_proj", "q_proj"]).slice(0, 2)).toEqual([
      "model.layers.0.self_attn.q_proj",
      "model.layers.0.self_attn.v_proj",
    ]);
    expect(adaptedLayers(config, ["layers.1.*"])).toEqual(all.filter((layer) => layer.includes(".1.")));
    expect(adaptedLayers((await open("gpt2")).config, ["c_proj"])[1]).toBe("transformer.h.0.mlp.c_proj");
  });

  it("must fit a layer", async () => {
    const { config } = await open("llama-gqa-tied");
    const error = await failure(() => adaptedLayers(config, ["q_proj", "proj"]));
    expect(error.message).toBe('the adapter\'s target "proj" fits no linear layer');
    expect(error.hint).toContain("q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj");
    expect((await failure(() => adaptedLayers(config, ["lm_head"]))).code).toBe("bad-input");
  });
});

describe("initializeAdapter", () => {
  it("begins with A at random and B at 0", async () => {
    const { config } = await open("llama-gqa-tied");
    const { parameters, scale } = initializeAdapter(config, { rank: 4, alpha: 16, targets: ["down_proj"], seed: 1 });
    expect(scale).toBe(4);
    const a = parameters["model.layers.0.mlp.down_proj.lora_A.weight"]!;
    const b = parameters["model.layers.0.mlp.down_proj.lora_B.weight"]!;
    expect(a.shape).toEqual([4, config.intermediateSize]);
    expect(b.shape).toEqual([config.hiddenSize, 4]);
    const bound = 1 / Math.sqrt(config.intermediateSize);
    expect(Math.max(...a.data.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...a.data.map(Math.abs))).toBeGreaterThan(0.9 * bound);
    expect(new Set(b.data)).toEqual(new Set([0]));
    const normal = initializeAdapter(config, { rank: 4, initialization: "gaussian", seed: 1 });
    const { data } = normal.parameters["model.layers.0.mlp.down_proj.lora_A.weight"]!;
    expect(Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length)).toBeCloseTo(1 / 4, 1);
  });
});

describe.each(["llama-gqa-tied", "qwen2-bias", "gpt2"])("an adapter of %s", (name) => {
  it("gives the same logits beside the weights and merged into them", async () => {
    const { config, parameters, adapter } = await trainedAdapter(name);
    const ids = tensorData(Int32Array.of(3, 1, 4, 1, 5), [1, 5]);
    const signature = { weights: specsOf(parameters), ids: spec([1, 5], "int32") };
    const plain = compile(({ weights, ids }) => ({ logits: forward({ config, weights }, ids).logits }), signature);
    const beside = compile(
      ({ weights, adapters, ids }) => ({
        logits: forward({ config, weights, adapters: { scale: adapter.scale, weights: adapters } }, ids).logits,
      }),
      { ...signature, adapters: specsOf(adapter.parameters) },
    );
    const base = (await plain({ weights: parameters, ids })).logits;
    const merged = (await plain({ weights: mergeAdapter(config, parameters, adapter), ids })).logits;
    const adapted = (await beside({ weights: parameters, adapters: adapter.parameters, ids })).logits;
    const difference = (a: typeof base, b: typeof base) =>
      Math.max(...Array.from(a.data, (value, i) => Math.abs(value - b.data[i]!)));
    expect(difference(adapted, base)).toBeGreaterThan(1e-2);
    expect(difference(adapted, merged)).toBeLessThan(1e-4);
    await plain.dispose();
    await beside.dispose();
  });

  it("comes back from PEFT's files", async () => {
    const { config, adapter } = await trainedAdapter(name);
    const folder = await temporaryFolder();
    await saveAdapter(folder, config, adapter, { baseModel: "org/base" });
    const loaded = await loadAdapter(folder, config);
    expect(loaded.parameters).toEqual(adapter.parameters);
    expect(loaded).toMatchObject({ rank: 3, alpha: 5, scale: adapter.scale });
    const saved = JSON.parse(readFileSync(join(folder, "adapter_config.json"), "utf8"));
    expect(saved).toMatchObject({
      peft_type: "LORA",
      task_type: "CAUSAL_LM",
      base_model_name_or_path: "org/base",
      r: 3,
      lora_alpha: 5,
      fan_in_fan_out: name === "gpt2",
      target_modules:
        name === "gpt2"
          ? ["c_attn", "c_proj", "c_fc"]
          : ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"],
    });
    const file = await openSafetensors(join(folder, "adapter_model.safetensors"));
    expect([...file.tensors.keys()].every((key) => key.startsWith("base_model.model."))).toBe(true);
  });
});

describe("adapters and Python's PEFT", () => {
  const expected = JSON.parse(readFileSync(join(ADAPTERS, "expected.json"), "utf8")) as {
    adapters: Record<string, { model: string; greedy: number[]; layers: string[] }>;
  } & Record<string, number[]>;
  const jsonOf = (folder: string) => JSON.parse(readFileSync(join(folder, "adapter_config.json"), "utf8"));

  it.each(ADAPTED)("are written as it opened them: $folder", async ({ folder, model, targets }) => {
    const { config } = await open(model);
    const adapter = fixtureAdapter(config, targets);
    const written = await temporaryFolder();
    await saveAdapter(written, config, adapter, { baseModel: BASE_MODEL });
    expect(jsonOf(written)).toEqual(jsonOf(join(ADAPTERS, folder)));
    expect((await loadAdapter(join(ADAPTERS, folder), config)).parameters).toEqual(adapter.parameters);
    expect(expected.adapters[folder]!.layers).toEqual(adaptedLayers(config, targets).sort());
  });

  it.each(Object.keys(expected.adapters))("write the same texts: %s", async (folder) => {
    const { model, greedy, layers } = expected.adapters[folder]!;
    const { config, parameters } = await open(model);
    const adapter = await loadAdapter(join(ADAPTERS, folder), config);
    const adapted = Object.keys(adapter.parameters).flatMap((name) => /(.*)\.lora_A\.weight$/.exec(name)?.[1] ?? []);
    expect(adapted.sort()).toEqual(layers);
    const request = { prompt: await parityIds(model), temperature: 0, maxNewTokens: greedy.length, stopTokenIds: [] };
    const write = async (weights: ModelParameters) => (await generate({ config, weights }, [request]))[0]!.ids;
    expect(await write(mergeAdapter(config, parameters, adapter))).toEqual(greedy);
    expect(await write(parameters)).toEqual(expected[model]);
  });

  it("name all layers of a kind by how they end, as few as a pattern may choose", async () => {
    const { config } = await open("llama-gqa-tied");
    const modules = async (...targets: string[]) => {
      const folder = await temporaryFolder();
      await saveAdapter(folder, config, fixtureAdapter(config, targets));
      return jsonOf(folder).target_modules;
    };
    expect(await modules("self_attn.*")).toEqual(["q_proj", "k_proj", "v_proj", "o_proj"]);
    expect(await modules("model.layers.1.mlp.up_proj", "*.q_proj")).toEqual(["q_proj", "model.layers.1.mlp.up_proj"]);
  });
});

describe("loadAdapter", () => {
  async function saved(change: (config: Record<string, unknown>) => void, edit: (adapter: Adapter) => void = () => {}) {
    const { config, adapter } = await trainedAdapter("llama-gqa-tied");
    edit(adapter);
    const folder = await temporaryFolder();
    await saveAdapter(folder, config, adapter);
    const file = join(folder, "adapter_config.json");
    const content = JSON.parse(readFileSync(file, "utf8"));
    change(content);
    writeFileSync(file, JSON.stringify(content));
    return () => loadAdapter(folder, config);
  }

  it("reads the other scale of rank-stabilised adapters", async () => {
    const load = await saved((config) => Object.assign(config, { use_rslora: true, lora_alpha: 6, r: 3 }));
    expect((await load()).scale).toBeCloseTo(6 / Math.sqrt(3), 10);
  });

  it("refuses what is not plain LoRA, or of another model", async () => {
    const dora = await saved((config) => Object.assign(config, { use_dora: true }));
    expect((await failure(dora())).message).toMatch(/use_dora is true; only plain LoRA is supported/);
    const pissa = await saved((config) => Object.assign(config, { init_lora_weights: "pissa_niter_16" }));
    expect((await failure(pissa())).message).toMatch(/init_lora_weights is "pissa_niter_16"; only plain LoRA/);
    const other = await saved((config) => Object.assign(config, { peft_type: "IA3" }));
    expect((await failure(other())).message).toMatch(/peft_type is "IA3"/);
    const rank = await saved((config) => Object.assign(config, { r: 4 }));
    expect((await failure(rank())).message).toMatch(/lora_A\.weight is \[3, \d+\], expected \[4, \d+\]/);
    const broken = await saved((config) => Object.assign(config, { r: "three" }));
    expect(await failure(broken())).toMatchObject({ code: "corrupt-data" });
    const half = await saved(
      () => {},
      (adapter) => void delete adapter.parameters["model.layers.0.mlp.up_proj.lora_B.weight"],
    );
    expect((await failure(half())).message).toMatch(/up_proj\.lora_B\.weight is missing/);
    const gpt2 = await trainedAdapter("gpt2");
    const folder = await temporaryFolder();
    await saveAdapter(folder, gpt2.config, gpt2.adapter);
    const { config } = await open("llama-gqa-tied");
    expect((await failure(loadAdapter(folder, config))).message).toMatch(/adapts transformer\.h\.0\.attn\.c_attn/);
  });
});
