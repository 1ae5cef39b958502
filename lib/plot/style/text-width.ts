import { createRequire } from "node:module";
import { type Font, openSync } from "fontkit";

export interface TextStyle {
  /** Font size in pixels. */
  size: number;
  bold?: boolean;
}

const require = createRequire(import.meta.url);

/** The shipped font's files: the only font that text is measured and drawn with. */
export const FONT_FILES = {
  regular: require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf"),
  bold: require.resolve("dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf"),
};

type Weight = keyof typeof FONT_FILES;

const fonts = new Map<Weight, Font>();
const advances: Record<Weight, Map<string, number>> = { regular: new Map(), bold: new Map() };

function font(weight: Weight): Font {
  const loaded = fonts.get(weight) ?? openSync(FONT_FILES[weight]);
  fonts.set(weight, loaded);
  return loaded;
}

/** The width in pixels of `text` on one line, in the shipped font, kerning and ligatures included. */
export function textWidth(text: string, { size, bold = false }: TextStyle): number {
  const weight = bold ? "bold" : "regular";
  const cache = advances[weight];
  let advance = cache.get(text);
  if (advance === undefined) {
    // Shaping a line costs half a millisecond, and Plotly measures the same labels many times.
    advance = font(weight).layout(text).advanceWidth / font(weight).unitsPerEm;
    cache.set(text, advance);
  }
  return advance * size;
}

/** Whether the shipped font has a sign for a character. */
export function hasGlyph(character: string): boolean {
  return font("regular").hasGlyphForCodePoint(character.codePointAt(0)!);
}

/** How far the shipped font reaches above and below the baseline, in pixels (both positive). */
export function textExtent({ size, bold = false }: TextStyle): { above: number; below: number } {
  const { ascent, descent, unitsPerEm } = font(bold ? "bold" : "regular");
  return { above: (ascent / unitsPerEm) * size, below: (-descent / unitsPerEm) * size };
}

/**
 * Break `text` at spaces into lines of at most `width` pixels. A word that is wider is broken between characters, so
 * no line is ever wider, unless a single character is. White space is collapsed; empty text gives one empty line.
 */
export function wrapText(text: string, width: number, style: TextStyle): string[] {
  const fits = (line: string) => textWidth(line, style) <= width;
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const longer = line ? `${line} ${word}` : word;
    if (fits(longer)) {
      line = longer;
      continue;
    }
    if (line) lines.push(line);
    line = "";
    for (const character of word) {
      if (line && !fits(line + character)) {
        lines.push(line);
        line = "";
      }
      line += character;
    }
  }
  return line || lines.length === 0 ? [...lines, line] : lines;
}
