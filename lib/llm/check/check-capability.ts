import { describeError, sum, ThoughtbookError } from "../../core/index.js";
import { forward, type HostModel, type Model, promptEmbeddings } from "../../model/index.js";
import {
  compile,
  softmaxCrossEntropy,
  spec,
  type TensorData,
  tensorData,
  valueAndGradients,
} from "../../tensor/index.js";
import type { Capability } from "../capabilities.js";
import type { Completion, LanguageModel, TextRequest } from "../language-model.js";
import { isLocalModel } from "../local/model.js";

/** Result of trying a capability: `untried` where the interface alone cannot test it. */
export interface Finding {
  status: "works" | "fails" | "absent" | "untried";
  /** Why it fails. */
  reason?: string;
}

type Try = (model: LanguageModel, signal: AbortSignal | undefined) => Promise<void>;

const IDS = [3, 4, 5];
const TEXT = "One and one is";

/**
 * Ask a model for one thing that it claims to support, with a tiny request, and check the answer.
 * @throws interrupted
 */
export async function tryCapability(
  model: LanguageModel,
  capability: Capability,
  signal?: AbortSignal,
): Promise<Finding> {
  const attempt = TRIES[capability];
  if (attempt === undefined || (NEEDS_WEIGHTS.has(capability) && !isLocalModel(model))) return { status: "untried" };
  try {
    await attempt(model, signal);
    return { status: "works" };
  } catch (error) {
    if (error instanceof ThoughtbookError && error.code === "interrupted") throw error;
    return { status: "fails", reason: describeError(error) };
  }
}

/** For these the interface offers no test beyond their presence. */
const NEEDS_WEIGHTS: ReadonlySet<Capability> = new Set<Capability>(["softPrompts", "attention", "gradients"]);

const TRIES: Readonly<Record<Capability, Try>> = {
  async text(model, signal) {
    const { text } = await generateOne(model, { prompt: TEXT }, signal);
    expect(typeof text === "string", "the completion has no text");
  },
  async chat(model, signal) {
    await generateOne(model, { prompt: { messages: [{ role: "user", content: "Hello" }] } }, signal);
  },
  async tokenIds(model, signal) {
    const { tokens } = await generateOne(model, { prompt: { ids: IDS } }, signal);
    expect(tokens !== undefined && tokens.completionIds.length > 0, "the completion has no ids");
    expect(tokens?.promptIds.join() === IDS.join(), "the ids of the prompt are not those that were given");
  },
  async countTokens(model) {
    const count = await model.countTokens(TEXT);
    expect(Number.isInteger(count) && count > 0, `the text ${JSON.stringify(TEXT)} has ${count} tokens`);
  },
  async tokenLogProbs(model, signal) {
    const prompt = model.capabilities.has("tokenIds") ? { ids: IDS } : TEXT;
    const { tokens } = await generateOne(model, { prompt }, signal);
    expect(tokens !== undefined && tokens.logProbs.length === tokens.completionIds.length, "not every token has one");
    checkLogProbs(tokens?.logProbs ?? []);
  },
  async score(model, signal) {
    const request = model.capabilities.has("tokenIds")
      ? { prompt: { ids: IDS }, continuation: { ids: IDS } }
      : { prompt: TEXT, continuation: " two" };
    const [score] = await model.score([request], { signal });
    expect(score !== undefined && score.logProbs.length === score.ids.length, "not every token has a score");
    expect((score?.ids.length ?? 0) > 0, "the continuation has no tokens");
    checkLogProbs(score?.logProbs ?? []);
  },
  async softPrompts(model, signal) {
    const host = isLocalModel(model) ? await model.running() : await hostOf(model);
    const embeddings = promptEmbeddings(host, IDS);
    await generateOne(model, { prompt: { embeddings } }, signal);
  },
  async attention(model) {
    const { weights: floats, blocks, config } = await hostOf(model);
    const weights = { ...floats, ...blocks };
    const run = compile(
      ({ weights, ids }) => ({ attention: forward({ config, weights }, ids).lastAttention }),
      inputSpecs(weights),
    );
    try {
      const { attention } = await run({ weights, ids: tensorData(Int32Array.from(IDS), [1, IDS.length]) });
      const rows = IDS.map((_, row) => attention.data.subarray(row * IDS.length, (row + 1) * IDS.length));
      const sums = rows.map(sum);
      expect(
        sums.every((sum) => Math.abs(sum - 1) < 1e-3),
        `the weights of a row add up to ${sums.join(", ")}`,
      );
    } finally {
      await run.dispose();
    }
  },
  async gradients(model) {
    const { weights, blocks = {}, config } = await hostOf(model);
    const run = compile(
      ({ weights, blocks, ids }) => {
        const loss = (weights: Model["weights"]) => {
          const { logits } = forward({ config, weights: { ...weights, ...blocks } }, ids);
          return softmaxCrossEntropy(logits.reshape([-1, config.vocabularySize]), ids.reshape([-1])).mean();
        };
        const { gradients } = valueAndGradients(loss)(weights);
        const [first] = Object.values(gradients);
        return { norm: first!.square().sum() };
      },
      { ...inputSpecs(weights), blocks: specsOf(blocks) },
    );
    try {
      const { norm } = await run({ weights, blocks, ids: tensorData(Int32Array.from(IDS), [1, IDS.length]) });
      expect(Number.isFinite(norm.data[0]) && norm.data[0]! > 0, `the norm of a gradient is ${norm.data[0]}`);
    } finally {
      await run.dispose();
    }
  },
};

async function generateOne(
  model: LanguageModel,
  request: TextRequest,
  signal: AbortSignal | undefined,
): Promise<Completion> {
  const [samples] = await model.generate([{ ...request, maxNewTokens: 2 }], { signal });
  const completion = samples?.[0];
  expect(samples?.length === 1 && completion !== undefined, `there are ${samples?.length ?? 0} completions`);
  return completion!;
}

const hostOf = async (model: LanguageModel): Promise<HostModel> => {
  if (isLocalModel(model)) return model.host();
  throw new ThoughtbookError("bad-input", `${model.name} does not give its weights`);
};

const specsOf = (weights: Readonly<Record<string, TensorData>>) =>
  Object.fromEntries(Object.entries(weights).map(([name, { shape, dtype }]) => [name, spec(shape, dtype)]));

const inputSpecs = (weights: Readonly<Record<string, TensorData>>) => ({
  weights: specsOf(weights),
  ids: spec([1, IDS.length], "int32"),
});

function checkLogProbs(logProbs: ArrayLike<number>): void {
  const wrong = Array.from(logProbs).find((each) => !(Number.isFinite(each) && each <= 1e-4));
  expect(wrong === undefined, `a log-probability is ${wrong}`);
}

function expect(fits: boolean, otherwise: string): void {
  if (!fits) throw new ThoughtbookError("execution", otherwise);
}
