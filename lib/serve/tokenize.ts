import { z } from "zod";
import { requireCapability } from "../llm/index.js";
import { badRequest } from "./api-error.js";
import { modelOf, type RequestContext, type Service } from "./context.js";
import { CONVERSATION, encodeConversation } from "./conversation.js";
import { readParameters } from "./parameters.js";
import { readJson } from "./request-body.js";
import { checkTextLength } from "./text-job.js";

const tokenizeSchema = z.strictObject({
  model: z.string().optional(),
  prompt: z.string().optional(),
  add_special_tokens: z.boolean().default(true),
  return_token_strs: z.boolean().default(false),
  /** Whether the text continues another one: no tokenizer puts a space before it then. Not in vLLM. */
  continues: z.boolean().default(false),
  ...CONVERSATION,
  messages: CONVERSATION.messages.optional(),
});

const detokenizeSchema = z.strictObject({
  model: z.string().optional(),
  tokens: z.array(z.int().min(0)),
});

/** POST /tokenize: the ids of a text or of a conversation, as vLLM gives them. */
export async function tokenize(context: RequestContext, service: Service): Promise<Response> {
  const { prompt, messages, ...body } = readParameters(tokenizeSchema, await readJson(context, service));
  const served = modelOf(service, body.model ?? onlyModel(service));
  const { model } = served;
  if ((prompt === undefined) === (messages === undefined))
    throw badRequest("Give one of prompt and messages.", "prompt");
  requireCapability(model, "text");
  checkTextLength(served, prompt?.length ?? 0, "prompt");
  const tokens = messages
    ? encodeConversation(served, { ...body, messages })
    : model.tokenizer!.encode(prompt!, {
        addSpecialTokens: body.add_special_tokens,
        continues: body.continues,
      });
  return context.json({
    count: tokens.length,
    max_model_len: model.config.maxPositions,
    tokens,
    token_strs: body.return_token_strs ? tokens.map((id) => model.tokenizer!.tokenOf(id)) : null,
  });
}

/** POST /detokenize: the text of ids, special tokens included. */
export async function detokenize(context: RequestContext, service: Service): Promise<Response> {
  const body = readParameters(detokenizeSchema, await readJson(context, service));
  const { model } = modelOf(service, body.model ?? onlyModel(service));
  requireCapability(model, "text");
  return context.json({ prompt: model.tokenizer!.decode(body.tokens) });
}

/**
 * GET /tokenizer_info: like vLLM's, a `tokenizer_config.json`. With several models `?model=` names one.
 * Made of what the tokenizer's files say together, and not a copy of one of them.
 */
export function tokenizerInfo(context: RequestContext, service: Service): Response {
  const { model } = modelOf(service, context.req.query("model") ?? onlyModel(service));
  requireCapability(model, "text");
  const { special, specialIds, tokenOf } = model.tokenizer!;
  const token = (role: keyof typeof special) => special[role]?.token ?? null;
  return context.json({
    // The class that opens any tokenizer.json.
    tokenizer_class: "PreTrainedTokenizerFast",
    bos_token: token("bos"),
    eos_token: token("eos"),
    pad_token: token("pad"),
    unk_token: token("unk"),
    added_tokens_decoder: Object.fromEntries(
      [...specialIds].sort((a, b) => a - b).map((id) => [id, { content: tokenOf(id), special: true }]),
    ),
    model_max_length: model.config.maxPositions,
    clean_up_tokenization_spaces: false,
    ...(model.chatTemplate ? { chat_template: model.chatTemplate.text } : {}),
  });
}

/** @throws ApiError 400 where there are several */
function onlyModel({ models }: Service): string {
  if (models.size === 1) return [...models.keys()][0]!;
  throw badRequest(`There are several models here; name one as model: ${[...models.keys()].join(", ")}.`, "model");
}
