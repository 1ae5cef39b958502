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

// Machado, Oliveira and Fernandes (2009), severity 1: what readers without one kind of cones see, in linear RGB.
const VISIONS = [
  [1, 0, 0, 0, 1, 0, 0, 0, 1],
  [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
];

/** How far two colours are apart (CIE 1976) for readers of the colour vision that tells them apart the least. */
export function colourDistance(a: string, b: string): number {
  return Math.min(
    ...VISIONS.map((vision) => Math.hypot(...lab(a, vision).map((part, at) => part - lab(b, vision)[at]!))),
  );
}

function lab(colour: string, vision: readonly number[]): number[] {
  const linear = [1, 3, 5].map((start) => {
    const share = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  const times = (matrix: readonly number[], rgb: readonly number[]) =>
    [0, 3, 6].map((row) => rgb.reduce((sum, part, at) => sum + matrix[row + at]! * part, 0));
  const seen = times(vision, linear).map((part) => Math.min(1, Math.max(0, part)));
  const xyz = times([0.4124, 0.3576, 0.1805, 0.2126, 0.7152, 0.0722, 0.0193, 0.1192, 0.9505], seen);
  const [x, y, z] = xyz.map((part, at) => {
    const share = part / [0.9505, 1, 1.089][at]!;
    return share > 0.008856 ? Math.cbrt(share) : 7.787 * share + 16 / 116;
  }) as [number, number, number];
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
