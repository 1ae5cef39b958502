import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { checkSettings, fileSystemError, writeWhole } from "../../core/index.js";
import type { LocalModel } from "../../llm/index.js";
import type { ModelParameters } from "../../model/index.js";
import { OPERATIONS, operationPrompt } from "../../operations/index.js";
import { numberSource, type TextValues, textValues, train, valueRegression } from "../../train/index.js";
import type { SearchParts } from "../search/settings.js";
import type { StoredSolution } from "../store/solutions.js";
import { exampleOfSolution } from "./examples.js";
import type { LearnOptions } from "./learn.js";

const FILE = "value_head.json";
const schema = z.strictObject({
  model: z.string(),
  parameters: z.record(z.string(), z.strictObject({ shape: z.array(z.int()), data: z.array(z.number()) })),
});

/**
 * Fit a value head beside a frozen model: after each token of a solution, the partial reward that it ended with.
 *
 * @returns how many solutions and updates
 */
export async function fitValueHead(
  solutions: readonly StoredSolution[],
  { base, encoder, settings, seed, folder, threads, signal, display }: LearnOptions,
): Promise<{ examples: number; updates: number }> {
  const { epochs, batchSize, learningRate = 1e-2 } = settings;
  const items = await Promise.all(
    solutions.map(async (each) => ({ example: await exampleOfSolution(each, encoder), number: each.stepReward })),
  );
  const { config, weights } = await base.host();
  const plan = { seed, epochs, batchSize, maxSteps: Number.POSITIVE_INFINITY, accumulation: 1 };
  const { extra, steps } = await train({
    model: { config, parameters: { ...weights } as ModelParameters },
    objective: valueRegression(),
    source: numberSource(items, plan, config.hiddenSize),
    trainable: "extra",
    settings: { seed, learningRate, weightDecay: 0 },
    folder: join(folder, "training"),
    ...{ threads, signal, display },
  });
  const parameters = Object.fromEntries(
    Object.entries(extra!).map(([name, { shape, data }]) => [name, { shape, data: [...data] }]),
  );
  await writeWhole(join(folder, FILE), `${JSON.stringify({ model: await base.hash(), parameters })}\n`);
  return { examples: items.length, updates: steps };
}

/**
 * Load a value head for searches with the value `head`.
 *
 * @throws not-found, bad-input for a file that holds none
 */
export async function loadValueHead(
  folder: string,
  model: LocalModel,
): Promise<{ values: NonNullable<SearchParts["head"]>; dispose(): Promise<void> }> {
  const file = join(folder, FILE);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileSystemError(error, "read the value head", file);
  });
  const kind = {
    what: "value head",
    example: "What `thoughtbook reasoner finetune --learner value` writes",
    source: file,
  };
  const { parameters } = checkSettings(JSON.parse(text) as unknown, schema, kind);
  const head = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, data }]) => [
      name,
      { shape, dtype: "float32" as const, data: Float32Array.from(data) },
    ]),
  );
  let opened: TextValues | undefined;
  return {
    async values(problem, beginnings) {
      const { config, weights } = await model.host();
      opened ??= textValues({ config, parameters: weights as ModelParameters }, head);
      const texts = beginnings.map((prefill) =>
        model.encode(
          operationPrompt(model, OPERATIONS.cot, problem, undefined, { prefill: prefill || undefined }) as never,
        ),
      );
      return opened.of(texts);
    },
    dispose: async () => opened?.dispose(),
  };
}
