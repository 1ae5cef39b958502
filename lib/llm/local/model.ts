import { interruptible, mapInTurns } from "../../core/index.js";
import {
  type ChatTemplate,
  checkRequests,
  checkSequences,
  disposeGenerationPrograms,
  disposeScorePrograms,
  type GenerateOptions,
  type GenerationRequest,
  generate,
  type HostModel,
  type ModelConfig,
  type Numerics,
  parameterCount,
  type QuantisedEngine,
  score,
  scoreWithAttention,
  type Tokenizer,
} from "../../model/index.js";
import type { SessionOptions } from "../../tensor/index.js";
import { type Capability, requireCapability } from "../capabilities.js";
import type {
  Completion,
  GenerateTextOptions,
  LanguageModel,
  Score,
  ScoreRequest,
  ScoreTextOptions,
  TextRequest,
} from "../language-model.js";
import {
  completionOf,
  createPromptEncoder,
  encodeScoreRequest,
  isEmbeddingPrompt,
  type TokenModel,
} from "../token-model.js";

/**
 * A model on this library's engine with access to its internals: its weights for gradients and attention, its
 * tokenizer.
 */
export interface LocalModel extends TokenModel {
  readonly config: ModelConfig;
  /** Options of its programs. */
  readonly session: SessionOptions | undefined;
  /** How it generates and scores. */
  readonly numerics: Numerics;
  /** Whether {@link host} has the weights in the blocks that they are stored in. */
  readonly lowMemory: boolean;
  /** The model with its weights in memory; they are read when first needed. */
  host(): Promise<HostModel>;
  /** The model as it generates and scores: that of {@link host}, or one without weights of its own that computes `fast`. */
  running(): Promise<HostModel>;
}

export const isLocalModel = (model: LanguageModel): model is LocalModel => "host" in model;

/** How the numbers of a model on this library's engine come about, as records name it. */
export type NumericalPath = { numerics?: Numerics; lowMemory?: true };

/** The path of a model's numbers, for settings of a run; nothing of models on other engines. */
export const numericalPath = (model: LanguageModel): NumericalPath =>
  isLocalModel(model) ? pathOf(model.numerics, model.lowMemory) : {};

/** The path on which weights are trained. */
export const trainingPath = (lowMemory: boolean): NumericalPath => pathOf("exact", lowMemory);

/** The path of runs of earlier versions, which named it only where it was another. */
export const UNNAMED_PATH: NumericalPath = { numerics: "exact" };

const pathOf = (numerics: Numerics, lowMemory: boolean): NumericalPath => ({
  numerics,
  ...(lowMemory ? { lowMemory } : {}),
});

export interface LocalModelParts {
  name: string;
  config: ModelConfig;
  /** The model itself, or how to read it when it is first needed. */
  host: HostModel | (() => Promise<HostModel>);
  tokenizer?: Tokenizer | undefined;
  chatTemplate?: ChatTemplate | undefined;
  /** Default: the ones named by the configuration, or else by the tokenizer. */
  endIds?: readonly number[] | undefined;
  /** Operations that it knows by their tags. Default: none. */
  operations?: ReadonlySet<string> | undefined;
  /** Default: none, as for a model in training. */
  hash?: (() => Promise<string>) | undefined;
  /** Options of ONNX Runtime: threads, execution providers. */
  session?: SessionOptions | undefined;
  /** Opens what computes with quantised weights: the model is then `fast`. Default: it is `exact`. */
  engine?: (() => Promise<QuantisedEngine>) | undefined;
  /** Whether `host` gives weights in blocks. Default: no. */
  lowMemory?: boolean | undefined;
}

/** Create a language model from its parts, such as one in training. `host` may replace its weights between calls. */
export function createLocalModel(parts: LocalModelParts): LocalModel {
  const { name, config, tokenizer, chatTemplate, session, lowMemory = false } = parts;
  const numerics: Numerics = parts.engine ? "fast" : "exact";
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
  let engine: Promise<QuantisedEngine> | undefined;
  let fast: HostModel | undefined;
  const running = async () => {
    if (!parts.engine) return host();
    if (fast) return fast;
    // After an error it is tried again.
    engine ??= parts.engine().catch((error: unknown) => {
      engine = undefined;
      throw error;
    });
    const quantised = await engine;
    fast ??= { config, weights: {}, quantised };
    return fast;
  };
  let hash: Promise<string> | undefined;
  const encoder = createPromptEncoder({ tokenizer, chatTemplate, model: { name, capabilities } });
  const read = ({ prompt, ...options }: TextRequest): GenerationRequest => ({
    ...options,
    prompt: isEmbeddingPrompt(prompt) ? prompt.embeddings : encoder.encode(prompt),
  });

  const inProgress = new Set<Promise<unknown>>();
  /** Compute with a model; what it uses is freed only when that has ended. */
  const during = async <T>(used: () => Promise<HostModel>, work: (own: HostModel) => Promise<T>): Promise<T> => {
    const call = used().then(work);
    inProgress.add(call);
    return call.finally(() => inProgress.delete(call));
  };

  const model: LocalModel = {
    name,
    capabilities,
    config,
    tokenizer,
    chatTemplate,
    endIds,
    session,
    contextLength: config.maxPositions,
    parameterCount: parameterCount(config),
    engine: [
      `thoughtbook on ONNX Runtime, ${(session?.executionProviders ?? ["cpu"]).join(", ")}`,
      ...(numerics === "fast" ? ["fast"] : []),
      ...(lowMemory ? ["low memory"] : []),
    ].join(", "),
    numerics,
    lowMemory,
    operations: parts.operations,
    host,
    running,
    encode: encoder.encode,
    async hash() {
      hash ??= parts.hash?.();
      return hash;
    },
    async generate(texts: readonly TextRequest[], options: GenerateTextOptions = {}) {
      const signal = interruptible(options.signal);
      const requests = await mapInTurns(texts, read, signal);
      const { onText, onFinish, ...rest } = options;
      const common = { ...rest, signal, stopIds: options.stopIds ?? endIds, tokenizer, session };
      if (onText || [options, ...requests].some(({ stopStrings }) => stopStrings?.length))
        requireCapability(model, "text");
      checkRequests(config, requests, common);
      const results: Completion[][] = requests.map(() => []);
      const own = {
        ...common,
        onText: onText && (({ text, request, sample }) => onText(text, { request, sample })),
        onFinish: (generation) => {
          const { request, sample } = generation;
          const { prompt } = requests[request]!;
          const completion = completionOf("shape" in prompt ? prompt.shape[0]! : prompt, generation);
          results[request]![sample] = completion;
          onFinish?.(completion, { request, sample });
        },
      } satisfies GenerateOptions;
      await during(running, (used) => generate(used, requests, own));
      return results;
    },
    async score(texts: readonly ScoreRequest[], { attention, ...given }: ScoreTextOptions = {}): Promise<Score[]> {
      const options = { ...given, signal: interruptible(given.signal) };
      const sequences = await mapInTurns(texts, (each) => encodeScoreRequest(each, encoder), options.signal);
      checkSequences(config, sequences);
      if (attention) {
        const { heads } = config;
        const scores = await during(host, (used) => scoreWithAttention(used, sequences, { ...options, session }));
        return scores.map(({ logProbs, attention: mass }, i) => ({
          ids: sequences[i]!.continuation,
          logProbs,
          attention: { mass, heads },
        }));
      }
      const scores = await during(running, (used) => score(used, sequences, { ...options, session }));
      return sequences.map(({ continuation }, i) => ({ ids: continuation, logProbs: scores[i]! }));
    },
    async countTokens(prompt) {
      return isEmbeddingPrompt(prompt) ? prompt.embeddings.shape[0]! : encoder.encode(prompt).length;
    },
    async dispose() {
      while (inProgress.size > 0) await Promise.allSettled(inProgress);
      const opened = await engine?.catch(() => undefined);
      [engine, fast] = [undefined, undefined];
      await Promise.all([disposeGenerationPrograms(config), disposeScorePrograms(config), opened?.dispose()]);
    },
  };
  return model;
}
