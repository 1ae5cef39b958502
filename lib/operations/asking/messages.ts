import type { ChatPrompt } from "../../llm/index.js";
import type { ChatMessage } from "../../model/index.js";
import type { Operation } from "../operation.js";
import { chosenDemonstrations } from "./asked-model.js";
import { writeAs } from "./forms.js";
import type { Way } from "./table.js";

/** Parts of an asked prompt, before a chat template or plain text has them. */
export interface AskedParts {
  system: string | undefined;
  /** Turns before the last: of the user and the assistant in turn. */
  turns: readonly { user: string; assistant: string }[];
  /** The last turn of the user. */
  user: string;
  /** How the answer is begun. */
  begin: string;
}

/**
 * What a model is told in the way of its kind. A system prompt that is given keeps the system's place: an instruction for
 * that place then stands in the user's turn.
 */
export function askedParts<Input>(
  model: object,
  operation: Pick<Operation<Input, unknown>, "name" | "instruction" | "render">,
  input: Input,
  way: Way,
  given: { system?: string | undefined; prefill?: string | undefined },
): AskedParts {
  const { instruction = operation.instruction, begin, place, form, demonstrations } = way;
  const inSystem = place === "system" && given.system === undefined;
  const told = (rendered: string): string => {
    if (inSystem || instruction === "") return rendered;
    return instruction.includes("{input}")
      ? instruction.replaceAll("{input}", () => rendered)
      : `${instruction}\n\n${rendered}`;
  };
  const shown = chosenDemonstrations(model, operation.name, input).map(({ example }) => ({
    input: example.prompt,
    output: begunWith(begin, writeAs(example.operation, example.output, form)),
  }));
  const rendered = operation.render(input);
  const within = demonstrations?.form === "prompt";
  const examples = within
    ? shown.map((each, at) => `Example ${at + 1}:\n${each.input}\n\n${each.output}\n\n`).join("")
    : "";
  return {
    system: given.system ?? (inSystem ? instruction : undefined),
    turns: within ? [] : shown.map((each) => ({ user: told(each.input), assistant: each.output })),
    user: told(examples === "" ? rendered : `${examples}Now this one:\n${rendered}`),
    begin: given.prefill ?? begin,
  };
}

/** An example begins as the model's own text will. */
const begunWith = (begin: string, output: string): string =>
  output.startsWith(begin.trimEnd()) ? output : `${begin}${output}`;

/** As a conversation. */
export function askedChat({ system, turns, user, begin }: AskedParts): ChatPrompt {
  const messages: ChatMessage[] = [
    ...(system === undefined ? [] : [{ role: "system", content: system }]),
    ...turns.flatMap((turn) => [
      { role: "user", content: turn.user },
      { role: "assistant", content: turn.assistant },
    ]),
    { role: "user", content: user },
  ];
  return begin === "" ? { messages } : { messages, answer: begin };
}

/** As a text, for models without a chat template. */
export function askedText({ system, turns, user, begin }: AskedParts): string {
  const parts = [
    ...(system === undefined ? [] : [system]),
    ...turns.map((turn) => `${turn.user}\n\nAnswer:\n${turn.assistant}`),
    `${user}\n\nAnswer:\n${begin}`,
  ];
  return parts.join("\n\n");
}
