import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fileSystemError, ThoughtbookError } from "../../core/index.js";
import { openSafetensors, readFloats, writeSafetensors } from "../../model/index.js";
import type { BatchShapes } from "./batches.js";

/** Numbers of each text of a collection, and the shapes of its batches: what a resumed run cannot compute again. */
export interface PreparedTexts {
  numbers: Readonly<Record<string, Float32Array>>[];
  shapes: BatchShapes;
  /** The weights that wrote the texts, by a fingerprint. */
  policy: string;
  /** The objective that the numbers are for, with its settings. */
  objective: string;
}

const shapesSchema = z.object({
  grid: z.object({ rows: z.int().positive(), length: z.int().positive(), batchSize: z.number().positive() }),
  capacities: z.array(z.tuple([z.int(), z.int()])),
});

const fileOf = (folder: string, collection: number) => join(folder, `prepared-${collection}.safetensors`);

/** Write them as one file, which appears only when it is whole. */
export async function savePrepared(
  folder: string,
  collection: number,
  { numbers, shapes, policy, objective }: PreparedTexts,
): Promise<void> {
  const names = Object.keys(numbers[0] ?? {});
  const tensors = Object.fromEntries(
    names.map((name) => {
      const all = numbers.map((each) => each[name]!);
      const data = new Float32Array(all.reduce((sum, { length }) => sum + length, 0));
      let first = 0;
      for (const each of all) {
        data.set(each, first);
        first += each.length;
      }
      return [name, { shape: [data.length], dtype: "float32" as const, data }];
    }),
  );
  const { grid, capacities } = shapes;
  const metadata = { shapes: JSON.stringify({ grid, capacities: [...capacities] }), policy, objective };
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw fileSystemError(error, "make the folder", folder);
  });
  await writeSafetensors(fileOf(folder, collection), tensors, { metadata });
}

/**
 * Read back what {@link savePrepared} wrote; undefined if there is no such file.
 *
 * @param lengths new tokens of each text; without them no numbers are read
 * @throws corrupt-data if it is of other texts
 */
export async function loadPrepared(
  folder: string,
  collection: number,
  lengths?: readonly number[],
): Promise<PreparedTexts | undefined> {
  const path = fileOf(folder, collection);
  const file = await openSafetensors(path).catch((error: unknown) => {
    if (error instanceof ThoughtbookError && error.code === "not-found") return undefined;
    throw error;
  });
  if (!file) return undefined;
  const shapes = parseShapes(file.metadata.shapes, path);
  const { policy = "", objective = "" } = file.metadata;
  if (!lengths) return { numbers: [], shapes, policy, objective };
  const numbers = lengths.map((): Record<string, Float32Array> => ({}));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  for (const name of file.tensors.keys()) {
    const data = await readFloats(file, name);
    if (data.length !== total) throw unfit(path, `it has ${data.length} numbers for ${total} tokens`);
    let first = 0;
    for (const [text, length] of lengths.entries()) {
      numbers[text]![name] = data.slice(first, first + length);
      first += length;
    }
  }
  return { numbers, shapes, policy, objective };
}

function parseShapes(text: string | undefined, path: string): BatchShapes {
  try {
    const { grid, capacities } = shapesSchema.parse(JSON.parse(text ?? ""));
    return { grid, capacities: new Map(capacities) };
  } catch (cause) {
    throw unfit(path, "it does not say how its batches are shaped", cause);
  }
}

function unfit(path: string, what: string, cause?: unknown): ThoughtbookError {
  return new ThoughtbookError("corrupt-data", `${path} does not belong to the rollouts beside it: ${what}`, {
    hint: "Remove the folder of the run to start anew.",
    cause,
  });
}
