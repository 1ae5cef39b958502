import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { ThoughtbookError } from "thoughtbook/core";
import { scriptOf } from "./peer-list.js";
import { findPython } from "./python.js";

const MODULES = { hf: ["torch", "transformers", "gguf", "accelerate"], gguf: ["gguf", "numpy"] } as const;

export interface DequantiseOptions {
  /** The GGUF file. */
  file: string;
  /** Where what was made is kept for the next time. */
  folder: string;
  pythons: readonly string[];
  onProgress?(line: string): void;
}

/**
 * The weights of a GGUF file as float32, made by Python's own reader of such files, not by this library: a Hugging Face
 * folder, or a GGUF file of F32. It is made once.
 *
 * @throws bad-input where no Python has the packages; execution
 */
export async function dequantised(kind: keyof typeof MODULES, options: DequantiseOptions): Promise<string> {
  const { file, folder, pythons, onProgress } = options;
  const name = basename(file, ".gguf");
  const out = join(folder, kind === "hf" ? `${name}-f32` : `${name}-f32.gguf`);
  if (existsSync(out)) return out;
  const python = await findPython(pythons, MODULES[kind]);
  if ("missing" in python) {
    const what = kind === "hf" ? "or --hf FOLDER with the model dequantised" : "";
    throw new ThoughtbookError("bad-input", `dequantising needs packages: ${python.missing}`, {
      hint: `Give --python with ${MODULES[kind].join(", ")}${what && `, ${what}`}.`,
    });
  }
  onProgress?.(`writing ${out}`);
  await mkdir(dirname(out), { recursive: true });
  // What is half written does not count.
  const unfinished = `${out}.part`;
  await rm(unfinished, { recursive: true, force: true });
  try {
    await promisify(execFile)(python.path, [scriptOf("dequantise.py"), kind, file, unfinished], {
      maxBuffer: 2 ** 26,
    });
  } catch (error) {
    const { stderr = "" } = error as { stderr?: string };
    throw new ThoughtbookError("execution", `dequantising ${file} failed: ${stderr.trim().split("\n").at(-1)}`, {
      cause: error,
    });
  }
  await rename(unfinished, out);
  return out;
}
