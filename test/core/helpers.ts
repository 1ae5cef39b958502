import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ThoughtbookError } from "thoughtbook/core";
import { onTestFinished } from "vitest";

/** A new folder that is removed when the running test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The error a promise or a function fails with. */
export async function failure(work: Promise<unknown> | (() => unknown)): Promise<ThoughtbookError> {
  try {
    await (typeof work === "function" ? work() : work);
  } catch (error) {
    return error as ThoughtbookError;
  }
  throw new Error("expected a failure");
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
