import { createRequire } from "node:module";
import { Resvg } from "@resvg/resvg-js";
import { JSDOM } from "jsdom";
import sharp from "sharp";

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export interface InkOfText extends Box {
  text: string;
  /** The box in the picture turned by 45 degrees. */
  turned: Box;
}

const require = createRequire(import.meta.url);
const FONTS = {
  loadSystemFonts: false,
  fontFiles: ["", "-Bold"].map((face) => require.resolve(`dejavu-fonts-ttf/ttf/DejaVuSans${face}.ttf`)),
  defaultFontFamily: "DejaVu Sans",
};

/** Parse as XML, which fails on anything not well-formed. */
export function parseSvg(svg: string): Document {
  return new JSDOM(svg, { contentType: "image/svg+xml" }).window.document;
}

/** Where resvg draws each text, every one alone at its place. */
export function inkOfTexts(svg: string): InkOfText[] {
  return [...parseSvg(svg).querySelectorAll("text")].flatMap((text) => {
    const [box, turned] = [inkBox(alone(text)), inkBox(alone(text, "rotate(45)"))];
    return box && turned ? [{ text: text.textContent ?? "", ...box, turned }] : [];
  });
}

/** The document with this element in it and the groups around it, but nothing else. */
function alone(element: Element, transform?: string): string {
  let inner = element.cloneNode(true) as Element;
  for (let parent = element.parentElement; parent; parent = parent.parentElement) {
    const shell = parent.cloneNode(false) as Element;
    shell.removeAttribute("clip-path");
    shell.append(inner);
    inner = shell;
  }
  if (transform) {
    const group = element.ownerDocument.createElementNS("http://www.w3.org/2000/svg", "g");
    group.setAttribute("transform", transform);
    group.append(...inner.childNodes);
    inner.append(group);
  }
  return inner.outerHTML;
}

/** The box of the ink of a document, as resvg draws it. */
export function inkBox(svg: string): Box | undefined {
  const box = new Resvg(svg, { font: FONTS }).getBBox();
  return box && { left: box.x, top: box.y, right: box.x + box.width, bottom: box.y + box.height };
}

const areApart = (a: Box, b: Box): boolean =>
  a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;

/** Pairs of texts that touch; slanted ones are apart if they are in the turned picture. */
export function overlaps(texts: readonly InkOfText[]): string[] {
  return texts.flatMap((a, index) =>
    texts
      .slice(index + 1)
      .filter((b) => !areApart(a, b) && !areApart(a.turned, b.turned))
      .map((b) => `${a.text} | ${b.text}`),
  );
}

export interface Pixels {
  width: number;
  height: number;
  /** Red, green and blue at a pixel. */
  at: (x: number, y: number) => [red: number, green: number, blue: number];
}

/** The pixels of a PNG. */
export async function decodePng(png: Uint8Array): Promise<Pixels> {
  const { data, info } = await sharp(png)
    .removeAlpha()
    .toColourspace("srgb")
    .raw()
    .toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number): [number, number, number] => {
    const start = info.channels * (y * info.width + x);
    return [data[start]!, data[start + 1]!, data[start + 2]!];
  };
  return { width: info.width, height: info.height, at };
}
