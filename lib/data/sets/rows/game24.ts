import { z } from "zod";
import type { Game24Record } from "../records.js";
import { type RowReader, rowReader } from "./row-reader.js";

/** Game of 24: a CSV file of Tree of Thoughts, whose column `Puzzles` holds four numbers, ordered by difficulty. */
export const game24: RowReader<Game24Record> = rowReader(
  z.object({ Puzzles: z.string().regex(/^\s*\d+(?:\s+\d+){3}\s*$/, "expected four numbers") }),
  ({ Puzzles }) => ({ kind: "game24", numbers: Puzzles.trim().split(/\s+/).map(Number) }),
);
