import { ThoughtbookError } from "../core/index.js";
import {
  type ChatTemplate,
  checkRequests,
  checkSequences,
  disposeGenerationPrograms,
  disposeScorePrograms,
  encodeChat,
  type Generation,
  type GenerationRequest,
  generate,
  type HostModel,
  type ModelConfig,
  parameterCount,
  type ScoreSequence,
  score,
  type Tokenizer,
} from "../model/index.js";
import type { SessionOptions } from "../tensor/index.js";
import { type Capability, requireCapability } from "./capabilities.js";
import type {
  ChatPrompt,
  Completion,
  GenerateTextOptions,
  LanguageModel,
  Prompt,
  Score,
  ScoreRequest,
  ScoreTextOptions,
  TextRequest,
} from "./language-model.js";

/** A model on the engine of this library, with everything open: its weights for gradients and attention, its tokenizer. */
export interface LocalModel extends LanguageModel {
  readonly config: ModelConfig;
  readonly tokenizer: Tokenizer | undefined;
  readonly chatTemplate: ChatTemplate | undefined;
  /** Each of these ends a text unless a request tells otherwise. */
  readonly endIds: readonly number[];
  /** The model with its weights in memory; they are read when first needed. */
  host(): Promise<HostModel>;
  /**
   * The ids of a prompt, to be joined with others; not of embeddings.
   * @throws bad-input
   */
  encode(prompt: Exclude<Prompt, { embeddings: unknown }>): number[];
}

export interface LocalModelParts {
  name: string;
  config: ModelConfig;
  /** The model itself, or how to read it when it is first needed. */
  host: HostModel | (() => Promise<HostModel>);
  tokenizer?: Tokenizer | undefined;
  chatTemplate?: ChatTemplate | undefined;
  /** Default: those that the configuration names, or else the tokenizer. */
  endIds?: readonly number[] | undefined;
  /** Default: none, as for a model in training. */
  hash?: (() => Promise<string>) | undefined;
  /** Of ONNX Runtime: threads, execution providers. */
  session?: SessionOptions | undefined;
}

/** A language model from its parts, such as one in training. Its weights may be replaced from call to call by `host`. */
export function createLocalModel(parts: LocalModelParts): LocalModel {
  const { name, config, tokenizer, chatTemplate, session } = parts;
  const endIds = parts.endIds ?? (config.endIds.length > 0 ? config.endIds : (tokenizer?.endIds ?? []));
  const capabilities = new Set<Capability>([
    "tokenIds",
    "tokenLogProbs",
    "score",
    "softPrompts",
    "attention",
    "gradients",
    ...(tokenizer ? (["text", "countTokens"] as const) : []),
    ...(tokenizer && chatTemplate ? (["chat"] as const) : []),
  ]);
  const host = async () => (typeof parts.host === "function" ? parts.host() : parts.host);
  let hash: Promise<string> | undefined;
  const tokens = (): Tokenizer => {
    requireCapability(model, "text");
    return tokenizer!;
  };
  const encodeMessages = ({ messages, answer, variables }: ChatPrompt): number[] => {
    requireCapability(model, "chat");
    const ids = encodeChat(tokens(), chatTemplate!, messages, {
      addGenerationPrompt: true,
      ...(variables ? { variables } : {}),
    });
    return answer ? [...ids, ...continuationIds(answer)] : ids;
  };
  const continuationIds = (text: string) => tokens().encode(text, { addSpecialTokens: false, continues: true });
  const encode = (prompt: Exclude<Prompt, { embeddings: unknown }>): number[] => {
    if (typeof prompt === "string") return tokens().encode(prompt);
    return "ids" in prompt ? [...prompt.ids] : encodeMessages(prompt);
  };
  const read = ({ prompt, ...options }: TextRequest): GenerationRequest => ({
    ...options,
    prompt: typeof prompt === "object" && "embeddings" in prompt ? prompt.embeddings : encode(prompt),
  });

  const model: LocalModel = {
    name,
    capabilities,
    config,
    tokenizer,
    chatTemplate,
    endIds,
    contextLength: config.maxPositions,
    parameterCount: parameterCount(config),
    host,
    encode,
    async hash() {
      hash ??= parts.hash?.();
      return hash;
    },
    async generate(texts: readonly TextRequest[], options: GenerateTextOptions = {}) {
      const requests = texts.map(read);
      const { onText, onFinish, ...rest } = options;
      const common = { ...rest, stopIds: options.stopIds ?? endIds, tokenizer, session };
      if (onText || [options, ...requests].some(({ stopStrings }) => stopStrings?.length))
        requireCapability(model, "text");
      checkRequests(config, requests, common);
      const results: Completion[][] = requests.map(() => []);
      await generate(await host(), requests, {
        ...common,
        onText: onText && (({ text, request, sample }) => onText(text, { request, sample })),
        onFinish: (generation) => {
          const { request, sample } = generation;
          const completion = completionOf(requests[request]!, generation);
          results[request]![sample] = completion;
          onFinish?.(completion, { request, sample });
        },
      });
      return results;
    },
    async score(texts: readonly ScoreRequest[], options: ScoreTextOptions = {}): Promise<Score[]> {
      const sequences = texts.map(({ prompt, continuation }) => ({
        prompt: idsOnly(prompt, encode),
        continuation: typeof continuation === "string" ? continuationIds(continuation) : continuation.ids,
      })) satisfies ScoreSequence[];
      checkSequences(config, sequences);
      const scores = await score(await host(), sequences, { ...options, session });
      return sequences.map(({ continuation }, i) => ({ ids: continuation, logProbs: scores[i]! }));
    },
    async countTokens(prompt) {
      if (typeof prompt === "object" && "embeddings" in prompt) return prompt.embeddings.shape[0]!;
      return encode(prompt).length;
    },
    async dispose() {
      await Promise.all([disposeGenerationPrograms(config), disposeScorePrograms(config)]);
    },
  };
  return model;
}

function completionOf(
  { prompt }: GenerationRequest,
  { text = "", finishReason, ids, logProbs }: Generation,
): Completion {
  const promptIds = "shape" in prompt ? [] : prompt;
  return {
    text,
    finishReason,
    promptTokens: "shape" in prompt ? prompt.shape[0]! : prompt.length,
    completionTokens: ids.length,
    tokens: { promptIds, completionIds: ids, logProbs },
  };
}

function idsOnly(prompt: Prompt, encode: LocalModel["encode"]): readonly number[] {
  if (typeof prompt === "string" || !("embeddings" in prompt)) return encode(prompt);
  throw new ThoughtbookError("bad-input", "a prompt of embeddings cannot be scored after", {
    hint: "Give a text, a conversation or ids; scores after a soft prompt come from a compiled `forward`.",
  });
}
