export type { Form } from "./training/engine-rows.js";
export { type ExportedTraining, type ExportTrainingOptions, exportTraining } from "./training/export-training.js";
export {
  defaultRecipe,
  type Engine,
  type Method,
  RECIPES,
  type RecipeName,
  type TrainingRecipe,
} from "./training/recipes.js";
