import { z } from "zod";
import { badInput, readJsonl } from "../../core/index.js";
import { type ChainRow, emptyTally, readChainRows } from "../chains/chain-rows.js";
import type { RowFormat } from "../chains/row-formats.js";
import { type TrainingOptions, trainingConversation } from "../chains/training-row.js";
import type { CompressMode } from "./compress.js";
import { type CompressionSummary, summariseRows, writeLines } from "./compress-file.js";
import type { CompressedRow } from "./compressed-row.js";

export interface AcceptedRowsOptions {
  /** The chains, and the format of their rows. */
  chains: string;
  format: RowFormat;
  /** Compressed rows of these chains, how they were made, and those of a search. */
  rows: string;
  mode: CompressMode;
  search: string;
  output: string;
  /** Also the rows as conversations to train a model like the given one on, in this file. */
  training: { file: string } & TrainingOptions;
}

/** Validates the fields that could be missing in another file. */
const rowSchema = z.looseObject({ id: z.string(), status: z.string(), kept: z.array(z.int()) });

/**
 * Write only the compressed rows whose chains a search accepted. Where a validator cannot verify a chain, A*-Thought
 * keeps the whole chain, and students then learn from it.
 *
 * @throws bad-input if the search accepted none; corrupt-data, not-found, file-system
 */
export async function writeAcceptedRows(options: AcceptedRowsOptions): Promise<CompressionSummary> {
  const { chains, format, mode, search, output, training } = options;
  const accepted = new Set<string>();
  for await (const { value } of readJsonl(search, { schema: rowSchema })) {
    if (value.status === "accepted") accepted.add(value.id);
  }
  if (accepted.size === 0) throw badInput(`the search of ${search} accepted no chain`, "Take another one as `by`.");
  const rows: CompressedRow[] = [];
  for await (const { value } of readJsonl(options.rows, { schema: rowSchema })) {
    if (accepted.has(value.id)) rows.push(value as unknown as CompressedRow);
  }
  const necessaryOf = new Map<string, ChainRow["necessary"]>();
  for await (const outcome of readChainRows(chains, { format })) {
    if (outcome.used) necessaryOf.set(outcome.row.id, outcome.row.necessary);
  }
  await writeLines(output, rows);
  await writeLines(
    training.file,
    rows.map((row) => trainingConversation(row, training)),
  );
  const tally = { ...emptyTally(), rows: rows.length, used: rows.length };
  return summariseRows(rows, { mode, tally, necessary: rows.map(({ id }) => necessaryOf.get(id)) });
}
