import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256, sha256File } from "thoughtbook/core";
import { expect, it } from "vitest";
import { failure, temporaryFolder } from "./helpers.js";

// From FIPS 180-2, appendix B.1.
const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

it("hashes texts and bytes", () => {
  expect(sha256("abc")).toBe(ABC);
  expect(sha256(new Uint8Array([97, 98, 99]))).toBe(ABC);
  expect(sha256("é")).toBe(sha256(new Uint8Array([0xc3, 0xa9])));
});

it("hashes files", async () => {
  const file = join(await temporaryFolder(), "abc.txt");
  await writeFile(file, "abc");
  expect(await sha256File(file)).toBe(ABC);
});

it("says which file is missing", async () => {
  const error = await failure(sha256File("/nowhere/at/all"));
  expect(error).toMatchObject({ code: "not-found", message: "cannot read /nowhere/at/all: no such file or folder" });
});
