import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isLfsPointer, readJsonl, refuseLfsPointer } from "thoughtbook/core";
import { describe, expect, it } from "vitest";
import { collect, failure, temporaryFolder } from "./helpers.js";

export const POINTER = `version https://git-lfs.github.com/spec/v1\noid sha256:${"4d7a".repeat(16)}\nsize 269060552\n`;

describe("a pointer of Git LFS", () => {
  it.each([
    [POINTER, true],
    [POINTER.replaceAll("\n", "\r\n"), true],
    [POINTER.replace("https://git-lfs.github.com/spec/v1", "https://hawser.github.com/spec/v1"), true],
    ["", false],
    ["version 1\n", false],
    [`{"a": ${JSON.stringify(POINTER)}}`, false],
    [POINTER + "x".repeat(2000), false],
  ])("is told from other files: %j", async (text, is) => {
    expect(isLfsPointer(text)).toBe(is);
    const file = join(await temporaryFolder(), "model.bin");
    await writeFile(file, text);
    if (!is) expect(await refuseLfsPointer(file)).toBeUndefined();
    else {
      expect(await failure(refuseLfsPointer(file))).toMatchObject({
        code: "corrupt-data",
        message: `${file} is a Git-LFS pointer, not the file of 269,060,552 bytes that it stands for`,
        hint: expect.stringContaining("git lfs pull"),
      });
    }
  });

  it("in place of rows is told as such, whatever happens to malformed lines", async () => {
    const file = join(await temporaryFolder(), "rows.jsonl");
    await writeFile(file, POINTER);
    const error = await failure(collect(readJsonl(file, { onMalformed: () => {} })));
    expect(error.message).toContain(`${file} is a Git-LFS pointer`);
  });
});
