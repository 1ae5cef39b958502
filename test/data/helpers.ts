import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { collectDataset, type DatasetName } from "thoughtbook/data";
import { temporaryFolder } from "../core/helpers.js";

/** A file of the running test, with the given content. */
export async function fileOf(name: string, content: string | Uint8Array): Promise<string> {
  const file = join(await temporaryFolder(), name);
  writeFileSync(file, content);
  return file;
}

/** Load rows that the test made, written as JSONL, as if they were those of the data set. */
export async function loadRows<N extends DatasetName>(name: N, rows: readonly unknown[], split?: string) {
  const path = await fileOf("rows.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""));
  const { records, malformed } = await collectDataset(name, { path, split });
  return { records, malformed: malformed.map(({ place, reason }) => `${place}: ${reason}`) };
}
