import { ThoughtbookError } from "../../core/index.js";
import { type Answer, type Choice, logProbsOf, NO_USAGE, type Piece, readPiece, textOf } from "./answer.js";
import type { StreamEvent } from "./events.js";
import { brokenAnswer, ToldError } from "./fault.js";
import { finishOf } from "./finish.js";

/** An error of the caller's own callback, to be told from those of a server. */
export class CallbackError extends Error {
  readonly thrown: unknown;

  constructor(thrown: unknown) {
    super("a callback threw");
    this.thrown = thrown;
  }
}

/** The texts told so far of the samples of a request, and how to tell more; it outlives a broken stream. */
export interface Telling {
  /** By the place of the choice. */
  readonly told: string[];
  tell(text: string, place: number): void;
}

export function createTelling(onText: (text: string, place: number) => void, count: number): Telling {
  const told = Array.from({ length: count }, () => "");
  return {
    told,
    tell(text, place) {
      told[place] += text;
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
 * Read an answer that comes in pieces, and tell its texts. What an earlier stream told already is compared with what comes
 * now, and not told again. The end of the stream is the end of the answer where each text says how it ended, or where the
 * mark of the end came.
 *
 * @param alive called with each sign of life
 * @throws corrupt-data (it broke off), network (another text than the one told), ToldError
 */
export async function readStream(
  events: AsyncIterable<StreamEvent>,
  { told, tell }: Telling,
  alive: () => void,
): Promise<Answer> {
  const growing = new Map<number, Growing>();
  let usage = NO_USAGE;
  let promptIds: readonly number[] | undefined;
  let isComplete = false;
  for await (const event of events) {
    alive();
    if (event.kind === "error") throw new ToldError(event.value);
    if (event.kind === "done") isComplete = true;
    // Some servers have null where they have nothing to say.
    if (event.kind !== "data" || event.value === null) continue;
    const piece = readPiece(event.value);
    usage = { prompt: piece.usage.prompt ?? usage.prompt, completion: piece.usage.completion ?? usage.completion };
    promptIds ??= piece.promptIds;
    for (const choice of piece.choices) {
      const index = choice.index ?? 0;
      const grown = growing.get(index) ?? begun();
      growing.set(index, grown);
      grow(grown, choice);
      if (index < told.length) tellNew(grown.text, index);
    }
  }
  const choices = [...growing].flatMap(([index, { finishReason, ...rest }]): Choice[] => {
    if (index >= told.length) return [];
    if (!finishReason && !isComplete) throw brokenAnswer("an answer that has no end");
    const finish = finishOf(finishReason);
    // A second stream may end before what the first one told.
    if (rest.text !== told[index]) throw otherText();
    return [{ index, ...rest, ...finish, promptIds: rest.promptIds ?? promptIds }];
  });
  return { choices, usage };

  function tellNew(text: string, index: number): void {
    const before = told[index]!;
    const agree = text.length < before.length ? before.startsWith(text) : text.startsWith(before);
    if (!agree) throw otherText();
    if (text.length > before.length) tell(text.slice(before.length), index);
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

/** The error of a text that broke off when a part of it had been told, and cannot be had again. */
export function otherText(reason = "the server's second answer is another text"): ThoughtbookError {
  return new ThoughtbookError("network", `a stream broke off after a part of its text was told, and ${reason}`, {
    hint: "Give a seed (or temperature 0), or leave out onText: then a text is told when it is complete.",
  });
}
