import { textExtent, textWidth } from "./text-width.js";

/** Left, top, right and bottom in pixels. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

interface Inherited {
  size: number;
  bold: boolean;
  anchor: string;
}

const INITIAL: Inherited = { size: 12, bold: false, anchor: "start" };

/**
 * The box of the text inside an SVG element, in the coordinates of its parent and in the shipped font: what a
 * browser's layout gives and jsdom's does not. Everything that is not text counts as empty.
 * @returns undefined if there is no text.
 */
export function textBox(element: Element): Box | undefined {
  return elementBox(element, inheritedBy(element.parentElement));
}

function inheritedBy(element: Element | null): Inherited {
  return element ? fontOf(element, inheritedBy(element.parentElement)) : INITIAL;
}

function fontOf(element: Element, inherited: Inherited): Inherited {
  const style = element.getAttribute("style") ?? "";
  const size = /font-size:\s*([\d.]+)px/.exec(style)?.[1];
  const weight = /font-weight:\s*(\w+)/.exec(style)?.[1];
  return {
    size: size ? Number(size) : inherited.size,
    bold: weight ? weight === "bold" || Number(weight) >= 600 : inherited.bold,
    anchor: element.getAttribute("text-anchor") ?? /text-anchor:\s*(\w+)/.exec(style)?.[1] ?? inherited.anchor,
  };
}

function elementBox(element: Element, inherited: Inherited): Box | undefined {
  const font = fontOf(element, inherited);
  const boxes =
    element.localName === "text" || element.localName === "tspan"
      ? lineBoxes(element, font)
      : [...element.children].map((child) => elementBox(child, font));
  const box = union(boxes.filter((found) => found !== undefined));
  return box && transformed(box, element.getAttribute("transform") ?? "");
}

/** One box a line: Plotly writes several lines as tspans of class "line". */
function lineBoxes(text: Element, font: Inherited): Box[] {
  const lines = [...text.children].filter((child) => child.classList.contains("line"));
  return (lines.length > 0 ? lines : [text]).map((line) => {
    const coordinate = (name: string) => Number(line.getAttribute(name) ?? text.getAttribute(name) ?? 0);
    const shift = Number.parseFloat(line.getAttribute("dy") ?? text.getAttribute("dy") ?? "0") * font.size;
    const width = runWidth(line, font);
    const left = coordinate("x") - width * ({ middle: 0.5, end: 1 }[font.anchor] ?? 0);
    const baseline = coordinate("y") + shift;
    const { above, below } = textExtent(font);
    return { left, right: left + width, top: baseline - above, bottom: baseline + below };
  });
}

function runWidth(node: Node, font: Inherited): number {
  return [...node.childNodes].reduce((width, child) => {
    if (child.nodeType === child.TEXT_NODE) return width + textWidth(child.textContent ?? "", font);
    return width + runWidth(child, fontOf(child as Element, font));
  }, 0);
}

function union(boxes: readonly Box[]): Box | undefined {
  if (boxes.length === 0) return undefined;
  return {
    left: Math.min(...boxes.map((box) => box.left)),
    top: Math.min(...boxes.map((box) => box.top)),
    right: Math.max(...boxes.map((box) => box.right)),
    bottom: Math.max(...boxes.map((box) => box.bottom)),
  };
}

/** The box around a box that was moved and turned: of SVG's transforms Plotly uses only these two. */
function transformed(box: Box, transform: string): Box {
  const steps = [...transform.matchAll(/(translate|rotate)\(([^)]*)\)/g)].reverse();
  let corners = [box.left, box.right].flatMap((x) => [box.top, box.bottom].map((y) => ({ x, y })));
  for (const [, kind, list = ""] of steps) {
    const [a = 0, b = 0, c = 0] = list.split(/[\s,]+/).map(Number);
    corners = corners.map(({ x, y }) => (kind === "translate" ? { x: x + a, y: y + b } : rotated(x, y, a, b, c)));
  }
  const xs = corners.map(({ x }) => x);
  const ys = corners.map(({ y }) => y);
  return { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) };
}

function rotated(x: number, y: number, degrees: number, centreX: number, centreY: number) {
  const [sine, cosine] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)];
  const [dx, dy] = [x - centreX, y - centreY];
  return { x: centreX + dx * cosine - dy * sine, y: centreY + dx * sine + dy * cosine };
}
