import { join } from "node:path";
import type { Phase } from "./recipe.js";

/** Where `pretrain` puts things in its folder. */
export const pretrainFolders = (out: string) => ({
  tokenizer: join(out, "tokenizer"),
  run: ({ name }: Pick<Phase, "name">) => join(out, "runs", name),
  /** Updates and seconds of a finished phase. */
  result: ({ name }: Pick<Phase, "name">) => join(out, "runs", name, "result.json"),
  model: ({ name }: Pick<Phase, "name">) => join(out, "models", name),
});
