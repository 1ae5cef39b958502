import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { type Figure, renderPng, renderSvg } from "thoughtbook/plot";
import { beforeAll, describe, expect, it } from "vitest";
import { failure } from "../../core/helpers.js";
import { EXAMPLES } from "../examples.js";
import { type Box, decodePng, inkOfTexts, overlaps, parseSvg } from "../helpers.js";

const example = (name: string): Figure => EXAMPLES.find((figure) => figure.name === name)!;

describe.each(EXAMPLES)("$name", (figure) => {
  let svg = "";
  beforeAll(async () => {
    svg = await renderSvg(figure);
  });

  it("is drawn as it was", async () => {
    await expect(svg).toMatchFileSnapshot(`../snapshots/${figure.name}.svg`);
  });

  it("has all texts inside the picture and apart from each other", () => {
    const texts = inkOfTexts(svg);
    const { width, height } = figure.spec.layout;
    const isInside = ({ left, top, right, bottom }: Box) =>
      left > 2 && top > 2 && right < width - 2 && bottom < height - 2;
    expect(texts.filter((text) => !isInside(text))).toEqual([]);
    expect(overlaps(texts)).toEqual([]);
  });

  it("shows its title, whatever characters it has", () => {
    const document = parseSvg(svg);
    expect(document.querySelector("title")?.textContent).toBe(figure.title);
    const letters = (text: string | null | undefined) => text?.replace(/\s/g, "");
    expect(letters(document.querySelector(".gtitle")?.textContent)).toBe(letters(figure.title));
  });

  it("has a specification that is JSON", () => {
    expect(JSON.parse(JSON.stringify(figure.spec))).toEqual(figure.spec);
  });
});

describe("renderSvg", () => {
  it("draws one whisker for each interval, none where there is none", async () => {
    for (const [name, count] of [
      ["bar", 6],
      ["bar-negative", 3],
      ["comparison", 15],
      ["line", 0],
    ] as const) {
      const whiskers = [...parseSvg(await renderSvg(example(name))).querySelectorAll(".errorbar path[d]")];
      expect(whiskers.filter((path) => !/^M0,0/.test(path.getAttribute("d")!))).toHaveLength(count);
    }
  });

  it("gives the same bytes in any order and at the same time", async () => {
    const first = await Promise.all(EXAMPLES.map(renderSvg));
    const second = await Promise.all(EXAMPLES.toReversed().map(renderSvg));
    expect(second.toReversed()).toEqual(first);
    expect(new Set(first).size).toBe(EXAMPLES.length);
  }, 120_000);

  it("does not depend on the process, its time zone or its language", async () => {
    const script = `
      import { barFigure, renderSvg } from "thoughtbook/plot";
      const series = [{ name: "s", values: [1234.5, -0.25] }];
      const figure = barFigure({ name: "probe", title: "Probe", categories: ["a", "b"], series, valueTitle: "v" });
      process.stdout.write(await renderSvg(figure));`;
    const draw = async (environment: Record<string, string>) => {
      const env = { ...process.env, ...environment };
      return (await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script], { env })).stdout;
    };
    const [one, other] = await Promise.all([
      draw({ TZ: "UTC", LC_ALL: "C" }),
      draw({ TZ: "Asia/Kathmandu", LC_ALL: "de_DE.UTF-8", LANG: "de_DE.UTF-8" }),
    ]);
    expect(one).toContain(">1234.5<");
    expect(other).toBe(one);
  });

  it("makes ids of the figure's name, so that figures can stand in one document", async () => {
    const ids = (svg: string) => [...parseSvg(svg).querySelectorAll("[id]")].map(({ id }) => id);
    const figure = example("histogram");
    const [one, other] = [ids(await renderSvg(figure)), ids(await renderSvg({ ...figure, name: "another-name" }))];
    const shared = one.filter((id) => other.includes(id));
    expect(one.length).toBeGreaterThan(3);
    expect(shared).toEqual([]);
  });

  it("leaves the specification as it is, even where Plotly would write to it", async () => {
    const layout = { width: 300, height: 200, xaxis1: { title: "old" } };
    const spec = { data: [{ type: "scatter", x: [1, 2], y: [1, 2], xaxis: "x1" }], layout };
    const before = JSON.stringify(spec);
    await renderSvg({ ...example("histogram"), spec });
    expect(JSON.stringify(spec)).toBe(before);
  });

  it("shows names as they are, whatever characters they have", async () => {
    const document = parseSvg(await renderSvg(example("bar")));
    const names = [...document.querySelectorAll(".legendtext")].map((element) => element.textContent);
    expect(names).toEqual(["direct <br> &amp; $x$", "AoT & more"]);
  });

  it("says which figure cannot be drawn, and draws the next", async () => {
    const figure = example("histogram");
    const broken: Figure = {
      ...figure,
      name: "broken",
      spec: { data: [], layout: { width: Number.NaN, height: 100 } },
    };
    const [error, svg] = await Promise.all([failure(renderSvg(broken)), renderSvg(figure)]);
    expect(error).toMatchObject({ code: "execution", message: expect.stringContaining('figure "broken"') });
    expect(svg).toBe(await renderSvg(figure));
  });
});

describe("renderPng", () => {
  it("draws every text", async () => {
    const svg = await renderSvg(example("comparison"));
    const withText = await decodePng(renderPng(svg));
    const without = await decodePng(renderPng(svg.replace(/<text[ >].*?<\/text>/g, "")));
    for (const { text, left, top, right, bottom } of inkOfTexts(svg)) {
      let changed = 0;
      for (let x = Math.floor(2 * left); x < 2 * right; x++) {
        for (let y = Math.floor(2 * top); y < 2 * bottom; y++) {
          if (String(withText.at(x, y)) !== String(without.at(x, y))) changed++;
        }
      }
      expect.soft(changed, text).toBeGreaterThan(10);
    }
  });

  it("draws bold text in the bold face", async () => {
    const ink = async (weight: string) => {
      const text = `<text x="10" y="40" font-family="DejaVu Sans" font-size="30" font-weight="${weight}">Bold</text>`;
      const { at, width, height } = await decodePng(
        renderPng(`<svg xmlns="http://www.w3.org/2000/svg" width="120" height="60">${text}</svg>`),
      );
      let dark = 0;
      for (let x = 0; x < width; x++) for (let y = 0; y < height; y++) dark += 255 - at(x, y)[0];
      return dark;
    };
    expect(await ink("bold")).toBeGreaterThan(1.2 * (await ink("normal")));
  });

  it("draws on white, at two pixels to one unless asked for another scale", async () => {
    const svg = await renderSvg(example("histogram"));
    const [double, single] = await Promise.all([decodePng(renderPng(svg)), decodePng(renderPng(svg, { scale: 1 }))]);
    expect([double.width, double.height]).toEqual([1520, 880]);
    expect([single.width, single.height]).toEqual([760, 440]);
    expect(double.at(1, 1)).toEqual([255, 255, 255]);
    const empty = await decodePng(renderPng('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"/>'));
    expect(empty.at(0, 0)).toEqual([255, 255, 255]);
  });

  it("draws the colour bar in the scale's colours", async () => {
    const svg = await renderSvg(example("heatmap"));
    const fill = parseSvg(svg).querySelector(".cbfill")!;
    const { at } = await decodePng(renderPng(svg, { scale: 1 }));
    const x = Number(fill.getAttribute("x")) + 4;
    const group = /translate\((\d+),\s*(\d+)\)/.exec(
      fill.closest("[transform^=translate]")!.getAttribute("transform")!,
    )!;
    const column = Array.from({ length: 300 }, (_, index) => at(x + Number(group[1]), Number(group[2]) + 10 + index));
    const isYellow = ([red, green, blue]: number[]) => red! > 200 && green! > 200 && blue! < 100;
    const isViolet = ([red, green, blue]: number[]) => red! < 90 && green! < 60 && blue! > 70;
    expect(column.some(isYellow)).toBe(true);
    expect(column.some(isViolet)).toBe(true);
  });

  it("refuses what is not an SVG", () => {
    expect(() => renderPng("<p>no</p>")).toThrow(expect.objectContaining({ code: "bad-input" }));
  });
});
