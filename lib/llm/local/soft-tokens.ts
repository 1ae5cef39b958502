import { badInput, sha256 } from "../../core/index.js";
import { promptEmbeddings } from "../../model/index.js";
import type { TensorData } from "../../tensor/index.js";
import type { LanguageModel, Prompt, TextRequest } from "../language-model.js";
import { isEmbeddingPrompt, type TokenPrompt } from "../token-model.js";
import type { LocalModel } from "./model.js";

/**
 * A model whose vocabulary goes on with vectors: a prompt's ids from the size of the vocabulary on stand for rows of a
 * table of embeddings, such as those of a soft prompt. Completions name them among their prompt ids. It only generates
 * and counts; the weights stay as they are.
 *
 * @param vectors `[vectors, hidden]`; read at each call
 * @throws bad-input (from a call) for an id that neither the vocabulary nor the table has, or vectors of another width
 */
export function withSoftTokens(model: LocalModel, vectors: TensorData<"float32">): LocalModel {
  const { vocabularySize, hiddenSize } = model.config;
  if (vectors.shape.length !== 2 || vectors.shape[1] !== hiddenSize) {
    throw badInput(
      `the vectors are [${vectors.shape.join(", ")}], expected [vectors, ${hiddenSize}]`,
      "Take those that were trained for this model.",
    );
  }
  const isSoft = (id: number) => id >= vocabularySize && id < vocabularySize + vectors.shape[0]!;
  const capabilities = new Set([...model.capabilities].filter((each) => each !== "score" && each !== "attention"));
  return {
    ...model,
    capabilities,
    async hash() {
      const own = await model.hash();
      const { data } = vectors;
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      return own === undefined ? undefined : sha256(`${own} ${sha256(bytes)}`);
    },
    async generate(requests, options = {}) {
      const ids = requests.map(({ prompt }) =>
        isEmbeddingPrompt(prompt) ? undefined : model.encode(prompt as TokenPrompt),
      );
      const running = await model.running();
      const embedded = requests.map((request, at): TextRequest => {
        const own = ids[at];
        if (!own?.some(isSoft)) return request;
        // Embeddings of id 0 stand where the vectors go.
        const embeddings = promptEmbeddings(
          running,
          own.map((id) => (isSoft(id) ? 0 : id)),
        );
        for (const [place, id] of own.entries()) {
          if (!isSoft(id)) continue;
          const first = (id - vocabularySize) * hiddenSize;
          embeddings.data.set(vectors.data.subarray(first, first + hiddenSize), place * hiddenSize);
        }
        return { ...request, prompt: { embeddings } };
      });
      const named = <C extends Awaited<ReturnType<LanguageModel["generate"]>>[number][number]>(
        each: C,
        at: number,
      ): C => {
        const own = ids[at];
        return own && each.tokens ? { ...each, tokens: { ...each.tokens, promptIds: own } } : each;
      };
      const { onFinish } = options;
      const results = await model.generate(embedded, {
        ...options,
        ...(onFinish ? { onFinish: (each, place) => onFinish(named(each, place.request), place) } : {}),
      });
      return results.map((samples, at) => samples.map((each) => named(each, at)));
    },
  };
}

/**
 * A model with a soft prompt: every prompt is preceded by its vectors.
 *
 * @param vectors `[vectors, hidden]`
 * @throws bad-input for vectors of another width
 *
 * @example
 * ```ts
 * import { loadLocalModel, softPromptOf, withSoftPrompt } from "thoughtbook/llm";
 *
 * const model = await loadLocalModel("mini");
 * const vectors = await softPromptOf(model, "Think step by step.", 4);
 * const [[completion] = []] = await withSoftPrompt(model, vectors).generate([{ prompt: "Ana has 3 apples.", maxNewTokens: 8 }]);
 * console.log(completion?.completionTokens);
 * ```
 */
export function withSoftPrompt(model: LocalModel, vectors: TensorData<"float32">): LocalModel {
  const extended = withSoftTokens(model, vectors);
  const soft = softIds(model, vectors.shape[0]!);
  return {
    ...extended,
    contextLength: model.contextLength === undefined ? undefined : model.contextLength - soft.length,
    encode: (prompt) => [...soft, ...model.encode(prompt)],
    generate: (requests, options) =>
      extended.generate(
        requests.map((request) => ({ ...request, prompt: precededBy(model, soft, request.prompt) })),
        options,
      ),
    async countTokens(prompt, options) {
      return (await model.countTokens(prompt, options)) + soft.length;
    },
  };
}

/** Ids of vectors behind the vocabulary of a model. @param first index of the first one */
export const softIds = ({ config }: Pick<LocalModel, "config">, count: number, first = 0): number[] =>
  Array.from({ length: count }, (_, at) => config.vocabularySize + first + at);

/** A prompt behind ids. @throws bad-input for a prompt of embeddings */
export function precededBy(model: Pick<LocalModel, "encode">, ids: readonly number[], prompt: Prompt): Prompt {
  if (isEmbeddingPrompt(prompt)) {
    throw badInput("a prompt of embeddings cannot follow a soft prompt", "Join both into one prompt of embeddings.");
  }
  return { ids: [...ids, ...model.encode(prompt)] };
}

/**
 * The vectors to begin a soft prompt with: embeddings of the tokens of a text, which is repeated or cut to their number.
 * So they are of the scale that the model knows.
 *
 * @returns `[count, hidden]`
 * @throws bad-input for a model without a tokenizer, or a text without tokens
 */
export async function softPromptOf(model: LocalModel, text: string, count: number): Promise<TensorData<"float32">> {
  const ids = model.tokenizer?.encode(text, { addSpecialTokens: false }) ?? [];
  if (ids.length === 0) {
    throw badInput(`"${text}" has no tokens of ${model.name}`, "Give a text, and a model with a tokenizer.");
  }
  return promptEmbeddings(
    await model.running(),
    Array.from({ length: count }, (_, at) => ids[at % ids.length]!),
  );
}

/** A token near to a vector. */
export interface NearToken {
  id: number;
  text: string;
  /** Cosine of the angle between the vector and the token's embedding. */
  cosine: number;
}

/**
 * Read a soft prompt: the tokens whose embeddings are nearest to each vector, by the cosine.
 *
 * @param count tokens for each vector. Default: 5
 * @returns for each vector, nearest first
 */
export async function nearestTokens(
  model: LocalModel,
  vectors: TensorData<"float32">,
  { count = 5 }: { count?: number } = {},
): Promise<NearToken[][]> {
  const { config, tokenizer } = model;
  const { hiddenSize, vocabularySize } = config;
  const host = await model.running();
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, at) => sum + value * b[at]!, 0);
  const rows = Array.from({ length: vectors.shape[0]! }, (_, at) =>
    vectors.data.subarray(at * hiddenSize, (at + 1) * hiddenSize),
  );
  const norms = rows.map((row) => Math.sqrt(dot(row, row)));
  const cosines = rows.map(() => new Float64Array(vocabularySize));
  for (let id = 0; id < vocabularySize; id++) {
    const { data } = promptEmbeddings(host, [id]);
    const length = Math.sqrt(dot(data, data));
    for (const [at, row] of rows.entries()) {
      cosines[at]![id] = length * norms[at]! === 0 ? 0 : dot(row, data) / (length * norms[at]!);
    }
  }
  return cosines.map((values) =>
    Array.from(values, (cosine, id) => ({ id, cosine }))
      .sort((a, b) => b.cosine - a.cosine || a.id - b.id)
      .slice(0, count)
      .map(({ id, cosine }) => ({ id, text: tokenizer?.decode([id]) ?? String(id), cosine })),
  );
}
