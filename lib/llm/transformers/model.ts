import { basename } from "node:path";
import { canonicalJson, checkWhole, interruptible, mapInTurns, sha256, sha256File } from "../../core/index.js";
import {
  type ChatTemplate,
  checkSequences,
  type OnnxFiles,
  readJsonFile,
  resolveRequests,
  type ScoreSequence,
  type Tokenizer,
} from "../../model/index.js";
import type { SessionOptions } from "../../tensor/index.js";
import { type Capability, requireCapability } from "../capabilities.js";
import type {
  Completion,
  GenerateTextOptions,
  Prompt,
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
  type TokenPrompt,
} from "../token-model.js";
import type { OnnxConfig } from "./config.js";
import { generateTexts } from "./generate.js";
import { type Batching, probeBatching } from "./probe.js";
import { openRuntime, type Runtime } from "./runtime.js";
import { scoreTexts } from "./score.js";

/** A model that transformers.js runs, from ONNX files of a local folder. */
export interface TransformersModel extends TokenModel {
  readonly folder: string;
  readonly files: OnnxFiles;
  readonly device: string;
}

export interface TransformersModelParts {
  name: string;
  folder: string;
  files: OnnxFiles;
  config: OnnxConfig;
  device: string;
  tokenizer?: Tokenizer | undefined;
  chatTemplate?: ChatTemplate | undefined;
  endIds: readonly number[];
  session?: SessionOptions | undefined;
}

/** The model in memory, and which texts it can compute together, once probed. */
interface Opened {
  runtime: Runtime;
  batching?: Promise<Batching>;
}

/** Create a language model from its parts. Its weights are read when first needed, and again after `dispose`. */
export function createTransformersModel(parts: TransformersModelParts): TransformersModel {
  const { name, folder, files, config, device, tokenizer, chatTemplate, endIds, session } = parts;
  const capabilities = new Set<Capability>([
    "tokenIds",
    "tokenLogProbs",
    "score",
    ...(tokenizer ? (["text", "countTokens"] as const) : []),
    ...(tokenizer && chatTemplate ? (["chat"] as const) : []),
  ]);
  const encoder = createPromptEncoder({ tokenizer, chatTemplate, model: { name, capabilities } });
  const idsOf = (prompt: Prompt): number[] => {
    if (isEmbeddingPrompt(prompt)) requireCapability(model, "softPrompts"); // Which it lacks, so this throws.
    return encoder.encode(prompt as TokenPrompt);
  };
  const precision = precisionOf(files.dtype);
  let opened: Promise<Opened> | undefined;
  const open = (): Promise<Opened> => {
    opened ??= openRuntime(folder, files, { device, session }).then(
      (runtime) => ({ runtime }),
      (error: unknown) => {
        opened = undefined; // Retried after an error.
        throw error;
      },
    );
    return opened;
  };
  const batchingOf = (model: Opened) => async () => {
    model.batching ??= probeBatching(model.runtime, config, precision.tolerance);
    return model.batching;
  };
  let hash: Promise<string> | undefined;

  const model: TransformersModel = {
    name,
    capabilities,
    engine: `transformers.js on ONNX Runtime, ${device}, ${files.dtype} (${files.graph})`,
    folder,
    files,
    device,
    tokenizer,
    chatTemplate,
    endIds,
    contextLength: Number.isFinite(config.maxPositions) ? config.maxPositions : undefined,
    parameterCount: config.parameterCount,
    encode: encoder.encode,
    async hash() {
      hash ??= hashFiles(folder, files).catch((error: unknown) => {
        hash = undefined;
        throw error;
      });
      return hash;
    },
    async generate(texts: readonly TextRequest[], options: GenerateTextOptions = {}) {
      const signal = interruptible(options.signal);
      const requests = await mapInTurns(texts, ({ prompt, ...rest }) => ({ ...rest, prompt: idsOf(prompt) }), signal);
      const { onText, onFinish, ...rest } = options;
      if (onText || [options, ...requests].some(({ stopStrings }) => stopStrings?.length))
        requireCapability(model, "text");
      const common = { ...rest, stopIds: options.stopIds ?? endIds, tokenizer };
      const resolved = resolveRequests(config, requests, common);
      const results: Completion[][] = requests.map(() => []);
      if (resolved.length === 0) return results;
      const current = await open();
      await generateTexts(current.runtime, resolved, {
        ...common,
        batchSize: options.batchSize ?? precision.batchSize,
        batching: batchingOf(current),
        vocabularySize: config.vocabularySize,
        maxPositions: config.maxPositions,
        onText: onText && (({ text, request, sample }) => onText(text, { request, sample })),
        onFinish: (generation) => {
          const { request, sample } = generation;
          const completion = completionOf(requests[request]!.prompt, generation);
          results[request]![sample] = completion;
          onFinish?.(completion, { request, sample });
        },
      });
      return results;
    },
    async score(texts: readonly ScoreRequest[], { attention, ...options }: ScoreTextOptions = {}): Promise<Score[]> {
      if (attention) requireCapability(model, "attention"); // Which it lacks, so this throws.
      const signal = interruptible(options.signal);
      const sequences = await mapInTurns(texts, (each) => encodeScoreRequest(each, encoder), signal);
      checkSequences(config, sequences satisfies ScoreSequence[]);
      checkWhole("batchSize", options.batchSize, 1);
      if (sequences.length === 0) return [];
      const current = await open();
      const { vocabularySize } = config;
      const scores = await scoreTexts(current.runtime, sequences, {
        ...options,
        batchSize: options.batchSize ?? precision.batchSize,
        vocabularySize,
        batching: batchingOf(current),
      });
      return sequences.map(({ continuation }, i) => ({ ids: continuation, logProbs: scores[i]! }));
    },
    async countTokens(prompt) {
      return idsOf(prompt).length;
    },
    async dispose() {
      const last = opened;
      opened = undefined;
      await (await last?.catch(() => undefined))?.runtime.dispose();
    },
  };
  return model;
}

/** What differs between texts computed together and alone. */
interface Precision {
  /** Tolerance for log-probabilities of the same text. */
  tolerance: number;
  /** Texts at a time where the caller leaves it open; undefined for as many as fit. */
  batchSize: number | undefined;
}

/**
 * Graphs of 8 bits and fewer round activations to steps of a percent as they run. A last digit that differs, as it does from
 * batch to batch, may fall on the other side of such a step, and change the text. So they compute one text at a time,
 * unless the caller prefers speed.
 */
function precisionOf(dtype: OnnxFiles["dtype"]): Precision {
  if (dtype === "fp32") return { tolerance: 1e-3, batchSize: undefined };
  return dtype === "fp16" ? { tolerance: 0.05, batchSize: undefined } : { tolerance: 0.3, batchSize: 1 };
}

async function hashFiles(folder: string, { graph, data }: OnnxFiles): Promise<string> {
  const weights: Record<string, string> = {};
  for (const file of [graph, ...data]) weights[basename(file)] = await sha256File(`${folder}/${file}`);
  return sha256(canonicalJson({ config: await readJsonFile(`${folder}/config.json`), weights }));
}
