import type { Contest } from "../contest.js";
import { TITLES } from "../peer-list.js";
import type { RunningPeer } from "../processes.js";
import type { Setting } from "../setting.js";
import { textsOfLength, trainingRows } from "../texts.js";
import { inPython, ours } from "./generation.js";
import { scoreOn, tokensOf, trainOn } from "./replies.js";

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

const RANK = 8;
const BATCH_SIZE = 8;
const LEARNING_RATE = 2e-4;

/** Tokens a second of LoRA on all linear layers, with batches of 8 rows: what a run takes, batches and optimizer included. */
export async function lora(setting: Setting): Promise<Contest[]> {
  const { sizes, tokens, seed } = setting;
  const { loraSteps: steps, rounds } = sizes;
  const rows = trainingRows(tokens, BATCH_SIZE * steps * (rounds + 1), `${seed}/lora`);
  const common = { rank: RANK, batchSize: BATCH_SIZE, learningRate: LEARNING_RATE };
  const speed = ({ tokens: trained, seconds }: { tokens: number; seconds: number }) => trained / seconds;
  const share = (round: number) => rows.slice((round + 1) * steps * BATCH_SIZE, (round + 2) * steps * BATCH_SIZE);
  return [
    await setting.contest({
      measure: "lora",
      title: `LoRA of rank ${RANK} on all linear layers, batches of ${BATCH_SIZE} rows`,
      unit: "tokens/s",
      conditions: { rank: RANK, batchSize: BATCH_SIZE, steps, tokensARow: Math.round(tokensOf(rows) / rows.length) },
      contenders: [
        // Training is in fp32 on dequantised weights; two updates compile.
        ...(setting.has("exact")
          ? [
              {
                name: "exact",
                title: TITLES.exact,
                warmUp: async () => trainOn(await setting.engine("exact"), { ...common, rows, steps: 2 }),
                turn: async () => speed(await trainOn(await setting.engine("exact"), { ...common, rows, steps })),
              },
            ]
          : []),
        ...inPython(
          setting,
          ["peft"],
          async (peer, round) => speed(await trainOn(peer, { ...common, rows: share(round) })),
          (peer) => trainOn(peer, { ...common, rows: share(-1).slice(0, BATCH_SIZE) }),
        ),
      ],
    }),
  ];
}
