import { ThoughtbookError } from "../../core/index.js";
import { type Answer, type Choice, logProbsOf, NO_USAGE, type Piece, readPiece, textOf } from "./answer.js";
import type { StreamEvent } from "./events.js";
import { brokenAnswer, ReportedError } from "./fault.js";
import { finishOf } from "./finish.js";

/** An error of the caller's own callback, as opposed to an error of a server. */
export class CallbackError extends Error {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    super("a callback threw");
    this.thrown = thrown;
  }
}

/** Texts of a request's samples that were already passed on, and how to pass on more; outlives a broken stream. */
export interface TextRelay {
  /** By index of the choice. */
  readonly relayed: string[];
  relay(text: string, place: number): void;
}

export function createTextRelay(onText: (text: string, place: number) => void, count: number): TextRelay {
  const relayed = Array.from({ length: count }, () => "");
  return {
    relayed,
    relay(text, place) {
      relayed[place] += text;
      try {
        onText(text, place);
      } catch (error) {
        throw new CallbackError(error);
      }
    },
  };
}

interface Growing {
  text: string;
  finishReason: unknown;
  promptIds: readonly number[] | undefined;
  ids: number[] | undefined;
  logProbs: number[] | undefined;
}

/**
 * Read an answer that comes in pieces, and pass on its texts. What an earlier stream already passed on is compared with
 * what comes now, and not repeated. The stream is complete if each text has a finish reason, or if the end mark came.
 *
 * @param alive called with each sign of life
 * @throws corrupt-data (it broke off), network (another text than the one passed on), ReportedError
 */
export async function readStream(
  events: AsyncIterable<StreamEvent>,
  { relayed, relay }: TextRelay,
  alive: () => void,
): Promise<Answer> {
  const growing = new Map<number, Growing>();
  let usage = NO_USAGE;
  let promptIds: readonly number[] | undefined;
  let isComplete = false;
  for await (const event of events) {
    alive();
    if (event.kind === "error") throw new ReportedError(event.value);
    if (event.kind === "done") isComplete = true;
    // Some servers send null where they have nothing to say.
    if (event.kind !== "data" || event.value === null) continue;
    const piece = readPiece(event.value);
    usage = { prompt: piece.usage.prompt ?? usage.prompt, completion: piece.usage.completion ?? usage.completion };
    promptIds ??= piece.promptIds;
    for (const choice of piece.choices) {
      const index = choice.index ?? 0;
      const grown = growing.get(index) ?? begun();
      growing.set(index, grown);
      grow(grown, choice);
      if (index < relayed.length) relayNew(grown.text, index);
    }
  }
  const choices = [...growing].flatMap(([index, { finishReason, ...rest }]): Choice[] => {
    if (index >= relayed.length) return [];
    if (!finishReason && !isComplete) throw brokenAnswer("an answer that has no end");
    const finish = finishOf(finishReason);
    // A second stream may end before the text that the first one passed on.
    if (rest.text !== relayed[index]) throw otherText();
    return [{ index, ...rest, ...finish, promptIds: rest.promptIds ?? promptIds }];
  });
  return { choices, usage };

  function relayNew(text: string, index: number): void {
    const before = relayed[index]!;
    const agree = text.length < before.length ? before.startsWith(text) : text.startsWith(before);
    if (!agree) throw otherText();
    if (text.length > before.length) relay(text.slice(before.length), index);
  }
}

const begun = (): Growing => ({
  text: "",
  finishReason: undefined,
  promptIds: undefined,
  ids: undefined,
  logProbs: undefined,
});

function grow(grown: Growing, choice: Piece["choices"][number]): void {
  grown.text += textOf(choice);
  // Empty, or null, in all pieces but the last.
  grown.finishReason = choice.finish_reason || grown.finishReason;
  grown.promptIds ??= choice.prompt_token_ids ?? undefined;
  if (choice.token_ids) grown.ids = append(grown.ids, choice.token_ids);
  if (choice.logprobs) grown.logProbs = append(grown.logProbs, logProbsOf(choice.logprobs));
}

function append(list: number[] = [], more: readonly number[]): number[] {
  for (const each of more) list.push(each);
  return list;
}

/** The error of a text that broke off after a part of it was passed on, and cannot be repeated. */
export function otherText(reason = "the server's second answer is another text"): ThoughtbookError {
  return new ThoughtbookError("network", `a stream broke off after a part of its text was told, and ${reason}`, {
    hint: "Give a seed (or temperature 0), or leave out onText: then a text is told when it is complete.",
  });
}
