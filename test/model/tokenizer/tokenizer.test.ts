import { createRandom } from "thoughtbook/core";
import { loadTokenizer } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../../core/helpers.js";
import { expectedOf, folderOf, randomTexts, readJson, TOKENIZERS, tokenizerFolder } from "./fixtures.js";

const bare = { addSpecialTokens: false };

describe.each(TOKENIZERS)("the tokenizer %s", async (name) => {
  const tokenizer = await loadTokenizer(tokenizerFolder(name));
  const specials = [...tokenizer.specialIds].map(tokenizer.tokenOf);

  it("encodes as Python's", () => {
    const rows = expectedOf(name);
    expect(rows.map(({ text }) => tokenizer.encode(text))).toEqual(rows.map(({ ids }) => ids));
    expect(rows.length).toBeGreaterThan(50);
  });

  it("decodes as Python's", () => {
    const rows = expectedOf(name);
    expect(rows.map(({ ids }) => tokenizer.decode(ids))).toEqual(rows.map(({ decoded }) => decoded));
    expect(rows.map(({ ids }) => tokenizer.decode(ids, { skipSpecialTokens: true }))).toEqual(
      rows.map(({ skipped }) => skipped),
    );
  });

  it("reads special tokens as plain text if told to", () => {
    const options = { ...bare, specialTokensAsText: true };
    const unknown = tokenizer.special.unk?.id;
    for (const text of randomTexts(
      100,
      name,
      specials.flatMap((token) => [token, token, token.slice(1)]),
    )) {
      const written = tokenizer.encode(text, options).filter((id) => id !== unknown && tokenizer.specialIds.has(id));
      expect(written, JSON.stringify(text)).toEqual([]);
    }
    // Python's Unigram makes special tokens even then.
    if (name === "unigram") return;
    const rows = expectedOf(name);
    expect(rows.map(({ text }) => tokenizer.encode(text, options))).toEqual(rows.map(({ plain }) => plain));
  });

  it("knows its tokens by name and by id", () => {
    const names = Array.from({ length: tokenizer.vocabularySize }, (_, id) => tokenizer.tokenOf(id));
    expect(names.map(tokenizer.idOf)).toEqual(names.map((_, id) => id));
    expect(tokenizer.idOf("no such token")).toBeUndefined();
  });
});

describe("a byte-level tokenizer", () => {
  it.each(["gpt2", "llama3", "falcon"])("gives any text back (%s)", async (name) => {
    const tokenizer = await loadTokenizer(tokenizerFolder(name));
    for (const text of randomTexts(300, `back ${name}`)) {
      expect(tokenizer.decode(tokenizer.encode(text, bare)), JSON.stringify(text)).toBe(text);
    }
  });

  it("has no bytes for half a surrogate pair", async () => {
    const tokenizer = await loadTokenizer(tokenizerFolder("gpt2"));
    expect(tokenizer.decode(tokenizer.encode("a\uD83Db\uDE42 🙂"))).toBe("a\uFFFDb\uFFFD 🙂");
  });
});

describe("a tokenizer with bytes to fall back to", () => {
  it.each(["llama2", "mistral"])("gives any text back (%s)", async (name) => {
    const tokenizer = await loadTokenizer(tokenizerFolder(name));
    // Where a text begins with a space, Metaspace puts no other one before it.
    const space = name === "mistral" ? "x" : "";
    for (const text of randomTexts(300, `back ${name}`).map((each) => space + each)) {
      expect(tokenizer.decode(tokenizer.encode(text, bare)), JSON.stringify(text)).toBe(text);
    }
  });

  it("decodes bytes that are no UTF-8 as replacement characters", async () => {
    const tokenizer = await loadTokenizer(tokenizerFolder("llama2"));
    const ids = ["▁a", "<0xE2>", "<0x82>", "b", "<0xFF>", "<0x41>"].map((token) => tokenizer.idOf(token)!);
    expect(tokenizer.decode(ids)).toBe("a\uFFFDb\uFFFDA");
  });
});

describe("a text that continues another", () => {
  it.each(["llama2", "mistral", "gpt2"])("gets no space before (%s)", async (name) => {
    const tokenizer = await loadTokenizer(tokenizerFolder(name));
    const texts = randomTexts(200, `continues ${name}`);
    for (const [index, text] of texts.entries()) {
      const before = `x${texts[(index + 1) % texts.length]}`;
      const ids = [...tokenizer.encode(before), ...tokenizer.encode(text, { ...bare, continues: true })];
      expect(tokenizer.decode(ids, { skipSpecialTokens: true }), JSON.stringify([before, text])).toBe(before + text);
    }
  });

  it("would get one otherwise", async () => {
    const tokenizer = await loadTokenizer(tokenizerFolder("llama2"));
    const join = (continues: boolean) =>
      tokenizer.decode([...tokenizer.encode("2+2=", bare), ...tokenizer.encode("4", { ...bare, continues })]);
    expect([join(false), join(true)]).toEqual(["2+2= 4", "2+2=4"]);
  });

  it("may begin with a special token", async () => {
    const tokenizer = await loadTokenizer(tokenizerFolder("mistral"));
    const ids = tokenizer.encode("</s>the", { ...bare, continues: true });
    expect(ids).toEqual([tokenizer.special.eos!.id, ...tokenizer.encode("the", { ...bare, continues: true })]);
    const prefixed = { pre_tokenizer: { type: "ByteLevel", add_prefix_space: true, trim_offsets: true } };
    const folder = await folderOf({ "tokenizer.json": { ...readJson<object>("gpt2", "tokenizer.json"), ...prefixed } });
    const bytes = await loadTokenizer(folder);
    expect(bytes.decode(bytes.encode("the"))).toBe(" the");
    expect(bytes.decode(bytes.encode("the", { continues: true }))).toBe("the");
  });
});

describe("normalizers and pre-tokenizers", async () => {
  const { tokenizer, texts, cases } = readJson<{
    tokenizer: object;
    texts: string[];
    cases: { pre_tokenizer: object; normalizer: object | null; ids: number[][] }[];
  }>("components.json");

  it.each(cases.map((each) => [JSON.stringify([each.normalizer, each.pre_tokenizer]), each] as const))(
    "%s cuts as Python's",
    async (_, { ids, ...parts }) => {
      const loaded = await loadTokenizer(await folderOf({ "tokenizer.json": { ...tokenizer, ...parts } }));
      expect(texts.map((text) => loaded.encode(text))).toEqual(ids);
    },
  );
});

describe("special tokens", () => {
  it("have roles from tokenizer_config.json, and ends from generation_config.json too", async () => {
    const { special, endIds, specialIds } = await loadTokenizer(tokenizerFolder("llama3"));
    expect(special).toEqual({ bos: { id: 0, token: "<|begin_of_text|>" }, eos: { id: 4, token: "<|eot_id|>" } });
    expect(endIds).toEqual([4, 1]);
    expect([...specialIds]).toEqual([0, 1, 2, 3, 4]);
    const llama2 = await loadTokenizer(tokenizerFolder("llama2"));
    expect([llama2.special.bos, llama2.special.unk]).toEqual([
      { id: 1, token: "<s>" },
      { id: 0, token: "<unk>" },
    ]);
  });

  it("have roles from special_tokens_map.json, generation_config.json and the model, where that is all", async () => {
    const json = readJson<object>("llama2", "tokenizer.json");
    const map = { bos_token: { content: "<s>" }, additional_special_tokens: ["▁the"] };
    const folder = await folderOf({
      "tokenizer.json": json,
      "special_tokens_map.json": map,
      "generation_config.json": { eos_token_id: 2, pad_token_id: 700, bos_token_id: 5 },
    });
    const { special, endIds, specialIds } = await loadTokenizer(folder);
    expect(special).toEqual({
      bos: { id: 1, token: "<s>" },
      eos: { id: 2, token: "</s>" },
      unk: { id: 0, token: "<unk>" },
    });
    expect(endIds).toEqual([2]);
    expect(specialIds.size).toBe(4);
  });

  it("that the vocabulary lacks have no id", async () => {
    const { special, endIds } = await loadTokenizer(
      await folderOf(
        { "tokenizer_config.json": { pad_token: "<none>" }, "generation_config.json": { eos_token_id: 999 } },
        "gpt2",
      ),
    );
    expect(special).toEqual({});
    expect(endIds).toEqual([999]);
  });

  it("may be added by tokenizer_config.json, beyond a gap", async () => {
    const added_tokens_decoder = {
      0: { content: "<|endoftext|>", special: true },
      425: { content: "<tool>", special: false },
      426: { content: "<|pad|>", special: true },
    };
    const folder = await folderOf({ "tokenizer_config.json": { added_tokens_decoder, pad_token: "<|pad|>" } }, "gpt2");
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.encode("a<tool><|pad|>").slice(1)).toEqual([425, 426]);
    expect([...tokenizer.specialIds]).toEqual([0, 426]);
    expect(tokenizer.vocabularySize).toBe(427);
    const error = await failure(() => tokenizer.tokenOf(421));
    expect(error.message).toBe("the tokenizer has no token 421, which the vocabulary leaves out");
  });

  it("stand around a text unless told otherwise", async () => {
    const bert = await loadTokenizer(tokenizerFolder("bert"));
    const ids = bert.encode("the answer");
    expect([bert.tokenOf(ids[0]!), bert.tokenOf(ids.at(-1)!)]).toEqual(["[CLS]", "[SEP]"]);
    expect(bert.encode("the answer", bare)).toEqual(ids.slice(1, -1));
    expect(bert.encode("", { specialTokensAsText: true })).toEqual([ids[0], ids.at(-1)]);
  });
});

describe("ids", () => {
  it.each([-1, 420, 1.5, Number.NaN, 2 ** 40])("outside the vocabulary are an error (%d)", async (id) => {
    const tokenizer = await loadTokenizer(tokenizerFolder("gpt2"));
    for (const use of [() => tokenizer.decode([5, id]), () => tokenizer.tokenOf(id)]) {
      const error = await failure(use);
      expect([error.code, error.message]).toEqual([
        "bad-input",
        `the tokenizer has no token ${id}, expected an integer from 0 to 419`,
      ]);
      expect(error.hint).toMatch(/model/);
    }
    expect(tokenizer.decode([])).toBe("");
  });
});

describe("loadTokenizer", () => {
  it.each([
    [{}, /holds no tokenizer\.json, so texts cannot become tokens/, /--ids 1,2,3/],
    [{ "tokenizer.model": "x" }, /holds tokenizer\.model but no tokenizer\.json/, /save_pretrained/],
    [{ "vocab.json": "{}" }, /holds vocab\.json but no tokenizer\.json/, /Token ids work/],
  ])("needs a tokenizer.json (%j)", async (files, message, hint) => {
    const error = await failure(loadTokenizer(await folderOf(files)));
    expect([error.code, error.message, error.hint]).toEqual([
      "not-found",
      expect.stringMatching(message),
      expect.stringMatching(hint),
    ]);
  });

  it("needs a folder", async () => {
    const folder = `${await temporaryFolder()}/none`;
    const error = await failure(loadTokenizer(folder));
    expect([error.code, error.message]).toEqual(["not-found", `there is no folder ${folder}`]);
  });

  it("names a model of words as what it is", async () => {
    const folder = await folderOf({ "tokenizer.json": { model: { type: "WordLevel", vocab: {} } } });
    const error = await failure(loadTokenizer(folder));
    expect([error.code, error.message]).toEqual([
      "bad-input",
      expect.stringMatching(/word-level tokenizer.*not supported/),
    ]);
  });

  const gpt2 = readJson<{ model: { vocab: Record<string, number>; merges: unknown[] } }>("gpt2", "tokenizer.json");
  const unigram = readJson<{ model: object }>("unigram", "tokenizer.json");
  const bert = readJson<{ model: object }>("bert", "tokenizer.json");
  const withModel = (json: { model: object }, model: object) => ({ ...json, model: { ...json.model, ...model } });

  it.each([
    ["no object", 7, /expected object/],
    ["no model", { added_tokens: [] }, /at model/],
    ["an id that is no integer", withModel(gpt2, { vocab: { a: 0.5 } }), /at model\.vocab: expected an object of ids/],
    ["an absurd id", withModel(gpt2, { vocab: { a: 2 ** 30 } }), /ids from 0 to 16777216/],
    ["a merge of three", withModel(gpt2, { merges: [["a", "b", "c"]] }), /at model\.merges: expected a list of pairs/],
    [
      "a merge of unknown tokens",
      withModel(gpt2, { merges: ["a \u4e00"] }),
      /lacks "\u4e00" of the merge \["a","\u4e00"\]/,
    ],
    ["a merge into an unknown token", withModel(gpt2, { merges: [["Q", "Q"]] }), /lacks "QQ" of the merge/],
    ["an unknown token outside the vocabulary", withModel(bert, { unk_token: "<?>" }), /lacks unk_token <\?>/],
    ["an unknown id outside the vocabulary", withModel(unigram, { unk_id: 9999 }), /unk_id is 9999/],
    ["an added token without an id", { ...gpt2, added_tokens: [{ content: "x" }] }, /at added_tokens\.0\.id/],
    [
      "a pattern that does not parse",
      { ...gpt2, pre_tokenizer: { type: "Split", pattern: { Regex: "(" } } },
      /cannot be used: Invalid/,
    ],
    [
      "a frame outside the vocabulary",
      {
        ...gpt2,
        post_processor: {
          type: "TemplateProcessing",
          single: [{ SpecialToken: { id: "<x>" } }, { Sequence: { id: "A" } }],
        },
      },
      /puts <x> around texts, which is not in its vocabulary/,
    ],
  ])("refuses %s", async (_, json, message) => {
    const folder = await folderOf({ "tokenizer.json": json });
    const error = await failure(loadTokenizer(folder));
    expect([error.code, error.message]).toEqual(["corrupt-data", expect.stringMatching(message)]);
    expect(error.message).toContain(folder);
    expect(error.hint).toMatch(/Download it again/);
  });

  it.each([
    ["tokenizer.json", "{"],
    ["tokenizer_config.json", "nonsense"],
    ["special_tokens_map.json", { eos_token: 7 }],
    ["generation_config.json", { eos_token_id: "</s>" }],
  ])("names a broken %s", async (name, content) => {
    const error = await failure(loadTokenizer(await folderOf({ [name]: content }, "gpt2")));
    expect([error.code, error.message]).toEqual(["corrupt-data", expect.stringContaining(name)]);
  });

  it("names a BPE with marks within words, which the library would not put", async () => {
    const folder = await folderOf({ "tokenizer.json": withModel(gpt2, { continuing_subword_prefix: "##" }) });
    const error = await failure(loadTokenizer(folder));
    expect([error.code, error.message]).toEqual([
      "bad-input",
      expect.stringMatching(/needs BPE with continuing_subword_prefix "##", which is not supported$/),
    ]);
  });

  it.each(["normalizer", "pre_tokenizer", "post_processor", "decoder"])(
    "names a %s that is not supported",
    async (part) => {
      const folder = await folderOf({ "tokenizer.json": { ...gpt2, [part]: { type: "UnicodeScripts" } } });
      const error = await failure(loadTokenizer(folder));
      expect([error.code, error.message]).toEqual([
        "bad-input",
        expect.stringMatching(/needs the \w+ UnicodeScripts, which is not supported$/),
      ]);
      expect(error.hint).toMatch(/token ids/);
    },
  );

  it("reads the older notation: merges as text, a model without a type, parts that are missing", async () => {
    const { merges, type, ...model } = gpt2.model as typeof gpt2.model & { type: string };
    const texts = (merges as [string, string][]).map((pair) => pair.join(" "));
    const { normalizer, post_processor, ...rest } = gpt2 as Record<string, unknown>;
    const older = await loadTokenizer(
      await folderOf({ "tokenizer.json": { ...rest, model: { ...model, merges: texts } } }),
    );
    const newer = await loadTokenizer(tokenizerFolder("gpt2"));
    for (const { text } of expectedOf("gpt2")) expect(older.encode(text)).toEqual(newer.encode(text));
    expect([type, normalizer, post_processor]).toEqual(["BPE", null, null]);
  });

  it("reads a token named as a property of every object", async () => {
    const vocab = Object.fromEntries([...Object.entries(gpt2.model.vocab), ["__proto__", 420], ["constructor", 421]]);
    const tokenizer = await loadTokenizer(await folderOf({ "tokenizer.json": withModel(gpt2, { vocab }) }));
    expect(["__proto__", "constructor", "toString"].map(tokenizer.idOf)).toEqual([420, 421, undefined]);
    expect(tokenizer.tokenOf(420)).toBe("__proto__");
  });
});

describe("a text that the vocabulary cannot express", () => {
  it("is an error that names the piece", async () => {
    const unigram = readJson<{ model: object }>("unigram", "tokenizer.json");
    const model = { ...unigram.model, unk_id: null, byte_fallback: false };
    const tokenizer = await loadTokenizer(await folderOf({ "tokenizer.json": { ...unigram, model } }));
    const error = await failure(() => tokenizer.encode("the Ж"));
    expect([error.code, error.message]).toEqual(["bad-input", 'the tokenizer has no token for "Ж"']);
    expect(error.hint).toMatch(/byte-level/);
  });

  it("is one too if the library cannot hold it", async () => {
    const tokenizer = await loadTokenizer(tokenizerFolder("unigram"));
    const error = await failure(() => tokenizer.encode("Ж".repeat(200_000)));
    expect([error.code, error.message]).toEqual([
      "bad-input",
      "a text of 200000 characters is too long for this tokenizer",
    ]);
    expect(error.hint).toMatch(/pieces/);
  });
});

describe("encoding", () => {
  it("takes half of a surrogate pair for no mark of its own", async () => {
    const llama2 = await loadTokenizer(tokenizerFolder("llama2"));
    for (const continues of [true, false]) {
      expect(llama2.decode(llama2.encode("\uD800a", { ...bare, continues }))).toBe("\uFFFDa");
    }
    const unigram = await loadTokenizer(tokenizerFolder("unigram"));
    const ids = unigram.encode("\uD800</s>", { ...bare, specialTokensAsText: true });
    expect(ids).not.toContain(unigram.special.eos!.id);
  });

  it("makes no special token of plain text, even if merges would", async () => {
    const gpt2 = readJson<{ model: { vocab: Record<string, number> } }>("gpt2", "tokenizer.json");
    const id = gpt2.model.vocab.Ġthe!;
    const added_tokens = [{ id, content: "Ġthe", special: true }];
    const tokenizer = await loadTokenizer(await folderOf({ "tokenizer.json": { ...gpt2, added_tokens } }));
    expect(tokenizer.encode(" the")).toEqual([id]);
    const plain = tokenizer.encode(" the", { specialTokensAsText: true });
    expect(plain).not.toContain(id);
    expect(plain.map(tokenizer.tokenOf).join("")).toBe("Ġthe");
  });

  it("takes time in proportion to the text, where a split finds nothing", async () => {
    const { tokenizer } = readJson<{ tokenizer: object }>("components.json");
    const pre_tokenizer = { type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious", invert: false };
    const loaded = await loadTokenizer(await folderOf({ "tokenizer.json": { ...tokenizer, pre_tokenizer } }));
    const started = performance.now();
    expect(loaded.encode("xy".repeat(100_000))).toHaveLength(200_000);
    expect(performance.now() - started).toBeLessThan(15_000);
  });

  it("gives a new list each time", async () => {
    const tokenizer = await loadTokenizer(tokenizerFolder("llama3"));
    const random = createRandom("lists");
    const text = Array.from({ length: 30 }, () => random.choice(["the", " answer", " 12"])).join("");
    const ids = tokenizer.encode(text);
    const copy = [...ids];
    ids.fill(0);
    expect(tokenizer.encode(text)).toEqual(copy);
  });
});
