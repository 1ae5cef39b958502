import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { saveBpe, trainBpe } from "thoughtbook/model";
import { describeCounts } from "thoughtbook/train";
import { describe, expect, it } from "vitest";
import { NOT_COUNTED } from "../../../lib/dist/train/examples/examples.js";
import { encoderOf, type ReadRowsOptions, readRows } from "../../../lib/dist/train/examples/training-rows.js";
import { failure, temporaryFolder } from "../../core/helpers.js";

const TEMPLATE =
  "{% for m in messages %}<s>{{ m.role }}: {{ m.content }}{{ '</s>' }}\n{% endfor %}{% if add_generation_prompt %}<s>assistant: {% endif %}";

async function setUp(lines: unknown[], options: Partial<ReadRowsOptions> & { chatTemplate?: string } = {}) {
  const folder = await temporaryFolder();
  const bpe = await trainBpe(["one two three", "what is 1 + 1"], {
    vocabularySize: 270,
    bosToken: "<s>",
    eosToken: "</s>",
  });
  const { chatTemplate, ...reading } = options;
  await saveBpe(folder, bpe, chatTemplate === undefined ? {} : { chatTemplate });
  const file = join(folder, "rows.jsonl");
  await writeFile(file, lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line))).join("\n"));
  const encoder = encoderOf(folder);
  const config = { vocabularySize: 270, maxPositions: 64 };
  return {
    file,
    tokenizer: await encoder.tokenizer(),
    read: (path = file) => readRows(path, { config, encoder, ...reading }),
  };
}

describe("readRows", () => {
  it("counts completions with the token that ends them, texts, and labels", async () => {
    const { read, tokenizer } = await setUp([
      { prompt: "what is 1 + 1", completion: " two" },
      { text: "one" },
      { ids: [5, 6, 7] },
      { ids: [5, 6, 7], labels: [-100, -100, 7] },
    ]);
    const { examples, counts } = await read();
    const end = tokenizer.special.eos!.id;
    const prompt = tokenizer.encode("what is 1 + 1");
    const completion = tokenizer.encode(" two", { addSpecialTokens: false });
    expect([...examples[0]!.ids]).toEqual([...prompt, ...completion, end]);
    expect([...examples[0]!.labels]).toEqual([...prompt.map(() => NOT_COUNTED), ...completion, end]);
    expect([...examples[1]!.ids]).toEqual([...tokenizer.encode("one"), end]);
    expect(examples[1]!.labels).toEqual(examples[1]!.ids);
    expect(examples[2]).toEqual({ ids: Int32Array.of(5, 6, 7), labels: Int32Array.of(5, 6, 7) });
    expect(examples[3]!.labels).toEqual(Int32Array.of(-100, -100, 7));
    expect(describeCounts(counts)).toBe("4 rows");
  });

  it("reads weights of rows of any kind, and refuses one that is none", async () => {
    const turns = [
      { role: "user", content: "one" },
      { role: "assistant", content: "two" },
    ];
    const rows = [{ text: "one", weight: 2 }, { text: "one" }, { messages: turns, weight: 0.5 }];
    const { read } = await setUp(rows, { chatTemplate: TEMPLATE });
    expect((await read()).weights).toEqual([2, 1, 0.5]);
    expect((await (await setUp([{ text: "one" }])).read()).weights).toBeUndefined();
    for (const weight of [0, -1, "2"]) {
      const wrong = await setUp([{ text: "one", weight }]);
      expect((await failure(wrong.read())).message).toMatch(/rows\.jsonl:1: weight: expected a finite number above 0/);
    }
  });

  it("counts the turns of the assistant", async () => {
    const messages = [
      { role: "user", content: "one" },
      { role: "assistant", content: "two" },
      { role: "user", content: "what" },
      { role: "assistant", content: "three" },
    ];
    const { read, tokenizer } = await setUp([{ messages }], { chatTemplate: TEMPLATE });
    const [{ ids, labels }] = (await read()).examples as [{ ids: Int32Array; labels: Int32Array }];
    expect(tokenizer.decode([...ids])).toBe(
      "<s>user: one</s>\n<s>assistant: two</s>\n<s>user: what</s>\n<s>assistant: three</s>\n",
    );
    expect(tokenizer.decode([...labels].filter((label) => label >= 0))).toBe("two</s>three</s>");
  });

  it("cuts rows to the context or leaves them out, and says so", async () => {
    const rows = [
      { ids: [1, 2, 3, 4, 5, 6] },
      { ids: [1, 2, 3] },
      { ids: [1, 2, 3, 4, 5], labels: [-100, -100, -100, -100, 5] },
    ];
    const cut = await (await setUp(rows, { context: 4 })).read();
    expect(cut.examples.map(({ ids }) => ids.length)).toEqual([4, 3]);
    expect(describeCounts(cut.counts)).toBe("3 rows, 1 cut to the context, 1 left out as nothing in them is counted");
    const dropped = await (await setUp(rows, { context: 4, tooLong: "drop" })).read();
    expect(dropped.examples.map(({ ids }) => ids.length)).toEqual([3]);
    expect(describeCounts(dropped.counts)).toBe("3 rows, 2 left out as too long");
  });

  const exchange = [
    { role: "user", content: "one" },
    { role: "assistant", content: "two" },
  ];

  it.each<[string, object, string, string]>([
    [
      "ShareGPT",
      {
        system: "what",
        conversations: [
          { from: "human", value: "one" },
          { from: "gpt", value: "two" },
        ],
      },
      "<s>system: what</s>\n<s>user: one</s>\n<s>assistant: two</s>\n",
      "two</s>",
    ],
    [
      "Alpaca",
      { instruction: "one", input: "", output: "two" },
      "<s>user: one</s>\n<s>assistant: two</s>\n",
      "two</s>",
    ],
    [
      "TRL's lists",
      { prompt: [...exchange, exchange[0]], completion: [exchange[1]] },
      "<s>user: one</s>\n<s>assistant: two</s>\n<s>user: one</s>\n<s>assistant: two</s>\n",
      "two</s>",
    ],
    [
      "a turn that is masked",
      { messages: [exchange[0], { ...exchange[1], weight: 0 }, exchange[0], { role: "assistant", content: "three" }] },
      "<s>user: one</s>\n<s>assistant: two</s>\n<s>user: one</s>\n<s>assistant: three</s>\n",
      "three</s>",
    ],
  ])("reads %s", async (_, row, text, learned) => {
    const { read, tokenizer } = await setUp([row], { chatTemplate: TEMPLATE });
    const { examples } = await read();
    expect(examples.map(({ ids }) => tokenizer.decode([...ids]))).toEqual([text]);
    expect(tokenizer.decode([...examples[0]!.labels].filter((label) => label >= 0))).toBe(learned);
  });

  it("makes an example of each turn where the template drops earlier thoughts, and says so", async () => {
    const folder = join(import.meta.dirname, "..", "..", "fixtures");
    const messages = [
      { role: "user", content: "one" },
      { role: "assistant", content: "<think>\nthree\n</think>\n\ntwo" },
    ];
    for (const name of ["chat-templates/thinking", "training-templates/opened", "training-templates/closed"]) {
      const chatTemplate = await readFile(join(folder, `${name}.jinja`), "utf8");
      const options = { chatTemplate, config: { vocabularySize: 270, maxPositions: 512 } };
      const { read, tokenizer } = await setUp([{ messages: [...messages, ...messages] }, { messages }], options);
      const { examples, counts } = await read();
      expect(describeCounts(counts)).toBe("2 rows, 1 split by turn");
      const learned = examples.map(({ labels }) => tokenizer.decode([...labels].filter((label) => label >= 0)));
      expect(learned).toEqual(Array(3).fill(expect.stringMatching(/three\n<\/think>\n\ntwo(<\|im_end\|>\n|<\/s>)$/)));
    }
  });

  it("reads Alpaca rows without a chat template as Stanford wrote them", async () => {
    const config = { vocabularySize: 270, maxPositions: 512 };
    const { read, tokenizer } = await setUp([{ instruction: "one", output: "two" }], { config });
    const [{ ids, labels }] = (await read()).examples as [{ ids: Int32Array; labels: Int32Array }];
    expect(tokenizer.decode([...ids])).toMatch(/^Below is .*### Instruction:\none\n\n### Response:\ntwo<\/s>$/s);
    expect(tokenizer.decode([...labels].filter((label) => label >= 0))).toBe("two</s>");
  });

  it("reads arrays and lines under any name", async () => {
    const { file, read } = await setUp([]);
    const rows = [{ ids: [1, 2] }, { ids: [3, 4], labels: null }];
    for (const text of [
      JSON.stringify(rows),
      JSON.stringify(rows, null, 2),
      rows.map((row) => JSON.stringify(row)).join("\r\n"),
    ]) {
      for (const name of ["rows.jsonl", "rows.json", "rows.txt", "rows"]) {
        const path = join(file, "..", name);
        await writeFile(path, `\uFEFF${text}\n`);
        expect((await read(path)).examples.map(({ ids }) => [...ids])).toEqual([
          [1, 2],
          [3, 4],
        ]);
      }
    }
    const path = join(file, "..", "one.json");
    await writeFile(path, JSON.stringify(rows[0]));
    expect((await read(path)).counts.rows).toBe(1);
    await writeFile(path, JSON.stringify([rows[0], { ids: ["x"] }]));
    expect((await failure(read(path))).message).toMatch(/one\.json: row 1: ids\.0: /);
  });

  it.each([
    [{ question: "?" }, /rows\.jsonl:2: the row has only question/],
    [{ prompt: "a" }, /rows\.jsonl:2: completion: /],
    [{ conversations: [{ from: "tool", value: "x" }] }, /rows\.jsonl:2: conversations\.0: "tool" speaks/],
    [{ messages: [{ role: "user" }] }, /rows\.jsonl:2: messages\.0\.content: /],
    [{ ids: [1, 270] }, /rows\.jsonl:2: id 1 is 270, expected an integer from 0 to 269/],
    [{ ids: [1, 2], labels: [1] }, /rows\.jsonl:2 has 2 ids and 1 labels/],
    [{ ids: [1, 2], labels: [1, -1] }, /rows\.jsonl:2: label 1 is -1/],
    ["{oops", /rows\.jsonl.*2/],
  ])("names the row that is wrong: %j", async (row, message) => {
    const { read } = await setUp([{ text: "one" }, row, { text: "two" }]);
    expect((await failure(read())).message).toMatch(message);
  });

  it("asks for a chat template where conversations need one, and for something to train on", async () => {
    const { read } = await setUp([{ messages: [{ role: "user", content: "one" }] }]);
    expect((await failure(read())).message).toMatch(/holds no chat template/);
    const empty = await setUp([{ ids: [1] }]);
    expect((await failure(empty.read())).message).toMatch(/has nothing to train on: 1 row, 1 left out/);
    const long = await setUp([{ text: "one" }], { context: 65 });
    expect((await failure(long.read())).message).toMatch(/the context is 65 tokens, expected .* from 2 to 64/);
  });
});
