import type { ModelConfig } from "../config/config.js";
import type { HostModel } from "../network/host-model.js";
import { fingerprintInTurns } from "./fingerprint.js";
import { createPrefixStore, type PrefixStore } from "./prefix-store.js";
import type { ResolvedRequest } from "./request.js";

/*
 * Keys and values of beginnings are kept from call to call, beside the weights that they were computed with. Weights may
 * be changed where they are, by training, between two calls: what is kept is used only after their checksum has been
 * compared, and dropped where it differs.
 */

/** Default memory for beginnings that texts may share: 256 MiB. */
export const PREFIX_MEMORY = 2 ** 28;
/** Tokens from which comparing the weights pays: their checksum takes about as long as reading 25. */
const WORTH_TOKENS = 128;

/** Beginnings known to one generator. */
export interface Prefixes {
  readonly store: PrefixStore;
  /** Changes when all beginnings are dropped: texts that were begun before are not kept. */
  readonly epoch: number;
  /**
   * Begin some work: drop what other weights gave.
   *
   * @param texts what is to do: whether it is worthwhile to compare the weights
   * @returns whether beginnings may be looked up and kept
   */
  begin(texts: readonly Pick<ResolvedRequest, "length" | "limit" | "samples">[]): Promise<boolean>;
}

interface Kept {
  config: ModelConfig;
  numerics: string;
  limit: number;
  store: PrefixStore;
  fingerprint: number | undefined;
  epoch: number;
}

const byWeights = new WeakMap<object, Kept>();
const byConfig = new WeakMap<ModelConfig, Set<WeakRef<PrefixStore>>>();

/**
 * @param numerics what besides the model decides its numbers
 * @param limit bytes
 * @param fixed whether the weights never change: the beginnings belong to this generator, and nothing is compared
 */
export function openPrefixes(model: HostModel, numerics: string, limit: number, fixed: boolean): Prefixes {
  if (fixed || limit === 0) {
    const store = createPrefixStore(model.config, limit);
    return { store, epoch: 0, begin: async () => limit > 0 };
  }
  const kept = keptOf(model, numerics, limit);
  return {
    store: kept.store,
    get epoch() {
      return kept.epoch;
    },
    async begin(texts) {
      let tokens = 0;
      for (const { length, limit, samples } of texts) {
        if (tokens >= WORTH_TOKENS) break;
        tokens += length + limit * samples;
      }
      if (tokens < WORTH_TOKENS) return false;
      const fingerprint = await fingerprintInTurns(model);
      if (kept.fingerprint !== fingerprint) {
        kept.store.clear();
        kept.epoch++;
      }
      kept.fingerprint = fingerprint;
      return true;
    },
  };
}

function keptOf(model: HostModel, numerics: string, limit: number): Kept {
  // Trained tensors identify a model.
  const key = model.adapter?.parameters ?? model.weights;
  const { config } = model;
  const found = byWeights.get(key);
  if (found?.config === config && found.numerics === numerics && found.limit === limit) return found;
  const kept = { config, numerics, limit, store: createPrefixStore(config, limit), fingerprint: undefined, epoch: 0 };
  byWeights.set(key, kept);
  const all = byConfig.get(config) ?? new Set();
  byConfig.set(config, all.add(new WeakRef(kept.store)));
  return kept;
}

/** Drop the beginnings kept for all models of a configuration. */
export function disposePrefixes(config: ModelConfig): void {
  for (const store of byConfig.get(config) ?? []) store.deref()?.clear();
  byConfig.delete(config);
}
