import { type Figure, type TokenFigureOptions, tokenFigure } from "thoughtbook/plot";
import { describe, expect, it } from "vitest";

interface Shape {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
  fillcolor: string;
}
const figureOf = (tokens: TokenFigureOptions["tokens"], more: Partial<TokenFigureOptions> = {}) =>
  tokenFigure({ name: "tokens", title: "Title", tokens, ...more });
const sure = (...tokens: string[]) => tokens.map((token) => ({ token, logProb: 0 }));
const texts = (figure: Figure) => (figure.spec.data[0] as { text: string[] }).text;
/** The boxes of the tokens: they come after the scale's. */
const boxes = (figure: Figure) => (figure.spec.layout.shapes as Shape[]).slice(-texts(figure).length);

describe("tokenFigure", () => {
  it("shows what is not seen", () => {
    const shown = texts(figureOf(sure(" a", "\n", "\t", "", "\r\n", "\u0000", "  ")));
    expect(shown).toEqual(["\u2423a", "\u21B5", "\u21E5", "\u2205", "\u2190\u21B5", "\\u{0}", "\u2423\u2423"]);
  });

  it("writes characters that the font lacks by their code, others as they are", () => {
    expect(texts(figureOf(sure("\u4E2D", "é", "Σ", "\uFFFD")))).toEqual(["\\u{4E2D}", "é", "Σ", "\uFFFD"]);
  });

  it("lets no token be read as markup", () => {
    expect(texts(figureOf(sure("<b>", "$x$", "&amp;")))).toEqual(["&lt;b&gt;", "&#36;x&#36;", "&amp;amp;"]);
  });

  it("colours from white for a sure token to dark for a surprising one", () => {
    const colours = boxes(figureOf([0, -1, -2.5, -4, -5, -40].map((logProb) => ({ token: "a", logProb })))).map(
      ({ fillcolor }) => fillcolor,
    );
    const light = colours.map((colour) => Number.parseInt(colour.slice(3, 5), 16));
    expect(colours[0]!.toUpperCase()).toBe("#FFFFFF");
    expect(light.slice(0, 5)).toEqual(light.slice(0, 5).toSorted((a, b) => b - a));
    expect(new Set(colours.slice(0, 5)).size).toBe(5);
    expect(colours[5]).toBe(colours[4]);
    const other = figureOf([{ token: "a", logProb: -5 }], { lowest: -50 });
    expect(boxes(other)[0]!.fillcolor).not.toBe(colours[4]);
  });

  it("sets tokens in lines that fit, none over another, a new one after a line break", () => {
    const words = Array.from({ length: 120 }, (_, at) => " word".repeat(1 + (at % 3)));
    const figure = figureOf(sure(...words, "\n", "next", "x".repeat(300)));
    const placed = boxes(figure);
    const { width, height } = figure.spec.layout;
    for (const [at, { x0, x1, y0, y1 }] of placed.entries()) {
      expect(x0 >= 0 && x1 <= width && y1 <= height).toBe(true);
      const next = placed[at + 1];
      if (next) expect(next.x0 > x1 || next.y0 > y1).toBe(true);
      expect(y1).toBeGreaterThan(y0);
    }
    const breakAt = texts(figure).indexOf("\u21B5");
    expect(placed[breakAt + 1]!.y0).toBeGreaterThan(placed[breakAt]!.y1);
    expect(placed[breakAt + 1]!.x0).toBe(placed[0]!.x0);
    expect(texts(figure).length).toBeGreaterThan(123); // the last one in several pieces
  });

  it("has a row of its table for each token", () => {
    const { table } = figureOf([
      { token: " a", logProb: 0 },
      { token: "b", logProb: Math.log(0.25) },
    ]);
    expect(table.columns).toEqual(["position", "token", "log_prob", "probability"]);
    expect(table.rows).toEqual([
      [0, " a", 0, 1],
      [1, "b", Math.log(0.25), 0.25],
    ]);
  });

  it.each<[string, () => Figure, RegExp]>([
    ["no tokens", () => figureOf([]), /no tokens/],
    ["too many", () => figureOf(Array(1001).fill(sure("a")[0])), /1001 tokens: expected at most 1000/],
    [
      "a probability",
      () => figureOf([{ token: "a\n", logProb: 0.9 }]),
      /token 0 \("a\\n"\) has the log-probability 0.9/,
    ],
    ["minus infinity", () => figureOf([{ token: "a", logProb: Number.NEGATIVE_INFINITY }]), /-Infinity/],
    ["a scale without an end", () => figureOf(sure("a"), { lowest: 0 }), /of the scale is 0/],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: "bad-input", message: expect.stringMatching(message), hint: expect.any(String) }),
    );
  });
});
