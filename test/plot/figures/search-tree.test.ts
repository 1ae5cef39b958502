import { renderSvg, type SearchTreeOptions, searchTreeFigure } from "thoughtbook/plot";
import { describe, expect, it } from "vitest";
import type { StepNode } from "../../../lib/dist/astar/search/search-result.js";
import { parseSvg } from "../helpers.js";

interface Shape {
  type: string;
  x0: number;
  x1: number;
  y0: number;
  y1: number;
  fillcolor: string;
  line: { color: string; width: number };
}

const node = (kept: number[], parent: number | null, more: Partial<StepNode> = {}): StepNode => ({
  state: kept,
  parent,
  chosen: false,
  ...more,
});
const figure = (nodes: StepNode[], options: Partial<SearchTreeOptions> = {}) =>
  searchTreeFigure({ name: "tree", title: "A tree", steps: 9, tree: { nodes }, ...options });
const shapes = ({ spec }: ReturnType<typeof figure>) => spec.layout.shapes as Shape[];
const boxes = (drawn: ReturnType<typeof figure>) => shapes(drawn).filter(({ type }) => type === "rect");
const labels = ({ spec }: ReturnType<typeof figure>) => (spec.data.at(-1) as { text: string[] }).text;
const texts = ({ spec }: ReturnType<typeof figure>) =>
  (spec.layout.annotations as { text: string }[]).map(({ text }) => text).join(" ");
const legend = ({ spec }: ReturnType<typeof figure>) =>
  (spec.data as { name?: string }[]).flatMap(({ name }) => name ?? []);

const TREE = [
  node([0, 1], null, { chosen: true, expanded: 0, verdict: "rejected" }),
  node([0, 1, 4], 0, { f: 1.5 }),
  node([0, 1, 2, 3], 0, { f: 0.25, chosen: true, expanded: 1 }),
  node([0, 1, 2, 3, 5, 6, 7, 8], 2, { f: 0.1, chosen: true, verdict: "accepted" }),
];

describe("searchTreeFigure", () => {
  it("writes steps as ranges, or those that are missing where that is shorter, and f or g", () => {
    expect(labels(figure(TREE))).toEqual(["0 1 ✗", "0 1 4", "f 1.50", "0–3", "f 0.25", "0–3 5–8", "f 0.10 ✓"]);
    const most = Array.from({ length: 30 }, (_, step) => step).filter((step) => step !== 10 && step !== 20);
    expect(labels(figure([node(most, null)], { steps: 30 }))).toEqual(["all but 10 20"]);
    expect(labels(figure([node([], null, { g: 3 })]))).toEqual(["none", "g 3"]);
    expect(labels(figure([node([0, 1], null)], { steps: 2 }))).toEqual(["all"]);
    expect(labels(figure([node([], null)], { steps: 0 }))).toEqual(["none"]);
  });

  it("has one box a node, apart from each other, in four colours that the legend names", () => {
    const drawn = figure(TREE);
    const placed = boxes(drawn);
    expect(placed).toHaveLength(4);
    for (const [at, a] of placed.entries()) {
      for (const b of placed.slice(at + 1)) {
        expect(a.x1 < b.x0 || b.x1 < a.x0 || a.y1 < b.y0 || b.y1 < a.y0).toBe(true);
      }
    }
    expect(new Set(placed.map(({ fillcolor }) => fillcolor)).size).toBe(4);
    expect(legend(drawn)).toEqual(["scored", "expanded", "✗ verified, rejected", "✓ verified, accepted", "gone on to"]);
    expect(legend(figure(TREE.slice(0, 2)))).toEqual(["scored", "✗ verified, rejected"]);
  });

  it("draws the way of the search boldly, and outlines what it gave", () => {
    const lines = shapes(figure(TREE)).filter(({ type }) => type === "path");
    expect(lines.map(({ line }) => line.width)).toEqual([1, 2.5, 2.5]);
    const widths = (kept?: number[]) => boxes(figure(TREE, kept ? { kept } : {})).map(({ line }) => line.width);
    expect(widths()).toEqual([1.5, 1.5, 1.5, 1.5]);
    expect(widths([0, 1, 2, 3, 5, 6, 7, 8])).toEqual([1.5, 1.5, 1.5, 4]);
    // Not a set that was only scored.
    expect(widths([0, 1, 4])).toEqual([1.5, 1.5, 1.5, 1.5]);
  });

  it("puts leaves of one parent that ended alike in one box, but not one alone", () => {
    const leaves = (count: number, more: Partial<StepNode> = { f: 1 }) =>
      Array.from({ length: count }, (_, step) => node([step], 0, more));
    const root = node([], null, { f: 0 });
    expect(labels(figure([root, ...leaves(6)]))).toEqual(["none", "f 0", "0", "f 1", "1", "f 1", "2", "f 1", "3 more"]);
    expect(labels(figure([root, ...leaves(4)]))).not.toContain("1 more");
    expect(labels(figure([root, ...leaves(6)], { mostLeaves: 6 }))).not.toContain("3 more");
    const probes = figure([
      root,
      ...leaves(3, { g: 1, verdict: "accepted" }),
      ...leaves(2, { g: 1, verdict: "rejected" }),
    ]);
    expect(labels(probes)).toEqual(["none", "f 0", "3 sets ✓", "2 sets ✗"]);
    const chosen = figure([root, ...leaves(6), node([7], 0, { f: 1, chosen: true })]);
    expect(labels(chosen).slice(-2)).toEqual(["7", "f 1"]);
  });

  it("lets every edge add a step of the search, whatever sets were verified to learn from", () => {
    const all = Array.from({ length: 9 }, (_, step) => step);
    const drawn = figure([
      node(all, null, { g: 90, verdict: "accepted" }),
      node([2, 5, 7], 0, { g: 30, f: 30, h: 0, verdict: "accepted" }),
      node(all.slice(1), 0, { g: 80, verdict: "accepted" }),
      node([2, 5], 0, { g: 20, f: 25, h: 5, chosen: true, expanded: 0, verdict: "rejected" }),
      node([2, 5, 8], 3, { g: 30, f: 31, h: 1 }),
      node([2, 5, 6, 8], 3, { g: 40, verdict: "rejected" }),
      node([2, 5, 6], 3, { g: 30, verdict: "rejected" }),
    ]);
    const paths = (drawn.spec.layout.shapes as { type: string; path: string }[]).filter(({ type }) => type === "path");
    // From {2, 5} to {2, 5, 7}, which was verified before it was a state, and to {2, 5, 8}.
    expect(paths).toHaveLength(2);
    expect(new Set(paths.map(({ path }) => path.split(/[ ,C]/)[1])).size).toBe(1);
    expect(labels(drawn).slice(0, 2)).toEqual(["2 5", "f 25 ✗"]);
    expect(texts(drawn)).toMatch(/An edge adds one step.*without any edge: sets that were verified only to learn/s);
  });

  it("says below what edges, f, g and h are, as the search has them", () => {
    const said = texts(figure(TREE));
    for (const part of ["An edge adds", "f = g + h", "g is", "h the mean"]) expect(said).toContain(part);
    expect(said).not.toContain("tokens)");
    expect(texts(figure([node([], null, { f: 2, g: 0, h: 2 })]))).toMatch(
      /g is what the kept steps cost \(in tokens\)/,
    );
    expect(texts(figure(TREE, { caption: "My costs & bounds" }))).toBe("My costs &amp; bounds");
  });

  it("tells what is kept by its outline in the legend", () => {
    expect(legend(figure(TREE, { kept: [0, 1, 2, 3, 5, 6, 7, 8] }))).toContain("kept");
    expect(legend(figure(TREE))).not.toContain("kept");
  });

  it("has all nodes in its table", () => {
    const { columns, rows } = figure(TREE).table;
    expect(columns).toEqual(["node", "parent", "kept", "f", "g", "h", "chosen", "expanded", "verdict"]);
    expect(rows[0]).toEqual([0, null, "0 1", null, null, null, true, 0, "rejected"]);
    expect(rows).toHaveLength(4);
  });

  it("has every text inside its box on the picture too", async () => {
    const drawn = figure(TREE, { width: 500 });
    const svg = await renderSvg(drawn);
    const rects = [...parseSvg(svg).querySelectorAll(".shapelayer path")].filter((path) =>
      path.getAttribute("d")!.endsWith("Z"),
    );
    const numbers = rects.map((path) =>
      path
        .getAttribute("d")!
        .match(/-?[\d.]+/g)!
        .map(Number),
    );
    // As wide as in the specification: a unit is a pixel.
    const widths = numbers.map((points) => Math.max(points[0]!, points[2]!) - Math.min(points[0]!, points[2]!));
    expect(widths).toHaveLength(4);
    for (const [at, { x0, x1 }] of boxes(drawn).entries()) expect(widths[at]).toBeCloseTo(x1 - x0, 1);
  });

  it("grows with a wide tree", () => {
    const wide = [node([], null, { f: 0 }), ...Array.from({ length: 30 }, (_, step) => node([step], 0, { f: step }))];
    const { width } = figure(wide, { steps: 30, mostLeaves: 30 }).spec.layout;
    expect(width).toBeGreaterThan(1000);
    expect(figure(wide, { steps: 30 }).spec.layout.width).toBe(760);
  });

  it.each<[string, StepNode[], Partial<SearchTreeOptions>, string]>([
    ["no nodes", [], {}, "no nodes"],
    ["a parent after its node", [node([], 1), node([], null)], {}, "node 0 has the parent 1"],
    ["its own parent", [node([], null), node([1], 1)], {}, "node 1 has the parent 1"],
    ["a name that is no file name", TREE, { name: "A tree" }, '"A tree"'],
    [
      "more than can be read",
      [node([], null), ...Array.from({ length: 200 }, (_, step) => node([step], step, { chosen: true }))],
      {},
      "201 boxes",
    ],
  ])("refuses %s", (_, nodes, options, message) => {
    expect(() => figure(nodes, options)).toThrow(
      expect.objectContaining({ code: "bad-input", message: expect.stringContaining(message) }),
    );
  });
});
