import { badInput } from "../../core/index.js";
import { checkAxisTitle, checkName, checkNames } from "../check.js";
import type { Cell, Figure, Table } from "../figure.js";
import { estimateTable } from "../parts/intervals.js";
import { FLOWING_LEGEND } from "../parts/legend.js";
import {
  type LinePanelsOptions,
  layOut,
  type PanelFrame,
  type PanelSeries,
  panelTexts,
  xTitleText,
} from "../parts/line-panels-layout.js";
import {
  bandTrace,
  checkLine,
  checkRegions,
  distinctX,
  type Line,
  lineOf,
  lineTrace,
  regionMarks,
  xRangeOf,
  yRangeOf,
} from "../parts/lines.js";
import { chooseTicks, dataTicks, tickWidth } from "../parts/ticks.js";
import { isOwnMethod, methodStyles } from "../style/method-style.js";
import { axis, baseLayout, type SeriesStyle } from "../style/style.js";

const X_PADDING = 0.06;

/**
 * Series of points in several panels with the same x axis, as in `lineFigure`. A series has the same style in all of
 * them; methods have that of their name. Table: panel, series, x, y, and low and high where there are intervals.
 * @throws bad-input as `lineFigure`, or if there are no panels
 */
export function linePanelsFigure(options: LinePanelsOptions): Figure {
  const { name, title, panels } = options;
  checkPanels(options);
  const names = [...new Set(panels.flatMap(({ series }) => series.map((one) => one.behind ?? one.name)))];
  names.sort((a, b) => Number(isOwnMethod(a)) - Number(isOwnMethod(b)));
  const styles = methodStyles(names);
  const lines = panels.map(({ series }) => series.map((one) => lineOf(one, styleOf(one, styles))));
  const commonY = yRangeOf(lines.flat(), options);
  const ranges =
    options.sharedY === false
      ? panels.map(({ yScale }, at) => {
          const isLog = yScale === "log";
          return { isLog, range: yRangeOf(lines[at]!, { ...options, isLog }) };
        })
      : [{ isLog: false, range: commonY }];
  const drawing: Drawing = {
    options,
    frame: layOut(options, names, Math.max(...ranges.map(tickWidth))),
    lines,
    commonXs: distinctX(lines.flat()),
    commonY,
  };
  const drawn = panels.map((_, at) => drawPanel(drawing, at));
  const base = baseLayout({ ...options, height: drawing.frame.height }, names.length > 1);
  const layout = {
    ...base,
    legend: { ...(base.legend as object), ...FLOWING_LEGEND },
    margin: drawing.frame.margin,
    ...Object.assign({}, ...drawn.map(({ axes }) => axes)),
    shapes: drawn.flatMap(({ shapes }) => shapes),
    annotations: [...drawn.flatMap(({ annotations }) => annotations), xTitleText(options, drawing.frame)],
  };
  const named = new Set<string>();
  const data = drawn.flatMap(({ traces }) =>
    traces.map(({ trace, legend }) => {
      const showlegend = legend !== undefined && !named.has(legend);
      if (legend !== undefined) named.add(legend);
      return { ...trace, showlegend, ...(legend === undefined ? {} : { legendrank: names.indexOf(legend) }) };
    }),
  );
  return { name, title, spec: { data, layout }, table: tableOf(options, lines) };
}

function checkPanels({ name, panels, xTitle, yTitle, xScale, path = false, regions = [] }: LinePanelsOptions): void {
  checkName(name);
  if (panels.length === 0) throw badInput("no panels: expected at least one", "Check the records behind the figure.");
  checkAxisTitle(xTitle);
  for (const panel of panels) checkAxisTitle(panel.yTitle ?? yTitle);
  for (const { series } of panels) {
    checkNames(
      "series",
      series.map((one) => one.name),
    );
    for (const one of series) checkLine(one, { isLog: xScale === "log", isSorted: !path });
  }
  checkRegions(regions);
  for (const { yScale, series } of panels) {
    const lowest = Math.min(
      ...series.flatMap(({ y, intervals = [] }) => [...y, ...intervals.flatMap((each) => each ?? [])]),
    );
    if (yScale !== "log" || lowest > 0) continue;
    throw badInput(`a value is ${lowest}, expected more than 0 on a logarithmic axis`, "Use a linear one.");
  }
}

/** What all panels of a figure are drawn from. */
interface Drawing {
  options: LinePanelsOptions;
  frame: PanelFrame;
  /** One list for each panel. */
  lines: readonly (readonly Line[])[];
  commonXs: readonly number[];
  commonY: [low: number, high: number];
}

interface DrawnPanel {
  traces: DrawnTrace[];
  axes: Record<string, object>;
  shapes: object[];
  annotations: object[];
}

function drawPanel({ options, frame, lines, commonXs, commonY }: Drawing, at: number): DrawnPanel {
  const { panels, sharedX = false, sharedY = true, regions = [], path = false } = options;
  const { series, yScale } = panels[at]!;
  const { width, height, isFirstOfRow, domain } = frame.bodies[at]!;
  const own = lines[at]!;
  const [x, y] = ["x", "y"].map((letter) => (at === 0 ? letter : `${letter}${at + 1}`)) as [string, string];
  const isLog = options.xScale === "log";
  const xs = sharedX ? commonXs : distinctX(own);
  const range = xRangeOf(xs, isLog, X_PADDING);
  const tickAxis = { isLog, range, pixels: width };
  const marks = regionMarks(regions, range, { isLog, pixels: width, named: at < frame.perRow, xref: x, yref: y });
  return {
    traces: panelTraces(series, own, options).map(({ trace, legend }) => ({
      trace: { ...trace, xaxis: x, yaxis: y },
      ...(legend === undefined ? {} : { legend }),
    })),
    axes: {
      [x.replace("x", "xaxis")]: axis(undefined, {
        type: isLog ? "log" : "linear",
        domain: domain.x,
        anchor: y,
        range,
        automargin: false,
        tickangle: 0,
        ...(options.ticksAtData ? dataTicks(xs, tickAxis) : chooseTicks(path ? [] : xs, tickAxis)),
      }),
      [y.replace("y", "yaxis")]: axis(undefined, {
        domain: domain.y,
        anchor: x,
        ...(sharedY ? { range: commonY, nticks: 7 } : ownScale(own, yScale === "log", options, height)),
        showticklabels: !sharedY || isFirstOfRow,
        automargin: false,
      }),
    },
    shapes: marks.shapes,
    annotations: [...marks.annotations, ...panelTexts(options, at, frame)],
  };
}

/** Scale and ticks of a y axis of this many pixels. */
function ownScale(lines: readonly Line[], isLog: boolean, options: LinePanelsOptions, pixels: number): object {
  const range = yRangeOf(lines, { ...options, isLog });
  return isLog ? { type: "log", range, ...chooseTicks([], { isLog, range, pixels }) } : { range, nticks: 7 };
}

/** Solid and thin for what lies behind another series, so that only the other one is read. */
function styleOf({ name, behind }: PanelSeries, styles: ReadonlyMap<string, SeriesStyle>): SeriesStyle {
  const style = styles.get(behind ?? name)!;
  return behind === undefined ? style : { ...style, dash: "solid", width: 1 };
}

interface DrawnTrace {
  trace: object;
  /** The name under which the legend has it, if it does. */
  legend?: string;
}

/** Bands and what lies behind first, so that they cover no line. */
function panelTraces(series: readonly PanelSeries[], lines: readonly Line[], options: LinePanelsOptions): DrawnTrace[] {
  const isBand = options.uncertainty === "band";
  const bands = isBand ? lines.flatMap(bandTrace).map((trace) => ({ trace })) : [];
  const behind = lines.flatMap((line, at) => {
    if (series[at]!.behind === undefined) return [];
    return [{ trace: { ...lineTrace(line, { isAlone: true }), mode: "lines", opacity: 0.35, hoverinfo: "skip" } }];
  });
  const front = lines.flatMap((line, at) => {
    if (series[at]!.behind !== undefined) return [];
    const trace = lineTrace(line, { isAlone: series.length === 1, whiskers: !isBand });
    return [{ trace: { ...trace, legendgroup: line.name }, legend: line.name }];
  });
  return [...bands, ...behind, ...front];
}

function tableOf({ panels, panelColumn = "panel" }: LinePanelsOptions, lines: readonly (readonly Line[])[]): Table {
  const rows = lines.flatMap((own, at) =>
    own.flatMap(({ name, x, points }) =>
      points.map((point, index) => ({
        keys: [panels[at]!.title ?? panels[at]!.yTitle ?? null, name, x[index]!] as Cell[],
        ...point,
      })),
    ),
  );
  return estimateTable([panelColumn, "series", "x", "y"], rows);
}
