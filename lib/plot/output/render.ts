import { Resvg } from "@resvg/resvg-js";
import { ThoughtbookError } from "../../core/index.js";
import type { Figure } from "../figure.js";
import { FONT_FILES } from "../style/text-width.js";
import { openPlotlyPage, type PlotlyPage } from "./plotly-page.js";
import { escapeXml } from "./xml.js";

let page: Promise<PlotlyPage> | undefined;
let previous: Promise<unknown> = Promise.resolve();

/**
 * Draw a figure as SVG, without a browser. The same figure gives the same bytes whatever was drawn before; the ids
 * inside come from the figure's name, so figures of different names can stand in one document.
 *
 * The first call loads Plotly, which takes about a second. Calls that overlap are drawn one after the other.
 * @throws execution if Plotly cannot draw the specification.
 */
export function renderSvg(figure: Figure): Promise<string> {
  const drawn = previous.then(() => draw(figure));
  previous = drawn.catch(() => undefined);
  return drawn;
}

async function draw({ name, title, spec }: Figure): Promise<string> {
  page ??= openPlotlyPage();
  try {
    const svg = await (await page).draw(spec, name);
    return svg
      .replace(/^<svg [^>]*>/, (tag) => `${tag}<title>${escapeXml(title)}</title>`)
      .replace(/url\('(#[\w-]+)'\)/g, "url($1)"); // resvg knows no quotes there, and would fill with black
  } catch (error) {
    throw new ThoughtbookError("execution", `cannot draw figure "${name}": ${(error as Error).message}`, {
      hint: "Check its Plotly specification.",
      cause: error,
    });
  }
}

/**
 * A PNG of an SVG, `scale` pixels to the SVG's one, on white, all text in the shipped font.
 * @throws bad-input if `svg` is not an SVG document.
 */
export function renderPng(svg: string, { scale = 2 }: { scale?: number } = {}): Uint8Array {
  const options = {
    fitTo: { mode: "zoom" as const, value: scale },
    background: "white",
    font: {
      // Without font files resvg draws no text and does not say so; with the system's, every machine draws its own.
      loadSystemFonts: false,
      fontFiles: Object.values(FONT_FILES),
      defaultFontFamily: "DejaVu Sans",
    },
  };
  try {
    return new Resvg(svg, options).render().asPng();
  } catch (error) {
    throw new ThoughtbookError("bad-input", `not an SVG document: ${(error as Error).message}`, { cause: error });
  }
}
