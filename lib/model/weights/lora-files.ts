import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { badInput, fileSystemError, ThoughtbookError, writeWhole } from "../../core/index.js";
import type { ModelConfig } from "../config/config.js";
import { readJsonFile } from "../config/read.js";
import { type Adapter, adapterNames, layersOf, linearLayers, linearShape } from "../network/lora-adapter.js";
import type { ModelParameters } from "./checkpoint.js";
import { openSafetensors, readFloats } from "./safetensors.js";
import { writeSafetensors } from "./safetensors-write.js";

const WEIGHTS = "adapter_model.safetensors";
const CONFIG = "adapter_config.json";
/** What PEFT puts before the names of the model. */
const PREFIX = "base_model.model.";

export interface SaveAdapterOptions {
  /** The name or folder of the model that the adapter belongs to. */
  baseModel?: string;
}

/**
 * Write an adapter as Python's PEFT does: `adapter_model.safetensors` and `adapter_config.json`.
 *
 * @throws file-system
 */
export async function saveAdapter(
  folder: string,
  config: ModelConfig,
  adapter: Adapter,
  { baseModel }: SaveAdapterOptions = {},
): Promise<void> {
  const { rank, scale, parameters } = adapter;
  const content = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: baseModel ?? null,
    r: rank,
    lora_alpha: scale * rank,
    lora_dropout: 0,
    target_modules: targetModules(config, layersOf(Object.keys(parameters))),
    bias: "none",
    fan_in_fan_out: config.family === "gpt2",
    use_rslora: false,
    use_dora: false,
    modules_to_save: null,
    inference_mode: true,
  };
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileSystemError(error, "make the folder", folder);
  });
  const named = Object.fromEntries(Object.entries(parameters).map(([name, value]) => [PREFIX + name, value]));
  await writeSafetensors(join(folder, WEIGHTS), named);
  await writeWhole(join(folder, CONFIG), `${JSON.stringify(content, null, 2)}\n`);
}

/**
 * Adapted layers as PEFT names them: the end of a name (`q_proj`, or `attn.c_proj` where others end with `c_proj`) if all
 * layers that end so are adapted, else the whole name.
 */
function targetModules(config: ModelConfig, layers: readonly string[]): string[] {
  const adapted = new Set(layers);
  const all = linearLayers(config);
  const nameOf = (layer: string): string => {
    const parts = layer.split(".");
    const endings = [parts.slice(-1), parts.slice(-2)].map((end) => end.join("."));
    const isOwn = (end: string) => all.filter((each) => each.endsWith(`.${end}`)).every((each) => adapted.has(each));
    return endings.find(isOwn) ?? layer;
  };
  return [...new Set(layers.map(nameOf))];
}

const configSchema = z.object({
  peft_type: z.string(),
  r: z.int().positive(),
  lora_alpha: z.number().positive(),
  target_modules: z.union([z.array(z.string()), z.string()]).nullish(),
  use_rslora: z.boolean().nullish(),
});

/** Keys that make an adapter more than B · A, unless they have one of these values. */
const PLAIN: Record<string, readonly unknown[]> = {
  use_dora: [false],
  bias: ["none"],
  modules_to_save: [[]],
  rank_pattern: [{}],
  alpha_pattern: [{}],
  trainable_token_indices: [[]],
  target_parameters: [[]],
  // The others subtract the beginning from the weights of the model, which the folder does not hold.
  init_lora_weights: [true, false, "gaussian", "eva", "orthogonal"],
  layer_replication: [null],
  lora_bias: [false],
  use_qalora: [false],
  use_bdlora: [null],
  alora_invocation_tokens: [null],
  arrow_config: [null],
  kasa_config: [null],
  monteclora_config: [null],
  velora_config: [null],
};

/**
 * Read an adapter that PEFT or {@link saveAdapter} wrote, for a model of the given configuration.
 *
 * @throws not-found, file-system, corrupt-data (broken files, weights that do not fit), bad-input (another method than
 *   plain LoRA, or layers that the model does not have)
 */
export async function loadAdapter(folder: string, config: ModelConfig): Promise<Adapter> {
  const file = join(folder, CONFIG);
  const raw = await readJsonFile(file);
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new ThoughtbookError("corrupt-data", `${file}: ${path.join(".") || "it"}: ${message}`, {
      hint: "Save the adapter again.",
    });
  }
  const given = parsed.data;
  refuseOtherMethods(given.peft_type, raw as Record<string, unknown>, file);
  const { r: rank, lora_alpha: alpha, target_modules: targets } = given;
  const parameters = await readWeights(join(folder, WEIGHTS), config, rank);
  const scale = alpha / (given.use_rslora ? Math.sqrt(rank) : rank);
  return {
    rank,
    alpha,
    scale,
    targets: Array.isArray(targets) ? targets : layersOf(Object.keys(parameters)),
    parameters,
  };
}

async function readWeights(path: string, config: ModelConfig, rank: number): Promise<ModelParameters> {
  const file = await openSafetensors(path);
  const known = new Set(linearLayers(config));
  const names = [...file.tensors.keys()];
  const layers = layersOf(names).map((layer) => (layer.startsWith(PREFIX) ? layer.slice(PREFIX.length) : layer));
  const parameters: ModelParameters = {};
  for (const layer of layers) {
    if (!known.has(layer)) {
      throw badInput(
        `${path} adapts ${layer}, which is no linear layer of the model`,
        "Take the model that the adapter was trained on.",
      );
    }
    const { input, output } = linearShape(config, layer);
    const [a, b] = adapterNames(layer);
    for (const [name, shape] of [
      [a, [rank, input]],
      [b, [output, rank]],
    ] as const) {
      const stored = names.includes(PREFIX + name) ? PREFIX + name : name;
      const found = file.tensors.get(stored)?.shape.join(", ");
      if (found !== shape.join(", ")) {
        const message = `${path}: ${name} is ${found === undefined ? "missing" : `[${found}]`}, expected [${shape.join(", ")}]`;
        throw new ThoughtbookError("corrupt-data", message, {
          hint: "Take the model that the adapter was trained on, or save the adapter again.",
        });
      }
      parameters[name] = { shape, dtype: "float32", data: await readFloats(file, stored) };
    }
  }
  if (names.length === 2 * layers.length && layers.length > 0) return parameters;
  const extra = names.find((name) => !/\.lora_[AB]\.weight$/.test(name));
  throw badInput(
    `${path} holds ${extra ?? "no pairs of lora_A and lora_B"}`,
    "Only adapters of linear layers, without further weights, are supported.",
  );
}

function refuseOtherMethods(type: string, raw: Record<string, unknown>, file: string): void {
  const values = { ...raw, peft_type: type };
  for (const [key, plain] of Object.entries({ ...PLAIN, peft_type: ["LORA"] })) {
    const value = (values as Record<string, unknown>)[key] ?? plain[0];
    if (plain.some((each) => JSON.stringify(each) === JSON.stringify(value))) continue;
    throw badInput(
      `${file}: ${key} is ${JSON.stringify(value)}; only plain LoRA is supported`,
      "Merge the adapter into its model with Python's PEFT.",
    );
  }
}
