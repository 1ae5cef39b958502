import { mkdir, writeFile } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { dirname } from "node:path";
import { fileSystemError } from "thoughtbook/core";
import type { Spread } from "./statistics.js";

/** Where a measurement was made. */
export interface Machine {
  processor: string;
  cores: number;
  memoryGigabytes: number;
  system: string;
  node: string;
  /** Processes ready to run, averaged over the last minute: above 0 before the start, others were at work. */
  loadBefore: number;
}

export function describeMachine(): Machine {
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch} ${release()}`,
    node: process.versions.node,
    loadBefore: Math.round(loadavg()[0]! * 100) / 100,
  };
}

/** Write a value as indented JSON; the folder is made if need be. */
export async function writeJson(path: string, value: unknown): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
  } catch (error) {
    throw fileSystemError(error, "write", path);
  }
}

/** A table for the terminal: columns of equal width, the first to the left, the others to the right. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) =>
      widths
        .map((width, column) => {
          const cell = line[column] ?? "";
          return column === 0 ? cell.padEnd(width) : cell.padStart(width);
        })
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** Three significant digits, thousands in groups. */
export function formatNumber(value: number): string {
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 });
}

/** `median (min–max)`. */
export function formatSpread(spread: Spread | null): string {
  if (spread === null) return "–";
  const { median, min, max } = spread;
  return `${formatNumber(median)} (${formatNumber(min)}–${formatNumber(max)})`;
}
