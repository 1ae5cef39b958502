import * as z from "zod";
import { badInput, checkWhole, ThoughtbookError } from "../../core/index.js";
import { requireCapability } from "../capabilities.js";
import type { Prompt, Score, ScoreRequest, ScoreTextOptions } from "../language-model.js";
import { readPiece } from "./answer.js";
import { cacheKey } from "./cache.js";
import type { Json } from "./connection.js";
import { brokenAnswer, wrongAnswer } from "./fault.js";
import type { Opened } from "./opened.js";
import { checkIdPrompt } from "./request.js";
import { runAll } from "./run.js";
import { type Ending, type Job, send } from "./send.js";
import { serverRoot } from "./spec.js";
import { idsBy } from "./tokenize.js";

const LOG_PROBS = z.array(z.number());

const LACKING = "an answer without the log-probabilities of the prompt";

const SCORED = z.object({
  choices: z.array(z.object({ logprobs: z.object({ token_logprobs: z.array(z.number().nullable()) }) })).min(1),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number().nullish() }).nullish().catch(undefined),
});

/** `score` of a model on a server; see {@link LanguageModel}. */
export async function scoreOver(
  opened: Opened,
  requests: readonly ScoreRequest[],
  { batchSize, signal, onProgress, attention }: ScoreTextOptions,
): Promise<Score[]> {
  const { server, limit, concurrency } = opened;
  requireCapability(server, "score");
  if (attention) requireCapability(server, "attention"); // Which no server has, so this throws.
  checkWhole("batchSize", batchSize, 1);
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
    throw badInput("a prompt of embeddings cannot be scored after", "Give a text, a conversation or ids.");
  }
  if (typeof prompt === "object" && "ids" in prompt) checkIdPrompt(prompt);
  if (typeof continuation === "object") checkIdPrompt(continuation);
  else if (continuation === "") throw nothingToScore(false);
}

const nothingToScore = (prompt: boolean): ThoughtbookError =>
  badInput(
    `a ${prompt ? "prompt" : "continuation"} has no tokens, so nothing can be scored`,
    "The first token of a text has no score: put the token that begins a text before it.",
  );

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
        const answer = await connection.post("/completions", body, signal);
        const result = SCORED.safeParse(answer);
        if (!result.success)
          throw readPiece(answer).choices.length === 0 ? brokenAnswer(LACKING) : wrongAnswer(LACKING);
        const { choices, usage } = result.data;
        // Nothing stands before the first token; a server that must generate has one token more at the end.
        const [, ...scores] = choices[0]!.logprobs.token_logprobs.slice(0, ids.length);
        if (scores.length !== ids.length - 1 || scores.includes(null)) {
          throw wrongAnswer("an answer that leaves out log-probabilities of the prompt");
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

/** `countTokens` of a model on a server; see {@link LanguageModel}. */
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
function idsOf(opened: Opened, prompt: Prompt, begins: boolean, ending: Ending): Promise<readonly number[]> {
  const secrets = promptTexts(prompt);
  return idsBy((path, body) => askServer(opened, path, body, secrets, ending), opened.server, prompt, begins);
}

const promptTexts = (prompt: Prompt): string[] => {
  if (typeof prompt === "string") return [prompt];
  return "messages" in prompt ? prompt.messages.map(({ content }) => content) : [];
};

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
