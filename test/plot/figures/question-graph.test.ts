import { drawQuestionGraph, type QuestionNode, renderPng } from "thoughtbook/plot";
import { describe, expect, it } from "vitest";
import { type Box, decodePng, inkOfTexts, overlaps, parseSvg } from "../helpers.js";

const node = (label: string, depends: number[] = [], detail?: string): QuestionNode => ({
  label,
  depends,
  ...(detail === undefined ? {} : { detail }),
});

const GRAPHS: Record<string, QuestionNode[]> = {
  diamond: [
    node("How many eggs do the ducks lay a day?", [], "16"),
    node("How many eggs are eaten for breakfast?", [0], "3"),
    node("How many eggs are baked into muffins for her friends?", [0], "4"),
    node("How many dollars does she make, at $2 an egg?", [0, 1, 2], "(16 - 3 - 4) × 2 = 18"),
  ],
  chain: Array.from({ length: 5 }, (_, index) => node(`Step ${index + 1}`, index > 0 ? [index - 1] : [])),
  wide: [
    ...Array.from({ length: 7 }, (_, index) => node(`What is quantity ${index + 1}?`, [], `${3 * index}`)),
    node("What is their sum?", [0, 1, 2, 3, 4, 5, 6], "63"),
  ],
  twelve: [
    node("a: how many apples are in the first basket?"),
    node("b"),
    node("c: pears"),
    node("d = a + b", [0, 1], "= 12"),
    node("e = b × c, a text that fills several lines and makes its layer much taller than the others are", [1, 2]),
    node("f = d - 1", [3]),
    node("g = d + e", [3, 4]),
    node("h = e / 2", [4]),
    node("i = f + g + a", [5, 6, 0]),
    node("j = g × h", [6, 7]),
    node("k = i - c", [8, 2]),
    node("answer = k + j + b", [10, 9, 1], "128 < 130 & so on"),
  ],
  late: [node("first"), node("second", [0]), node("third", [1]), node("a source for the last"), node("last", [2, 3])],
  unconnected: [node("left"), node("right"), node("below", [1]), node("Donaudampfschifffahrtsgesellschaftskapitän")],
};

/** The boxes in the order of the nodes, and the lines between them as points along each path, in the boxes' frame. */
function readDrawing(svg: string) {
  const document = parseSvg(svg);
  const value = (element: Element, name: string) => Number(element.getAttribute(name));
  const boxes = [...document.querySelectorAll("g > g > rect")].map((rect): Box => {
    const [left, top] = [value(rect, "x"), value(rect, "y")];
    return { left, top, right: left + value(rect, "width"), bottom: top + value(rect, "height") };
  });
  const paths = [...document.querySelectorAll("path[fill=none]")];
  const lines = paths.map((path) => ({
    points: sample(path.getAttribute("d")!),
    dashed: path.hasAttribute("stroke-dasharray"),
  }));
  return { document, boxes, lines };
}

/** Points along a path of M, L and C commands. */
function sample(path: string): { x: number; y: number }[] {
  const points: { x: number; y: number }[] = [];
  for (const [, , list] of path.matchAll(/([MLC])([^MLC]*)/g)) {
    const numbers = list!.trim().split(/\s+/).map(Number);
    const knots = Array.from({ length: numbers.length / 2 }, (_, at) => ({
      x: numbers[2 * at]!,
      y: numbers[2 * at + 1]!,
    }));
    const all = [...points.slice(-1), ...knots];
    for (let t = 0.05; t <= 1.001; t += 0.05) points.push(casteljau(all, t));
  }
  return points;
}

function casteljau(knots: { x: number; y: number }[], t: number): { x: number; y: number } {
  if (knots.length === 1) return knots[0]!;
  const between = knots.slice(1).map(({ x, y }, at) => ({
    x: knots[at]!.x + (x - knots[at]!.x) * t,
    y: knots[at]!.y + (y - knots[at]!.y) * t,
  }));
  return casteljau(between, t);
}

const areApart = (a: Box, b: Box) => a.right < b.left || b.right < a.left || a.bottom < b.top || b.bottom < a.top;

describe.each(Object.entries(GRAPHS))("%s", (name, nodes) => {
  const { svg, width, height } = drawQuestionGraph(nodes, { title: `The graph "${name}"` });
  const { boxes, lines } = readDrawing(svg);
  const edges = nodes.flatMap(({ depends }, to) => depends.map((from) => ({ from, to })));

  it("is drawn as it was", async () => {
    await expect(svg).toMatchFileSnapshot(`../snapshots/graph-${name}.svg`);
  });

  it("has one box a node, none on another, dependencies above", () => {
    expect(boxes).toHaveLength(nodes.length);
    for (const [index, box] of boxes.entries()) {
      for (const other of boxes.slice(index + 1)) expect(areApart(box, other)).toBe(true);
    }
    for (const { from, to } of edges) expect(boxes[from]!.bottom).toBeLessThan(boxes[to]!.top);
  });

  it("has all boxes without dependencies in the top layer", () => {
    const tops = boxes.filter((_, index) => nodes[index]!.depends.length === 0);
    const others = boxes.filter((_, index) => nodes[index]!.depends.length > 0);
    for (const top of tops) for (const other of others) expect(top.bottom).toBeLessThan(other.top);
  });

  it("has every text inside its box, and none on another", () => {
    const texts = inkOfTexts(svg);
    expect(overlaps(texts)).toEqual([]);
    const shift = /translate\(([\d.]+) ([\d.]+)\)/.exec(svg)!;
    const inner = texts.slice(texts.findIndex(({ text }) => text === "1"));
    const covered = inner.filter(({ left, top, right, bottom }) =>
      boxes.some((box) => {
        const [x, y] = [Number(shift[1]), Number(shift[2])];
        return left > box.left + x && right < box.right + x && top > box.top + y && bottom < box.bottom + y;
      }),
    );
    expect(covered).toEqual(inner);
    expect(inner.length).toBeGreaterThanOrEqual(2 * nodes.length);
    for (const { right, bottom } of texts) expect([right < width, bottom < height]).toEqual([true, true]);
  });

  it("has one line an edge, from lower side to upper side, through no box and inside the picture", () => {
    expect(lines).toHaveLength(edges.length);
    for (const [index, { points }] of lines.entries()) {
      const { from, to } = edges[index]!;
      const [start, end] = [points[0]!, points.at(-1)!];
      expect(start.y).toBeCloseTo(boxes[from]!.bottom, 1);
      expect(start.x > boxes[from]!.left && start.x < boxes[from]!.right).toBe(true);
      expect(boxes[to]!.top - end.y).toBeGreaterThan(0);
      expect(boxes[to]!.top - end.y).toBeLessThan(12);
      expect(end.x > boxes[to]!.left && end.x < boxes[to]!.right).toBe(true);
      for (const { x, y } of points.slice(2, -2)) {
        expect(x >= -1 && x <= width).toBe(true);
        const hit = boxes.findIndex(
          (box) => x > box.left - 2 && x < box.right + 2 && y > box.top + 0.5 && y < box.bottom - 0.5,
        );
        expect(hit).toBe(-1);
      }
    }
  });

  it("has arrows that end apart from each other", () => {
    const ends = lines.map(({ points }) => points.at(-1)!);
    for (const [index, { x, y }] of ends.entries()) {
      for (const other of ends.slice(index + 1)) expect(Math.hypot(x - other.x, y - other.y)).toBeGreaterThan(9);
    }
  });
});

describe("drawQuestionGraph", () => {
  it("dashes just the edges that pass a layer", () => {
    const { lines } = readDrawing(drawQuestionGraph(GRAPHS.diamond!).svg);
    expect(lines.map(({ dashed }) => dashed)).toEqual([false, false, true, false, false]);
  });

  it("draws sources, inner nodes and the last node differently", () => {
    const { document } = readDrawing(drawQuestionGraph(GRAPHS.diamond!).svg);
    const fills = [...document.querySelectorAll("g > g > rect")].map((rect) => rect.getAttribute("fill"));
    expect(new Set(fills).size).toBe(3);
    expect(fills[1]).toBe(fills[2]);
  });

  it("gives the same bytes whatever was drawn before", () => {
    const first = Object.values(GRAPHS).map((nodes) => drawQuestionGraph(nodes).svg);
    const second = Object.values(GRAPHS)
      .toReversed()
      .map((nodes) => drawQuestionGraph(nodes).svg);
    expect(second.toReversed()).toEqual(first);
  });

  it("puts nodes of a layer in their order where nothing speaks against it", () => {
    const { boxes } = readDrawing(drawQuestionGraph(GRAPHS.wide!).svg);
    const lefts = boxes.slice(0, -1).map(({ left }) => left);
    expect(lefts).toEqual(lefts.toSorted((a, b) => a - b));
  });

  it("writes texts with any characters", () => {
    const text = `a < b & "c" > 'd' ]]> <script>`;
    const { svg } = drawQuestionGraph([node(text, [], text)], { title: text, wrapWidth: 500 });
    const document = parseSvg(svg);
    expect(document.querySelector("title")?.textContent).toBe(text);
    expect([...document.querySelectorAll("text")].map((element) => element.textContent)).toEqual([
      text,
      "1",
      text,
      text,
    ]);
    expect(document.querySelector("script")).toBeNull();
  });

  it("wraps to the width asked for", () => {
    const long = node("one two three four five six seven eight nine ten eleven twelve");
    const [narrow, wide] = [80, 300].map((wrapWidth) => drawQuestionGraph([long], { wrapWidth }));
    expect(narrow!.width).toBeLessThan(wide!.width);
    expect(narrow!.height).toBeGreaterThan(wide!.height);
  });

  it("uses narrower boxes where a layer would be too wide for a page", () => {
    const label = "How many apples are there in this one of the baskets?";
    const nodes = Array.from({ length: 4 }, () => node(label));
    expect(drawQuestionGraph(nodes).width).toBeLessThan(850);
    expect(drawQuestionGraph(nodes, { wrapWidth: 200 }).width).toBeGreaterThan(850);
  });

  it("is of the size it says", async () => {
    const { svg, width, height } = drawQuestionGraph(GRAPHS.chain!);
    const pixels = await decodePng(renderPng(svg, { scale: 1 }));
    expect([pixels.width, pixels.height]).toEqual([width, height]);
  });

  it.each([
    ["no nodes", [], "no nodes"],
    ["a dependency that is not there", [node("a", [7])], "depends on 7"],
    ["a negative one", [node("a"), node("b", [-1])], "depends on -1"],
    ["itself", [node("a"), node("b", [1])], "node 1 depends on 1"],
    ["a later node", [node("a", [1]), node("b")], "node 0 depends on 1"],
    ["the same twice", [node("a"), node("b", [0, 0])], "twice"],
  ])("refuses %s", (_, nodes, message) => {
    expect(() => drawQuestionGraph(nodes)).toThrow(
      expect.objectContaining({ code: "bad-input", message: expect.stringContaining(message) }),
    );
  });

  it("refuses a name that is no file name", () => {
    expect(() => drawQuestionGraph([node("a")], { name: "A graph" })).toThrow(/"A graph"/);
  });
});
