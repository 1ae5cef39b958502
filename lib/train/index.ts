export { type Batch, type Batching, type BatchSource, createBatches } from "./batches.js";
export {
  type Branch,
  branchedExample,
  type Example,
  type ExampleStream,
  exampleOf,
  NOT_COUNTED,
} from "./examples/examples.js";
export {
  describeCounts,
  encodeRow,
  encoderOf,
  type ReadRows,
  type ReadRowsOptions,
  type RowCounts,
  type RowEncoder,
  readRows,
  type TrainingRow,
} from "./examples/training-rows.js";
export { type FineTuned, type FineTuneOptions, fineTune } from "./fine-tune.js";
export { BATCH_SPEC, type BatchTensors, languageModelLoss } from "./loss.js";
export type { TrainingSettings } from "./options.js";
export { type EvaluationOptions, HELD_OUT_LOSS, type Scores, type Snapshot } from "./pretrain/evaluations.js";
export { pretrainFolders } from "./pretrain/folders.js";
export { type PretrainOptions, pretrain } from "./pretrain/pretrain.js";
export { type ProblemAccuracyOptions, problemAccuracy } from "./pretrain/problem-accuracy.js";
export { type ProblemStreamOptions, problemStream } from "./pretrain/problem-stream.js";
export { type PublishOptions, publishModels } from "./pretrain/publish.js";
export { type Phase, type Recipe, readRecipe } from "./pretrain/recipe.js";
export { removeState } from "./saved-state.js";
export {
  type TrainedLanguageModel,
  type TrainLanguageModelOptions,
  trainLanguageModel,
} from "./train-language-model.js";
export { type TrainedModel, trainedModel } from "./trained-model.js";
export { type CurvePhase, readTrainingCurve } from "./training-curve.js";
export {
  isTrainedBy,
  mostOperations,
  readTraining,
  type TrainingOfModel,
  trainedOperations,
} from "./training-record.js";
export type { TrainingRecord } from "./update-record.js";
