import { ThoughtbookError } from "../core/index.js";

/** A value, or undefined where the file that holds it is not there. */
export async function unlessAbsent<T>(value: Promise<T>): Promise<T | undefined> {
  return value.catch((error: unknown) => {
    if (error instanceof ThoughtbookError && error.code === "not-found") return undefined;
    throw error;
  });
}
