import { readdirSync } from "node:fs";
import { loadSample, problemGraph } from "thoughtbook/data";
import { showDrawing, showFigure } from "thoughtbook/notebook";
import { barFigure, drawQuestionGraph, questionNodes } from "thoughtbook/plot";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NOTEBOOK_DISPLAY } from "../../lib/dist/core/display.js";
import { temporaryFolder } from "./helpers.js";

type Bundle = Record<string, unknown>;
const figure = barFigure({
  name: "two-bars",
  title: "Two bars",
  categories: ["a", "b"],
  series: [{ name: "s", values: [1, 2] }],
  valueTitle: "n",
});

describe("in a notebook", () => {
  let shown: Bundle[];
  beforeEach(() => {
    shown = [];
    Object.defineProperty(globalThis, NOTEBOOK_DISPLAY, {
      value: (bundle: Bundle) => shown.push(bundle),
      configurable: true,
    });
  });
  afterEach(() => {
    Reflect.deleteProperty(globalThis, NOTEBOOK_DISPLAY);
    vi.unstubAllEnvs();
  });

  it("a figure is one small output: a PNG and its Plotly specification", async () => {
    vi.stubEnv("THOUGHTBOOK_FIGURES", "");
    await showFigure(figure);
    expect(shown).toHaveLength(1);
    expect(Object.keys(shown[0]!)).toEqual(["image/png", "application/vnd.plotly.v1+json", "text/plain"]);
    const png = Buffer.from(String(shown[0]!["image/png"]), "base64");
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([1140, 660]);
    expect(png.length).toBeLessThan(30_000);
    expect(shown[0]!["application/vnd.plotly.v1+json"]).toBe(figure.spec);
  });

  it("figures and drawings are exported where the runner says", async () => {
    const folder = temporaryFolder();
    vi.stubEnv("THOUGHTBOOK_FIGURES", folder);
    await showFigure(figure);
    const { problems } = await loadSample();
    const nodes = questionNodes(problemGraph(problems[0]!).graph);
    await showDrawing(drawQuestionGraph(nodes, { name: "a-graph", title: "A graph" }));
    expect(readdirSync(folder).sort()).toEqual([
      "a-graph.png",
      "a-graph.svg",
      "two-bars.csv",
      "two-bars.png",
      "two-bars.svg",
    ]);
    expect(shown[1]).toMatchObject({ "text/plain": "A graph", "image/svg+xml": expect.stringMatching(/^<svg /) });
  });
});

describe("questionNodes", () => {
  it("shows each equation with references by number", async () => {
    const { problems } = await loadSample();
    const { graph } = problemGraph(problems[8]!);
    expect(questionNodes(graph).map(({ detail, depends }) => [detail, depends])).toEqual([
      ["18 ÷ 2 = 9", []],
      ["18 × [1] = 162", [0]],
      ["2 × (18 + [1]) = 54", [0]],
      ["[2] × 5 + [3] × 8 = 1242", [1, 2]],
    ]);
  });
});
