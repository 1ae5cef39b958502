import { canonicalJson, createRandom, type Random, sha256, ThoughtbookError } from "../../core/index.js";
import { FUNCTION_STEPS, generateFunctionProblem, generateWordProblem } from "../../data/index.js";
import type { Tokenizer } from "../../model/index.js";
import { functionExample, operationExample, type ProblemOperation, shortenedThought } from "../../operations/index.js";
import { documentExample } from "../examples/document-example.js";
import { equationsExample } from "../examples/equations-example.js";
import type { Branch, Example, ExampleStream } from "../examples/examples.js";
import { joinedLength, joinTexts, type OperationEncoder, operationEncoder } from "../examples/operation-ids.js";
import type { Phase } from "./recipe.js";

/** Chunks are large enough to be packed well, and small enough to be made in a second or two. */
const UPDATES_PER_CHUNK = 25;
/** More examples than the updates need on average: batches hold a few more or less. */
const SPARE = 1.05;

/** More than any chunk needs. */
const QUESTIONS_PER_CHUNK = 1_000_000;
/** Consecutive questions without an example after which the stream gives up. */
const PATIENCE = 1000;
/** Tokens of an example of equations: about ten of them. */
const EQUATION_TOKENS = 96;

export interface ProblemStreamOptions {
  phase: Phase;
  tokenizer: Tokenizer;
  seed: number;
}

/**
 * Training examples of a phase, made as they are needed: each is a question with the operations that the mixture draws for
 * it, which share the computation of the question. Every question is seen once.
 */
export function problemStream({ phase, tokenizer, seed }: ProblemStreamOptions): ExampleStream {
  const { longest, batchSize } = phase;
  const { encode } = operationEncoder(tokenizer);
  const perChunk = Math.ceil(UPDATES_PER_CHUNK * batchSize * SPARE);
  const random = createRandom(seed).stream(`phase ${phase.name}`);
  // What decides the examples; not how long or at what rate they are trained on.
  const { operations, distractors, withDistractors, mixture, shortened, equations, equationForms } = phase;
  const { documents, untagged } = phase;
  const content = {
    ...{ seed, longest, operations, distractors, withDistractors, mixture, equations, untagged },
    // Omitted if there are none, so that runs begun before they existed can be resumed.
    ...(equationForms === "balanced" ? { equationForms } : {}),
    ...(documents > 0 ? { documents } : {}),
    ...(shortened === undefined ? {} : { shortened }),
  };
  return {
    fingerprint: sha256(canonicalJson({ ...content, name: phase.name, perChunk })).slice(0, 16),
    updatesPerChunk: UPDATES_PER_CHUNK,
    longest,
    async chunk(chunk) {
      const examples: Example[] = [];
      // Some questions give no example, others several: chunks have numbers of their own.
      const first = chunk * QUESTIONS_PER_CHUNK;
      for (let index = first; examples.length < perChunk; index++) {
        if (examples.length === 0 && index - first === PATIENCE) throw nothingFits(phase);
        const own = random.stream(String(index));
        examples.push(...drawExamples({ phase, tokenizer, seed, index, random: own, encode }));
      }
      return examples;
    },
  };
}

interface Draw {
  phase: Phase;
  tokenizer: Tokenizer;
  seed: number;
  index: number;
  random: Random;
  encode: OperationEncoder["encode"];
}

/** Examples from one question: one with everything that shares its prefix, and others with another question. */
function drawExamples({ phase, tokenizer, seed, index, random, encode }: Draw): Example[] {
  const { code = 0, ...mixture } = phase.mixture;
  const place = { seed: `${phase.name}/${seed}`, index };
  if (phase.equations > 0 && random.uniform() < phase.equations) {
    const problems = { seed: `${place.seed}/equations/${index}`, operations: phase.operations };
    const longest = Math.min(EQUATION_TOKENS, phase.longest);
    const balancedBy = phase.equationForms === "balanced" ? random.stream("forms") : undefined;
    const equations = equationsExample(tokenizer, { problems, longest, balancedBy });
    return equations ? [equations] : [];
  }
  // A function to write is a question of its own.
  if (random.uniform() < code) {
    const problem = generateFunctionProblem({ ...place, steps: FUNCTION_STEPS });
    return joined([encode(functionExample(problem))], phase);
  }
  const problem = generateWordProblem({
    ...place,
    operations: phase.operations,
    distractors: random.uniform() < phase.withDistractors ? phase.distractors : 0,
    split: "train",
  });
  if (phase.documents > 0 && random.uniform() < phase.documents) {
    return [documentExample(tokenizer, problem, random, phase.longest)];
  }
  const together: Branch[] = [];
  const alone: Branch[] = [];
  for (const name of random.shuffle(Object.keys(mixture) as ProblemOperation[])) {
    if (random.uniform() >= (mixture[name] ?? 0)) continue;
    const isShortened = name === "think" && phase.shortened !== undefined && random.uniform() < phase.shortened;
    const example = isShortened ? shortenedThought(problem, random) : operationExample(name, problem, random);
    if (!example) continue;
    const text = encode(example, !(name === "cot" && random.uniform() < phase.untagged));
    if (!example.prompt.startsWith(problem.question)) alone.push(text);
    else if (joinedLength([...together, text]) <= phase.longest) together.push(text);
  }
  return [joined(together, phase), ...alone.map((text) => joined([text], phase))].flat();
}

function nothingFits({ name, longest }: Phase): ThoughtbookError {
  return new ThoughtbookError("bad-input", `the phase ${name} gives no examples of at most ${longest} tokens`, {
    hint: "Give its mixture an operation, or let examples be longer.",
  });
}

/** One example of the texts; undefined if there are no texts or they are too long. */
function joined(texts: readonly Branch[], { longest }: Phase): Example[] {
  return texts.length === 0 || joinedLength(texts) > longest ? [] : [joinTexts(texts)];
}
