import type { LanguageModel } from "../llm/index.js";

/** Room for one model: asked for by its specification, it stays loaded until another one, or none, is wanted. */
export interface ModelSlot {
  use(spec: string): Promise<LanguageModel>;
  /** Dispose the model, if there is one. */
  empty(): Promise<void>;
}

export function modelSlot(load: (spec: string) => Promise<LanguageModel>): ModelSlot {
  let loaded: { spec: string; model: LanguageModel } | undefined;
  const empty = async () => {
    const { model } = loaded ?? {};
    loaded = undefined;
    await model?.dispose();
  };
  return {
    empty,
    async use(spec) {
      if (loaded?.spec !== spec) {
        await empty();
        loaded = { spec, model: await load(spec) };
      }
      return loaded.model;
    },
  };
}
