import type { Contest } from "../contest.js";
import type { RunningPeer } from "../processes.js";
import type { Setting } from "../setting.js";
import { textsOfLength } from "../texts.js";
import { inPython, ours } from "./generation.js";
import { scoreOn } from "./replies.js";

/** Tokens whose log-probabilities are computed in a second. */
export async function score(setting: Setting): Promise<Contest[]> {
  const { sizes, tokens, seed } = setting;
  const { texts: count, textTokens } = sizes;
  const texts = (round: number) => textsOfLength(tokens, count, textTokens, `${seed}/score/${round}`);
  const turn = async (peer: RunningPeer, round: number) =>
    (count * textTokens) / (await scoreOn(peer, texts(round))).seconds;
  return [
    await setting.contest({
      measure: "score",
      title: `scoring ${count} texts of ${textTokens} tokens`,
      unit: "tokens/s",
      conditions: { texts: count, textTokens },
      contenders: [
        ...ours(setting, turn),
        ...inPython(setting, ["transformers", "llama-python"], turn, (peer) => scoreOn(peer, texts(-1).slice(0, 1))),
      ],
    }),
  ];
}
