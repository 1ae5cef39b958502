import type { Contender, Contest } from "../contest.js";
import type { Numerics } from "../engine.js";
import { runBatchedBench } from "../llama-bench.js";
import { type ServedPeer, TITLES } from "../peer-list.js";
import type { RunningPeer } from "../processes.js";
import type { Setting } from "../setting.js";
import { questions, textsOfLength } from "../texts.js";
import { decodeOn, generateOn, readOn, tokensOf } from "./replies.js";

/** Both paths of this engine. */
export function ours(
  setting: Setting,
  turn: (peer: RunningPeer, round: number) => Promise<number>,
  warmUp: (peer: RunningPeer) => Promise<unknown> = (peer) => turn(peer, -1),
): Contender[] {
  return (["fast", "exact"] as const satisfies Numerics[])
    .filter((path) => setting.has(path))
    .map((path) => ({
      name: path,
      title: TITLES[path],
      warmUp: async () => warmUp(await setting.engine(path)),
      turn: async (round) => turn(await setting.engine(path), round),
    }));
}

/** Those of some peers in Python that take part. */
export function inPython(
  setting: Setting,
  names: readonly ServedPeer[],
  turn: (peer: RunningPeer, round: number) => Promise<number>,
  warmUp: (peer: RunningPeer) => Promise<unknown>,
): Contender[] {
  return names
    .filter((name) => setting.has(name))
    .map((name) => ({
      name,
      title: TITLES[name],
      warmUp: async () => warmUp(await setting.python(name)),
      turn: async (round) => turn(await setting.python(name), round),
    }));
}

/** llama.cpp by llama-batched-bench, whose prompts are random ids of the same length. */
export function llama(setting: Setting, turn: (folder: string) => Promise<number>): Contender[] {
  const { llama: folder } = setting;
  return folder !== undefined && setting.has("llama")
    ? [{ name: "llama", title: TITLES.llama, turn: () => turn(folder) }]
    : [];
}

/** New tokens a second when all prompts have been read, at several numbers of rows. */
export async function decode(setting: Setting): Promise<Contest[]> {
  const { sizes, tokens, file, threads, seed } = setting;
  const { promptTokens, newTokens } = sizes;
  const contests: Contest[] = [];
  for (const rows of sizes.batches) {
    const prompts = (round: number) => textsOfLength(tokens, rows, promptTokens, `${seed}/decode/${rows}/${round}`);
    contests.push(
      await setting.contest({
        measure: "decode",
        title: `decoding at batch ${rows}, prompts not counted`,
        unit: "new tokens/s",
        conditions: { rows, promptTokens, newTokens },
        contenders: [
          ...ours(setting, async (peer, round) => (await decodeOn(peer, prompts(round), newTokens)).tokensPerSecond),
          ...llama(setting, async (folder) => {
            const { newSeconds } = await runBatchedBench({ folder, file, threads, rows, promptTokens, newTokens });
            return (rows * newTokens) / newSeconds;
          }),
        ],
      }),
    );
  }
  return contests;
}

/** New tokens a second of questions that arrive at once, reading them included. */
export async function prompts(setting: Setting): Promise<Contest[]> {
  const { sizes, tokens, file, threads, seed } = setting;
  const { newTokens, questions: rows } = sizes;
  const asked = (round: number) => questions(tokens, rows, `${seed}/prompts/${round}`);
  const promptTokens = Math.round(tokensOf(asked(0)) / rows);
  const turn = async (peer: RunningPeer, round: number) =>
    (rows * newTokens) / (await generateOn(peer, asked(round), newTokens)).seconds;
  return [
    await setting.contest({
      measure: "prompts",
      title: `${rows} questions at once, with their prompts`,
      unit: "new tokens/s",
      conditions: { rows, promptTokens, newTokens },
      contenders: [
        ...ours(setting, turn),
        ...inPython(setting, ["vllm", "vllm-vnni", "transformers"], turn, (peer) =>
          generateOn(peer, asked(-1).slice(0, 2), 4),
        ),
        ...llama(setting, async (folder) => {
          const sizes = { rows, promptTokens, newTokens };
          const { promptSeconds, newSeconds } = await runBatchedBench({ folder, file, threads, ...sizes });
          return (rows * newTokens) / (promptSeconds + newSeconds);
        }),
      ],
    }),
  ];
}

/** Tokens of prompts that are read in a second, of one text and of several together. */
export async function read(setting: Setting): Promise<Contest[]> {
  const { sizes, tokens, file, threads, seed } = setting;
  const { textTokens: promptTokens, texts } = sizes;
  const contests: Contest[] = [];
  for (const rows of [1, texts]) {
    const prompts = (round: number) => textsOfLength(tokens, rows, promptTokens, `${seed}/read/${rows}/${round}`);
    const turn = async (peer: RunningPeer, round: number) =>
      (rows * promptTokens) / (await readOn(peer, prompts(round))).seconds;
    contests.push(
      await setting.contest({
        measure: "read",
        title: `reading ${rows === 1 ? "a prompt" : `${rows} prompts`} of ${promptTokens} tokens`,
        unit: "tokens/s",
        conditions: { rows, promptTokens },
        contenders: [
          ...ours(setting, turn),
          ...inPython(setting, ["vllm", "transformers"], turn, (peer) => readOn(peer, prompts(-1))),
          ...llama(setting, async (folder) => {
            const { promptSeconds } = await runBatchedBench({
              folder,
              file,
              threads,
              rows,
              promptTokens,
              newTokens: 1,
            });
            return (rows * promptTokens) / promptSeconds;
          }),
        ],
      }),
    );
  }
  return contests;
}
