import * as tf from "@tensorflow/tfjs";
import { createRandom } from "thoughtbook/core";
import { compile, spec, type TensorData } from "thoughtbook/tensor";
import { describe, expect, it } from "vitest";
import { expectClose, toTensor } from "../helpers.js";
import { normals } from "./helpers.js";
import { printProgram, randomProgram, runProgram } from "./programs.js";

const PROGRAMS = 60;
const INPUTS = [[3, 4], [4], [2, 3, 1], []];

/** Results, a loss made of all of them, and its gradients. */
function valuesAndGradients(steps: ReturnType<typeof randomProgram>, inputs: tf.Tensor[]) {
  const loss = (...xs: tf.Tensor[]) =>
    tf.addN(
      runProgram(steps, xs).map((y, i) =>
        y
          .mul(
            tf
              .linspace(0.5 - i / 7, 1, Math.max(2, y.size))
              .slice(0, y.size)
              .reshape(y.shape),
          )
          .sum(),
      ),
    );
  return { values: runProgram(steps, inputs), gradients: tf.grads(loss)(inputs) };
}

describe("random programs of 5 to 20 kernels", () => {
  it.each(Array.from({ length: PROGRAMS }, (_, seed) => seed))("and their gradients: program %i", async (seed) => {
    const random = createRandom("programs").stream(String(seed));
    await tf.setBackend("cpu");
    const steps = randomProgram(random, INPUTS, 5 + random.integer(16));
    const program = printProgram(steps, INPUTS);
    expect(steps.length, program).toBeGreaterThanOrEqual(5);
    const inputs = INPUTS.map((shape, i) => normals(...shape)(random.stream(`input ${i}`)));
    const compiled = compile(({ x }: { x: tf.Tensor[] }) => valuesAndGradients(steps, x), {
      x: inputs.map(({ shape }) => spec(shape)),
    });
    try {
      const actual = (await compiled({ x: inputs })) as unknown as Record<"values" | "gradients", TensorData[]>;
      await tf.setBackend("cpu");
      tf.tidy(() => {
        const expected = valuesAndGradients(steps, inputs.map(toTensor));
        for (const key of ["values", "gradients"] as const)
          for (const [i, y] of expected[key].entries()) expectClose(actual[key][i]!, y, `${key} ${i}`);
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}\nof this program:\n${program}`, { cause: error });
    } finally {
      await compiled.dispose();
    }
  });
});
