import type { Tensor } from "@huggingface/transformers";
import type { Runtime, RuntimeCache } from "./runtime.js";

/** A text in a cache. */
export interface CachedRow {
  cache: RuntimeCache;
  row: number;
  /** Its tokens there; before them stands padding. */
  tokens: number;
}

type Numbers = Extract<Tensor["data"], ArrayBufferView>;

/** Whether each tensor is `[rows, heads, time, width]`, so that texts of different lengths may be put together. */
export const isPlain = ({ rows, length, tensors }: RuntimeCache): boolean =>
  Object.entries(tensors).every(
    ([name, { dims }]) =>
      /^past_key_values\.\d+\.(key|value)$/.test(name) && dims.length === 4 && dims[0] === rows && dims[2] === length,
  );

/** Whether each tensor has its own part for each row. */
export const isByRows = ({ rows, tensors }: RuntimeCache): boolean =>
  Object.values(tensors).every(({ dims }) => dims[0] === rows);

/**
 * A cache with some rows of others, each once or more, as short as the longest of them allows. Texts of different lengths
 * need caches that are plain; others are copied as they are.
 */
export async function gatherRows(runtime: Runtime, sources: readonly CachedRow[]): Promise<RuntimeCache> {
  const first = sources[0]!;
  if (isWhole(sources)) return first.cache;
  const plain = sources.every(({ cache }) => isPlain(cache));
  const length = plain ? sources.reduce((most, { tokens }) => Math.max(most, tokens), 0) : first.cache.length;
  const tensors: Record<string, Tensor> = {};
  for (const [name, like] of Object.entries(first.cache.tensors)) {
    const parts = new Map<RuntimeCache, Numbers>();
    for (const { cache } of sources) if (!parts.has(cache)) parts.set(cache, await numbersOf(cache.tensors[name]!));
    const [, ...inner] = like.dims;
    const sides: Sides = [sources.length, inner[0]!, length, inner[2]!];
    const dims = plain ? [...sides] : [sources.length, ...inner];
    const kind = parts.get(first.cache)!.constructor as new (size: number) => Numbers;
    const target = new kind(dims.reduce((product, side) => product * side, 1));
    const size = target.length / sources.length;
    for (const [row, source] of sources.entries()) {
      const numbers = parts.get(source.cache)!;
      if (plain) copyRow(numbers, source, target, row, sides);
      else copy(numbers, source.row * size, target, row * size, size);
    }
    tensors[name] = runtime.tensorLike(like, target, dims);
  }
  return { rows: sources.length, length, tensors };
}

/** Rows, heads, time, width. */
type Sides = readonly [number, number, number, number];

function copyRow(from: Numbers, { cache, row, tokens }: CachedRow, to: Numbers, target: number, sides: Sides): void {
  const [, heads, length, width] = sides;
  for (let head = 0; head < heads; head++) {
    const start = ((row * heads + head + 1) * cache.length - tokens) * width;
    copy(from, start, to, ((target * heads + head + 1) * length - tokens) * width, tokens * width);
  }
}

function copy(from: Numbers, start: number, to: Numbers, at: number, count: number): void {
  // Both hold the same type of numbers.
  (to as Float32Array).set((from as Float32Array).subarray(start, start + count), at);
}

/** Whether the rows are all rows of one cache, in their order, of which none can be shortened. */
function isWhole(sources: readonly CachedRow[]): boolean {
  const { cache } = sources[0]!;
  const inOrder =
    sources.length === cache.rows && sources.every((each, row) => each.cache === cache && each.row === row);
  return inOrder && (sources.some(({ tokens }) => tokens === cache.length) || !isPlain(cache));
}

async function numbersOf(tensor: Tensor): Promise<Numbers> {
  const { location, ort_tensor: stored } = tensor;
  const data = (location === "cpu" ? tensor.data : await stored.getData()) as Numbers;
  // Where Node has a Float16Array, a tensor's data is one or the other, by whether it was an input before.
  return tensor.type === "float16" ? new Uint16Array(data.buffer, data.byteOffset, data.length) : data;
}

/** Give back what a cache holds outside of the process's own memory. */
export function releaseCache({ tensors }: RuntimeCache): void {
  for (const tensor of Object.values(tensors)) if (tensor.location === "gpu-buffer") tensor.dispose();
}
