import { z } from "zod";
import { type ChatPrompt, requireCapability } from "../llm/index.js";
import type { Generation, NewToken } from "../model/index.js";
import { type Answer, sendAnswer } from "./answer.js";
import { badRequest } from "./api-error.js";
import { modelOf, type RequestContext, readJson, type Service } from "./context.js";
import { chatLogProb, createTokenWriter } from "./log-probs.js";
import { COMMON, MOST_TOP, maxTokens, readParameters } from "./parameters.js";
import type { ServedModel } from "./served-model.js";
import { checkJob, checkPromptLength, checkTextLength, createJob } from "./text-job.js";

const textPart = z.object({
  type: z.literal("text", { error: "only parts of type text are supported" }),
  text: z.string(),
});
const message = z.object({
  role: z.enum(["system", "developer", "user", "assistant"]),
  content: z.union([z.string(), z.array(textPart)], { error: "expected a string or a list of text parts" }),
  // Left out of the prompt, they would change what it says.
  tool_calls: z.array(z.never()).nullish(),
  function_call: z.null().optional(),
});

/** What a conversation is written with, under vLLM's names where OpenAI has none. */
export const CONVERSATION = {
  messages: z.array(message).min(1),
  /** Variables of the model's chat template. */
  chat_template_kwargs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).optional(),
  /** The last message is the assistant's, and the text goes on from it. */
  continue_final_message: z.boolean().default(false),
  add_generation_prompt: z.boolean().optional(),
};

const schema = z.strictObject({
  ...COMMON,
  ...CONVERSATION,
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
  logprobs: z.boolean().default(false),
  top_logprobs: z.int().min(0).max(MOST_TOP).optional(),
});

/** POST /v1/chat/completions */
export async function chatCompletions(context: RequestContext, service: Service): Promise<Response> {
  const body = readParameters(schema, await readJson(context));
  const served = modelOf(service, body.model);
  if (body.top_logprobs !== undefined && !body.logprobs) {
    throw badRequest("top_logprobs needs logprobs: true.", "top_logprobs");
  }
  if (body.stream_options && !body.stream) throw badRequest("stream_options needs stream: true.", "stream_options");
  const prompt = encodeConversation(served, body);
  checkPromptLength(served, prompt.length, 1, "messages");
  const job = createJob(served, [prompt], {
    ...body,
    maxNewTokens: body.max_completion_tokens ?? body.max_tokens ?? served.model.config.maxPositions,
    topLogProbs: body.top_logprobs ?? 0,
  });
  checkJob(job);
  const writer = createTokenWriter(served.model, {
    asIds: body.return_tokens_as_token_ids,
    skipSpecial: body.skip_special_tokens,
  });
  const logProbsOf = (tokens: readonly Pick<NewToken, "id" | "logProb" | "top">[]) =>
    body.logprobs ? { content: tokens.map((token) => chatLogProb(writer, token)), refusal: null } : null;
  const idsOf = (ids: readonly number[]) => (body.return_token_ids ? { token_ids: ids } : {});
  const promptIds = body.return_token_ids ? { prompt_token_ids: prompt } : {};
  const tokensOf = ({ ids, logProbs, top }: Generation) =>
    ids.map((id, i) => ({ id, logProb: logProbs[i]!, top: top[i] ?? [] }));
  const delta = (index: number, delta: object, finishReason: string | null, fields: object = {}) => ({
    choices: [{ index, delta, logprobs: null, finish_reason: finishReason, ...fields }],
  });

  const answer: Answer = {
    served,
    job,
    texts: body.n,
    promptTokens: prompt.length,
    stream: body.stream,
    includeUsage: body.stream_options?.include_usage ?? false,
    whole: (texts) => ({
      ...promptIds,
      choices: texts.map((text) => ({
        index: text.sample,
        message: { role: "assistant", content: text.text, refusal: null },
        logprobs: logProbsOf(tokensOf(text)),
        finish_reason: text.finishReason,
        ...idsOf(text.ids),
      })),
    }),
    first: () =>
      Array.from({ length: body.n }, (_, index) => ({
        ...delta(index, { role: "assistant", content: "" }, null),
        ...promptIds,
      })),
    token(token) {
      if (token.text === "" && !body.logprobs && !body.return_token_ids) return undefined;
      return delta(token.sample, { content: token.text }, null, {
        logprobs: logProbsOf([token]),
        ...idsOf([token.id]),
      });
    },
    last: ({ sample, finishReason }) => delta(sample, {}, finishReason),
  };
  return sendAnswer(context, service, answer, {
    id: `chatcmpl-${context.get("id")}`,
    object: "chat.completion",
    chunk: "chat.completion.chunk",
  });
}

type Conversation = z.infer<z.ZodObject<typeof CONVERSATION>>;

/** The ids of a conversation up to the assistant's turn. Throws ApiError 400; bad-input. */
export function encodeConversation(served: ServedModel, body: Conversation): number[] {
  const { model } = served;
  requireCapability(model, "chat");
  const messages = body.messages.map(({ role, content }) => ({
    // OpenAI's new name for the same, which templates do not know.
    role: role === "developer" ? "system" : role,
    content: typeof content === "string" ? content : content.map(({ text }) => text).join(""),
  }));
  checkTextLength(
    served,
    messages.reduce((sum, { content }) => sum + content.length, 0),
    "messages",
  );
  const goesOn = body.continue_final_message;
  if (goesOn === (body.add_generation_prompt ?? !goesOn)) {
    throw badRequest(
      "One of add_generation_prompt and continue_final_message must be true, and only one.",
      "add_generation_prompt",
    );
  }
  const last = messages.at(-1)!;
  if (goesOn && last.role !== "assistant") {
    throw badRequest("continue_final_message needs a last message of the assistant.", "continue_final_message");
  }
  const prompt: ChatPrompt = {
    messages: goesOn ? messages.slice(0, -1) : messages,
    answer: goesOn ? last.content : undefined,
    variables: body.chat_template_kwargs,
  };
  return model.encode(prompt);
}
