export { type AskOptions, ask } from "./ask.js";
export type { Answer, Attempt, Call, Context, Strategy } from "./attempt.js";
export { type CollectOptions, collect, type Rollout } from "./collect.js";
export { type CallGatherer, type GatherOptions, gatherCalls } from "./gather-calls.js";
export {
  lengthReward,
  namedRewards,
  REWARD_NAMES,
  type RewardName,
  verifierReward,
} from "./named-rewards.js";
export {
  answerReward,
  type CombinedReward,
  combine,
  formatReward,
  majorityReward,
  type Reward,
  type RewardContext,
  rewardSettings,
  type SetReward,
} from "./rewards.js";
export {
  type AttemptOptions,
  type AttemptPlace,
  type AttemptRunner,
  attemptRunner,
  checkStrategy,
  openProgramSandbox,
  runAttempts,
} from "./run-attempts.js";
