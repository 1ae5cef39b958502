import { loadTokenizer, tokenBytes, tokenText } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { expectedOf, tokenizerFolder } from "./fixtures.js";

describe("the bytes of tokens", () => {
  it.each(["gpt2", "llama3", "llama2", "mistral", "unigram", "falcon"])("join to the text: %s", async (name) => {
    const tokenizer = await loadTokenizer(tokenizerFolder(name));
    let parts = 0;
    for (const { text } of expectedOf(name)) {
      const ids = tokenizer.encode(text, { addSpecialTokens: false });
      const bytes = Buffer.concat(ids.map((id) => tokenBytes(tokenizer, id)));
      const whole = tokenizer.decode(ids);
      // SentencePiece puts a space before a text, and takes it away again.
      expect([whole, ` ${whole}`]).toContain(bytes.toString("utf8"));
      parts += ids.filter((id) => tokenText(tokenBytes(tokenizer, id)).startsWith("bytes:")).length;
    }
    // The texts have characters that take several tokens.
    expect(parts).toBeGreaterThan(0);
  });

  it("of words and special tokens are their text", async () => {
    const tokenizer = await loadTokenizer(tokenizerFolder("llama2"));
    const bos = tokenizer.special.bos!;
    expect(tokenText(tokenBytes(tokenizer, bos.id))).toBe(bos.token);
    const [word] = tokenizer.encode("the", { addSpecialTokens: false });
    expect(tokenText(tokenBytes(tokenizer, word!))).toMatch(/^ t/);
    expect(tokenBytes(tokenizer, tokenizer.vocabularySize)).toEqual(new Uint8Array());
  });

  it("that are no whole characters are written in hexadecimal", () => {
    expect(tokenText(Uint8Array.of(0xe2, 0x82))).toBe("bytes:\\xe2\\x82");
    expect(tokenText(Uint8Array.of(0xe2, 0x82, 0xac))).toBe("€");
  });
});
