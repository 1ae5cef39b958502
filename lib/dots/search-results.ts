import { z } from "zod";
import { readJsonl, ThoughtbookError } from "../core/index.js";
import { loadDataset, readRows } from "../data/index.js";
import { PROBLEM_KINDS } from "../tasks/index.js";
import { actionIn, type Trajectory, trajectoryIn, trajectoryKey } from "./actions.js";
import { DOTS_SPACE } from "./dots-space.js";

const turnSchema = z.strictObject({ action: z.string(), text: z.string(), observed: z.string().optional() });
const messageSchema = z.looseObject({ role: z.string(), content: z.string() });
const trajectorySchema = z.array(z.string()).min(1);

/** One attempt of a search along a trajectory, graded. */
const sampleSchema = z.strictObject({
  /** `PROBLEM/TRAJECTORY#SAMPLE`. */
  id: z.string(),
  problem: z.string(),
  trajectory: trajectorySchema,
  sample: z.int().nonnegative(),
  /** Whether the search counts it as right. */
  right: z.boolean(),
  /** By policy, where it applies: the released code's grading and the strict one. */
  correct: z.strictObject({ strict: z.boolean().optional(), dots: z.boolean().optional() }),
  answer: z.string().optional(),
  /** New tokens of all its calls, those that other attempts share included. */
  tokens: z.int().nonnegative(),
  promptTokens: z.int().nonnegative(),
  calls: z.int().nonnegative(),
  turns: z.array(turnSchema),
  /** The conversation, in place of turns, of a search by the released code. */
  dialogue: z.array(messageSchema).optional(),
});

const searchedSchema = z.strictObject({
  id: z.string(),
  dataset: z.string(),
  query: z.string(),
  kind: z.enum(PROBLEM_KINDS),
  references: z.array(z.string()),
  /** Steps that the answer needs, where known, and the group that the problem is of. */
  operations: z.int().optional(),
  group: z.string().optional(),
  /** All trajectories, with the share of right attempts among theirs. */
  trajectories: z.array(
    z.strictObject({ trajectory: trajectorySchema, rate: z.number(), samples: z.int(), rounds: z.int() }),
  ),
  /** The one that the search found best, unless the question is dropped. */
  best: trajectorySchema.optional(),
  /** Why nothing can be learned from it: every trajectory solves it in all attempts, or none in any. */
  dropped: z.enum(["every", "none"]).optional(),
  samples: z.array(sampleSchema),
});

export type SearchSample = z.infer<typeof sampleSchema>;
/** What a search found for a question: a line of the file that `thoughtbook dots search` writes. */
export type SearchedQuestion = z.infer<typeof searchedSchema>;
export const searchSampleSchema = sampleSchema;

/**
 * Read what a search found: the JSONL of `thoughtbook dots search`, or the JSON of the released code's `search_paths.py`, told apart by
 * its fields. Of the latter the success rates of trajectories are computed from all samples of all phases.
 *
 * @throws corrupt-data naming the line, not-found, file-system
 */
export async function readSearchResults(file: string): Promise<SearchedQuestion[]> {
  if (await isReleased(file)) return readReleased(file);
  const questions: SearchedQuestion[] = [];
  for await (const { value } of readJsonl(file, { schema: searchedSchema })) questions.push(value);
  if (questions.length > 0) return questions;
  throw new ThoughtbookError("corrupt-data", `${file} holds no searched questions`, {
    hint: 'Give what "thoughtbook dots search" wrote, or search_paths.py of the released code.',
  });
}

async function isReleased(file: string): Promise<boolean> {
  for await (const { value } of readRows(file, { onMalformed: () => {}, anyName: true })) {
    return typeof value === "object" && value !== null && "meta_info" in value;
  }
  return false;
}

async function readReleased(file: string): Promise<SearchedQuestion[]> {
  const questions: SearchedQuestion[] = [];
  for await (const { id, question, answer, samples } of loadDataset("dots", { path: file })) {
    const own = samples.map(({ trajectory, dialogue, prediction, score }, at): SearchSample => {
      const names = trajectory.flatMap((said) => actionIn(DOTS_SPACE, said) ?? []);
      const taken = [...trajectoryIn(DOTS_SPACE, names)];
      const sample = samples.slice(0, at).filter((other) => other.trajectory.join() === trajectory.join()).length;
      return {
        id: `${id}/${trajectoryKey(taken)}#${sample}`,
        problem: id,
        trajectory: taken,
        sample,
        right: score > 0,
        correct: { dots: score > 0 },
        ...(prediction === undefined ? {} : { answer: prediction }),
        tokens: 0,
        promptTokens: 0,
        calls: dialogue.filter(({ role }) => role === "assistant").length,
        turns: [],
        dialogue: dialogue.map((turn) => ({ ...turn })),
      };
    });
    questions.push(
      summarised({ id, dataset: "dots", query: question, kind: "math", references: answer ? [answer] : [] }, own),
    );
  }
  return questions;
}

/** Success rates by trajectory, and the best: the highest rate, then the shorter one, then by name. */
function summarised(
  question: Pick<SearchedQuestion, "id" | "dataset" | "query" | "kind" | "references">,
  samples: readonly SearchSample[],
): SearchedQuestion {
  const keys = [...new Set(samples.map(({ trajectory }) => trajectoryKey(trajectory)))];
  const trajectories = keys.map((key) => {
    const own = samples.filter(({ trajectory }) => trajectoryKey(trajectory) === key);
    const rate = own.filter(({ right }) => right).length / own.length;
    return { trajectory: own[0]!.trajectory, rate, samples: own.length, rounds: 1 };
  });
  return { ...question, trajectories, samples: [...samples], ...outcomeOf(trajectories) };
}

/** Orders trajectories by success rate, then length, then name. */
export const byRate = (
  a: { trajectory: Trajectory; rate: number },
  b: { trajectory: Trajectory; rate: number },
): number => {
  const [first, second] = [trajectoryKey(a.trajectory), trajectoryKey(b.trajectory)];
  return b.rate - a.rate || a.trajectory.length - b.trajectory.length || (first < second ? -1 : Number(first > second));
};

function outcomeOf(trajectories: SearchedQuestion["trajectories"]): Pick<SearchedQuestion, "best" | "dropped"> {
  const dropped = droppedFor(trajectories.map(({ rate }) => rate));
  const best = [...trajectories].sort(byRate)[0];
  return dropped ? { dropped } : best ? { best: best.trajectory } : { dropped: "none" };
}

/** Why a question teaches nothing, by the success rates of its trajectories; undefined if it does. */
export const droppedFor = (rates: readonly number[]): SearchedQuestion["dropped"] =>
  rates.every((rate) => rate === 1) ? "every" : rates.every((rate) => rate === 0) ? "none" : undefined;
