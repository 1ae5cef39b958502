import { isTensorData } from "../tensor/index.js";
import type { NextScores } from "./generate-programs.js";
import type { GenerateOptions, Generation, ResolvedRequest, TextPiece } from "./generate-request.js";
import { createTextWatcher, type TextWatcher, textAfter } from "./generate-text.js";
import { type SamplingMemory, sampleToken } from "./sampling.js";

/** A text in the making. */
export interface Sequence {
  request: ResolvedRequest;
  sample: number;
  ids: number[];
  logProbs: number[];
  /** Draws the random numbers of this text only. */
  uniform: () => number;
  /** The ids so far, for the repetition penalty; none where there is no penalty. */
  seen: Set<number>;
  /** Where text is wanted as it comes, or stop strings are looked for. */
  watcher: TextWatcher | undefined;
}

type TextOptions = Pick<GenerateOptions, "tokenizer" | "skipSpecialTokens" | "onText">;

export function startSequence(request: ResolvedRequest, sample: number, options: TextOptions): Sequence {
  const { random, sampling, stopStrings } = request;
  const { tokenizer, skipSpecialTokens = true, onText } = options;
  const after = promptIds(request);
  return {
    request,
    sample,
    ids: [],
    logProbs: [],
    uniform: random ? random.stream(`sample ${sample}`).uniform : () => 0,
    seen: new Set(sampling.repetitionPenalty === 1 ? [] : after),
    watcher:
      tokenizer && (onText || stopStrings.length > 0)
        ? createTextWatcher(tokenizer, { after, stopStrings, skipSpecialTokens })
        : undefined,
  };
}

/** Choose the next token of a text; gives the complete text if it ended it. */
export function extendSequence(
  sequence: Sequence,
  { logProbs, normaliser }: NextScores,
  row: number,
  memory: SamplingMemory,
  options: TextOptions,
): Generation | undefined {
  const { request, sample, watcher, seen, ids } = sequence;
  const start = row * memory.scores.length;
  const scores = { logProbs: logProbs.data, start, normaliser: normaliser.data[row]! };
  const id = sampleToken(scores, request.sampling, seen, sequence.uniform, memory);
  ids.push(id);
  sequence.logProbs.push(logProbs.data[start + id]!);
  if (request.sampling.repetitionPenalty !== 1) seen.add(id);

  const tell = (text: string) => {
    const piece: TextPiece = { request: request.index, sample, id, text };
    if (text !== "") options.onText?.(piece);
  };
  const ended = request.stopIds.has(id);
  if (!ended && watcher) tell(watcher.push(id));
  const stopped = ended || watcher?.stopped === true;
  if (!stopped && ids.length < request.limit) return undefined;
  if (watcher) tell(watcher.end());
  const { tokenizer, skipSpecialTokens = true } = options;
  const shown = ended ? ids.slice(0, -1) : ids;
  return {
    request: request.index,
    sample,
    ids,
    logProbs: sequence.logProbs,
    text: watcher?.text ?? (tokenizer && textAfter(tokenizer, promptIds(request), shown, skipSpecialTokens)),
    finishReason: stopped || watcher?.stopped ? "stop" : "length",
  };
}

function promptIds({ prompt }: ResolvedRequest): readonly number[] {
  return isTensorData(prompt) ? [] : prompt;
}
