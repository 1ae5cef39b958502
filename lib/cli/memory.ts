import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { Numerics } from "../model/index.js";

/** What `--memory` means, for the help of all commands that run models. */
export const MEMORY =
  "what the process may take, such as 2GB: compiled programs of sizes not used for the longest time are let go (default: THOUGHTBOOK_MEMORY, else 512MiB for programs, and what weights and texts need)";

/** Make it the budget of this process. The engine reads it from the environment, so that it need not be loaded for this. */
export function useMemory(bytes: number | undefined): void {
  if (bytes !== undefined) process.env.THOUGHTBOOK_MEMORY = String(bytes);
}

/** What `--numerics` means, for the help of commands. */
export const NUMERICS_HELP =
  "exact: products in float32, texts do not depend on what else is computed; fast: weights and activations in 8 bits, for quantised GGUF files, where a text may differ alone and in a batch when two tokens are nearly equal";

/** The same where nothing else is the default. */
export const NUMERICS = `${NUMERICS_HELP} (default: exact)`;

/** What `--threads` means. */
export const THREADS = "threads inside an operator (default: the processors)";

/** What `--batch-size` means. */
export const BATCH_SIZE = "the most texts in work at a time (default: the model's choice)";

/** What `--numerics` means where one word is for several models. */
export const NUMERICS_OF_ALL_HELP = `${NUMERICS_HELP}; auto: fast for such files, exact for others (default: exact)`;

/** @throws InvalidArgumentError for another word */
export function parseNumericsOfAll(text: string): Numerics | "auto" {
  if (text === "exact" || text === "fast" || text === "auto") return text;
  throw new InvalidArgumentError("Give exact, fast or auto.");
}

/** What `--low-memory` means, for the help of commands. */
export const LOW_MEMORY_HELP =
  "keep the weights of a quantised GGUF file in their blocks, dequantised while they are used: the same numbers in less memory, more slowly";

/** @throws InvalidArgumentError for another word */
export function parseNumerics(text: string): Numerics {
  if (text === "exact" || text === "fast") return text;
  throw new InvalidArgumentError("Give exact or fast.");
}
