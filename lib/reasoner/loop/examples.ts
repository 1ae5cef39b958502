import { badInput } from "../../core/index.js";
import { type Example, encodeRow, type RowEncoder } from "../../train/index.js";
import type { SolutionPair } from "../store/aggregate.js";
import type { StoredSolution } from "../store/solutions.js";

/** A solution as an example whose completion is learned. */
export async function exampleOfSolution(
  { prompt, completion }: Pick<StoredSolution, "prompt" | "completion">,
  encoder: RowEncoder,
): Promise<Example> {
  if (typeof prompt === "string") return (await encodeRow({ prompt, completion }, encoder)).at(-1)!;
  const messages = [...prompt.messages, { role: "assistant", content: completion }] as never;
  const learned = prompt.messages.flatMap(({ role }) => (role === "assistant" ? [false] : []));
  return (await encodeRow({ messages, learned: [...learned, true] }, encoder)).at(-1)!;
}

/** Ids of the prompt and of the completion of an example. */
export function partsOfExample({ ids, labels }: Example): { promptIds: number[]; completionIds: number[] } {
  const first = labels.findIndex((label) => label >= 0);
  if (first < 0) throw badInput("an example has nothing that is learned", "Leave it out.");
  return { promptIds: [...ids.slice(0, first)], completionIds: [...ids.slice(first)] };
}

/** Pairs as `pairSource` takes them; those whose texts do not fit the model are left out. */
export async function pairsOf(
  pairs: readonly SolutionPair[],
  encoder: RowEncoder,
  mostTokens: number,
): Promise<{ promptIds: number[]; chosenIds: number[]; rejectedIds: number[] }[]> {
  const encoded = await Promise.all(
    pairs.map(async ({ chosen, rejected }) => {
      const [right, near] = [await exampleOfSolution(chosen, encoder), await exampleOfSolution(rejected, encoder)];
      const { promptIds, completionIds } = partsOfExample(right);
      return { promptIds, chosenIds: completionIds, rejectedIds: partsOfExample(near).completionIds };
    }),
  );
  return encoded.filter(
    ({ promptIds, chosenIds, rejectedIds }) =>
      promptIds.length + chosenIds.length + rejectedIds.length <= mostTokens && promptIds.length >= 2,
  );
}
