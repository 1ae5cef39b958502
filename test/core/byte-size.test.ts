import { formatByteSize, parseByteSize } from "thoughtbook/core";
import { describe, expect, it } from "vitest";

describe("parseByteSize", () => {
  it.each([
    ["2GB", 2e9],
    ["2gb", 2e9],
    ["1.5GiB", 1.5 * 2 ** 30],
    ["1.5 GiB", 1.5 * 2 ** 30],
    ["800M", 8e8],
    ["512MiB", 2 ** 29],
    ["1T", 1e12],
    ["64k", 64_000],
    ["2000000000", 2e9],
    ["7b", 7],
  ])("reads %s", (text, bytes) => expect(parseByteSize(text)).toBe(bytes));

  it.each([
    "",
    "GB",
    "0",
    "0GB",
    "-2GB",
    "2XB",
    "2GBs",
    "1e9",
    "1,5GB",
    "two",
    "0.1",
    "99999999TB",
    "constructor",
    "1 constructor",
    "Infinity",
  ])("refuses %j", (text) => expect(parseByteSize(text)).toBeUndefined());
});

describe("formatByteSize", () => {
  it("rounds up to megabytes, and to tenths of gigabytes", () => {
    expect(formatByteSize(538_060_032)).toBe("539 MB");
    expect(formatByteSize(1.84e9)).toBe("1.8 GB");
  });
});
