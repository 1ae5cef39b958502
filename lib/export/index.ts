export { FORMS, type Form } from "./training/engine-rows.js";
export { type ExportedTraining, type ExportTrainingOptions, exportTraining } from "./training/export-training.js";
export {
  defaultRecipe,
  ENGINES,
  type Engine,
  METHODS,
  type Method,
  RECIPE_NAMES,
  RECIPES,
  type RecipeName,
  type TrainingRecipe,
} from "./training/recipes.js";
