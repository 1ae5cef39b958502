export {
  gelu,
  geluReference,
  geluTanh,
  geluTanhReference,
  silu,
  siluReference,
  squaredRelu,
  squaredReluReference,
  swiGlu,
  swiGluReference,
} from "./activations.js";
export {
  type AttentionOptions,
  attentionProbabilities,
  causalAttention,
  causalAttentionReference,
  weightedAttention,
} from "./attention.js";
export {
  type CachedAttention,
  type CachedAttentionOptions,
  cachedAttention,
  cachedAttentionReference,
  type KeyValueCache,
} from "./cached-attention.js";
export { softmaxCrossEntropy, softmaxCrossEntropyReference } from "./cross-entropy.js";
export { embedding, embeddingReference } from "./embedding.js";
export { layerNorm, layerNormReference, rmsNorm, rmsNormReference } from "./norms.js";
export { type RotaryTable, rotary, rotaryReference } from "./rotary.js";
