import { z } from "zod";
import type { Generation, NewToken } from "../model/index.js";
import { type Answer, sendAnswer } from "./answer.js";
import { badRequest } from "./api-error.js";
import { modelOf, type RequestContext, type Service } from "./context.js";
import { CONVERSATION, encodeConversation } from "./conversation.js";
import { chatLogProb, createTokenWriter } from "./log-probs.js";
import { COMMON, MOST_TOP, maxTokens, readParameters } from "./parameters.js";
import { readJson } from "./request-body.js";
import type { ServedModel } from "./served-model.js";
import { checkJob, checkPromptLength, createJob } from "./text-job.js";

const schema = z.strictObject({
  ...COMMON,
  ...CONVERSATION,
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
  logprobs: z
    .union([z.boolean(), z.literal(0).transform(() => false)], { error: "expected true or false" })
    .default(false),
  top_logprobs: z.int().min(0).max(MOST_TOP).optional(),
  reasoning_effort: z.string().optional(),
});

/** POST /v1/chat/completions */
export async function chatCompletions(context: RequestContext, service: Service): Promise<Response> {
  const body = readParameters(schema, await readJson(context, service));
  const served = modelOf(service, body.model);
  if (body.top_logprobs && !body.logprobs) {
    throw badRequest("top_logprobs needs logprobs: true.", "top_logprobs");
  }
  if (body.stream_options && !body.stream) throw badRequest("stream_options needs stream: true.", "stream_options");
  const prompt = encodeConversation(served, withEffort(served, body));
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
    streamOptions: body.stream_options,
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

/** OpenAI's default, with which nothing is asked. */
const USUAL_EFFORT = "medium";

/** Some templates read how much to think, as a variable of this name; others know no such thing. Throws ApiError 400. */
function withEffort({ model }: ServedModel, body: z.infer<typeof schema>): z.infer<typeof schema> {
  const { reasoning_effort: effort, chat_template_kwargs: variables } = body;
  if (effort === undefined) return body;
  if (model.chatTemplate?.text.includes("reasoning_effort")) {
    return { ...body, chat_template_kwargs: { reasoning_effort: effort, ...variables } };
  }
  if (effort === USUAL_EFFORT) return body;
  throw badRequest(
    `The model's chat template has no reasoning_effort; leave it out, or send ${JSON.stringify(USUAL_EFFORT)}.`,
    "reasoning_effort",
    "unsupported_parameter",
  );
}
