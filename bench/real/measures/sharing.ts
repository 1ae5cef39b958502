import type { Contender, Contest } from "../contest.js";
import type { Numerics } from "../engine.js";
import { TITLES } from "../peer-list.js";
import type { RunningPeer } from "../processes.js";
import type { Setting } from "../setting.js";
import { demonstrated, questions, textsOfLength } from "../texts.js";
import { generateOn, tokensOf } from "./replies.js";

const SAMPLES = 8;
const PROMPT_TOKENS = 600;
const BATCH = 64;
/** What the other ways are compared with. */
const NOTHING = "nothing shared";

/** Seconds of this engine until each text has its first token, which is what prompts take, in several ways. */
async function ways(
  setting: Setting,
  path: Numerics,
  title: string,
  conditions: Contest["conditions"],
  all: readonly { name: string; title: string; work(peer: RunningPeer, round: number): Promise<{ seconds: number }> }[],
): Promise<Contest> {
  const contenders = all.map(({ name, title, work }): Contender => {
    const turn = async (round: number) => (await work(await setting.engine(path), round)).seconds;
    return { name, title: `${TITLES[path]}: ${title}`, warmUp: () => turn(-1), turn };
  });
  const references = [NOTHING];
  return setting.contest({ measure: "sharing", title, unit: "s", better: "less", references, conditions, contenders });
}

/** Time spent on prompts with a common beginning, and with none: 8 samples of a prompt, 64 questions with demonstrations. */
export async function sharing(setting: Setting): Promise<Contest[]> {
  const { tokens, seed, sizes } = setting;
  const contests: Contest[] = [];
  for (const path of (["fast", "exact"] as const).filter((path) => setting.has(path))) {
    const distinct = (round: number, count: number, kind: string) =>
      textsOfLength(tokens, count, PROMPT_TOKENS, `${seed}/sharing/${kind}/${round}`);
    contests.push(
      await ways(
        setting,
        path,
        `prompts of ${SAMPLES} texts, ${PROMPT_TOKENS} tokens each`,
        { samples: SAMPLES, promptTokens: PROMPT_TOKENS },
        [
          {
            name: "samples",
            title: `${SAMPLES} samples of one prompt`,
            work: (peer, round) => generateOn(peer, distinct(round, 1, "samples"), 1, SAMPLES),
          },
          {
            name: "requests",
            title: `${SAMPLES} requests with the same prompt`,
            work: (peer, round) =>
              generateOn(peer, Array<number[]>(SAMPLES).fill(distinct(round, 1, "requests")[0]!), 1),
          },
          {
            name: NOTHING,
            title: "other prompts",
            work: (peer, round) => generateOn(peer, distinct(round, SAMPLES, "others"), 1),
          },
        ],
      ),
    );
    const count = Math.min(BATCH, sizes.questions);
    const four = (round: number, shared: boolean) =>
      demonstrated(tokens, count, `${seed}/shots/${shared}/${round}`, shared);
    const average = (prompts: readonly number[][]) => Math.round(tokensOf(prompts) / prompts.length);
    contests.push(
      await ways(
        setting,
        path,
        `prompts of ${count} questions`,
        { questions: count, tokensAlone: average(questions(tokens, count, seed)), tokens: average(four(0, true)) },
        [
          {
            name: "alone",
            title: "no demonstrations",
            work: (peer, round) => generateOn(peer, questions(tokens, count, `${seed}/alone/${round}`), 1),
          },
          {
            name: "demonstrations",
            title: "the same four demonstrations before each",
            work: (peer, round) => generateOn(peer, four(round, true), 1),
          },
          {
            name: NOTHING,
            title: "four others before each",
            work: (peer, round) => generateOn(peer, four(round, false), 1),
          },
        ],
      ),
    );
  }
  return contests;
}
