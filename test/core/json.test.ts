import { runInNewContext } from "node:vm";
import { canonicalJson, strictJson } from "thoughtbook/core";
import { describe, expect, it } from "vitest";

const value = { b: [1, { z: null, a: "é\n" }], a: -0.5, skipped: undefined, c: true };

describe("canonicalJson", () => {
  it("sorts keys at every depth", () => {
    expect(canonicalJson(value)).toBe('{"a":-0.5,"b":[1,{"a":"é\\n","z":null}],"c":true}');
  });

  it("gives JSON that parses back", () => {
    expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
  });

  it("accepts objects from another realm, such as a notebook cell's", () => {
    expect(canonicalJson(runInNewContext("({ b: [1], a: 2 })"))).toBe('{"a":2,"b":[1]}');
  });

  it("accepts one object in two places", () => {
    const shared = { x: 1 };
    expect(canonicalJson([shared, shared])).toBe('[{"x":1},{"x":1}]');
  });
});

describe("strictJson", () => {
  it("keeps the order of keys and writes what JSON.stringify writes", () => {
    expect(strictJson(value)).toBe(JSON.stringify(value));
  });

  const cycle: { inner?: unknown } = {};
  cycle.inner = { cycle };
  it.each([
    ["NaN", { rewards: [1, Number.NaN] }, "rewards.1 is NaN"],
    ["an infinity", { logProb: Number.NEGATIVE_INFINITY }, "logProb is -Infinity"],
    ["a function", { run: () => 1 }, "run is a function"],
    ["a bigint", [1n], "0 is a bigint"],
    ["undefined in a list", [undefined], "0 is undefined"],
    ["a hole in a list", new Array(1), "0 is undefined"],
    ["undefined", undefined, "it is undefined"],
    ["a cycle", cycle, "inner.cycle is an object that contains itself"],
    ["a Map", { table: new Map() }, "table is a Map"],
    ["a Date", new Date(0), "it is a Date"],
    ["a typed array", { ids: new Float32Array(2) }, "ids is a Float32Array"],
  ])("rejects %s and says where", (_, bad, message) => {
    for (const print of [strictJson, canonicalJson]) {
      expect(() => print(bad)).toThrowError(
        expect.objectContaining({ code: "bad-input", message: expect.stringContaining(message) }),
      );
    }
  });
});
