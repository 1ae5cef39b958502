import { z } from "zod";
import { badInput, createRandom, readSettingsFile } from "../core/index.js";
import { demonstrationPool, type Solution, writeSolution } from "../operations/index.js";
import type { Strategy } from "../rollouts/index.js";
import { STRATEGIES } from "../strategies/index.js";
import { instructed } from "./instructions.js";

const armSchema = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/),
  instruction: z.string().min(1).optional(),
  /** Solved examples of GSM8K's training split before the question. */
  demonstrations: z.int().nonnegative().max(16).default(0),
  /** Instead of an instruction: a strategy by its name. */
  strategy: z.string().optional(),
});

const poolSchema = z.strictObject({ about: z.string().optional(), arms: z.array(armSchema).min(2) });

/** A strategy by its name. @throws bad-input */
export function strategyNamed(name: string): Strategy {
  const create = (STRATEGIES as Readonly<Record<string, () => Strategy>>)[name];
  if (create) return create();
  throw badInput(`there is no strategy ${name}`, `Choose among ${Object.keys(STRATEGIES).join(", ")}.`);
}

/**
 * Read a pool of written prompts: arms with a name and an instruction, with demonstrations (a number of GSM8K's training rows), or
 * the name of a strategy.
 *
 * @throws bad-input (with the place in the file), not-found; network where demonstrations are wanted and not at hand
 */
export async function readPool(
  file: string,
  { seed = 0, signal }: { seed?: number | string; signal?: AbortSignal | undefined } = {},
): Promise<Strategy[]> {
  const { arms } = await readSettingsFile(file, poolSchema, {
    what: "pool of prompts",
    example: "data/grpo/instructions.json",
  });
  return Promise.all(
    arms.map(async ({ name, instruction, demonstrations, strategy }) => {
      if ((instruction === undefined) === (strategy === undefined)) {
        throw badInput(`${file}: the arm ${name} needs an instruction or a strategy, one of them`, "Correct it.");
      }
      if (strategy !== undefined) return { ...strategyNamed(strategy), name };
      return instructed({
        name,
        instruction: instruction!,
        demonstrations: demonstrations === 0 ? [] : await solved(demonstrations, seed, signal),
      });
    }),
  );
}

async function solved(count: number, seed: number | string, signal: AbortSignal | undefined) {
  const pool = await demonstrationPool("cot", signal);
  const chosen = createRandom(seed).stream("demonstrations").shuffle(pool).slice(0, count);
  return chosen.map(({ question, example }) => ({ question, solution: writeSolution(example.output as Solution) }));
}
