import { badInput } from "../core/index.js";

/** Optional capabilities of models: what each means, and which models have it. */
const CAPABILITIES = {
  text: {
    what: "prompts and completions as text",
    where: "a checkpoint with a tokenizer.json",
  },
  chat: {
    what: "conversations",
    where: 'a checkpoint with a chat template, such as "HuggingFaceTB/SmolLM2-135M-Instruct"',
  },
  tokenIds: {
    what: "prompts and completions as token ids",
    where: "a checkpoint on the local engine, by its folder or its name on the hub",
  },
  countTokens: {
    what: "the number of tokens of a prompt",
    where: "a checkpoint with a tokenizer.json on the local engine",
  },
  tokenLogProbs: {
    what: "log-probabilities of the tokens it generates",
    where: "a checkpoint on the local engine, by its folder or its name on the hub",
  },
  score: {
    what: "log-probabilities of given texts",
    where: "a checkpoint on the local engine, by its folder or its name on the hub",
  },
  softPrompts: {
    what: "prompts of embeddings",
    where: "a checkpoint on the local engine, by its folder or its name on the hub",
  },
  attention: {
    what: "attention weights",
    where: "a checkpoint on the local engine, by its folder or its name on the hub",
  },
  gradients: {
    what: "gradients with respect to weights and embeddings",
    where: "a checkpoint on the local engine, by its folder or its name on the hub",
  },
} as const satisfies Record<string, { what: string; where: string }>;

export type Capability = keyof typeof CAPABILITIES;
export const CAPABILITY_NAMES = Object.keys(CAPABILITIES) as readonly Capability[];

/**
 * Check, before any work, that a model can do what a method needs.
 *
 * @param purpose what needs it, such as "A*-Thought"
 * @throws bad-input that names the capability and a model that has it
 */
export function requireCapability(
  model: { readonly name: string; readonly capabilities: ReadonlySet<Capability> },
  capability: Capability,
  purpose?: string,
): void {
  if (model.capabilities.has(capability)) return;
  const { what, where } = CAPABILITIES[capability];
  const whoAsks = purpose === undefined ? "" : `, which ${purpose} needs`;
  throw badInput(`the model ${model.name} does not give ${what} (${capability})${whoAsks}`, `One that does: ${where}.`);
}
