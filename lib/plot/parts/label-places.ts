import type { Box } from "../style/text-box.js";

/** A point with its name, in pixels. */
export interface LabelledPoint {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Where the name of a point stands: its middle, in pixels, and whether it is far enough to need a line to its point. */
export interface LabelPlace {
  x: number;
  y: number;
  needsLine: boolean;
}

/** Distances from the marker's edge, and directions in the order in which a reader would put a name. */
const DISTANCES = [3, 14, 28, 44, 62, 84, 110, 140];
const DIRECTIONS = [
  [1, 0],
  [1, -1],
  [-1, -1],
  [0, -1],
  [0, 1],
  [1, 1],
  [-1, 1],
  [-1, 0],
  [1, -0.5],
  [1, 0.5],
  [-1, -0.5],
  [-1, 0.5],
] as const;
const MARKER = 7;
const ROUNDS = 8;
/** What it costs to cover another name, a marker, or a whisker, or to lead a line over one. */
const COSTS = { label: 1000, marker: 300, whisker: 160, line: 60, outside: 5000, distance: 1.2, order: 0.4 };

/**
 * Places for the names of points so that, as far as there is room, none covers another, a marker or a whisker, or leaves
 * the frame: each in turn takes the cheapest place given the others, for a few rounds.
 */
export function placeLabels(points: readonly LabelledPoint[], whiskers: readonly Box[], frame: Box): LabelPlace[] {
  const candidates = points.map((point) =>
    DISTANCES.flatMap((distance, ring) =>
      DIRECTIONS.map(([across, down], rank) => {
        const x = point.x + across * (MARKER + distance + point.width / 2);
        const y = point.y + down * (MARKER + distance + point.height / 2);
        return { x, y, needsLine: ring > 0, effort: COSTS.distance * distance + COSTS.order * rank };
      }),
    ),
  );
  const markers = points.map(({ x, y }): Box => {
    return { left: x - MARKER, right: x + MARKER, top: y - MARKER, bottom: y + MARKER };
  });
  const places = candidates.map((own) => own[0]!);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, point] of points.entries()) {
      const others = places.flatMap((place, other) => (other === at ? [] : [boxOf(place, points[other]!)]));
      const costs = candidates[at]!.map((place) => {
        const box = boxOf(place, point);
        const count = (boxes: readonly Box[]) => boxes.filter((one) => overlap(box, one)).length;
        const isOutside =
          box.left < frame.left || box.right > frame.right || box.top < frame.top || box.bottom > frame.bottom;
        return (
          place.effort +
          COSTS.label * count(others) +
          COSTS.marker * count(markers) +
          COSTS.whisker * count(whiskers) +
          COSTS.line * crossed(point, place, [...markers.filter((_, other) => other !== at), ...others]) +
          (isOutside ? COSTS.outside : 0)
        );
      });
      places[at] = candidates[at]![costs.indexOf(Math.min(...costs))]!;
    }
  }
  return places.map(({ x, y, needsLine }) => ({ x, y, needsLine }));
}

function boxOf({ x, y }: { x: number; y: number }, { width, height }: LabelledPoint): Box {
  return { left: x - width / 2 - 2, right: x + width / 2 + 2, top: y - height / 2, bottom: y + height / 2 };
}

/** How many boxes the line from a point to its name crosses, looked at in some places of it. */
function crossed(point: LabelledPoint, place: LabelPlace, boxes: readonly Box[]): number {
  if (!place.needsLine) return 0;
  const own = boxOf(place, point);
  const parts = Array.from({ length: 12 }, (_, at) => (at + 1) / 13);
  const on = parts.map((share): Box => {
    const [x, y] = [point.x + share * (place.x - point.x), point.y + share * (place.y - point.y)];
    return { left: x - 1, right: x + 1, top: y - 1, bottom: y + 1 };
  });
  return boxes.filter((box) => on.some((dot) => overlap(dot, box) && !overlap(dot, own))).length;
}

const overlap = (a: Box, b: Box): boolean =>
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
