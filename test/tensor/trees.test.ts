import { emptyTensor, isTensorData, sizeOf, spec, tensorData } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import { leavesOf, mapTree, rebuildTree } from "../../lib/dist/tensor/tree.js";

const isNumber = (value: unknown): value is number => typeof value === "number";
const tree = { a: 1, b: [2, { c: 3 }], d: {} };

describe("trees", () => {
  it("list their leaves with paths, in the order of keys", () => {
    expect(leavesOf(tree, isNumber)).toEqual([
      { path: "a", value: 1 },
      { path: "b.0", value: 2 },
      { path: "b.1.c", value: 3 },
    ]);
    expect(leavesOf(7, isNumber)).toEqual([{ path: "", value: 7 }]);
  });

  it("keep their shape", () => {
    expect(mapTree(tree, isNumber, (value, path) => `${path}=${value}`)).toEqual({
      a: "a=1",
      b: ["b.0=2", { c: "b.1.c=3" }],
      d: {},
    });
    expect(rebuildTree(tree, isNumber, [10, 20, 30])).toEqual({ a: 10, b: [20, { c: 30 }], d: {} });
  });

  it("say where something is no leaf", () => {
    expect(() => leavesOf({ a: { b: "x" } }, isNumber)).toThrow("a.b is a string, expected a tensor");
    expect(() => leavesOf({ a: null }, isNumber)).toThrow("a is null, expected a tensor");
    expect(() => leavesOf(undefined, isNumber)).toThrow("the value is undefined");
  });
});

describe("host tensors", () => {
  it("take typed arrays as they are and convert lists", () => {
    const floats = Float32Array.of(1, 2);
    expect(tensorData(floats).data).toBe(floats);
    expect(tensorData([1, 2], [2, 1])).toEqual({ shape: [2, 1], dtype: "float32", data: floats });
    expect(tensorData(Int32Array.of(1))).toMatchObject({ dtype: "int32", shape: [1] });
    expect(tensorData(Uint8Array.of(1))).toMatchObject({ dtype: "bool" });
    expect(tensorData([1, 0], [2], "bool").data).toEqual(Uint8Array.of(1, 0));
    expect(tensorData([5], [])).toMatchObject({ shape: [] });
  });

  it("refuse values that do not fill their shape", () => {
    expect(() => tensorData([1, 2, 3], [2, 2])).toThrow("a tensor of shape [2, 2] has 4 values, but 3 were given");
  });

  it("start as zeros", () => {
    expect(emptyTensor([2, 0], "int32").data).toEqual(new Int32Array(0));
    expect(emptyTensor([2], "float32").data).toEqual(Float32Array.of(0, 0));
    expect(sizeOf([])).toBe(1);
  });

  it("are told from expectations", () => {
    expect(isTensorData(tensorData([1]))).toBe(true);
    expect(isTensorData(spec([1]))).toBe(false);
    expect(isTensorData({ shape: [1], dtype: "float32", data: [1] })).toBe(false);
  });
});
