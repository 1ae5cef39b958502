import { checkInterrupt, checkWhole, interruptible } from "../../core/index.js";
import { CAPABILITY_NAMES, type Capability } from "../capabilities.js";
import type { LanguageModel, Prompt } from "../language-model.js";
import { type Finding, tryCapability } from "./check-capability.js";

/** What a model can do, as tested, and how fast it is on this machine. */
export interface ModelReport {
  name: string;
  engine: string | undefined;
  parameterCount: number | undefined;
  contextLength: number | undefined;
  hash: string | undefined;
  /** Result for each capability: declared ones were tried, the others are `absent`. */
  capabilities: Readonly<Record<Capability, Finding>>;
  /** New tokens per second, by the number of texts generated at a time. */
  generation: readonly { batchSize: number; tokensPerSecond: number }[];
  /** Tokens of prompts and continuations per second; undefined if the model does not score. */
  scoring: { tokensPerSecond: number } | undefined;
}

export interface CheckModelOptions {
  /** Texts at a time in the second measurement of generating. Default: 8. */
  batchSize?: number | undefined;
  /** How long a measurement may take about, in seconds. Default: 3. */
  seconds?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called with what is being done. */
  onStep?: ((step: string) => void) | undefined;
}

const PROMPT_TOKENS = 16;
const SCORED_TOKENS = 128;
const [FEWEST, MOST] = [4, 128];

/**
 * Test everything that a model claims to support with a tiny request each, and measure how fast it generates and
 * scores, after a warm-up. Uses only the public interface; embeddings and gradients are tested where this library's
 * engine provides them.
 *
 * @throws bad-input (batchSize), interrupted, and what a model throws that cannot generate at all
 */
export async function checkModel(model: LanguageModel, options: CheckModelOptions = {}): Promise<ModelReport> {
  const { batchSize = 8, seconds = 3, onStep } = options;
  const signal = interruptible(options.signal);
  checkWhole("batchSize", batchSize, 1);
  const capabilities: Partial<Record<Capability, Finding>> = {};
  for (const capability of CAPABILITY_NAMES) {
    checkInterrupt(signal, "checking the model");
    onStep?.(capability);
    capabilities[capability] = model.capabilities.has(capability)
      ? await tryCapability(model, capability, signal)
      : { status: "absent" };
  }
  const generation: { batchSize: number; tokensPerSecond: number }[] = [];
  for (const size of new Set([1, batchSize])) {
    onStep?.(`generating ${size} at a time`);
    generation.push({ batchSize: size, tokensPerSecond: await generationSpeed(model, size, seconds, signal) });
  }
  onStep?.("scoring");
  const scores = capabilities.score?.status === "works";
  const scoring = scores ? { tokensPerSecond: await scoringSpeed(model, signal) } : undefined;
  onStep?.("hash");
  const { name, engine, parameterCount, contextLength } = model;
  return {
    name,
    engine,
    parameterCount,
    contextLength,
    hash: await model.hash(),
    capabilities: capabilities as Record<Capability, Finding>,
    generation,
    scoring,
  };
}

async function generationSpeed(
  model: LanguageModel,
  batchSize: number,
  seconds: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const room = (model.contextLength ?? Number.POSITIVE_INFINITY) - 1;
  const length = Math.max(1, Math.min(PROMPT_TOKENS, Math.floor(room / 2)));
  const run = async (maxNewTokens: number) => {
    checkInterrupt(signal, "checking the model");
    const requests = Array.from({ length: batchSize }, (_, seed) => ({ prompt: promptOf(model, length, seed), seed }));
    const started = performance.now();
    // Texts that end early would measure the prompts.
    const texts = await model.generate(requests, {
      maxNewTokens,
      batchSize,
      signal,
      ...(model.capabilities.has("tokenIds") ? { stopIds: [] } : {}),
    });
    const tokens = texts.flat().reduce((sum, { completionTokens }) => sum + completionTokens, 0);
    return tokens / ((performance.now() - started) / 1000);
  };
  const warmUp = await run(FEWEST);
  const fitting = Math.floor((warmUp * seconds) / batchSize);
  return run(Math.max(1, Math.min(Math.max(FEWEST, fitting), MOST, room - length)));
}

async function scoringSpeed(model: LanguageModel, signal: AbortSignal | undefined): Promise<number> {
  const length = Math.max(1, Math.min(SCORED_TOKENS, (model.contextLength ?? Number.POSITIVE_INFINITY) - 2));
  const requests = Array.from({ length: 8 }, (_, seed) => {
    const text = promptOf(model, length, seed);
    return { prompt: promptOf(model, 1, seed), continuation: typeof text === "string" ? ` ${text}` : text };
  });
  const run = async () => {
    checkInterrupt(signal, "checking the model");
    const started = performance.now();
    const scores = await model.score(requests, { signal });
    const tokens = scores.reduce((sum, { ids }) => sum + ids.length + 1, 0);
    return tokens / ((performance.now() - started) / 1000);
  };
  await run();
  return run();
}

/** A prompt of about this many tokens, a different one for each number. */
function promptOf(model: LanguageModel, length: number, number: number): string | { ids: number[] } {
  if (model.capabilities.has("tokenIds")) {
    // Ids that the smallest vocabularies have.
    return { ids: Array.from({ length }, (_, i) => 3 + ((i * 7 + number * 11) % 29)) };
  }
  const words = ["one", "two", "three", "four", "five", "six", "seven"];
  return Array.from({ length }, (_, i) => words[(i + number) % words.length]!).join(" ") satisfies Prompt;
}
