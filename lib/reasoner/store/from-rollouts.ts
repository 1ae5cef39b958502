import type { CombinedReward, RewardContext, Rollout } from "../../rollouts/index.js";
import type { Problem } from "../../tasks/index.js";
import type { SearchTrace } from "../search/search.js";
import { type StoredAttempt, type StoredSolution, solutionId, storedPrompt } from "./solutions.js";

/**
 * What a group of rewarded attempts adds to the store. Of a search all candidates count, each with the rewards of its own.
 *
 * @param reward with the parts `outcome` and `partial`
 */
export async function foundIn(
  problem: Problem,
  group: readonly Rollout[],
  reward: CombinedReward,
  context: RewardContext,
): Promise<{ solutions: StoredSolution[]; attempts: StoredAttempt[] }> {
  const solutions: StoredSolution[] = [];
  const attempts: StoredAttempt[] = [];
  const domain = problem.kind === "code" ? "code" : "math";
  for (const rollout of group) {
    const prompt = rollout.calls[0] && storedPrompt(rollout.calls[0].prompt);
    if (prompt === undefined) continue;
    for (const { id, text, begun = "", rewards, tokens, source } of await triesOf(problem, rollout, reward, context)) {
      const completion = `${begun}${text}`;
      const solution = solutionId(problem.id, domain, completion);
      const [outcome, partial] = [rewards.outcome ?? 0, rewards.partial ?? 0];
      const common = { task: problem.id, round: rollout.round, reward: outcome, stepReward: partial, tokens };
      attempts.push({ id, solution, ...common });
      // What was cut off has no end that could be learned.
      if (isCut(rollout)) continue;
      solutions.push({ id: solution, domain, prompt, completion, source, ...common });
    }
  }
  return { solutions, attempts };
}

const isCut = ({ calls, trace }: Rollout): boolean =>
  trace === undefined && calls.at(-1)?.completion.finishReason === "length";

interface Try {
  id: string;
  text: string;
  begun?: string | undefined;
  rewards: Readonly<Record<string, number>>;
  tokens: number;
  source: StoredSolution["source"];
}

async function triesOf(
  problem: Problem,
  rollout: Rollout,
  reward: CombinedReward,
  context: RewardContext,
): Promise<Try[]> {
  const trace = rollout.trace as Partial<SearchTrace> | undefined;
  if (!Array.isArray(trace?.candidates)) {
    const tokens = rollout.calls.reduce((sum, { completion }) => sum + completion.completionTokens, 0);
    return [{ ...rollout, tokens, source: "sample" }];
  }
  const { candidates } = trace as SearchTrace;
  const group = candidates.map(({ text, begun, solution }, sample) => ({
    ...{ problem: problem.id, sample, text, begun, solution, calls: [] },
  }));
  const columns = await Promise.all(
    Object.entries(reward.parts).map(
      async ([name, part]) => [name, await part.reward(problem, group, context)] as const,
    ),
  );
  return candidates.map(({ text, begun, tokens, source }, at) => ({
    ...{ id: `${rollout.id}.${at}`, text, begun, tokens },
    rewards: Object.fromEntries(columns.map(([name, values]) => [name, values[at]!])),
    source: source === "revision" ? "revision" : source === "sample" ? "sample" : "search",
  }));
}
