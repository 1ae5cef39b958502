export { type Batch, type Batching, type BatchSource, createBatches } from "./batches.js";
export { type EvaluationOptions, HELD_OUT_LOSS, type Scores, type Snapshot } from "./evaluations.js";
export { type Branch, branchedExample, type Example, type ExampleStream, exampleOf, NOT_COUNTED } from "./examples.js";
export { type FineTuned, type FineTuneOptions, fineTune } from "./fine-tune.js";
export { BATCH_SPEC, type BatchTensors, languageModelLoss } from "./loss.js";
export type { TrainingSettings } from "./options.js";
export { type PretrainOptions, pretrain } from "./pretrain.js";
export { pretrainFolders } from "./pretrain-folders.js";
export { type ProblemAccuracyOptions, problemAccuracy } from "./problem-accuracy.js";
export { type ProblemStreamOptions, problemStream } from "./problem-stream.js";
export { type PublishOptions, publishModels } from "./publish.js";
export { type Phase, type Recipe, readRecipe } from "./recipe.js";
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
} from "./rows.js";
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
