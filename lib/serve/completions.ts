import { z } from "zod";
import { requireCapability } from "../llm/index.js";
import type { Generation } from "../model/index.js";
import { type Answer, sendAnswer } from "./answer.js";
import { badRequest } from "./api-error.js";
import { modelOf, type RequestContext, type Service } from "./context.js";
import { completionLogProbs, createTokenWriter, type ScoredToken } from "./log-probs.js";
import { COMMON, MOST_TOP, readParameters } from "./parameters.js";
import { readJson } from "./request-body.js";
import type { ServedModel } from "./served-model.js";
import { checkJob, checkPromptLength, checkTextLength, createJob } from "./text-job.js";

/** The most prompts of a request. */
const MOST_PROMPTS = 2048;
/** OpenAI's default. */
const NEW_TOKENS = 16;

const ids = z.array(z.int().min(0)).min(1);
const expected = "expected a string, a list of strings, token ids, or lists of token ids";
const schema = z.strictObject({
  ...COMMON,
  prompt: z.union(
    [z.string(), ids, z.array(z.string()).min(1).max(MOST_PROMPTS), z.array(ids).min(1).max(MOST_PROMPTS)],
    { error: expected },
  ),
  max_tokens: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(NEW_TOKENS),
  echo: z.boolean().default(false),
  /** `false` is what asks for none in a conversation. */
  logprobs: z
    .union([z.int().min(0).max(MOST_TOP), z.literal(false).transform(() => undefined)], {
      error: `expected a whole number from 0 to ${MOST_TOP}`,
    })
    .optional(),
  /** Whether the tokens that a tokenizer puts around a text are added to a prompt. */
  add_special_tokens: z.boolean().default(true),
  best_of: z.int().optional(),
});

interface PromptText {
  ids: readonly number[];
  text: string;
}

/** POST /v1/completions */
export async function completions(context: RequestContext, service: Service): Promise<Response> {
  const body = readParameters(schema, await readJson(context, service));
  const served = modelOf(service, body.model);
  const { n, echo, logprobs } = body;
  if (body.stream_options && !body.stream) throw badRequest("stream_options needs stream: true.", "stream_options");
  if (body.best_of !== undefined && body.best_of !== n) {
    throw badRequest("This server does not support best_of; leave it out.", "best_of", "unsupported_parameter");
  }
  if (body.max_tokens === 0 && !echo) throw badRequest("max_tokens: 0 needs echo: true.", "max_tokens");
  const generates = body.max_tokens > 0;
  const prompts = readPrompts(served, body.prompt, body);
  for (const { ids } of prompts) checkPromptLength(served, ids.length, generates ? 1 : 0, "prompt");
  const job = generates
    ? createJob(
        served,
        prompts.map(({ ids }) => ids),
        { ...body, maxNewTokens: body.max_tokens, topLogProbs: logprobs ?? 0 },
      )
    : undefined;
  if (job) checkJob(job);

  const writer = createTokenWriter(served.model, {
    asIds: body.return_tokens_as_token_ids,
    skipSpecial: body.skip_special_tokens,
  });
  /** The tokens of each prompt with their log-probabilities, where they are echoed. */
  let echoed: ScoredToken[][] = prompts.map(() => []);
  const offsets = new Map<number, number>();
  /** `logprobs` of tokens that follow those which were written for this choice before. */
  const logProbsOf = (index: number, tokens: readonly ScoredToken[]) => {
    if (logprobs === undefined) return null;
    const { logProbs, end } = completionLogProbs(writer, tokens, offsets.get(index) ?? 0);
    offsets.set(index, end);
    return logProbs;
  };
  const idsOf = (ids: readonly number[]) => (body.return_token_ids ? { token_ids: ids } : {});
  const promptIds = ({ ids }: PromptText) => (body.return_token_ids ? { prompt_token_ids: ids } : {});
  const choice = (index: number, text: string, tokens: readonly ScoredToken[], finishReason: string | null) => ({
    index,
    text,
    logprobs: logProbsOf(index, tokens),
    finish_reason: finishReason,
  });
  const tokensOf = ({ ids, logProbs, top }: Generation): ScoredToken[] =>
    ids.map((id, i) => ({ id, logProb: logProbs[i], top: top[i] ?? [] }));
  const indexOf = ({ request, sample }: { request: number; sample: number }) => request * n + sample;
  const alone: Generation[] = prompts.flatMap((_, request) =>
    Array.from({ length: n }, (_, sample) => ({
      request,
      sample,
      ids: [],
      logProbs: [],
      top: [],
      text: "",
      finishReason: "length" as const,
    })),
  );

  const answer: Answer = {
    served,
    job,
    texts: prompts.length * n,
    promptTokens: prompts.reduce((sum, { ids }) => sum + ids.length, 0),
    stream: body.stream,
    streamOptions: body.stream_options,
    async prepare(signal) {
      if (!echo || logprobs === undefined) return;
      echoed = await Promise.all(prompts.map(({ ids }) => scorePrompt(served, ids, logprobs, signal)));
    },
    whole: (texts) => ({
      choices: (generates ? texts : alone).map((text) => {
        const prompt = prompts[text.request]!;
        const tokens = [...echoed[text.request]!, ...tokensOf(text)];
        const whole = `${echo ? prompt.text : ""}${text.text ?? ""}`;
        return {
          ...choice(indexOf(text), whole, tokens, text.finishReason),
          ...promptIds(prompt),
          ...idsOf(text.ids),
        };
      }),
    }),
    first: () =>
      alone.flatMap((place) => {
        const prompt = prompts[place.request]!;
        if (!echo && !body.return_token_ids) return [];
        const finishReason = generates ? null : "length";
        const begin = choice(indexOf(place), echo ? prompt.text : "", echoed[place.request]!, finishReason);
        return [{ choices: [{ ...begin, ...promptIds(prompt), ...idsOf([]) }] }];
      }),
    token(token) {
      if (token.text === "" && logprobs === undefined && !body.return_token_ids) return undefined;
      return { choices: [{ ...choice(indexOf(token), token.text, [token], null), ...idsOf([token.id]) }] };
    },
    last: (text) => ({
      choices: [{ index: indexOf(text), text: "", logprobs: null, finish_reason: text.finishReason }],
    }),
  };
  return sendAnswer(context, service, answer, {
    id: `cmpl-${context.get("id")}`,
    object: "text_completion",
    chunk: "text_completion",
  });
}

function readPrompts(
  served: ServedModel,
  prompt: z.infer<typeof schema>["prompt"],
  { echo, add_special_tokens: addSpecialTokens }: { echo: boolean; add_special_tokens: boolean },
): PromptText[] {
  const { model } = served;
  const isIds = (value: unknown): value is number[] => Array.isArray(value) && typeof value[0] === "number";
  const all: readonly (string | number[])[] = typeof prompt === "string" || isIds(prompt) ? [prompt] : prompt;
  return all.map((each) => {
    if (isIds(each)) {
      const outside = each.find((id) => id >= model.config.vocabularySize);
      if (outside !== undefined) {
        throw badRequest(`The model has no token ${outside}; it has ${model.config.vocabularySize}.`, "prompt");
      }
      if (!echo) return { ids: each, text: "" };
      const known = each.filter((id) => id < (model.tokenizer?.vocabularySize ?? 0));
      return { ids: each, text: model.tokenizer?.decode(known) ?? "" };
    }
    requireCapability(model, "text");
    checkTextLength(served, each.length, "prompt");
    return { ids: model.tokenizer!.encode(each, { addSpecialTokens }), text: each };
  });
}

/** The tokens of a prompt; the first one has no log-probability. */
async function scorePrompt(
  { scorer }: ServedModel,
  ids: readonly number[],
  topCount: number,
  signal: AbortSignal,
): Promise<ScoredToken[]> {
  const { logProbs, top } = await scorer.score(ids, topCount, signal);
  return ids.map((id, i) => ({ id, logProb: i === 0 ? undefined : logProbs[i - 1]!, top: top[i - 1] ?? [] }));
}
