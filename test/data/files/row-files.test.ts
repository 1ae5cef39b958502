import { once } from "node:events";
import { createWriteStream, rmSync, truncateSync } from "node:fs";
import { finished } from "node:stream/promises";
import { parquetWriteBuffer } from "hyparquet-writer";
import { collectDataset, loadDataset } from "thoughtbook/data";
import { describe, expect, it } from "vitest";
import { failure } from "../../core/helpers.js";
import { fileOf } from "../helpers.js";

const places = (malformed: readonly { place: string; reason: string }[]) =>
  malformed.map(({ place, reason }) => `${place}: ${reason}`);

describe("JSONL", () => {
  it("names malformed lines; ids count lines", async () => {
    const row = JSON.stringify({ question: "q", answer: "#### 1" });
    const path = await fileOf("a.jsonl", `${row}\n\n{"question": "q"}\nnot JSON\n${row}\n`);
    const { records, malformed } = await collectDataset("gsm8k", { path });
    expect(records.map(({ id }) => id)).toEqual(["gsm8k/test/0", "gsm8k/test/4"]);
    expect(malformed.map(({ file }) => file)).toEqual([path, path]);
    expect(places(malformed)).toEqual([
      "line 3: answer: Invalid input: expected string, received undefined",
      expect.stringMatching(/^line 4: invalid JSON: /),
    ]);
  });

  it("is an error where the file is torn, however many rows came before", async () => {
    const row = JSON.stringify({ question: "q", answer: "#### 1" });
    const path = await fileOf("a.jsonl", `${row}\n${row.slice(0, 12)}`);
    await expect(collectDataset("gsm8k", { path })).rejects.toThrow(`${path} ends in the middle of a record at line 2`);
  });
});

describe("JSON", () => {
  const rows = [{ input: "a", target: "b" }, { input: 1, target: "b" }, "text", { input: "c", target: "d" }];

  it.each([
    ["an array", rows],
    ["an object with examples", { canary: "x", more: [{ examples: [1] }], examples: rows }],
  ])("is read from %s", async (_, content) => {
    const path = await fileOf("a.json", `\uFEFF\n${JSON.stringify(content, null, 2)}`);
    const { records, malformed } = await collectDataset("bbh", { path, split: "navigate" });
    expect(records.map(({ id }) => id)).toEqual(["bbh/navigate/0", "bbh/navigate/3"]);
    expect(places(malformed)).toEqual([
      "row 1: input: Invalid input: expected string, received number",
      "row 2: Invalid input: expected object, received string",
    ]);
  });

  it.each([[rows[0]], [{ train: rows }], [{ examples: [] }]])(
    "is refused where it has no rows: %j",
    async (content) => {
      const path = await fileOf("a.json", JSON.stringify(content, null, 2));
      const error = await failure(() => collectDataset("bbh", { path, split: "navigate" }));
      expect([error.code, error.message]).toEqual([
        "bad-input",
        expect.stringMatching(/is one JSON object without rows/),
      ]);
    },
  );

  it.each([
    ['[{"input": "a", "target": "b"}, {"input": "c"', "corrupt-data", /^cannot read .* after row 0: /],
    ["", "corrupt-data", /^cannot read .*a\.json: /],
    ['{"rows": []}', "bad-input", /is one JSON object without rows$/],
    ['{"examples": 1}', "corrupt-data", /^cannot read .*should be an array/],
  ])("%j is an error", async (content, code, message) => {
    const path = await fileOf("a.json", content);
    const error = await failure(collectDataset("bbh", { path, split: "navigate" }));
    expect([error.code, error.message]).toEqual([code, expect.stringMatching(message)]);
    expect(error.hint).toBeTruthy();
  });
});

describe("CSV", () => {
  it("may quote, break lines and begin with a byte order mark; malformed records are named by line", async () => {
    const path = await fileOf(
      "24.csv",
      '\uFEFFRank,Puzzles,Note\r\n1,1 1 4 6,plain\r\n2,"1 2 3\n4","says ""hi"", twice"\r\n3,1 2 3\r\n4,1 2 3,x\r\n5,2 3 4 5,\r\n',
    );
    const { records, malformed } = await collectDataset("game24", { path });
    expect(records).toEqual([
      { id: "game24/test/0", kind: "game24", numbers: [1, 1, 4, 6] },
      { id: "game24/test/1", kind: "game24", numbers: [1, 2, 3, 4] },
      { id: "game24/test/4", kind: "game24", numbers: [2, 3, 4, 5] },
    ]);
    expect(places(malformed)).toEqual([
      expect.stringMatching(/^line 5: Invalid Record Length: columns length is 3, got 2/),
      "line 6: Puzzles: expected four numbers",
    ]);
  });

  it("with an open quote is an error that names the line", async () => {
    const path = await fileOf("24.csv", 'Rank,Puzzles\n1,1 1 4 6\n2,"1 2 3 4\n3,1 2 3 5\n');
    await expect(collectDataset("game24", { path })).rejects.toThrow(/cannot read .* after line 2: .* line 4/);
  });
});

describe("Parquet", () => {
  /** AMC rows as on the hub: 64-bit ids, several row groups. */
  const amc = (count: number, codec: "SNAPPY" | "UNCOMPRESSED" = "SNAPPY") => {
    const numbers = Array.from({ length: count }, (_, index) => index);
    const columnData = [
      { name: "id", data: numbers.map(BigInt), type: "INT64" as const },
      { name: "problem", data: numbers.map((n) => `What is ${n}?`), type: "STRING" as const },
      { name: "answer", data: numbers, type: "DOUBLE" as const },
      {
        name: "url",
        data: numbers.map((n) => `https://example.org/${n % 2 ? 2022 : 2023}_AMC_12A_Problems/Problem_${n}`),
        type: "STRING" as const,
      },
    ];
    return new Uint8Array(parquetWriteBuffer({ columnData, codec, rowGroupSize: 100 }));
  };

  it.each(["SNAPPY", "UNCOMPRESSED"] as const)("is read row group by row group (%s)", async (codec) => {
    const path = await fileOf("amc.parquet", amc(250, codec));
    const { records, malformed } = await collectDataset("amc23", { path });
    expect(malformed).toEqual([]);
    expect(records).toHaveLength(125);
    expect(records[120]).toEqual({
      id: "amc23/test/2023_AMC_12A/240",
      kind: "math",
      question: "What is 240?",
      answer: "240",
    });
  });

  it("may nest lists and structures, as HotpotQA's", async () => {
    const list = (name: string, element: object[]) => [
      { name, repetition_type: "OPTIONAL", num_children: 1, converted_type: "LIST" },
      { name: "list", repetition_type: "REPEATED", num_children: 1 },
      ...element,
    ];
    const text = (name: string) => ({ name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" });
    const schema = [
      { name: "root", num_children: 5 },
      text("id"),
      text("question"),
      text("answer"),
      { name: "supporting_facts", repetition_type: "OPTIONAL", num_children: 2 },
      ...list("title", [text("element")]),
      ...list("sent_id", [{ name: "element", type: "INT32", repetition_type: "OPTIONAL" }]),
      { name: "context", repetition_type: "OPTIONAL", num_children: 2 },
      ...list("title", [text("element")]),
      ...list("sentences", list("element", [text("element")])),
    ] as NonNullable<Parameters<typeof parquetWriteBuffer>[0]["schema"]>;
    const columnData = [
      { name: "id", data: ["5a"] },
      { name: "question", data: ["Where?"] },
      { name: "answer", data: ["Aru"] },
      { name: "supporting_facts", data: [{ title: ["Mill"], sent_id: [1] }] },
      { name: "context", data: [{ title: ["Mill", "Aru"], sentences: [["a", "b"], ["c"]] }] },
    ];
    const path = await fileOf("a.parquet", new Uint8Array(parquetWriteBuffer({ columnData, schema })));
    const { records, malformed } = await collectDataset("hotpotqa", { path });
    expect(malformed).toEqual([]);
    expect(records).toMatchObject([
      {
        id: "hotpotqa/validation/5a",
        context: [
          { title: "Mill", sentences: ["a", "b"] },
          { title: "Aru", sentences: ["c"] },
        ],
        supportingFacts: [{ title: "Mill", sentence: 1 }],
      },
    ]);
  });

  it("names malformed rows, and a torn file", async () => {
    const columnData = [
      { name: "problem", data: ["p", "q"], type: "STRING" as const },
      { name: "solution", data: ["\\boxed{1}", "none"], type: "STRING" as const },
    ];
    const path = await fileOf("a.parquet", new Uint8Array(parquetWriteBuffer({ columnData })));
    const { records, malformed } = await collectDataset("math", { path });
    expect(records.map(({ id }) => id)).toEqual(["math/test/0"]);
    expect(places(malformed)).toEqual(["row 1: solution: there is no \\boxed{} with balanced braces"]);
    truncateSync(path, 60);
    await expect(collectDataset("math", { path })).rejects.toThrow(/^cannot read .*a\.parquet: /);
  });
});

describe("any file", () => {
  it("must have a known ending", async () => {
    const error = await failure(collectDataset("gsm8k", { path: await fileOf("rows.txt", "x") }));
    expect([error.code, error.hint]).toEqual(["bad-input", "Name it .jsonl, .json, .csv or .parquet."]);
  });

  it("that vanishes or is empty is an error", async () => {
    const path = await fileOf("rows.jsonl", "\n");
    await expect(collectDataset("gsm8k", { path })).rejects.toThrow(/rows\.jsonl holds no rows of gsm8k/);
    rmSync(path);
    await expect(collectDataset("gsm8k", { path })).rejects.toThrow(/there is no file .*rows\.jsonl/);
  });

  it("is left when the signal is aborted", async () => {
    const row = `{"question": "q", "answer": "#### 1"}`;
    for (const [name, content] of [
      ["a.jsonl", `${row}\n`.repeat(10)],
      ["a.json", `[${Array(10).fill(row).join()}]`],
    ] as const) {
      const controller = new AbortController();
      const records = loadDataset("gsm8k", { path: await fileOf(name, content), signal: controller.signal });
      await records.next();
      controller.abort();
      expect((await failure(records.next())).code).toBe("interrupted");
    }
  });

  it.each([
    ["JSONL", "big.jsonl", "", "\n", ""],
    ["JSON", "big.json", '{"examples":[', ",", "]}"],
  ])(
    "is streamed: 60 MB of %s need less than 60 MB more memory",
    async (_, name, before, between, after) => {
      const path = await fileOf(name, before);
      const file = createWriteStream(path, { flags: "a" });
      const input = "x".repeat(6000);
      for (let index = 0; index < 10_000; index++) {
        file.write(`${index > 0 ? between : ""}${JSON.stringify({ input: `${index} ${input}`, target: "t" })}`);
        if (file.writableNeedDrain) await once(file, "drain");
      }
      file.end(after);
      await finished(file);
      const used = () => process.memoryUsage().heapUsed + process.memoryUsage().external;
      const start = used();
      let rows = 0;
      let peak = 0;
      for await (const record of loadDataset("bbh", { path, split: "navigate" })) {
        if (rows++ % 100 === 0) peak = Math.max(peak, used() - start);
        expect(record.question.length).toBeGreaterThan(6000);
      }
      expect(rows).toBe(10_000);
      expect(peak).toBeLessThan(60e6);
    },
    60_000,
  );
});
