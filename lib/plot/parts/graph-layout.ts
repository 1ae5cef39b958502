import { Graph, layout } from "@dagrejs/dagre";
import { sum } from "../../core/index.js";
import { type Dependencies, layers } from "../../graph/index.js";

export interface Size {
  width: number;
  height: number;
}

export interface Point {
  x: number;
  y: number;
}

/** A box with its middle, in pixels from the drawing's top left corner. */
export type PlacedBox = Size & Point;

export interface PlacedEdge {
  from: number;
  to: number;
  /**
   * From the lower side of a box to the upper side of another: pairs of points above each other, the way through a
   * layer, and between the pairs the ways down to the next layer. No box is in the way.
   */
  points: Point[];
}

export interface GraphLayout extends Size {
  boxes: PlacedBox[];
  /** The layer of each box, 0 on top. */
  layer: number[];
  edges: PlacedEdge[];
}

/** An edge before it has ends. */
interface Route {
  from: number;
  to: number;
  /** Where it passes the layers between, from top to bottom. */
  passages: number[];
}

/** The part of the height that the boxes of a layer take up. */
interface Band {
  top: number;
  bottom: number;
}

/** Between the ends of edges at a box, and from there to the box's corner, in pixels. */
const PORT_GAP = 24;
const CORNER = 14;

/** Between boxes of a layer and between layers, in pixels. */
export interface GraphGaps {
  boxes: number;
  layers: number;
}

const GAPS: GraphGaps = { boxes: 24, layers: 52 };

/**
 * Place boxes in layers, each as high as its dependencies allow, those of a layer in the order of their indices as far
 * as crossings permit, and find the ways of the edges from each dependency to the box that needs it.
 */
export function layoutGraph(sizes: readonly Size[], dependencies: Dependencies, gaps: GraphGaps = GAPS): GraphLayout {
  const layer = layers(dependencies);
  const graph = new Graph();
  graph.setGraph({ rankdir: "TB", nodesep: gaps.boxes, edgesep: gaps.boxes, ranksep: gaps.layers });
  for (const [index, { width, height }] of sizes.entries()) graph.setNode(String(index), { width, height });
  for (const [to, needed] of dependencies.entries()) {
    // Edges as long as the layers are apart leave dagre no other layers than these.
    for (const from of needed) graph.setEdge(String(from), String(to), { minlen: layer[to]! - layer[from]! });
  }
  layout(graph);

  const middles = sizes.map((_, index) => graph.node(String(index)) as Point);
  const side = isMirrored(middles, layer) ? -1 : 1;
  const boxes = sizes.map((size, index): PlacedBox => ({ ...size, x: side * middles[index]!.x, y: middles[index]!.y }));
  const bands = Array.from({ length: Math.max(...layer) + 1 }, (_, at) =>
    band(boxes.filter((_, i) => layer[i] === at)),
  );
  const routes = dependencies.flatMap((needed, to) =>
    needed.map((from): Route => {
      const { points } = graph.edge(String(from), String(to)) as { points: Point[] };
      const passed = bands.slice(layer[from]! + 1, layer[to]);
      return { from, to, passages: passed.map(({ top, bottom }) => side * xAt(points, (top + bottom) / 2)) };
    }),
  );
  return moveToOrigin({ boxes, layer, edges: joinRoutes(routes, boxes, bands, layer) });
}

/** Whether more pairs of a layer stand against the order of their indices than in it. */
function isMirrored(middles: readonly Point[], layer: readonly number[]): boolean {
  const pairs = middles.flatMap((left, i) =>
    middles.flatMap((right, j) => (i < j && layer[i] === layer[j] ? [Math.sign(left.x - right.x)] : [])),
  );
  return sum(pairs) > 0;
}

function band(boxes: readonly PlacedBox[]): Band {
  return {
    top: Math.min(...boxes.map(({ y, height }) => y - height / 2)),
    bottom: Math.max(...boxes.map(({ y, height }) => y + height / 2)),
  };
}

/** Where a line that leads down through the points is at height y. */
function xAt(points: readonly Point[], y: number): number {
  const next = Math.max(
    1,
    points.findIndex((point) => point.y >= y),
  );
  const [above, below] = [points[next - 1]!, points[next]!];
  return above.x + (below.x - above.x) * ((y - above.y) / (below.y - above.y));
}

/** Give each route its ends: side by side in the order of where they come from or lead to, so that none cross there. */
function joinRoutes(
  routes: readonly Route[],
  boxes: readonly PlacedBox[],
  bands: readonly Band[],
  layer: readonly number[],
): PlacedEdge[] {
  const port = (box: PlacedBox, ends: readonly Route[], route: Route, towards: (route: Route) => number) => {
    const sorted = [...ends].sort((a, b) => towards(a) - towards(b));
    const gap = Math.min(PORT_GAP, (box.width - 2 * CORNER) / Math.max(1, ends.length - 1));
    return box.x + (sorted.indexOf(route) - (ends.length - 1) / 2) * gap;
  };
  return routes.map((route): PlacedEdge => {
    const [from, to] = [boxes[route.from]!, boxes[route.to]!];
    const leaving = routes.filter((other) => other.from === route.from);
    const arriving = routes.filter((other) => other.to === route.to);
    const startX = port(from, leaving, route, ({ to: end, passages }) => passages[0] ?? boxes[end]!.x);
    const endX = port(to, arriving, route, ({ from: start, passages }) => passages.at(-1) ?? boxes[start]!.x);
    const passed = route.passages.flatMap((x, index) => {
      const { top, bottom } = bands[layer[route.from]! + 1 + index]!;
      return [
        { x, y: top },
        { x, y: bottom },
      ];
    });
    const start = { x: startX, y: from.y + from.height / 2 };
    const end = { x: endX, y: to.y - to.height / 2 };
    const leave = { x: startX, y: bands[layer[route.from]!]!.bottom };
    const arrive = { x: endX, y: bands[layer[route.to]!]!.top };
    return { from: route.from, to: route.to, points: [start, leave, ...passed, arrive, end] };
  });
}

/** A path through points, in SVG's words, that is vertical wherever it passes a layer and where it ends. */
export function edgePath(points: readonly Point[]): string {
  return points
    .map((point, index) => {
      const before = points[index - 1];
      if (!before) return `M${pair(point)}`;
      if (before.x === point.x) return `L${pair(point)}`;
      const middle = (before.y + point.y) / 2;
      return `C${pair({ x: before.x, y: middle })} ${pair({ x: point.x, y: middle })} ${pair(point)}`;
    })
    .join(" ");
}

/** A point in SVG's words. */
export const pair = ({ x, y }: Point): string => `${rounded(x)} ${rounded(y)}`;

/** To a hundredth of a pixel. */
export const rounded = (pixels: number): string => String(Math.round(pixels * 100) / 100);

/** Measure the drawing, edges included, and move its top left corner to 0, 0. */
function moveToOrigin({ boxes, layer, edges }: Omit<GraphLayout, keyof Size>): GraphLayout {
  const xs = [
    ...boxes.flatMap(({ x, width }) => [x - width / 2, x + width / 2]),
    ...edges.flatMap((e) => e.points.map((p) => p.x)),
  ];
  const { top, bottom } = band(boxes);
  const left = Math.min(...xs);
  const moved = <At extends Point>(at: At): At => ({ ...at, x: at.x - left, y: at.y - top });
  return {
    boxes: boxes.map(moved),
    layer,
    edges: edges.map((edge) => ({ ...edge, points: edge.points.map(moved) })),
    width: Math.max(...xs) - left,
    height: bottom - top,
  };
}
