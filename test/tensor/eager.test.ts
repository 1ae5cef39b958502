import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { compile, spec, tensorData, toTensor, toTensorData, useEagerBackend } from "thoughtbook/tensor";
import { afterEach, describe, expect, it } from "vitest";

const run = promisify(execFile);

/** Run lines of a module in a fresh Node started in some folder; what it prints. */
async function inFolder(folder: string, lines: string[]): Promise<{ stdout: string; stderr: string }> {
  const library = import.meta.resolve("thoughtbook/tensor");
  const source = [`import { useEagerBackend } from ${JSON.stringify(library)};`, ...lines].join("\n");
  const file = join(folder, "program.mjs");
  await writeFile(file, source);
  return run(process.execPath, [file], { cwd: folder });
}

const folders: string[] = [];
async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "thoughtbook-eager-"));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  await tf.setBackend("cpu");
});

describe("useEagerBackend", () => {
  it("computes in WebAssembly where tfjs-node is not installed, from any folder and without advertisement", async () => {
    const { stdout, stderr } = await inFolder(await emptyFolder(), [
      `import { createRequire } from "node:module";`,
      `const tf = createRequire(${JSON.stringify(import.meta.url)})("@tensorflow/tfjs");`,
      `const name = await useEagerBackend();`,
      `const product = tf.matMul(tf.ones([2, 3]), tf.ones([3, 2]));`,
      `console.log(name, tf.getBackend(), (await product.data()).join());`,
      `console.log(await useEagerBackend("cpu"), tf.ones([2]).sum().dataSync()[0], await useEagerBackend());`,
    ]);
    expect(stdout).toBe("wasm wasm 3,3,3,3\ncpu 2 wasm\n");
    expect(stderr).toBe("");
  });

  it("takes the real tfjs-node of the user's project", async () => {
    const folder = await emptyFolder();
    const native = join(folder, "node_modules", "@tensorflow", "tfjs-node");
    await mkdir(native, { recursive: true });
    await writeFile(join(folder, "package.json"), "{}");
    await writeFile(join(native, "package.json"), JSON.stringify({ name: "@tensorflow/tfjs-node", main: "index.js" }));
    // Like the package, it registers its backend when it is loaded.
    await writeFile(
      join(native, "index.js"),
      `const tf = require(${JSON.stringify(new URL(import.meta.resolve("@tensorflow/tfjs")).pathname)});
       tf.registerBackend("tensorflow", () => new tf.MathBackendCPU(), 3);`.replace(
        "new tf.MathBackendCPU()",
        `tf.findBackend("cpu")`,
      ),
    );
    const { stdout } = await inFolder(folder, ["console.log(await useEagerBackend());"]);
    expect(stdout).toBe("tensorflow\n");
  });

  it("says how to install what is preferred and missing", async () => {
    await expect(useEagerBackend("tensorflow")).rejects.toMatchObject({
      code: "not-found",
      hint: "Install it with: npm install @tensorflow/tfjs-node",
    });
  });
});

describe("toTensorData and toTensor", () => {
  it("go there and back by value, for every dtype", async () => {
    await useEagerBackend("cpu");
    for (const data of [
      tensorData([1.5, -2, 0, 4], [2, 2]),
      tensorData(Int32Array.of(1, -2), [2]),
      tensorData(Uint8Array.of(1, 0, 1), [3]),
      tensorData([7], []),
      tensorData([], [0, 3]),
    ]) {
      const tensor = toTensor(data);
      const back = await toTensorData(tensor);
      expect(back).toEqual(data);
      back.data[0] = 0;
      data.data[0] = 0;
      expect([...(await tensor.data())]).toEqual([...(await toTensorData(tensor)).data]);
      if (data.data.length === 1) expect((await tensor.data())[0]).toBe(7);
      tensor.dispose();
    }
  });

  it("connect eager work with a compiled function, on every backend", async () => {
    const double = compile(({ x }) => ({ y: x.mul(2) }), { x: spec([null]) }, { threads: 1 });
    for (const backend of ["cpu", "wasm"] as const) {
      await useEagerBackend(backend);
      const x = tf.range(0, 3).square();
      const { y } = await double({ x: await toTensorData(x) });
      const sum = toTensor(y).sum();
      expect(tf.getBackend()).toBe(backend);
      expect((await sum.data())[0]).toBe(10);
    }
    await double.dispose();
  });

  it("refuse strings", async () => {
    await expect(toTensorData(tf.tensor(["a"]))).rejects.toThrow(
      "the tensor is string, expected float32, int32 or bool",
    );
  });
});
