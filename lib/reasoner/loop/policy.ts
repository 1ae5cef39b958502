import { join } from "node:path";
import { createRandom } from "../../core/index.js";
import { type LoadModelOptions, type LocalModel, loadLocalModel } from "../../llm/index.js";
import { loadAdapter, type ModelParameters, mergeAdapter, resolveModel } from "../../model/index.js";
import { policyModel, saveTrained, type Trained } from "../../train/index.js";

/** Where the weights of a round are: its own, those of a round before, or the model's that it began with. */
export type PolicyPlace = { kind: "base" } | { kind: "weights" | "adapter"; folder: string };

/** Write what a round has trained, and say where. */
export async function savePolicy(
  folder: string,
  base: LocalModel,
  trained: Pick<Trained, "parameters" | "adapter">,
): Promise<PolicyPlace> {
  const model = await resolveModel(base.name);
  const kind = trained.adapter ? "adapter" : "weights";
  const out = join(folder, kind === "adapter" ? "adapter" : "model");
  await saveTrained({ model, out, merge: false, dtype: "float32" }, base.config, trained);
  return { kind, folder: out };
}

/** Open the policy of a round. An adapter is merged where attempts go on to be learned from with another one. */
export async function openPolicy(
  base: LocalModel,
  place: PolicyPlace,
  { merged = false, ...options }: Pick<LoadModelOptions, "session" | "signal"> & { merged?: boolean } = {},
): Promise<LocalModel> {
  if (place.kind === "base") return base;
  if (place.kind === "weights") return loadLocalModel(place.folder, options);
  const { config, weights } = await base.host();
  const adapter = await loadAdapter(place.folder, config);
  const parameters = weights as ModelParameters;
  return merged
    ? policyModel(base, { step: 0, config, parameters: mergeAdapter(config, parameters, adapter) })
    : policyModel(base, { step: 0, config, parameters, adapter });
}

/** A model with normal noise on each matrix, of a share of the matrix's own standard deviation; the seed decides which. */
export async function weakened(model: LocalModel, share: number, seed: number | string): Promise<LocalModel> {
  const { config, weights } = await model.host();
  const random = createRandom(seed).stream("weaken");
  const parameters = Object.fromEntries(
    Object.entries(weights as ModelParameters).map(([name, tensor]) => {
      if (tensor.shape.length < 2) return [name, tensor];
      const own = random.stream(name);
      const deviation = Math.sqrt(tensor.data.reduce((sum, each) => sum + each * each, 0) / tensor.data.length);
      return [name, { ...tensor, data: tensor.data.map((each) => each + share * deviation * own.normal()) }];
    }),
  );
  return policyModel(model, { step: 0, config, parameters: parameters as ModelParameters });
}
