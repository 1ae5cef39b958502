import { badInput, resolveUserPath, ThoughtbookError } from "../../core/index.js";
import { requireCapability } from "../capabilities.js";
import { completionsOf, readAnswer } from "../http/answer.js";
import type { Json } from "../http/connection.js";
import { countAnswer } from "../http/count.js";
import { type DialectName, dialectOf } from "../http/dialects.js";
import { pathOf, seedOfSamples, type WireRequest, wireRequest } from "../http/request.js";
import type { HttpServer } from "../http/server.js";
import type { Completion, LanguageModel } from "../language-model.js";
import { openBatchFolder } from "./batch-folder.js";
import { type BatchRequest, batchRequest } from "./batch-lines.js";

const SPEC = /^batch:(.*)#([^#]+)$/s;

/** Whether a model's specification is one of {@link openBatchModel}. */
export const isBatchSpec = (spec: string): boolean => spec.startsWith("batch:");

export interface BatchModelOptions {
  /** What runs the batch, which decides which fields requests have. Default: vllm. */
  dialect?: DialectName | undefined;
  /** Fields added to the body of each request. */
  body?: Json | undefined;
}

/**
 * A model whose answers come in batches, `batch:FOLDER#NAME`: what it is asked for and has no answer to is stored in the
 * folder, and the call then ends with the error `pending`. `exportBatch` writes these requests as files of OpenAI's Batch
 * API, something elsewhere answers them under the model's name there, `importBatch` brings the answers, and the same
 * command goes on. A method of several calls takes as many rounds as its longest attempt has calls in turn.
 *
 * Each sample is a request of its own. Conversations only (a text is a user's message): `vllm run-batch` has no other. A
 * request that samples needs a seed, or its answer could not be told from another one's.
 *
 * @throws bad-input for another specification; corrupt-data, file-system
 */
export async function openBatchModel(
  spec: string,
  { dialect: dialectName = "vllm", body = {} }: BatchModelOptions = {},
): Promise<LanguageModel> {
  const [, folder = "", name = ""] = SPEC.exec(spec) ?? [];
  if (folder === "" || name === "") {
    throw badInput(
      `${spec} is no folder of a batch with a model's name`,
      "Give both, such as batch:runs/batch#Qwen/QwQ-32B.",
    );
  }
  const store = await openBatchFolder(resolveUserPath(folder));
  const server = serverOf(spec, name, dialectName, body);
  return {
    name: spec,
    engine: `batches for ${server.dialect.title}`,
    capabilities: server.capabilities,
    ...(server.dialect.answerPrefix ? {} : { takesAnswer: false }),
    contextLength: undefined,
    parameterCount: undefined,
    hash: async () => undefined,
    async generate(texts, options = {}) {
      const requests = texts.map((text, index) => linesOf(wireRequest(server, text, index, options), spec));
      const missing = requests.flatMap(({ lines }) => lines.filter((line) => store.answerOf(line) === undefined));
      const results: Completion[][] = [];
      for (const [request, { wire, lines }] of requests.entries()) {
        results[request] = [];
        for (const [sample, line] of lines.entries()) {
          const answer = store.answerOf(line);
          if (answer === undefined) continue;
          const completion = await completionOf(answer, wire, line, server);
          results[request]![sample] = completion;
          options.onFinish?.(completion, { request, sample });
        }
      }
      if (missing.length === 0) return results;
      await store.ask(missing);
      throw new ThoughtbookError("pending", `answers of a batch are missing in ${store.folder}`, {
        hint: `Write what is asked for with "thoughtbook export batch --requests ${folder} --out requests.jsonl", run it, bring the answers with "thoughtbook import batch --requests ${folder} answers.jsonl", and give the same command again.`,
      });
    },
    score: () => lacking(server, "score"),
    countTokens: () => lacking(server, "countTokens"),
    dispose: async () => {},
  };
}

async function lacking(server: HttpServer, capability: "score" | "countTokens"): Promise<never> {
  requireCapability(server, capability);
  throw new TypeError(`a batch cannot ${capability}`);
}

function serverOf(name: string, model: string, dialectName: DialectName, body: Json): HttpServer {
  // Whether ids come back is left to servers: a batch has text alone in common.
  const dialect = { ...dialectOf(dialectName, model), textPrompts: "chat" as const, idPrompts: false, tokenIds: false };
  return {
    ...{ name, model, dialectName, dialect, body },
    textPrompts: "chat",
    capabilities: new Set(["text", "chat"]),
    contextLength: undefined,
    parameterCount: undefined,
    hash: undefined,
    identity: {},
  };
}

function linesOf(wire: WireRequest, spec: string): { wire: WireRequest; lines: BatchRequest[] } {
  if (!wire.repeats) {
    throw badInput(
      `a request to ${spec} samples without a seed`,
      "Give a seed: its answer is found again by the request.",
    );
  }
  const lines = Array.from({ length: wire.samples }, (_, sample) => {
    const seed = seedOfSamples(wire.seed, wire.firstSample + sample, 0);
    return batchRequest(`/v1${pathOf(wire)}`, { ...wire.body, ...(seed === undefined ? {} : { seed }) });
  });
  return { wire, lines };
}

async function completionOf(answer: unknown, wire: WireRequest, { custom_id, body }: BatchRequest, server: HttpServer) {
  try {
    const read = readAnswer(answer);
    const counted = await countAnswer(read, wire.prompt, async () => undefined);
    const limits = { tokenIds: false, prompt: body.prompt, limit: wire.most.completion };
    return completionsOf(read, counted, 1, limits).get(0)!;
  } catch (cause) {
    throw new ThoughtbookError("corrupt-data", `the answer ${custom_id} of ${server.name} cannot be read`, {
      hint: "Delete its line from answers.jsonl and bring it again.",
      cause,
    });
  }
}
