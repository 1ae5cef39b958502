import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { saveBpe, trainBpe } from "thoughtbook/model";
import { describeCounts, encoderOf, NOT_COUNTED, type ReadRowsOptions, readRows } from "thoughtbook/train";
import { describe, expect, it } from "vitest";
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
  return { file, tokenizer: await encoder.tokenizer(), read: () => readRows(file, { config, encoder, ...reading }) };
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

  it.each([
    [{ question: "?" }, /rows\.jsonl:2: the row has only question/],
    [{ prompt: "a" }, /rows\.jsonl:2: completion: /],
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
