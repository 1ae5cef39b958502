import { z } from "zod";
import { badInput, ThoughtbookError } from "../../core/index.js";

/** Rotary position encoding: the base of the frequencies, and how they are scaled for longer texts. */
export type Rope = { theta: number } & (
  | { kind: "default" }
  /** Dynamic NTK scaling changes the frequencies beyond the model's positions only; within them it is the default. */
  | { kind: "dynamic"; factor: number }
  /** All frequencies are divided by the factor. */
  | { kind: "linear"; factor: number }
  /** Llama 3.1: low frequencies are divided by the factor, high ones kept, those between interpolated. */
  | { kind: "llama3"; factor: number; lowFactor: number; highFactor: number; originalPositions: number }
);

const KINDS = ["default", "linear", "dynamic", "llama3"];

const positive = z.number().positive();
const record = z.record(z.string(), z.unknown()).nullish();

/** Keys of a config.json that define the position encoding. */
export const ropeKeys = { rope_theta: positive.nullish(), rope_scaling: record, rope_parameters: record };

const ropeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("default"), theta: positive }),
  z.object({ kind: z.literal("dynamic"), theta: positive, factor: positive }),
  z.object({ kind: z.literal("linear"), theta: positive, factor: positive }),
  z.object({
    kind: z.literal("llama3"),
    theta: positive,
    factor: positive,
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: positive.nullish(),
  }),
]);

/**
 * The rotary encoding that the {@link ropeKeys} stand for: `rope_theta` and `rope_scaling` up to transformers 4,
 * `rope_parameters` from 5 on. As in transformers 5, a non-empty `rope_scaling` is the one that counts, and a theta
 * inside the record goes before one beside it.
 *
 * @throws bad-input for a kind that is not supported, corrupt-data
 */
export function parseRope(
  { rope_theta, rope_scaling, rope_parameters }: z.output<z.ZodObject<typeof ropeKeys>>,
  maxPositions: number,
  source: string,
): Rope {
  const isOlder = Object.keys(rope_scaling ?? {}).length > 0;
  const place = `${source}: ${isOlder ? "rope_scaling" : "rope_parameters"}`;
  const given = (isOlder ? rope_scaling : rope_parameters) ?? {};
  const kind = given.rope_type ?? given.type ?? "default";
  refuseUnsupported(given, kind, place);

  const theta = given.rope_theta ?? rope_theta ?? 10_000;
  const parsed = ropeSchema.safeParse({ ...given, kind, theta });
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    const key = path[0] === "theta" ? "rope_theta" : path.join(".");
    throw new ThoughtbookError("corrupt-data", `${place}.${key}: ${message}`, {
      hint: "Correct the value, or download the checkpoint again.",
    });
  }
  const rope = parsed.data;
  if (rope.kind !== "llama3") return rope;
  const { factor, low_freq_factor: lowFactor, high_freq_factor: highFactor } = rope;
  if (lowFactor >= highFactor) {
    const message = `low_freq_factor is ${lowFactor}, expected less than high_freq_factor, which is ${highFactor}`;
    throw new ThoughtbookError("corrupt-data", `${place}: ${message}`, { hint: "Correct the values." });
  }
  const originalPositions = rope.original_max_position_embeddings ?? maxPositions;
  return { theta: rope.theta, kind: "llama3", factor, lowFactor, highFactor, originalPositions };
}

function refuseUnsupported(given: Record<string, unknown>, kind: unknown, place: string): void {
  const refuse = (what: string, expected: string): never => {
    throw badInput(`${place}${what}; ${expected}`, "Choose another checkpoint of the family.");
  };
  if (typeof kind !== "string" || !KINDS.includes(kind)) {
    refuse(`.rope_type is ${JSON.stringify(kind)}`, `supported are ${KINDS.join(", ")}`);
  }
  const partial = given.partial_rotary_factor ?? 1;
  if (partial !== 1) refuse(`.partial_rotary_factor is ${JSON.stringify(partial)}`, "only whole heads can be rotated");
  for (const [key, value] of Object.entries(given)) {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      refuse(`.${key} is a record of its own`, "one encoding for all layers is supported");
    }
  }
}

/** The `rope_parameters` of transformers 5 for an encoding. */
export function ropeToHuggingFace(rope: Rope): Record<string, unknown> {
  const common = { rope_theta: rope.theta, rope_type: rope.kind };
  switch (rope.kind) {
    case "default":
      return common;
    case "linear":
    case "dynamic":
      return { ...common, factor: rope.factor };
    case "llama3":
      return {
        ...common,
        factor: rope.factor,
        low_freq_factor: rope.lowFactor,
        high_freq_factor: rope.highFactor,
        original_max_position_embeddings: rope.originalPositions,
      };
  }
}

/**
 * The angle, in radians a position, by which each pair of a head's dimensions (i and i + headDimension / 2) turns:
 * `headDimension / 2` numbers. Follows transformers' `modeling_rope_utils.py`.
 */
export function ropeFrequencies(rope: Rope, headDimension: number): Float32Array {
  return Float32Array.from({ length: headDimension / 2 }, (_, pair) => {
    const frequency = rope.theta ** ((-2 * pair) / headDimension);
    switch (rope.kind) {
      case "default":
      case "dynamic":
        return frequency;
      case "linear":
        return frequency / rope.factor;
      case "llama3": {
        const { factor, lowFactor, highFactor, originalPositions } = rope;
        const turns = (originalPositions * frequency) / (2 * Math.PI); // Over the length the model was first trained on.
        const kept = Math.min(1, Math.max(0, (turns - lowFactor) / (highFactor - lowFactor)));
        return frequency * (kept + (1 - kept) / factor);
      }
    }
  });
}
