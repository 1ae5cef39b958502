import { isTensorData } from "../../tensor/index.js";
import type { NextScores } from "./programs.js";
import type { GenerateOptions, Generation, ResolvedRequest } from "./request.js";
import { type SamplingMemory, sampleToken } from "./sampling.js";
import { type TokenLogProb, topTokens } from "./sampling-top.js";
import { createTextWatcher, type TextWatcher, textAfter } from "./text.js";

/** A text in progress. */
export interface Sequence {
  request: ResolvedRequest;
  sample: number;
  ids: number[];
  logProbs: number[];
  top: (readonly TokenLogProb[])[];
  /** Draws the random numbers of this text only. */
  uniform: () => number;
  /** Ids so far, for the repetition penalty; empty without a penalty. */
  seen: Set<number>;
  /** Present if text is wanted as it comes, or stop strings are searched for. */
  watcher: TextWatcher | undefined;
}

/** Options of the call that a text needs. */
export type TextOptions = Pick<GenerateOptions, "tokenizer" | "skipSpecialTokens" | "onText" | "onToken">;

export function startSequence(request: ResolvedRequest, sample: number, options: TextOptions): Sequence {
  const { random, sampling, stopStrings, firstSample } = request;
  const { tokenizer, skipSpecialTokens = true, onText, onToken } = options;
  const after = promptIds(request);
  return {
    request,
    sample,
    ids: [],
    logProbs: [],
    top: [],
    uniform: random ? random.stream(`sample ${firstSample + sample}`).uniform : () => 0,
    seen: new Set(sampling.repetitionPenalty === 1 ? [] : after),
    watcher:
      tokenizer && (onText || onToken || stopStrings.length > 0)
        ? createTextWatcher(tokenizer, { after, stopStrings, skipSpecialTokens })
        : undefined,
  };
}

/** Sample the next token of a text; returns the complete text if the token ended it. */
export function extendSequence(
  sequence: Sequence,
  { logProbs, normaliser }: NextScores,
  row: number,
  memory: SamplingMemory,
  options: TextOptions,
): Generation | undefined {
  const { request, sample, watcher, seen, ids } = sequence;
  const { tokenizer, skipSpecialTokens = true, onText, onToken } = options;
  const size = memory.scores.length;
  const start = row * size;
  const scores = { logProbs: logProbs.data, start, normaliser: normaliser.data[row]! };
  const id = sampleToken(scores, request.sampling, seen, sequence.uniform, memory);
  const logProb = logProbs.data[start + id]!;
  const top = topTokens(logProbs.data, start, size, request.topLogProbs);
  ids.push(id);
  sequence.logProbs.push(logProb);
  if (request.topLogProbs > 0) sequence.top.push(top);
  if (request.sampling.repetitionPenalty !== 1) seen.add(id);

  const ended = request.stopIds.has(id);
  const fresh = ended ? "" : (watcher?.push(id) ?? "");
  const stopped = ended || watcher?.stopped === true;
  const done = stopped || ids.length >= request.limit;
  const text = done ? fresh + (watcher?.end() ?? "") : fresh;
  const place = { request: request.index, sample };
  onToken?.({ ...place, id, logProb, top, text });
  if (text !== "") onText?.({ ...place, id, text });
  if (!done) return undefined;
  const shown = ended ? ids.slice(0, -1) : ids;
  return {
    ...place,
    ids,
    logProbs: sequence.logProbs,
    top: sequence.top,
    text: watcher?.text ?? (tokenizer && textAfter(tokenizer, promptIds(request), shown, skipSpecialTokens)),
    finishReason: stopped || watcher?.stopped ? "stop" : "length",
  };
}

function promptIds({ prompt }: ResolvedRequest): readonly number[] {
  return isTensorData(prompt) ? [] : prompt;
}
