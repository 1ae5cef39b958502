import type { Contender, Contest } from "../contest.js";
import type { Numerics } from "../engine.js";
import { TITLES } from "../peer-list.js";
import type { Setting } from "../setting.js";
import { demonstrated, questions, textsOfLength } from "../texts.js";
import { generateOn, tokensOf } from "./replies.js";

const SAMPLES = 8;
const PROMPT_TOKENS = 600;

interface Way {
  name: string;
  prompts(round: number): number[][];
  samples?: number;
}

/** Seconds of this engine until each text has its first token, which is what prompts take; the last way is the reference. */
async function ways(
  setting: Setting,
  path: Numerics,
  title: string,
  conditions: Contest["conditions"],
  all: readonly Way[],
): Promise<Contest> {
  const contenders = all.map(({ name, prompts, samples }): Contender => {
    const turn = async (round: number) =>
      (await generateOn(await setting.engine(path), prompts(round), 1, samples)).seconds;
    return { name, title: `${TITLES[path]}: ${name}`, warmUp: () => turn(-1), turn };
  });
  const references = all.slice(-1).map(({ name }) => name);
  return setting.contest({ measure: "sharing", title, unit: "s", better: "less", references, conditions, contenders });
}

/** Time spent on prompts with a common beginning, and with none: 8 samples of a prompt, 64 questions with demonstrations. */
export async function sharing(setting: Setting): Promise<Contest[]> {
  const contests: Contest[] = [];
  for (const path of ["fast", "exact"] as const) {
    if (setting.has(path)) contests.push(await samplesOfOne(setting, path), await afterDemonstrations(setting, path));
  }
  return contests;
}

async function samplesOfOne(setting: Setting, path: Numerics): Promise<Contest> {
  const texts = (round: number, count: number, kind: string) =>
    textsOfLength(setting.tokens, count, PROMPT_TOKENS, `${setting.seed}/sharing/${kind}/${round}`);
  return ways(
    setting,
    path,
    `prompts of ${SAMPLES} texts, ${PROMPT_TOKENS} tokens each`,
    { samples: SAMPLES, promptTokens: PROMPT_TOKENS },
    [
      { name: `${SAMPLES} samples of one prompt`, prompts: (round) => texts(round, 1, "samples"), samples: SAMPLES },
      {
        name: `${SAMPLES} requests with one prompt`,
        prompts: (round) => Array<number[]>(SAMPLES).fill(texts(round, 1, "requests")[0]!),
      },
      { name: `${SAMPLES} prompts`, prompts: (round) => texts(round, SAMPLES, "others") },
    ],
  );
}

async function afterDemonstrations(setting: Setting, path: Numerics): Promise<Contest> {
  const { tokens, seed, sizes } = setting;
  const count = sizes.questions;
  const asked = (round: number) => questions(tokens, count, `${seed}/alone/${round}`);
  const shown = (round: number) => demonstrated(tokens, count, `${seed}/shots/${round}`);
  const average = (prompts: readonly number[][]) => Math.round(tokensOf(prompts) / prompts.length);
  return ways(
    setting,
    path,
    `prompts of ${count} questions`,
    { questions: count, tokensAlone: average(asked(0)), tokensWithDemonstrations: average(shown(0)) },
    [
      { name: "the same four demonstrations before each", prompts: shown },
      { name: "no demonstrations", prompts: asked },
    ],
  );
}
