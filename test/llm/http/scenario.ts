import type { Completion, GenerateTextOptions, HttpModel, TextRequest } from "thoughtbook/llm";

/** An exchange with a server, as it went over the wire. */
export interface Exchange {
  method: string;
  path: string;
  body?: Record<string, unknown>;
  status: number;
  type: string;
  answer: string;
}

/** What a server of one version answered to {@link play}. */
export interface Recording {
  server: string;
  version: string;
  /** How it was started. */
  command: string;
  dialect: HttpModel["dialect"];
  exchanges: Exchange[];
}

const COUNTING = "One, two, three, four,";
const CHAT = { messages: [{ role: "user", content: "What is 2 + 2?" }] } as const;

/** Everything that is asked of a server, in a fixed order; the requests differ, so that each has an answer of its own. */
export async function play(model: HttpModel) {
  const text = async (request: TextRequest, options: GenerateTextOptions = {}) =>
    (await model.generate([{ maxNewTokens: 12, ...request }], options))[0] as [Completion, ...Completion[]];
  const stream = async (request: TextRequest) => {
    const pieces: string[] = [];
    const [completion] = await text(request, { onText: (piece) => pieces.push(piece) });
    return { completion, pieces };
  };
  const greedy = { prompt: COUNTING, temperature: 0 };
  const drawn = { prompt: "The weather in spring is", topK: 40, topP: 0.95, minP: 0.01, repetitionPenalty: 1.1 };
  const attempt = <T>(work: Promise<T>) =>
    work.catch(({ code, message }: { code: string; message: string }) => ({ code, message }));
  return {
    greedy: (await text(greedy))[0],
    streamed: await stream(greedy),
    stopped: (await text({ ...greedy, stopStrings: [" eight", "zzz"] }))[0],
    stoppedStream: await stream({ ...greedy, stopStrings: [" eight", "zzz"] }),
    seeded: (await text({ ...drawn, seed: 7 }))[0],
    again: (await text({ ...drawn, seed: 7 }))[0],
    otherwise: (await text({ ...drawn, seed: 8 }))[0],
    samples: await text({ prompt: "A word:", maxNewTokens: 4, seed: 3, samples: 3 }),
    ids: await attempt(text({ prompt: { ids: [504, 28, 827, 28] }, temperature: 0, maxNewTokens: 4 })),
    chat: (await text({ prompt: CHAT, temperature: 0, maxNewTokens: 40 }))[0],
    chatStreamed: await stream({ prompt: CHAT, temperature: 0, maxNewTokens: 40 }),
    counted: await attempt(model.countTokens(COUNTING)),
    chatCounted: await attempt(model.countTokens(CHAT)),
    scored: await attempt(
      model.score([{ prompt: "One, two,", continuation: " three" }]).then(([score]) => score!.logProbs.length),
    ),
    tooLong: await attempt(text({ prompt: "a ".repeat(2100), temperature: 0 })),
    tooLongStreamed: await attempt(stream({ prompt: "a ".repeat(2101), temperature: 0 })),
  };
}
