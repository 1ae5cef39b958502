import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createRandom } from "thoughtbook/core";
import {
  chatTemplateOf,
  loadTokenizer,
  renderChat,
  saveBpe,
  type TrainBpeOptions,
  type TrainedBpe,
  trainBpe,
} from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import type { BpeProgress } from "../../../lib/dist/model/tokenizer/bpe.js";
import { failure, temporaryFolder } from "../../core/helpers.js";
import { randomTexts, readJson } from "./fixtures.js";

const { corpus, probe, cases } = readJson<{
  corpus: string[];
  probe: string[];
  cases: { options: TrainBpeOptions; tokens: number; merges: string[]; mergeCount: number; ids: number[][] }[];
}>("bpe-trainer.json");

const joined = ({ merges }: TrainedBpe) => merges.map((pair) => pair.join(" "));

async function saveAndLoad(bpe: TrainedBpe) {
  const folder = await temporaryFolder();
  await saveBpe(folder, bpe);
  return loadTokenizer(folder);
}

/** Byte-pair encoding as it is defined: all pairs counted anew for each merge. Letters are below U+0080. */
function mergesByDefinition(texts: readonly string[], count: number, minFrequency: number): string[] {
  const name = (letter: string) => (letter === " " ? "Ġ" : letter === "\n" ? "Ċ" : letter);
  const alphabet = Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(byte < 0x21 ? 0x100 + byte : byte),
  ).sort();
  const ids = new Map(alphabet.map((letter, id) => [letter, id]));
  let words = texts.map((text) => [...text].map(name));
  const merges: string[] = [];
  while (merges.length < count) {
    const counts = new Map<string, number>();
    for (const word of words) {
      for (let place = 1; place < word.length; place++) {
        const pair = `${word[place - 1]} ${word[place]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + 1);
      }
    }
    const order = ([pair]: [string, number]) => pair.split(" ").map((token) => ids.get(token)!) as [number, number];
    const best = [...counts].sort((one, other) => {
      const [[left, right], [otherLeft, otherRight]] = [order(one), order(other)];
      return other[1] - one[1] || left - otherLeft || right - otherRight;
    })[0];
    if (best === undefined || best[1] < minFrequency) break;
    const [left, right] = best[0].split(" ") as [string, string];
    merges.push(best[0]);
    ids.set(left + right, ids.size);
    words = words.map((word) => {
      const merged: string[] = [];
      for (let place = 0; place < word.length; place++) {
        if (word[place] === left && word[place + 1] === right) {
          merged.push(left + right);
          place++;
        } else merged.push(word[place]!);
      }
      return merged;
    });
  }
  return merges;
}

describe("trainBpe", () => {
  it.each(cases.map((each) => [JSON.stringify(each.options), each] as const))(
    "makes the merges of Python's BpeTrainer: %s",
    async (_, { options, tokens, merges, mergeCount }) => {
      const bpe = await trainBpe(corpus, options);
      expect(joined(bpe).slice(0, merges.length)).toEqual(merges);
      expect([bpe.tokens.length, bpe.merges.length]).toEqual([tokens, mergeCount]);
    },
  );

  it("merges the most frequent pair, of equals the one with the lowest ids", async () => {
    const random = createRandom("merges");
    for (let round = 0; round < 60; round++) {
      const letters = random.choice(["ab", "abc", "aab c", "ab\n"]);
      const texts = Array.from({ length: 1 + random.integer(8) }, () =>
        Array.from({ length: 1 + random.integer(50) }, () => random.choice([...letters])).join(""),
      );
      const count = 1 + random.integer(40);
      const minFrequency = 1 + random.integer(3);
      const bpe = await trainBpe(texts, { vocabularySize: 256 + count, minFrequency, pattern: "[\\s\\S]+" });
      expect(joined(bpe), JSON.stringify(texts)).toEqual(mergesByDefinition(texts, count, minFrequency));
    }
  });

  it("does not depend on the order of the corpus, nor on how it comes", async () => {
    const options = { vocabularySize: 380 };
    const expected = await trainBpe(corpus, options);
    async function* stream() {
      yield* createRandom("order").shuffle(corpus);
    }
    expect(await trainBpe(stream(), options)).toEqual(expected);
    expect(await trainBpe(new Set(corpus), options)).toEqual(await trainBpe([...new Set(corpus)], options));
  });

  it("begins with the special tokens and the 256 bytes", async () => {
    const { tokens, specialTokens } = await trainBpe(corpus, {
      vocabularySize: 300,
      specialTokens: ["<|user|>", "<|end|>"],
      eosToken: "<|end|>",
      padToken: "<|pad|>",
      bosToken: "<|pad|>",
    });
    expect(specialTokens).toEqual(["<|user|>", "<|end|>", "<|pad|>"]);
    expect(tokens.slice(0, 5)).toEqual([...specialTokens, "!", '"']);
    expect(tokens.slice(3, 259).toSorted()).toEqual(tokens.slice(3, 259));
    expect([new Set(tokens).size, tokens.length]).toEqual([300, 300]);
  });

  it("keeps digits single if told to", async () => {
    const withDigits = ({ tokens }: TrainedBpe) => tokens.filter((token) => token.length > 1 && /\d/.test(token));
    expect(withDigits(await trainBpe(corpus, { vocabularySize: 400, splitDigits: true }))).toEqual([]);
    expect(withDigits(await trainBpe(corpus, { vocabularySize: 400 }))).not.toEqual([]);
  });

  it("makes no special token of text", async () => {
    const options = { vocabularySize: 262, specialTokens: ["stop"], pattern: "\\w+" };
    const bpe = await trainBpe(["stop stops stop"], { ...options });
    expect(bpe.tokens.filter((token) => token === "stop")).toEqual(["stop"]);
    const tokenizer = await saveAndLoad(bpe);
    expect(tokenizer.encode("stop")).toEqual([0]);
    expect(tokenizer.encode("stop", { specialTokensAsText: true })).not.toContain(0);
  });

  it("makes fewer tokens of a small corpus", async () => {
    expect((await trainBpe(["ab"], { vocabularySize: 1000 })).tokens).toHaveLength(256);
    expect((await trainBpe(["ab ab"], { vocabularySize: 1000 })).merges).toEqual([["a", "b"]]);
    expect((await trainBpe(["ab ab"], { vocabularySize: 1000, minFrequency: 3 })).merges).toEqual([]);
  });

  it("tells how far it is", async () => {
    const seen: BpeProgress[] = [];
    await trainBpe(corpus, { vocabularySize: 300, onProgress: (progress) => seen.push(progress) });
    const characters = corpus.join("").length;
    expect(seen).toContainEqual({ phase: "reading", characters });
    expect(seen.at(-1)).toEqual({ phase: "merging", tokens: 300, vocabularySize: 300 });
  });

  it("lets other work have its turn", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 5);
    const words = Array.from({ length: 200_000 }, (_, index) => `w${(index * 7919) % 100_003} ${index.toString(36)}`);
    await trainBpe(words, { vocabularySize: 2000 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });

  it.each<[string, Iterable<string>, TrainBpeOptions, RegExp, RegExp]>([
    [
      "too small a vocabulary",
      ["a"],
      { vocabularySize: 257, specialTokens: ["<a>", "<b>"] },
      /size is 257, expected an integer of 258/,
      /256 bytes and 2 special/,
    ],
    ["half a token", ["a"], { vocabularySize: 300.5 }, /size is 300\.5/, /Choose at least 256/],
    ["no minimum", ["a"], { vocabularySize: 300, minFrequency: 0 }, /minFrequency is 0/, /Choose 2/],
    [
      "an empty special token",
      ["a"],
      { vocabularySize: 300, specialTokens: [""] },
      /"" cannot be a special token/,
      /Choose names/,
    ],
    [
      "a byte as special token",
      ["a"],
      { vocabularySize: 300, eosToken: "a" },
      /"a" cannot be a special token/,
      /Choose names/,
    ],
    [
      "a special token twice",
      ["a"],
      { vocabularySize: 300, specialTokens: ["<s>", "<s>"] },
      /"<s>" cannot be/,
      /Choose names/,
    ],
    [
      "a pattern that does not parse",
      ["a"],
      { vocabularySize: 300, pattern: "(" },
      /cannot be cut into words: Invalid/,
      /pattern/,
    ],
    ["an empty corpus", [], { vocabularySize: 300 }, /corpus of 0 items holds no text/, /Give the texts/],
    ["a corpus of nothing", ["", ""], { vocabularySize: 300 }, /corpus of 2 items holds no text/, /Give the texts/],
    [
      "records",
      ["a", { text: "b" } as never],
      { vocabularySize: 300 },
      /item 1 of the corpus is of type object/,
      /not records/,
    ],
  ])("refuses %s", async (_, texts, options, message, hint) => {
    const error = await failure(trainBpe(texts, options));
    expect([error.code, error.message, error.hint]).toEqual([
      "bad-input",
      expect.stringMatching(message),
      expect.stringMatching(hint),
    ]);
  });
});

describe("a trained tokenizer", () => {
  it.each(cases.map((each) => [JSON.stringify(each.options), each] as const))(
    "encodes as Python's: %s",
    async (_, { options, ids }) => {
      const tokenizer = await saveAndLoad(await trainBpe(corpus, options));
      expect(probe.map((text) => tokenizer.encode(text))).toEqual(ids);
    },
  );

  it("gives any text back", async () => {
    const tokenizer = await saveAndLoad(await trainBpe(corpus, { vocabularySize: 500, splitDigits: true }));
    for (const text of [...randomTexts(300, "bpe"), ...corpus]) {
      expect(tokenizer.decode(tokenizer.encode(text)), JSON.stringify(text)).toBe(text);
    }
  });

  it("keeps its special tokens, chat template and length", async () => {
    const folder = join(await temporaryFolder(), "new", "folder");
    const bpe = await trainBpe(corpus, {
      vocabularySize: 300,
      specialTokens: ["<|user|>"],
      bosToken: "<|begin|>",
      eosToken: "<|end|>",
      padToken: "<|pad|>",
    });
    await saveBpe(folder, bpe, {
      chatTemplate: "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}",
      maxLength: 512,
    });
    const { special, specialIds, endIds } = await loadTokenizer(folder);
    expect(special).toEqual({
      bos: { id: 1, token: "<|begin|>" },
      eos: { id: 2, token: "<|end|>" },
      pad: { id: 3, token: "<|pad|>" },
    });
    expect([[...specialIds], endIds]).toEqual([[0, 1, 2, 3], [2]]);
    const template = await chatTemplateOf(folder);
    expect(renderChat(template, [{ role: "user", content: "hi" }])).toBe("<|begin|>hi<|end|>");
    expect(JSON.parse(readFileSync(join(folder, "tokenizer_config.json"), "utf8"))).toMatchObject({
      model_max_length: 512,
      tokenizer_class: "PreTrainedTokenizerFast",
      clean_up_tokenization_spaces: false,
    });
  });

  it("is written the same each time", async () => {
    const [one, other] = [await temporaryFolder(), await temporaryFolder()];
    for (const folder of [one, other]) await saveBpe(folder, await trainBpe(corpus, { vocabularySize: 320 }));
    for (const file of ["tokenizer.json", "tokenizer_config.json"]) {
      expect(readFileSync(join(one, file), "utf8")).toBe(readFileSync(join(other, file), "utf8"));
    }
  });

  it("is not written where there is a file", async () => {
    const folder = await temporaryFolder();
    const bpe = await trainBpe(corpus, { vocabularySize: 256 });
    await saveBpe(folder, bpe);
    const error = await failure(saveBpe(join(folder, "tokenizer.json"), bpe));
    expect([error.code, error.message]).toEqual([
      "file-system",
      expect.stringContaining("cannot write the tokenizer to"),
    ]);
  });
});
