import { drawQuestionGraph, renderSvg, withDrawingNote, withNote } from "thoughtbook/plot";
import { describe, expect, it } from "vitest";
import { EXAMPLES } from "../examples.js";
import { type Box, inkOfTexts, overlaps, parseSvg } from "../helpers.js";

const NOTE = "smoke scale · the project's sample, not GSM8K · 24 chains";

describe.each(EXAMPLES)("$name with a note", (figure) => {
  it("has it in its lower right corner, below all else and apart from it", async () => {
    const noted = withNote(figure, NOTE);
    const texts = inkOfTexts(await renderSvg(noted));
    const { width, height } = noted.spec.layout;
    const note = texts.find(({ text }) => text === NOTE)!;
    expect(note.right).toBeGreaterThan(width - 20);
    expect(note.bottom).toBeGreaterThan(height - 20);
    for (const { text, bottom } of texts) if (text !== NOTE) expect(bottom, text).toBeLessThan(note.top);
    const isInside = ({ left, top, right, bottom }: Box) =>
      left > 1 && top > 1 && right < width - 1 && bottom < height - 1;
    expect(texts.filter((text) => !isInside(text))).toEqual([]);
    expect(overlaps(texts)).toEqual([]);
  });
});

describe("withNote", () => {
  const [figure] = EXAMPLES;

  it("leaves a figure as it is without a note, and does not change the one given", () => {
    const before = JSON.stringify(figure);
    expect(withNote(figure!, " ")).toBe(figure);
    expect(withNote(figure!, NOTE).spec.layout.height).toBeGreaterThan(figure!.spec.layout.height);
    expect(JSON.stringify(figure)).toBe(before);
  });

  it("wraps a long note", async () => {
    const svg = await renderSvg(withNote(figure!, `${NOTE}, `.repeat(4)));
    const texts = inkOfTexts(svg);
    expect(overlaps(texts)).toEqual([]);
    const note = [...parseSvg(svg).querySelectorAll("text")].find(({ textContent }) =>
      textContent?.includes("24 chains"),
    )!;
    expect(note.querySelectorAll("tspan").length).toBeGreaterThan(1);
  });

  it("draws the same twice", async () => {
    expect(await renderSvg(withNote(figure!, NOTE))).toBe(await renderSvg(withNote(figure!, NOTE)));
  });
});

describe("withDrawingNote", () => {
  it("adds a line below a drawing", () => {
    const label = "How many apples, pears and plums are there in all the baskets together?";
    const drawing = drawQuestionGraph([{ label, depends: [] }], { title: "A graph" });
    const noted = withDrawingNote(drawing, "smoke scale · 1 problem & more");
    expect(noted.height).toBeGreaterThan(drawing.height);
    const svg = parseSvg(noted.svg).documentElement;
    expect(svg.getAttribute("height")).toBe(String(noted.height));
    expect(svg.getAttribute("viewBox")).toBe(`0 0 ${drawing.width} ${noted.height}`);
    const texts = inkOfTexts(noted.svg);
    expect(texts.map(({ text }) => text).join(" ")).toContain("smoke scale · 1 problem & more");
    expect(texts.at(-1)!.top).toBeGreaterThan(Math.max(...texts.slice(0, -1).map(({ bottom }) => bottom)));
    expect(texts.at(-1)!.bottom).toBeLessThan(noted.height);
    expect(withDrawingNote(drawing, "")).toBe(drawing);
  });
});
