import { describe, expect, it } from "vitest";
import { columnOf, sharedRows } from "../../../lib/dist/model/score/packed-rows.js";

const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => i + from);
const text = (ids: readonly number[]) => ({ ids, from: 1 });
const layout = { width: 64, longest: 512 };

describe("sharedRows", () => {
  it("puts neighbours that begin alike into one row, with the beginning once", () => {
    const prefix = range(50);
    const texts = [[...prefix, 91, 92, 93], [...prefix, 94, 95], range(20, 300)].map(text);
    const rows = sharedRows(texts, layout);
    // The last token of each is a target only.
    expect(rows).toEqual([
      { texts: [0, 1], prefix: 50, starts: [50, 52], length: 53 },
      { texts: [2], prefix: 0, starts: [0], length: 19 },
    ]);
    const [row] = rows;
    expect([columnOf(row!, 1, 49), columnOf(row!, 1, 50), columnOf(row!, 0, 51)]).toEqual([49, 52, 51]);
  });

  it("shortens the shared prefix for a text that shares less, where that still pays", () => {
    const texts = [range(60), [...range(58), 200, 201], [...range(50), 300, 301]].map(text);
    expect(sharedRows(texts, layout)).toMatchObject([{ texts: [0, 1, 2], prefix: 50 }]);
  });

  it("shares nothing where the beginning is short, or attention to the longer row would cost more", () => {
    const short = [
      [...range(7), 99],
      [...range(7), 98],
    ].map(text);
    expect(sharedRows(short, layout)).toHaveLength(2);
    const long = [1, 2].map((mark) => text([...range(20), ...range(200, 1000 * mark)]));
    expect(sharedRows(long, layout)).toHaveLength(2);
    expect(sharedRows(long, { width: 4096, longest: 512 })).toHaveLength(1);
    expect(sharedRows(long, { width: 4096, longest: 300 })).toHaveLength(2);
  });

  it("keeps a token of its own for each of equal texts", () => {
    const rows = sharedRows([text(range(30)), text(range(30))], layout);
    expect(rows).toEqual([{ texts: [0, 1], prefix: 29, starts: [29, 29], length: 29 }]);
  });
});
