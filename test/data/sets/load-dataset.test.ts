import { collectDataset, type DatasetName, datasetNames, datasetTable, loadDataset } from "thoughtbook/data";
import { describe, expect, it } from "vitest";
import { datasetRecordSchema } from "../../../lib/dist/data/sets/records.js";
import { collect, failure } from "../../core/helpers.js";
import { fileOf } from "../helpers.js";

const hasData = Boolean(process.env.THOUGHTBOOK_DATA);
if (!hasData) console.log("skipped: the tests on the public data sets themselves need THOUGHTBOOK_DATA");

describe("loadDataset", () => {
  const row = (answer: string) => `${JSON.stringify({ question: "q", answer })}\n`;
  const mixed = () => fileOf("a.jsonl", row("#### 1") + row("none") + row("#### 2") + row("#### 3"));

  it("ends with an error at the first malformed row, unless it is told whom to tell", async () => {
    const path = await mixed();
    const error = await failure(collect(loadDataset("gsm8k", { path })));
    expect(error.code).toBe("corrupt-data");
    expect(error.message).toBe(`${path}, line 2: answer: there is no ####`);
    const told: string[] = [];
    const records = await collect(loadDataset("gsm8k", { path, onMalformed: ({ place }) => told.push(place) }));
    expect([records.length, told]).toEqual([3, ["line 2"]]);
  });

  it.each([
    [0, [], []],
    [1, ["1"], []],
    [2, ["1", "2"], ["line 2"]],
    [9, ["1", "2", "3"], ["line 2"]],
  ])("gives at most %i records and reads no further", async (limit, answers, places) => {
    const { records, malformed } = await collectDataset("gsm8k", { path: await mixed(), limit });
    expect(records.map(({ answer }) => answer)).toEqual(answers);
    expect(malformed.map(({ place }) => place)).toEqual(places);
  });

  it("says which file it read", async () => {
    const path = await mixed();
    expect(await collectDataset("gsm8k", { path })).toMatchObject({ file: path, origin: "path" });
  });

  it.each([
    ["gsm9k", {}, /^there is no data set "gsm9k"; known are gsm8k, math500, /],
    ["constructor", {}, /^there is no data set "constructor"/],
    ["bbh", {}, /^bbh needs a split; it has boolean_expressions, /],
    ["bbh", { split: "chess" }, /^bbh has no split "chess"; it has boolean_expressions, /],
    ["gsm8k", { limit: -1 }, /^the limit is -1$/],
    ["gsm8k", { limit: Number.NaN }, /^the limit is NaN$/],
  ])("%s with %j is an error of one line", async (name, options, message) => {
    const error = await failure(collectDataset(name as DatasetName, options));
    expect([error.code, error.message]).toEqual(["bad-input", expect.stringMatching(message)]);
    expect(error.hint).toBeTruthy();
  });
});

describe.skipIf(!hasData)("the public data sets", () => {
  const expected: [DatasetName, string, number][] = [
    ["gsm8k", "train", 7473],
    ["gsm8k", "test", 1319],
    ["gsm8k", "test_socratic", 1319],
    ["math500", "test", 500],
    ["amc23", "test", 40],
    ["olympiadbench", "test", 675],
    ["svamp", "test", 1000],
    ["multiarith", "test", 600],
    ["singleeq", "test", 508],
    ["addsub", "test", 395],
    ["singleop", "test", 562],
    ["gsm-hard", "test", 1319],
    ["mmlu", "sample", 1000],
    ["hotpotqa", "sample", 100],
    ["strategyqa", "test", 687],
    ["humaneval", "test", 161],
    ["mbpp", "test", 397],
    ["game24", "test", 1362],
    ["r1-traces", "train", 110],
  ];
  it.each(expected)("%s %s has %i valid records, each with its own id", async (name, split, rows) => {
    const { kinds, splits } = (await datasetTable())[name]!;
    const { records, malformed, origin } = await collectDataset(name, { split });
    expect([records.length, malformed, origin]).toEqual([rows, [], "folder"]);
    expect(splits[split]!.rows).toBe(rows);
    for (const record of records) {
      expect(datasetRecordSchema.safeParse(record).error).toBeUndefined();
      expect(kinds).toContain(record.kind);
    }
    expect(new Set(records.map(({ id }) => id)).size).toBe(rows);
  });

  it("bbh has 6,511 examples over 27 tasks; all but three of the lettered tasks' are choices", async () => {
    const splits = Object.entries((await datasetTable()).bbh!.splits);
    expect(splits).toHaveLength(27);
    const ids = new Set<string>();
    const counts = { choice: 0, text: 0 };
    const mixed: string[] = [];
    for (const [split, { rows }] of splits) {
      const { records, malformed } = await collectDataset("bbh", { split });
      expect([split, records.length, malformed]).toEqual([split, rows, []]);
      const texts = records.filter(({ kind }) => kind === "text").map(({ id }) => id);
      if (texts.length < records.length) mixed.push(...texts);
      for (const { id, kind } of records) {
        ids.add(id);
        counts[kind]++;
      }
    }
    expect(ids.size).toBe(6511);
    expect(counts).toEqual({ choice: 4071, text: 2440 });
    expect(mixed).toEqual(["bbh/movie_recommendation/163", "bbh/ruin_names/99", "bbh/ruin_names/144"]);
  });

  it("the chains of R1 carry the set's own verdict", async () => {
    const { records } = await collectDataset("r1-traces");
    expect(records.filter(({ isCorrect }) => isCorrect === true)).toHaveLength(88);
    expect(records.filter(({ isCorrect }) => isCorrect === false)).toHaveLength(22);
    expect(records.every(({ answer, reference }) => answer && reference)).toBe(true);
  });
});

describe("the table of data sets", () => {
  it("has exactly the sets that can be read", async () => {
    expect(Object.keys(await datasetTable())).toEqual(datasetNames);
  });

  it("keeps every split in a file of its own, with a known ending", async () => {
    const splits = Object.values(await datasetTable()).flatMap((entry) => Object.values(entry.splits));
    const files = splits.flatMap(({ file, downloadAs }) => (downloadAs ? [file, downloadAs] : [file]));
    expect(new Set(files).size).toBe(files.length);
    expect(files.filter((file) => !/^[\w-]+\/[\w.-]+\.(jsonl|json|csv|parquet)$/.test(file))).toEqual([]);
    const urls = splits.flatMap(({ url, member }) => (url === undefined ? [] : [`${url}#${member}`]));
    expect(new Set(urls).size).toBe(urls.length);
    expect(urls.filter((url) => !/^https:\/\/(raw\.githubusercontent\.com|huggingface\.co)\//.test(url))).toEqual([]);
  });

  it("has the rows of MATH's subjects add up", async () => {
    const { splits } = (await datasetTable()).math!;
    for (const split of ["train", "test"]) {
      const subjects = Object.entries(splits).filter(([name]) => name.startsWith(`${split}_`));
      expect(subjects).toHaveLength(7);
      expect(subjects.reduce((sum, [, { rows }]) => sum + rows!, 0)).toBe(splits[split]!.rows);
    }
  });
});
