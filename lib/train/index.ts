export { type Example, type ExampleStream, exampleOf } from "./examples/examples.js";
export {
  describeCounts,
  encodeRow,
  encoderOf,
  type RowCounts,
  type RowEncoder,
  type TrainingRow,
  trainingRows,
} from "./examples/training-rows.js";
export { type FineTuned, type FineTuneOptions, fineTune, saveTrained } from "./fine-tune.js";
export {
  type AdvantageOptions,
  generalizedAdvantages,
  groupAdvantages,
  type RewardScale,
} from "./objectives/advantages.js";
export { type DpoOptions, dpo } from "./objectives/dpo.js";
export { type GrpoOptions, grpo } from "./objectives/grpo.js";
export type { Objective, ObjectiveModels } from "./objectives/objective.js";
export type {
  LossType,
  PolicyData,
  PolicyObjective,
  PolicyOptions,
  PolicyText,
  TokenNumbers,
} from "./objectives/policy-objective.js";
export { type PpoOptions, ppo } from "./objectives/ppo.js";
export { rewardWeighted } from "./objectives/reward-weighted.js";
export { BATCH_SPEC, type BatchTensors, languageModelLoss, sft } from "./objectives/sft.js";
export { SOFT_PROMPT, type TokenScores, tokenScores } from "./objectives/token-scores.js";
export { valueRegression } from "./objectives/value-regression.js";
export { trainingSettingsSchema } from "./options.js";
export { pretrainFolders } from "./pretrain/folders.js";
export { type PretrainOptions, pretrain } from "./pretrain/pretrain.js";
export { type ProblemAccuracyOptions, problemAccuracy } from "./pretrain/problem-accuracy.js";
export { type PublishOptions, publishModels } from "./pretrain/publish.js";
export { type Phase, type Recipe, readRecipe } from "./pretrain/recipe.js";
export { type Batch, type BatchSource, createBatches } from "./sources/batches.js";
export { exampleSource, streamSource } from "./sources/example-sources.js";
export { type PreferencePair, pairSource, withReference } from "./sources/pair-source.js";
export { policyModel } from "./sources/policy-model.js";
export { type RolloutSourceOptions, rolloutSource } from "./sources/rollout-source.js";
export { onPolicySource, type Snapshot, type Source, type TrainingBatch, type Update } from "./sources/source.js";
export { numberSource, type WeightedExample, weightedSource } from "./sources/weighted-source.js";
export { type TextValues, textValues } from "./text-values.js";
export { type Trained, type TrainOptions, train } from "./train.js";
export { type TrainLanguageModelOptions, trainLanguageModel } from "./train-language-model.js";
export { type Trainable, type TrainableModel, trainableModel } from "./trainable.js";
export { type CurvePhase, readTrainingCurve } from "./training-curve.js";
export {
  isTrainedBy,
  mostOperations,
  readTraining,
  type TrainingOfModel,
  trainedOperations,
} from "./training-record.js";
export type { TrainingRecord } from "./update-record.js";
