import { ThoughtbookError } from "../../core/index.js";
import { type Answer, type Choice, checkFinish, logProbsOf, type Piece, readPiece, readUsage } from "./answer.js";

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
  finishReason: string | undefined;
  promptIds: readonly number[] | undefined;
  ids: number[] | undefined;
  logProbs: number[] | undefined;
}

/**
 * Read an answer that comes in pieces, and tell its texts. What an earlier stream told already is compared with what comes
 * now, and not told again.
 *
 * @param alive called with each piece
 * @throws corrupt-data (it broke off), network (another text than the one told)
 */
export async function readStream(
  pieces: AsyncIterable<unknown>,
  { told, tell }: Telling,
  alive: () => void,
): Promise<Answer> {
  const growing = new Map<number, Growing>();
  let usage: Piece["usage"];
  let promptIds: readonly number[] | undefined;
  for await (const value of pieces) {
    alive();
    const piece = readPiece(value);
    usage = piece.usage ?? usage;
    promptIds ??= piece.prompt_token_ids ?? undefined;
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
    const end = checkFinish(finishReason);
    // A second stream may end before what the first one told.
    if (rest.text !== told[index]) throw otherText();
    return [{ index, ...rest, promptIds: rest.promptIds ?? promptIds, finishReason: end }];
  });
  return { choices, usage: readUsage(usage) };

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
  grown.text += choice.text ?? choice.delta?.content ?? "";
  grown.finishReason = choice.finish_reason ?? grown.finishReason;
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
