import { proportion } from "thoughtbook/eval";
import type { Numerics } from "../engine.js";
import { generateOn } from "../measures/replies.js";
import { questions } from "../texts.js";
import { type CheckSetting, type Finding, firstDifference, MOST_EXCEPTIONS, parts } from "./check.js";

const BATCH = 64;
/** Prompts for each of those of the smallest check. */
const TIMES = 4;
const PROGRESS_EVERY = 20;

/** How often a greedy text alone differs from the one in a batch of 64. */
export async function sameInBatch(setting: CheckSetting, path: Numerics): Promise<Finding> {
  const { prompts: base, sizes, tokens, seed, onProgress } = setting;
  const prompts = questions(tokens, TIMES * base, `${seed}/batch`);
  const engine = await setting.engine(path);
  const together: number[][] = [];
  for (const part of parts(prompts, BATCH)) {
    together.push(...(await generateOn(engine, part, sizes.newTokens)).ids);
    onProgress(`batch: ${path}: ${together.length} of ${prompts.length} prompts in batches of ${BATCH}`);
  }
  const exceptions: string[] = [];
  let different = 0;
  for (const [i, prompt] of prompts.entries()) {
    const { ids } = await generateOn(engine, [prompt], sizes.newTokens);
    const at = firstDifference(ids[0]!, together[i]!);
    if (at >= 0) {
      different++;
      exceptions.push(`prompt ${i}, token ${at}`);
    }
    if ((i + 1) % PROGRESS_EVERY === 0) onProgress(`batch: ${path}: ${i + 1} alone, ${different} other texts`);
  }
  const { value, interval } = proportion(different, prompts.length);
  return {
    statement: `a greedy text in ${path} numerics is the same alone and in a batch of ${BATCH}`,
    holds: different === 0,
    numbers: { prompts: prompts.length, newTokens: sizes.newTokens, different, share: value },
    intervals: { share: interval ?? null },
    exceptions: exceptions.slice(0, MOST_EXCEPTIONS),
  };
}
