import * as z from "zod";
import { ThoughtbookError } from "../../core/index.js";
import { requireCapability } from "../capabilities.js";
import type { ChatPrompt, Prompt, Score, ScoreRequest, ScoreTextOptions } from "../language-model.js";
import { cacheKey } from "./cache.js";
import type { Json } from "./connection.js";
import { brokenAnswer } from "./fault.js";
import type { Opened } from "./opened.js";
import { chatFields, checkCount, checkIdPrompt } from "./request.js";
import { runAll } from "./run.js";
import { type Ending, type Job, send } from "./send.js";
import { serverRoot } from "./spec.js";

const LOG_PROBS = z.array(z.number());

const SCORED = z.object({
  choices: z.array(z.object({ logprobs: z.object({ token_logprobs: z.array(z.number().nullable()) }) })).min(1),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number().nullish() }).nullish(),
});

const TOKENS = z.object({ tokens: z.array(z.number().int().nonnegative()) });
const RENDERED = z.object({ prompt: z.string() });

/** `score` of a model on a server; see there. */
export async function scoreOver(
  opened: Opened,
  requests: readonly ScoreRequest[],
  { batchSize, signal, onProgress, attention }: ScoreTextOptions,
): Promise<Score[]> {
  const { server, limit, concurrency } = opened;
  requireCapability(server, "score");
  if (attention) requireCapability(server, "attention"); // Which no server has, so this throws.
  if (batchSize !== undefined) checkCount("batchSize", batchSize);
  for (const { prompt, continuation } of requests) checkScorable(prompt, continuation);
  const results: Score[] = [];
  let done = 0;
  await runAll(
    [...requests.entries()],
    async ([index, { prompt, continuation }], ending) => {
      const before = await idsOf(opened, prompt, true, ending);
      const after = await idsOf(opened, continuation, false, ending);
      if (before.length === 0 || after.length === 0) throw nothingToScore(before.length === 0);
      results[index] = { ids: after, logProbs: await scoreIds(opened, before, after, ending) };
      done += 1;
      onProgress?.(done);
    },
    { limit, concurrency: batchSize ?? concurrency, signal, what: "scoring" },
  );
  return results;
}

function checkScorable(prompt: Prompt, continuation: ScoreRequest["continuation"]): void {
  if (typeof prompt === "object" && "embeddings" in prompt) {
    throw new ThoughtbookError("bad-input", "a prompt of embeddings cannot be scored after", {
      hint: "Give a text, a conversation or ids.",
    });
  }
  if (typeof prompt === "object" && "ids" in prompt) checkIdPrompt(prompt);
  if (typeof continuation === "object") checkIdPrompt(continuation);
  else if (continuation === "") throw nothingToScore(false);
}

const nothingToScore = (prompt: boolean): ThoughtbookError =>
  new ThoughtbookError("bad-input", `a ${prompt ? "prompt" : "continuation"} has no tokens, so nothing can be scored`, {
    hint: "The first token of a text has no score: put the token that begins a text before it.",
  });

/** The server echoes the ids with their log-probabilities; it generates nothing. */
async function scoreIds(
  { server, line, cache }: Opened,
  before: readonly number[],
  after: readonly number[],
  ending: Ending,
): Promise<Float32Array> {
  const ids = [...before, ...after];
  const body: Json = {
    ...server.body,
    model: server.model,
    prompt: ids,
    max_tokens: 0,
    echo: true,
    logprobs: 1,
    temperature: 0,
  };
  const key = cacheKey(server, { path: "/completions", body });
  const kept = await cache?.read(key, LOG_PROBS);
  if (kept?.length === ids.length - 1) return Float32Array.from(kept.slice(before.length - 1));
  const all = await send(
    line,
    {
      most: { prompt: ids.length, completion: 1 },
      secrets: [ids.join(", ")],
      async run(connection, signal) {
        const result = SCORED.safeParse(await connection.post("/completions", body, signal));
        if (!result.success) throw brokenAnswer("an answer without the log-probabilities of the prompt");
        const { choices, usage } = result.data;
        // Nothing stands before the first token; a server that must generate has one token more at the end.
        const [, ...scores] = choices[0]!.logprobs.token_logprobs.slice(0, ids.length);
        if (scores.length !== ids.length - 1 || scores.includes(null)) {
          throw brokenAnswer("an answer that leaves out log-probabilities of the prompt");
        }
        const taken = { prompt: usage?.prompt_tokens ?? ids.length, completion: usage?.completion_tokens ?? 0 };
        return { value: scores as number[], taken };
      },
    },
    ending,
  );
  await cache?.write(key, all);
  return Float32Array.from(all.slice(before.length - 1));
}

/** `countTokens` of a model on a server; see there. */
export async function countOver(opened: Opened, prompt: Prompt, signal?: AbortSignal): Promise<number> {
  requireCapability(opened.server, "countTokens");
  let count = 0;
  await runAll(
    [prompt],
    async (only, ending) => {
      count = (await idsOf(opened, only, true, ending)).length;
    },
    { limit: opened.limit, concurrency: 1, signal, what: "counting tokens" },
  );
  return count;
}

/** The ids of a text or conversation, by the server's own tokenizer. */
async function idsOf(opened: Opened, prompt: Prompt, begins: boolean, ending: Ending): Promise<readonly number[]> {
  const { server } = opened;
  if (typeof prompt === "object" && "embeddings" in prompt) requireCapability(server, "softPrompts");
  if (typeof prompt === "object" && "ids" in prompt) return prompt.ids;
  const chat = typeof prompt === "string" ? undefined : (prompt as ChatPrompt);
  const secrets = chat ? chat.messages.map(({ content }) => content) : [prompt as string];
  const ask = (path: string, body: Json) => askServer(opened, path, body, secrets, ending);
  const tokens = (value: unknown): number[] => {
    const result = TOKENS.safeParse(value);
    if (result.success) return result.data.tokens;
    throw brokenAnswer("an answer without tokens");
  };
  if (server.dialect.tokenize === "vllm") {
    const what = chat
      ? { add_generation_prompt: true, ...chatFields(server, chat) }
      : {
          prompt,
          add_special_tokens: begins,
          ...(begins || server.dialectName !== "thoughtbook" ? {} : { continues: true }),
        };
    return ask("/tokenize", { model: server.model, ...what }).then(tokens);
  }
  let text = prompt;
  if (chat) {
    const rendered = RENDERED.safeParse(await ask("/apply-template", chatFields(server, chat)));
    if (!rendered.success) throw brokenAnswer("an answer without the conversation as a text");
    text = rendered.data.prompt;
  }
  return ask("/tokenize", { content: text, add_special: begins, parse_special: true }).then(tokens);
}

/** An endpoint of the server's own, which costs no tokens. */
async function askServer(
  { server, line }: Opened,
  path: string,
  body: Json,
  secrets: readonly string[],
  ending: Ending,
): Promise<unknown> {
  const nothing = { prompt: 0, completion: 0 };
  const run: Job<unknown>["run"] = async (connection, signal) => ({
    value: await connection.post(`${serverRoot(connection.url)}${path}`, body, signal),
    taken: nothing,
  });
  try {
    return await send(line, { most: nothing, secrets, run }, ending);
  } catch (error) {
    if (!(error instanceof ThoughtbookError && error.code === "not-found")) throw error;
    throw new ThoughtbookError("not-found", `${server.name} (${server.dialect.title}) has no ${path}`, {
      hint: "Update the server, or set the option dialect to what it is; ids can be scored without.",
    });
  }
}
