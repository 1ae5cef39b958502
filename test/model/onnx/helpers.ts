import * as ort from "onnxruntime-node";
import type { ModelConfig } from "thoughtbook/model";

/** Outputs of a call of an exported model, by name. */
export type Outputs = Readonly<Record<string, ort.Tensor>>;

export const openOnnx = (file: string): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(file, { logSeverityLevel: 4, intraOpNumThreads: 1 });

const int64 = (numbers: readonly number[], shape: readonly number[]) =>
  new ort.Tensor("int64", BigInt64Array.from(numbers, BigInt), shape);

export interface Call {
  /** New tokens, the same number in each row. */
  ids: readonly (readonly number[])[];
  /** For each row 1 for a token and 0 for padding, of the cache and the new ones; all tokens unless told otherwise. */
  mask?: readonly (readonly number[])[];
  /** What the call before gave. */
  past?: Outputs | undefined;
  numLogitsToKeep?: number;
}

/** Call an exported model as transformers.js does. */
export async function callOnnx(
  session: ort.InferenceSession,
  { layers, keyValueHeads, headDimension }: ModelConfig,
  { ids, mask, past, numLogitsToKeep }: Call,
): Promise<Outputs> {
  const [batch, time] = [ids.length, ids[0]!.length];
  const total = time + (past?.["present.0.key"]?.dims[2] ?? 0);
  const rows = mask ?? ids.map(() => Array<number>(total).fill(1));
  const positions = rows.map((row) => {
    let next = 0;
    return row.map((isToken) => (isToken ? next++ : 1)).slice(total - time);
  });
  const feeds: Record<string, ort.Tensor> = {
    input_ids: int64(ids.flat(), [batch, time]),
    attention_mask: int64(rows.flat(), [batch, total]),
    position_ids: int64(positions.flat(), [batch, time]),
  };
  if (numLogitsToKeep !== undefined) feeds.num_logits_to_keep = int64([numLogitsToKeep], []);
  for (let layer = 0; layer < layers; layer++) {
    for (const part of ["key", "value"]) {
      const empty = new ort.Tensor("float32", new Float32Array(0), [batch, keyValueHeads, 0, headDimension]);
      feeds[`past_key_values.${layer}.${part}`] = past?.[`present.${layer}.${part}`] ?? empty;
    }
  }
  return session.run(feeds);
}

/** Logits of a row's token in the outputs of a call; negative times count from the end. */
export function logitsAt({ logits }: Outputs, row: number, time: number): Float32Array {
  const [, times, vocabulary] = logits!.dims as [number, number, number];
  const start = (row * times + (time < 0 ? times + time : time)) * vocabulary;
  return (logits!.data as Float32Array).subarray(start, start + vocabulary);
}

export const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  if (a.length !== b.length) throw new Error(`${a.length} numbers and ${b.length}`);
  return Array.from(a, (value, i) => Math.abs(value - b[i]!)).reduce((x, y) => Math.max(x, y), 0);
};

/** Natural logarithms of the probabilities of each row's tokens after the first, by the outputs of one call. */
export function logProbsOf(outputs: Outputs, ids: readonly (readonly number[])[]): number[] {
  return ids.flatMap((row, index) =>
    row.slice(1).map((id, before) => {
      const logits = logitsAt(outputs, index, before);
      const largest = Math.max(...logits);
      return logits[id]! - largest - Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    }),
  );
}
