import { formatNumber } from "../style/numbers.js";
import { SIZES } from "../style/style.js";
import { textWidth } from "../style/text-width.js";

export interface TickAxis {
  isLog: boolean;
  /** As Plotly has it: of exponents on a logarithmic axis. */
  range: readonly [low: number, high: number];
  /** The axis's length. */
  pixels: number;
}

const MAX_TICKS = 12;
const GAP = 8;
const POWERS = Array.from({ length: 31 }, (_, index) => 10 ** (index - 15));

/**
 * Ticks just at the data, if these are few whole numbers; else, on a logarithmic axis, at 1, 2 and 5 times the powers
 * of ten or at the powers only. Nothing where that gives too few or labels without room: then Plotly decides.
 */
export function chooseTicks(data: readonly number[], axis: TickAxis): object {
  const candidates = data.length > 0 && data.every(Number.isInteger) ? [data] : [];
  if (axis.isLog) {
    const inside = (x: number) => Math.log10(x) >= axis.range[0] && Math.log10(x) <= axis.range[1];
    const powers = [POWERS.flatMap((power) => [power, 2 * power, 5 * power]), POWERS];
    candidates.push(...powers.map((ticks) => ticks.filter(inside)).filter((ticks) => ticks.length > 1));
  }
  const tickvals = candidates.find((ticks) => ticks.length <= MAX_TICKS && haveRoom(ticks, axis));
  return tickvals ? { tickvals: [...tickvals], ticktext: tickvals.map(tickLabel) } : {};
}

/**
 * Ticks just at the data, as far as there is room: on a logarithmic axis else at every second, third, … of them from the last
 * one down, for budgets that double; on a linear one at those that have room beside the ones after them.
 */
export function dataTicks(data: readonly number[], axis: TickAxis): object {
  const fromLast = (step: number) => data.filter((_, at) => (data.length - 1 - at) % step === 0);
  const steps = data.map((_, at) => at + 1);
  const tickvals = axis.isLog
    ? (steps.map(fromLast).find((ticks) => haveRoom(ticks, axis)) ?? [])
    : besideTheNext(data, axis);
  return { tickvals, ticktext: tickvals.map(tickLabel) };
}

/** About the width of the widest tick that an axis will have, in pixels, where Plotly chooses its ticks or `chooseTicks` does. */
export function tickWidth({ isLog, range: [low, high] }: Pick<TickAxis, "isLog" | "range">): number {
  // The digits of a step of a seventh of the axis, and all of the number before them.
  const step = (high - low) / 7;
  const decimals = Math.max(0, Math.ceil(-Math.log10(isLog ? 10 ** low : step)));
  const ends = [low, high].map((end) =>
    formatNumber(isLog ? 10 ** end : end, isLog ? Math.min(2, decimals) : decimals),
  );
  return Math.max(
    ...ends.map((end) =>
      textWidth(end.length > 5 && decimals === 0 ? `${end.slice(0, -3)}k` : end, { size: SIZES.tick }),
    ),
  );
}

/** The last tick, and from there down each that has room beside the one before. */
function besideTheNext(data: readonly number[], axis: TickAxis): number[] {
  const kept: number[] = [];
  for (const x of data.toReversed()) if (kept.length === 0 || haveRoom([x, kept[0]!], axis)) kept.unshift(x);
  return kept;
}

const tickLabel = (x: number): string => String(Number(x.toPrecision(12)));

function haveRoom(ticks: readonly number[], { isLog, range: [low, high], pixels }: TickAxis): boolean {
  const ends = ticks.map((x) => {
    const middle = (((isLog ? Math.log10(x) : x) - low) / (high - low)) * pixels;
    const half = textWidth(tickLabel(x), { size: SIZES.tick }) / 2;
    return { left: middle - half, right: middle + half };
  });
  return ends.every(({ left }, at) => at === 0 || left - ends[at - 1]!.right >= GAP);
}
