import { mkdir } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { cacheFolder, dataFolder, findProjectFolder, projectFolder, resolveUserPath } from "thoughtbook/core";
import { afterEach, expect, it, vi } from "vitest";
import { failure, temporaryFolder } from "./helpers.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

it("expands a leading ~ only", () => {
  expect(resolveUserPath("~")).toBe(homedir());
  expect(resolveUserPath("~/runs/a")).toBe(join(homedir(), "runs/a"));
  expect(resolveUserPath("runs/~")).toBe(resolve("runs/~"));
  expect(resolveUserPath("~other/x")).toBe(resolve("~other/x"));
  expect(resolveUserPath("/tmp/../etc")).toBe("/etc");
});

it("takes the cache folder from THOUGHTBOOK_CACHE", () => {
  vi.stubEnv("THOUGHTBOOK_CACHE", "~/elsewhere");
  expect(cacheFolder()).toBe(join(homedir(), "elsewhere"));
});

it("falls back to the operating system's cache folder", () => {
  vi.stubEnv("THOUGHTBOOK_CACHE", "");
  expect(cacheFolder()).toMatch(/thoughtbook/);
  expect(cacheFolder()).not.toMatch(/nodejs/);
});

it("finds the folder that holds data/ and notebooks/", async () => {
  const root = await temporaryFolder();
  const inside = join(root, "lib/dist/core");
  for (const folder of ["data", "notebooks", "lib/data", "lib/dist/core"]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  expect(projectFolder(inside)).toBe(root);
});

it("says when there is no such folder", async () => {
  const folder = await temporaryFolder();
  const error = await failure(() => projectFolder(folder));
  expect(error).toMatchObject({ code: "not-found", hint: "Run from a clone of the Thoughtbook repository." });
  // Models are opened by name outside of the repository too.
  expect(findProjectFolder(folder)).toBeUndefined();
});

it("takes the data of the repository, or those packed with an installed library, whatever is around that", async () => {
  expect(dataFolder()).toBe(join(projectFolder(), "data"));
  const around = await temporaryFolder();
  const dist = join(around, "node_modules", "thoughtbook", "dist", "core");
  for (const folder of [join(around, "data"), join(around, "notebooks"), dist])
    await mkdir(folder, { recursive: true });
  expect(findProjectFolder(dist)).toBeUndefined();
  expect(await failure(() => dataFolder(dist))).toMatchObject({ code: "not-found" });
  const packed = join(around, "node_modules", "thoughtbook", "packed", "data");
  await mkdir(packed, { recursive: true });
  expect(dataFolder(dist)).toBe(packed);
});
