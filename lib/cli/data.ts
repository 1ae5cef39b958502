import { writeFile } from "node:fs/promises";
import type { Command } from "@commander-js/extra-typings";
import { fileSystemError, resolveUserPath } from "../core/index.js";
import {
  asDatasetName,
  type ChainComparison,
  collectDataset,
  comparisonTable,
  type DatasetRecord,
  datasetEntry,
  datasetTable,
  generatedChainStatistics,
  loadDataset,
  locateSplit,
  splitAtHand,
  traceStatistics,
} from "../data/index.js";
import type { Flags } from "./flags.js";
import { wholeNumber } from "./numbers.js";

/** Maximum characters of a field that `data show` prints. */
const SHOWN = 600;

export function addDataCommands(program: Command): void {
  const data = program.command("data").description("public data sets");
  data
    .command("list")
    .description("the data sets known by name: kind, licence, home; splits with their rows and where they are")
    .action(listDatasets);
  showCommand(data).action(showRecords);
  data
    .command("download")
    .description("fetch a data set from its public home into the cache")
    .argument("<name>", "a name from `data list`")
    .option("--split <split>", "only this split")
    .action(downloadDataset);
  data
    .command("trace-statistics")
    .description("length and redundancy of R1's chains of thought, beside the long chains of our word problems")
    .option("--path <file>", "read the chains from this file of the data set r1-traces")
    .option("--out <file>", "write all numbers to this JSON file")
    .action(compareChains);
}

const showCommand = (data: Command) =>
  data
    .command("show")
    .description("print records of a data set")
    .argument("<name>", "a name from `data list`")
    .option("--split <split>", 'the split; "test" or "validation" where there is one, or the only one')
    .option("--limit <number>", "the most records to print", wholeNumber, 3)
    .option("--path <file>", "read this .jsonl, .json, .csv or .parquet file")
    .option("--json", "one JSON line a record, nothing cut");

async function listDatasets(): Promise<void> {
  for (const [name, { title, kinds, home, licence, splits }] of Object.entries(await datasetTable())) {
    console.log(`${name}  ${title} · ${kinds.join(", ")} (${licence}, ${home})`);
    for (const [split, { rows, url }] of Object.entries(splits)) {
      const found = await splitAtHand(name, split);
      const count = rows === undefined ? "?" : rows.toLocaleString("en-US");
      const place = found?.origin ?? (url === undefined ? "by --path only" : "not at hand");
      console.log(`  ${split.padEnd(40)} ${count.padStart(6)} rows  ${place}`);
    }
  }
}

async function showRecords(name: string, { json, ...options }: Flags<typeof showCommand>): Promise<void> {
  let malformed = 0;
  const records = loadDataset(await asDatasetName(name), {
    ...options,
    onMalformed: ({ file, place, reason }) => {
      malformed++;
      console.error(`malformed: ${file}, ${place}: ${reason}`);
    },
  });
  for await (const record of records) console.log(json ? JSON.stringify(record) : readable(record));
  if (malformed > 0) console.error(`${malformed} malformed ${malformed === 1 ? "row" : "rows"} left out`);
}

async function downloadDataset(name: string, { split }: { split?: string }): Promise<void> {
  const { splits } = await datasetEntry(name);
  const known = Object.keys(splits);
  const downloadable = known.filter((each) => splits[each]!.url !== undefined);
  // Where there is nothing to download, `locateSplit` reports it.
  const wanted = split === undefined ? (downloadable.length > 0 ? downloadable : known) : [split];
  for (const each of wanted) {
    const { file } = await locateSplit(name, each);
    console.log(`${name} ${each}: ${file}`);
  }
}

async function compareChains({ path, out }: { path?: string; out?: string }): Promise<void> {
  const { records } = await collectDataset("r1-traces", { path });
  const comparison: ChainComparison = {
    command: "npx thoughtbook data trace-statistics --out data/word-problems/long-chains.json",
    real: traceStatistics(records),
    generated: generatedChainStatistics(),
  };
  console.log(comparisonTable(comparison));
  if (out === undefined) return;
  const file = resolveUserPath(out);
  await writeFile(file, `${JSON.stringify(comparison, null, 2)}\n`).catch((error: unknown) => {
    throw fileSystemError(error, "write", file);
  });
}

/** A record as indented fields, long ones cut. */
function readable({ id, kind, ...fields }: DatasetRecord): string {
  const lines = Object.entries(fields).map(([name, value]) => {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const cut =
      text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length.toLocaleString("en-US")} characters)` : text;
    return `  ${name}: ${cut.trim().replaceAll("\n", "\n    ")}`;
  });
  return [`${id} · ${kind}`, ...lines, ""].join("\n");
}
