import { createRequire } from "node:module";
import { inflateSync } from "node:zlib";
import { Resvg } from "@resvg/resvg-js";
import { JSDOM } from "jsdom";

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

/** Decode a PNG of 8 bits a channel with alpha, which is what resvg writes. */
export function decodePng(png: Uint8Array): Pixels {
  const buffer = Buffer.from(png);
  const [width, height] = [buffer.readUInt32BE(16), buffer.readUInt32BE(20)];
  if (buffer[24] !== 8 || buffer[25] !== 6) throw new Error("expected 8-bit RGBA");
  const parts: Buffer[] = [];
  for (let at = 8; at < buffer.length; at += buffer.readUInt32BE(at) + 12) {
    if (buffer.toString("latin1", at + 4, at + 8) !== "IDAT") continue;
    parts.push(buffer.subarray(at + 8, at + 8 + buffer.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts));
  const stride = width * 4;
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = raw[y * (stride + 1)]!;
    for (let x = 0; x < stride; x++) {
      const left = x >= 4 ? pixels[y * stride + x - 4]! : 0;
      const up = y > 0 ? pixels[(y - 1) * stride + x]! : 0;
      const corner = x >= 4 && y > 0 ? pixels[(y - 1) * stride + x - 4]! : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!;
      pixels[y * stride + x] = raw[y * (stride + 1) + 1 + x]! + predicted;
    }
  }
  const at = (x: number, y: number): [number, number, number] => {
    const start = y * stride + 4 * x;
    return [pixels[start]!, pixels[start + 1]!, pixels[start + 2]!];
  };
  return { width, height, at };
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
