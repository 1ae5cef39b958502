import { createRandom } from "thoughtbook/core";
import { loadTokenizer, type Tokenizer } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { createTextStream } from "../../../lib/dist/model/tokenizer/text-stream.js";
import { failure } from "../../core/helpers.js";
import { randomTexts, TOKENIZERS, tokenizerFolder } from "./fixtures.js";

const stream = (tokenizer: Tokenizer, ids: readonly number[], skipSpecialTokens = false): string[] => {
  const { push, end } = createTextStream(tokenizer, { skipSpecialTokens });
  return [...ids.map(push), end()];
};

const bare = { addSpecialTokens: false };

describe.each(TOKENIZERS)("the text of a stream of %s", async (name) => {
  const tokenizer = await loadTokenizer(tokenizerFolder(name));
  const specials = [...tokenizer.specialIds].map(tokenizer.tokenOf);

  it("is that of all ids, whatever they are", () => {
    const random = createRandom(`stream ${name}`);
    for (let round = 0; round < 300; round++) {
      const ids = Array.from({ length: random.integer(20) }, () => random.integer(tokenizer.vocabularySize));
      for (const skipSpecialTokens of [true, false]) {
        const text = tokenizer.decode(ids, { skipSpecialTokens });
        expect(stream(tokenizer, ids, skipSpecialTokens).join(""), ids.join()).toBe(text);
      }
    }
  });

  it("comes in whole characters", () => {
    for (const text of randomTexts(200, `whole ${name}`, specials)) {
      if (text.includes("\uFFFD")) continue;
      const parts = stream(tokenizer, tokenizer.encode(text));
      expect(parts.join("")).not.toContain("\uFFFD");
      for (const part of parts) expect(part).not.toMatch(/\p{Surrogate}/u);
    }
  });
});

describe("a stream", async () => {
  const gpt2 = await loadTokenizer(tokenizerFolder("gpt2"));
  const llama2 = await loadTokenizer(tokenizerFolder("llama2"));
  const llama3 = await loadTokenizer(tokenizerFolder("llama3"));

  it("waits for the last byte of a character", () => {
    const { push, end } = createTextStream(llama2);
    const bytes = ["<0xF0>", "<0x9F>", "<0x99>", "<0x82>"].map((token) => llama2.idOf(token)!);
    expect([...bytes, llama2.idOf("!")!].map(push)).toEqual(["", "", "", "🙂", "!"]);
    expect(end()).toBe("");
  });

  it("gives what is whole at once", () => {
    const ids = gpt2.encode("so 🙂");
    const parts = stream(gpt2, ids);
    expect(parts.slice(0, gpt2.encode("so").length).join("")).toBe("so");
    expect(parts.at(-1)).toBe("");
  });

  it("ends with the bytes that are left, as a replacement character", () => {
    const { push, end } = createTextStream(llama2);
    const half = ["a", "<0xF0>", "<0x9F>"].map((token) => llama2.idOf(token)!);
    expect(half.map(push)).toEqual(["a", "", ""]);
    expect([end(), end()]).toEqual(["\uFFFD", ""]);
    expect(push(half[0]!)).toBe("a");
  });

  it("gives invalid bytes when it knows that they are", () => {
    const byte = (hex: string) => llama2.idOf(`<0x${hex}>`)!;
    const { push, end } = createTextStream(llama2);
    expect([byte("FF"), byte("FF"), byte("41"), byte("E2")].map(push)).toEqual(["", "\uFFFD", "\uFFFDA", ""]);
    expect(end()).toBe("\uFFFD");
  });

  it("continues the prompt: a space that begins an answer stays", () => {
    const prompt = llama2.encode("the");
    const answer = llama2.idOf("▁answer") ?? llama2.idOf("▁a")!;
    const word = llama2.tokenOf(answer).slice(1);
    expect(createTextStream(llama2, { after: prompt }).push(answer)).toBe(` ${word}`);
    expect(createTextStream(llama2).push(answer)).toBe(word);
  });

  it("continues a character that the prompt began", () => {
    const ids = gpt2.encode("é");
    expect(ids.length).toBeGreaterThan(1);
    const { push } = createTextStream(gpt2, { after: ids.slice(0, 1) });
    expect(ids.slice(1).map(push).join("")).toBe("é");
  });

  it("leaves special tokens out, within a character too", () => {
    const { push } = createTextStream(llama3, { skipSpecialTokens: true, after: [0] });
    const ids = llama3.encode("🙂", bare);
    const parts = [llama3.special.bos!.id, ids[0]!, llama3.special.eos!.id, ...ids.slice(1)].map(push);
    expect(parts.join("")).toBe("🙂");
  });

  it.each([true, false])("refuses an id outside the vocabulary (%s)", async (skipSpecialTokens) => {
    const { push } = createTextStream(gpt2, { skipSpecialTokens });
    expect((await failure(() => push(420))).message).toMatch(/no token 420, expected an integer from 0 to 419/);
    expect(push(gpt2.idOf("a")!)).toBe("a");
  });

  it("takes the same time for each id, however many came before", () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => 10 + (index % 90));
    const { push, end } = createTextStream(gpt2);
    const started = performance.now();
    let text = "";
    for (const id of ids) text += push(id);
    expect(text + end()).toBe(gpt2.decode(ids));
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
