import { ThoughtbookError } from "thoughtbook/core";
import { type LanguageModel, type LoadModelOptions, type LocalModel, loadModel } from "thoughtbook/llm";

export type Numerics = "exact" | "fast";

export interface EngineOptions {
  /** What `loadModel` opens. */
  model: string;
  numerics: Numerics;
  lowMemory?: boolean;
  threads: number;
}

/**
 * Open a model on this library's engine.
 *
 * @throws as `loadModel`; bad-input where the engine has the model on another numerical path than asked for, or not at all
 */
export async function openEngine({
  model: spec,
  numerics,
  lowMemory = false,
  threads,
}: EngineOptions): Promise<LocalModel> {
  const options: LoadModelOptions & { numerics: Numerics; lowMemory: boolean } = {
    numerics,
    lowMemory,
    session: { threads },
  };
  const model = await loadModel(spec, options);
  if (!isLocal(model)) throw refused(`${spec} does not run on this library's engine`);
  // Measuring one path under the name of another would be worse than no measurement.
  const path = "numerics" in model ? model.numerics : "exact";
  if (path !== numerics) throw refused(`${spec} runs in ${String(path)} numerics, ${numerics} was asked for`);
  return model;
}

const isLocal = (model: LanguageModel): model is LocalModel => "host" in model;

const refused = (message: string): ThoughtbookError =>
  new ThoughtbookError("bad-input", message, { hint: "Give a GGUF file with weights of 4 to 8 bits." });
