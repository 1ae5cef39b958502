import { InvalidArgumentError } from "@commander-js/extra-typings";
import { parseByteSize } from "../core/index.js";

/*
 * Numbers of the command line. They throw commander's error, which names the option.
 */

/** A whole number, 0 or more. */
export function wholeNumber(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}

/** A whole number above 0. */
export function count(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number above 0.");
}

/** A whole number, which may be negative. */
export function integer(text: string): number {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Expected a whole number.");
}

/** A number, 0 or more. */
export function decimal(text: string): number {
  if (/^\d+(\.\d*)?(e-?\d+)?$|^\.\d+$/i.test(text)) return Number(text);
  throw new InvalidArgumentError("expected a number from 0, such as 0.7.");
}

/** A whole number, or the least and the most of several. */
export function range(text: string): [number, number] {
  const [, low, high] = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(text) ?? [];
  if (low === undefined) throw new InvalidArgumentError("expected a number or a range, such as 4 or 2-6.");
  return [Number(low), Number(high ?? low)];
}

/** Bytes, as a size such as 2GB. */
export function byteSize(text: string): number {
  const bytes = parseByteSize(text);
  if (bytes !== undefined) return bytes;
  throw new InvalidArgumentError("expected a size above 0, such as 800MB, 2GB or 1.5GiB.");
}
