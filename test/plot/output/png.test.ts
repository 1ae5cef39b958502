import sharp from "sharp";
import { compressPng, drawQuestionGraph, renderPng } from "thoughtbook/plot";
import { expect, it } from "vitest";

it("makes a PNG half as large or less, without a visible difference", async () => {
  const nodes = ["How many?", "How much?", "What in all?"].map((label, index) => ({
    label,
    depends: index < 2 ? [] : [0, 1],
  }));
  const png = renderPng(drawQuestionGraph(nodes, { title: "A graph" }).svg);
  const small = await compressPng(png);
  expect(small.length).toBeLessThan(png.length / 2);
  expect(Buffer.from(await compressPng(png)).equals(Buffer.from(small))).toBe(true);
  const [before, after] = await Promise.all([png, small].map((image) => sharp(image).removeAlpha().raw().toBuffer()));
  const distance = before!.reduce((sum, value, index) => sum + Math.abs(value - after![index]!), 0) / before!.length;
  expect(distance).toBeLessThan(1);
});
