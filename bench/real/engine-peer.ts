import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import type { LocalModel } from "thoughtbook/llm";
import { servePeer } from "../shared/serve.js";
import { type EngineOptions, openEngine } from "./engine.js";
import { steadySpeed } from "./steady-speed.js";

const require = createRequire(import.meta.url);
/** The command-line argument. */
const options = JSON.parse(process.argv[2] ?? "{}") as EngineOptions;
let loaded: Promise<LocalModel> | undefined;

const model = async (): Promise<LocalModel> => {
  loaded ??= openEngine(options);
  return loaded;
};
const secondsSince = (start: number): number => (performance.now() - start) / 1000;

/**
 * Continue each prompt greedily by exactly so many tokens.
 *
 * @param onToken someone watches each token: prompts are then read in shorter pieces
 */
async function continueAll(
  prompts: readonly (readonly number[])[],
  newTokens: number,
  { samples = 1, onToken }: { samples?: number; onToken?: (text: { request: number }) => void } = {},
) {
  const common = {
    temperature: samples > 1 ? 1 : 0,
    maxNewTokens: newTokens,
    stopIds: [],
    samples,
    batchSize: prompts.length * samples,
    // Passed on to the generator of a local model, whose option it is.
    ...(onToken ? { onToken } : {}),
  };
  const requests = prompts.map((ids) => ({ prompt: { ids } }));
  const language = await model();
  const start = performance.now();
  const completions = await language.generate(requests, common);
  const seconds = secondsSince(start);
  return { seconds, ids: completions.map(([first]) => [...(first?.tokens?.completionIds ?? [])]) };
}

await servePeer({
  /** Open the model; weights are read and programs compiled with the first prompt. */
  async prepare() {
    const start = performance.now();
    await model();
    const version = (require("onnxruntime-node/package.json") as { version: string }).version;
    return { versions: { "onnxruntime-node": version }, pid: process.pid, seconds: secondsSince(start) };
  },
  async generate({ prompts, newTokens, samples }) {
    const { seconds, ids } = await continueAll(prompts as number[][], Number(newTokens), {
      samples: Number(samples ?? 1),
    });
    return { seconds, ids };
  },
  async decode({ prompts, newTokens }) {
    const times = (prompts as number[][]).map((): number[] => []);
    const { seconds } = await continueAll(prompts as number[][], Number(newTokens), {
      onToken: ({ request }) => times[request]!.push(performance.now()),
    });
    return { seconds, tokensPerSecond: steadySpeed(times) };
  },
  async read({ prompts }) {
    return { seconds: (await continueAll(prompts as number[][], 1)).seconds };
  },
  async score({ texts }) {
    const requests = (texts as number[][]).map(([first, ...rest]) => ({
      prompt: { ids: [first!] },
      continuation: { ids: rest },
    }));
    const language = await model();
    const start = performance.now();
    const scores = await language.score(requests);
    return { seconds: secondsSince(start), logProbs: scores.map(({ logProbs }) => [...logProbs]) };
  },
});
