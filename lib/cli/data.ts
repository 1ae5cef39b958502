import type { Command } from "commander";
import { datasetTable, locateSplit } from "../data/index.js";

export function addDataCommands(program: Command): void {
  const data = program.command("data").description("public data sets");
  data
    .command("list")
    .description("the data sets known by name, with their splits, homes and licences")
    .action(async () => {
      for (const [name, { title, home, licence, splits }] of Object.entries(await datasetTable())) {
        console.log(`${name}  ${title} (${licence}, ${home})`);
        for (const [split, { rows }] of Object.entries(splits)) {
          console.log(`  ${split.padEnd(16)}${rows.toLocaleString("en-US")} rows`);
        }
      }
    });
  data
    .command("download")
    .description("fetch a data set from its public home into the cache")
    .argument("<name>", "a name from `data list`")
    .option("--split <split>", "only this split")
    .action(async (name: string, { split }: { split?: string }) => {
      const splits = split === undefined ? Object.keys((await datasetTable())[name]?.splits ?? { train: 0 }) : [split];
      for (const each of splits) {
        const { file } = await locateSplit(name, each);
        console.log(`${name} ${each}: ${file}`);
      }
    });
}
