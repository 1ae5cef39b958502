import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { keptResult, writeWhole } from "thoughtbook/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { failure } from "./helpers.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-kept-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("keptResult", () => {
  it("does the work once, and refuses other settings", async () => {
    const file = join(folder, "deep", "result.json");
    const work = vi.fn(async () => ({ answer: 42 }));
    expect(await keptResult(file, { a: 1, b: [2] }, work)).toEqual({ answer: 42 });
    expect(await keptResult(file, { b: [2], a: 1 }, work)).toEqual({ answer: 42 });
    expect(work).toHaveBeenCalledTimes(1);
    expect(await failure(keptResult(file, { a: 2 }, work))).toMatchObject({
      code: "bad-input",
      message: /other settings/,
    });
  });

  it("keeps nothing of work that fails", async () => {
    const file = join(folder, "failed.json");
    await expect(keptResult(file, {}, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(existsSync(file)).toBe(false);
  });

  it("names a file that is no JSON", async () => {
    const file = join(folder, "broken.json");
    writeFileSync(file, "{");
    expect(await failure(keptResult(file, {}, async () => 1))).toMatchObject({ code: "corrupt-data" });
  });
});

describe("writeWhole", () => {
  it("makes the folder, and leaves nothing else behind", async () => {
    await writeWhole(join(folder, "new", "a.txt"), "a");
    await writeWhole(join(folder, "new", "a.txt"), "b");
    expect(readdirSync(join(folder, "new"))).toEqual(["a.txt"]);
    const blocked = join(folder, "new", "a.txt", "b.txt");
    expect(await failure(writeWhole(blocked, "c"))).toMatchObject({ code: "file-system" });
  });
});
