import { createLocalModel, type LocalModel, withSoftTokens } from "../../llm/index.js";
import type { TensorData } from "../../tensor/index.js";
import { SOFT_PROMPT } from "../objectives/token-scores.js";
import type { Snapshot } from "./source.js";

/**
 * The policy in the middle of its training as a language model: the model that the training began with, with the weights,
 * the adapter and the soft prompt of now.
 */
export function policyModel(base: LocalModel, { parameters, blocks, adapter, extra }: Snapshot): LocalModel {
  const { name, config, tokenizer, chatTemplate, endIds, operations, session } = base;
  const model = createLocalModel({
    ...{ name, config, tokenizer, chatTemplate, endIds, operations, session },
    operations: operations && new Set(operations),
    host: { config, weights: parameters, ...(blocks ? { blocks } : {}), ...(adapter ? { adapter } : {}) },
    lowMemory: blocks !== undefined,
  });
  const prompt = extra?.[SOFT_PROMPT];
  return prompt ? withSoftTokens(model, prompt as TensorData<"float32">) : model;
}
