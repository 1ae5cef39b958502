import { scoreOn } from "../measures/replies.js";
import { pythonCommand, TITLES } from "../peer-list.js";
import { trainingRows } from "../texts.js";
import { type CheckSetting, distanceOf, type Finding, parts } from "./check.js";

const TOLERANCE = 1e-3;
const LARGEST_MEAN = 0.05;
const AT_ONCE = 10;

/** Score texts in parts, so that progress shows. */
async function scores(
  { onProgress }: CheckSetting,
  title: string,
  peer: Parameters<typeof scoreOn>[0],
  texts: readonly number[][],
): Promise<number[][]> {
  const all: number[][] = [];
  for (const part of parts(texts, AT_ONCE)) {
    all.push(...(await scoreOn(peer, part)).logProbs);
    onProgress(`log-probabilities: ${title}: ${all.length} of ${texts.length} texts`);
  }
  return all;
}

/** Log-probabilities in `exact` numerics are those of llama.cpp with weights and cache in float32, and of transformers. */
export async function sameLogProbs(setting: CheckSetting): Promise<Finding[]> {
  const { prompts: count, tokens, seed, threads } = setting;
  const texts = trainingRows(tokens, count, `${seed}/log-probs`);
  const own = await scores(setting, TITLES.exact, await setting.engine("exact"), texts);
  const findings: Finding[] = [];
  const compare = (name: string, others: readonly number[][]) => {
    const { count: compared, mean, largest } = distanceOf(own, others);
    findings.push({
      statement: `log-probabilities are within ${TOLERANCE} of ${name}`,
      holds: largest <= TOLERANCE,
      numbers: { texts: count, tokens: compared, mean, largest },
      exceptions: [],
    });
  };
  if (setting.has("llama-python")) {
    const options = { file: await setting.f32File(), threads, context: 1024, cache: "f32" };
    const command = pythonCommand("llama-python", setting.pythonOf("llama-python"), options);
    const peer = await setting.processes.get("llama-python in float32", command);
    compare(
      "llama.cpp's with F32 weights and an F32 cache",
      await scores(setting, "llama.cpp in float32", peer, texts),
    );
  }
  if (setting.has("transformers")) {
    const peer = await setting.python("transformers");
    compare("transformers' in float32", await scores(setting, TITLES.transformers, peer, texts));
  }
  return findings;
}

/** How far `fast` numerics are from `exact` ones. */
export async function fastLogProbs(setting: CheckSetting): Promise<Finding> {
  const { prompts: count, tokens, seed } = setting;
  const texts = trainingRows(tokens, count, `${seed}/log-probs`);
  const fast = await scores(setting, TITLES.fast, await setting.engine("fast"), texts);
  const exact = await scores(setting, TITLES.exact, await setting.engine("exact"), texts);
  const { count: compared, mean, largest } = distanceOf(fast, exact);
  const sum = (rows: readonly number[][]) => rows.flat().reduce((a, b) => a + b, 0);
  return {
    statement: `log-probabilities of fast are on average within ${LARGEST_MEAN} of exact`,
    holds: mean <= LARGEST_MEAN,
    numbers: {
      texts: count,
      tokens: compared,
      mean,
      largest,
      perplexityOfFast: Math.exp(-sum(fast) / compared),
      perplexityOfExact: Math.exp(-sum(exact) / compared),
    },
    exceptions: [],
  };
}
