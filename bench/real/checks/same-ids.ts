import { generateOn, scoreOn } from "../measures/replies.js";
import { questions } from "../texts.js";
import { type CheckSetting, type Finding, firstDifference, MOST_EXCEPTIONS, parts } from "./check.js";

const AT_ONCE = 10;

/** Greedy texts of the file in `exact` numerics are those of transformers on the same weights in float32. */
export async function sameIds(setting: CheckSetting): Promise<Finding[]> {
  const { prompts: count, sizes, tokens, seed, onProgress } = setting;
  const engine = await setting.engine("exact");
  const other = await setting.python("transformers");
  const exceptions: string[] = [];
  let same = 0;
  let compared = 0;
  for (const [part, prompts] of parts(questions(tokens, count, `${seed}/ids`), AT_ONCE).entries()) {
    const { ids: own } = await generateOn(engine, prompts, sizes.newTokens);
    const { ids: theirs } = await generateOn(other, prompts, sizes.newTokens);
    for (const [i, prompt] of prompts.entries()) {
      const [mine, reference] = [own[i]!, theirs[i]!];
      compared += reference.length;
      const at = firstDifference(mine, reference);
      if (at < 0) {
        same++;
        continue;
      }
      const before = [...prompt, ...reference.slice(0, at)];
      const both = [mine[at]!, reference[at]!].map((id) => [...before, id]);
      const { logProbs } = await scoreOn(engine, both);
      const margin = Math.abs(logProbs[0]!.at(-1)! - logProbs[1]!.at(-1)!);
      exceptions.push(
        `prompt ${part * AT_ONCE + i}, token ${at}: ${mine[at]} instead of ${reference[at]}; their log-probabilities are ${margin.toExponential(1)} apart`,
      );
    }
    onProgress(`ids: ${Math.min(count, (part + 1) * AT_ONCE)} of ${count} prompts, ${same} the same`);
  }
  return [
    {
      statement: "greedy ids are those of transformers in float32",
      holds: same === count,
      numbers: { prompts: count, same, tokens: compared },
      exceptions: exceptions.slice(0, MOST_EXCEPTIONS),
    },
  ];
}
