import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRandom } from "thoughtbook/core";
import { temporaryFolder } from "../../core/helpers.js";

/** A text and what Python's tokenizers 0.23.2 made of it. */
export interface Expected {
  text: string;
  ids: number[];
  /** With special tokens read as plain text, and none put around. */
  plain: number[];
  decoded: string;
  skipped: string;
}

const root = fileURLToPath(new URL("../../fixtures/tokenizers", import.meta.url));

/** Every kind of tokenizer.json, each trained by Python on a few hundred sentences of our own. */
export const TOKENIZERS = [
  "gpt2",
  "llama3",
  "llama2",
  "mistral",
  "bert",
  "unigram",
  "falcon",
  "whitespace",
  "suffix",
] as const;

export const tokenizerFolder = (name: string): string => join(root, name);

export const readJson = <T>(...path: string[]): T => JSON.parse(readFileSync(join(root, ...path), "utf8")) as T;

export const expectedOf = (name: string): Expected[] => readJson(name, "expected.json");

/** A folder of the running test with the given JSON files, on top of those of a fixture. */
export async function folderOf(files: Record<string, unknown>, fixture?: string): Promise<string> {
  const folder = await temporaryFolder();
  if (fixture) cpSync(tokenizerFolder(fixture), folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
  }
  return folder;
}

const PIECES =
  "the |answer| is |12|345| |  |\n|\t|don't|é|e\u0301|½|٣|中文|𠀀|🙂|👍🏽|👩‍👩‍👧|—|…|\ufeff|\u0085|\u00a0|\u0000|א|ß|Ġ|<0x41>|$1|\ufffd|a|\r\n".split(
    "|",
  );

/** Texts put together from words, spaces, rare characters and `further` pieces, the same ones each time. */
export function randomTexts(count: number, seed: string, further: readonly string[] = []): string[] {
  const random = createRandom(seed);
  const pieces = [...PIECES, ...further];
  return Array.from({ length: count }, () =>
    Array.from({ length: random.integer(12) }, () =>
      random.uniform() < 0.2 ? String.fromCodePoint(randomCodePoint(random.integer(0x110000))) : random.choice(pieces),
    ).join(""),
  );
}

const randomCodePoint = (value: number): number => (value >= 0xd800 && value < 0xe000 ? value - 0x800 : value);
