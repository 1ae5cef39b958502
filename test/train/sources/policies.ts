// A policy of a few thousand weights over the ids 0 to 19, and what it is asked.
import { createLocalModel, type LocalModel } from "thoughtbook/llm";
import type { ModelParameters } from "thoughtbook/model";
import type { Reward, Strategy } from "thoughtbook/rollouts";
import { createTask, type Task } from "thoughtbook/tasks";
import { type TrainOptions, train } from "thoughtbook/train";
import { temporaryFolder } from "../../core/helpers.js";
import { SILENT, TINY, tinyParameters } from "../helpers.js";

export const tinyModel = (weights: ModelParameters = tinyParameters()): LocalModel =>
  createLocalModel({
    name: "tiny",
    config: TINY,
    endIds: [0],
    host: { config: TINY, weights },
    hash: async () => `hash of ${weights["model.embed_tokens.weight"]!.data[0]}`,
  });

export const idTask = (count: number): Task =>
  createTask(
    "ids",
    Array.from({ length: count }, (_, at) => ({ id: `p${at}`, question: `${at}`, kind: "words", references: ["x"] })),
  );

/** Two calls: the second one goes on from what the first one wrote. */
export const twoCalls: Strategy = {
  name: "two-calls",
  async attempt({ id }, { as, seed, sample, sampling, maxNewTokens }) {
    const options = (name: string) => ({ ...sampling, maxNewTokens, seed: `${seed}/${id}/${sample}/${name}` });
    const start = [1, 2 + (Number(id.slice(1)) % 5)];
    const [[first] = []] = await as("first").generate([{ prompt: { ids: start }, ...options("first") }]);
    const ids = [...start, ...first!.tokens!.completionIds, 3];
    await as("second").generate([{ prompt: { ids }, ...options("second") }]);
    return { text: id };
  },
};

/** Share of the id 7 among all that an attempt wrote. */
export const shareOfSeven: Reward = async (_, group) =>
  group.map(({ calls }) => {
    const ids = calls.flatMap(({ completion }) => completion.tokens!.completionIds);
    return ids.filter((id) => id === 7).length / Math.max(1, ids.length);
  });

export const ROLLOUTS = { strategy: twoCalls, reward: shareOfSeven, groupSize: 6, maxNewTokens: 5, display: SILENT };

/** Train the tiny policy, quietly. */
export async function trainTiny<Spec>(options: Omit<TrainOptions<Spec>, "model" | "folder"> & { folder?: string }) {
  return train<Spec>({
    model: { config: TINY, parameters: tinyParameters() },
    threads: 1,
    display: SILENT,
    ...options,
    folder: options.folder ?? (await temporaryFolder()),
  });
}
