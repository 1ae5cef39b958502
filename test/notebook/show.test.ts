import { DataFrame } from "danfojs-node";
import { showMarkdown, showTable } from "thoughtbook/notebook";
import { afterEach, describe, expect, it, vi } from "vitest";
import { NOTEBOOK_DISPLAY } from "../../lib/dist/core/display.js";

type Bundle = Record<string, string>;

function capture(show: () => void): Bundle {
  const bundles: Bundle[] = [];
  Object.defineProperty(globalThis, NOTEBOOK_DISPLAY, {
    value: (bundle: Bundle) => bundles.push(bundle),
    configurable: true,
  });
  show();
  expect(bundles).toHaveLength(1);
  return bundles[0]!;
}

describe("showTable", () => {
  afterEach(() => {
    Reflect.deleteProperty(globalThis, NOTEBOOK_DISPLAY);
    vi.restoreAllMocks();
  });

  const rows = [
    { split: "train", rows: 7473, share: 0.5 },
    { split: "<test>", rows: 12, share: null },
  ];

  it("shows a data frame of danfojs as HTML and as text", () => {
    const bundle = capture(() => showTable(new DataFrame(rows), { caption: "Splits" }));
    expect(bundle["text/plain"]).toBe("Splits\nsplit    rows  share\ntrain   7,473   0.50\n<test>     12");
    expect(bundle["text/html"]).toContain("<caption>Splits</caption>");
    expect(bundle["text/html"]).toContain(
      '<td style="text-align:left">&lt;test&gt;</td><td style="text-align:right">12</td>',
    );
  });

  it("rounds to the digits asked for", () => {
    const bundle = capture(() => showTable({ columns: ["x"], values: [[1 / 3], [2]] }, { digits: 4 }));
    expect(bundle["text/plain"]).toBe("     x\n0.3333\n     2");
  });

  it("prints the text where there is no notebook", () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    showMarkdown("**bold**");
    expect(log).toHaveBeenCalledWith("**bold**");
  });
});
