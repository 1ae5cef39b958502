import { describe, expect, it } from "vitest";
import { textWidth, wrapText } from "../../../lib/dist/plot/style/text-width.js";
import { inkBox } from "../helpers.js";

/** The advance of a text as resvg draws it: how far it pushes two bars apart. */
function drawnAdvance(text: string, size: number, bold: boolean): number {
  const width = (inner: string) => {
    const style = `font-family="DejaVu Sans" font-size="${size}" font-weight="${bold ? "bold" : "normal"}"`;
    const document = `<svg xmlns="http://www.w3.org/2000/svg" width="2000" height="200"><text x="9" y="99" ${style}>${inner}</text></svg>`;
    const { left, right } = inkBox(document)!;
    return right - left;
  };
  return width(`|${text}|`) - width("||");
}

describe("textWidth", () => {
  it.each([
    ["accuracy (%)", 14, false],
    ["A*-Thought: AVATAR To Wa", 18, true],
    ["fi ffl fl", 12, false],
    ["−12.5 × 10⁻³ ≤ α", 12, false],
    ["", 12, true],
  ])("of %j at %d px is what resvg draws", (text, size, bold) => {
    expect(textWidth(text, { size, bold })).toBeCloseTo(drawnAdvance(text, size, bold), 2);
  });

  it("grows in proportion to the size, and is more in bold", () => {
    expect(textWidth("text", { size: 24 })).toBeCloseTo(2 * textWidth("text", { size: 12 }), 10);
    expect(textWidth("text", { size: 12, bold: true })).toBeGreaterThan(textWidth("text", { size: 12 }));
  });
});

describe("wrapText", () => {
  const style = { size: 12 };

  it("fills lines up to the width and no further", () => {
    const text = "How many eggs are left for sale after breakfast and the muffins for her friends?";
    const lines = wrapText(text, 120, style);
    expect(lines.join(" ")).toBe(text);
    expect(lines.length).toBeGreaterThan(3);
    for (const [index, line] of lines.entries()) {
      expect(textWidth(line, style)).toBeLessThanOrEqual(120);
      const nextWord = lines[index + 1]?.split(" ")[0];
      if (nextWord) expect(textWidth(`${line} ${nextWord}`, style)).toBeGreaterThan(120);
    }
  });

  it("breaks a word that is wider than a line, and goes on behind it", () => {
    const lines = wrapText("a Donaudampfschifffahrtsgesellschaft b", 80, style);
    expect(lines.length).toBeGreaterThan(3);
    expect(lines[0]).toBe("a");
    expect(lines.at(-1)).toMatch(/^\S+ b$/);
    expect(lines.join("").replaceAll(" ", "")).toBe("aDonaudampfschifffahrtsgesellschaftb");
    for (const line of lines) expect(textWidth(line, style)).toBeLessThanOrEqual(80);
  });

  it.each([
    ["", [""]],
    [" two \n words ", ["two words"]],
  ])("of %j is %j", (text, lines) => {
    expect(wrapText(text, 200, style)).toEqual(lines);
  });
});
