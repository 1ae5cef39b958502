import { join } from "node:path";
import { z } from "zod";
import { ThoughtbookError } from "../../core/index.js";
import type { Checkpoint } from "../weights/checkpoint.js";
import { isGgufPlace, readDocument } from "./read.js";

/** Generation defaults by the authors of a model; undefined where they leave it open. */
export interface GenerationDefaults {
  /** Each of these ends a text: those of generation_config.json, else of config.json. */
  endIds: readonly number[];
  sample: boolean | undefined;
  temperature: number | undefined;
  topK: number | undefined;
  topP: number | undefined;
  minP: number | undefined;
  repetitionPenalty: number | undefined;
}

const number = z.number().nonnegative().nullish();
const schema = z.object({
  eos_token_id: z.union([z.int(), z.array(z.int())]).nullish(),
  do_sample: z.boolean().nullish(),
  temperature: number,
  top_k: number,
  top_p: number,
  min_p: number,
  repetition_penalty: number,
});

/**
 * Read the `generation_config.json` of a checkpoint, or what a GGUF file says in its place. Without one, only the ids that end a text are known. Chat models
 * often list more of these there than in their config.json.
 *
 * @throws corrupt-data, file-system
 */
export async function readGenerationDefaults({
  folder,
  config,
}: Pick<Checkpoint, "folder"> & { config: Pick<Checkpoint["config"], "endIds"> }): Promise<GenerationDefaults> {
  const name = "generation_config.json";
  const file = (await isGgufPlace(folder)) ? folder : join(folder, name);
  const parsed = schema.safeParse(await readDocument(folder, name).catch(emptyIfAbsent));
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    throw new ThoughtbookError("corrupt-data", `${file}: ${path.join(".")}: ${message}`, {
      hint: "Correct it, or download the checkpoint again.",
    });
  }
  const given = parsed.data;
  const endIds = given.eos_token_id == null ? config.endIds : [given.eos_token_id].flat().filter((id) => id >= 0);
  return {
    endIds,
    sample: given.do_sample ?? undefined,
    temperature: given.temperature ?? undefined,
    topK: given.top_k ?? undefined,
    topP: given.top_p ?? undefined,
    minP: given.min_p ?? undefined,
    repetitionPenalty: given.repetition_penalty ?? undefined,
  };
}

function emptyIfAbsent(error: unknown): object {
  if (error instanceof ThoughtbookError && error.code === "not-found") return {};
  throw error;
}
