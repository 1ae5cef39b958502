import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { createRandom } from "../../core/index.js";
import type { PlotlySpec } from "../figure.js";
import { textBox } from "../style/text-box.js";

/** A page without a browser in which Plotly draws. */
export interface PlotlyPage {
  /** Draw one specification as SVG. Plotly makes its ids of random numbers: those of `seed`. */
  draw: (spec: PlotlySpec, seed: string) => Promise<string>;
}

interface Plotly {
  toImage(
    spec: PlotlySpec,
    options: { format: "svg"; imageDataOnly: true; width: number; height: number },
  ): Promise<string>;
}

/** Load Plotly into jsdom and supply what jsdom lacks: text layout, and the two things Plotly asks for on loading. */
export async function openPlotlyPage(): Promise<PlotlyPage> {
  const { JSDOM } = await import("jsdom");
  const source = await readFile(createRequire(import.meta.url).resolve("plotly.js-dist"), "utf8");
  const { window } = new JSDOM("<!doctype html>", { runScripts: "outside-only", pretendToBeVisual: true });

  window.URL.createObjectURL = () => "";
  window.HTMLCanvasElement.prototype.getContext = () => null;
  const box = function (this: Element): DOMRect {
    const { left, top, right, bottom } = textBox(this) ?? { left: 0, top: 0, right: 0, bottom: 0 };
    return new window.DOMRect(left, top, right - left, bottom - top);
  };
  Object.assign(window.SVGElement.prototype, { getBoundingClientRect: box, getBBox: box });

  window.eval(source);
  const plotly = (window as unknown as { Plotly: Plotly }).Plotly;
  return {
    draw: (spec, seed) => {
      window.Math.random = createRandom(seed).uniform;
      const { width, height } = spec.layout;
      // A copy, because Plotly writes its defaults into what it is given.
      return plotly.toImage(structuredClone(spec), { format: "svg", imageDataOnly: true, width, height });
    },
  };
}
