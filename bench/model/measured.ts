import { ThoughtbookError } from "thoughtbook/core";
import type { LanguageModel } from "thoughtbook/llm";
import type { Machine } from "../shared/report.js";

/** What every measurement of a model says. */
export interface Measured {
  model: string;
  modelHash: string;
  parameters: number;
  seed: number;
  machine: Machine;
}

/** @throws bad-input for a model elsewhere */
export async function identify(model: LanguageModel): Promise<Pick<Measured, "model" | "modelHash" | "parameters">> {
  const modelHash = await model.hash();
  if (modelHash !== undefined && model.parameterCount !== undefined) {
    return { model: model.name, modelHash, parameters: model.parameterCount };
  }
  throw new ThoughtbookError("bad-input", `the weights of ${model.name} are out of reach`, {
    hint: "Give a model that runs here.",
  });
}
