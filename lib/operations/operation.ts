import { fail, type Result } from "../answer/index.js";
import { afterThought } from "./text.js";

/** A prompt and a parser for one kind of request to a model. Stateless: it says nothing of how the model is run. */
export interface Operation<Input, Output> {
  /** Name in a model folder's `thoughtbook.json`. */
  readonly name: string;
  /** The special token that stands for the instruction in models trained on operations: "<|cot|>". */
  readonly tag: string;
  /** The instruction in words, including the output format, for models that follow instructions. */
  readonly instruction: string;
  /** Writes the input as text: what comes after the instruction or the tag. */
  render(input: Input): string;
  /** Writes the output as a model trained on the operation does; `parse` reads it back. */
  write(output: Output): string;
  /**
   * Parse what a model wrote, whatever surrounds it. Nothing in it is executed, and no text makes it throw.
   *
   * @param complete whether the model ended the text; false if it was truncated: then its last part is not used
   */
  parse(text: string, input: Input, complete?: boolean): Result<Output>;
}

interface Definition<Input, Output> {
  name: string;
  instruction: string;
  render(input: Input): string;
  write(output: Output): string;
  /** Parses a text without the thought before it. */
  read(text: string, input: Input, complete: boolean): Result<Output>;
  /** Whether `read` gets the thought as well. */
  readsThought?: boolean;
}

/** Maximum characters that are parsed; longer than any real output. */
const MOST_CHARACTERS = 500_000;

/**
 * Create an operation from its parts. Models may think without being asked: what stands before `</think>` is ignored.
 */
export function defineOperation<Input, Output>(definition: Definition<Input, Output>): Operation<Input, Output> {
  const { name, instruction, render, write, read, readsThought = false } = definition;
  return {
    name,
    tag: `<|${name}|>`,
    instruction,
    render,
    write,
    parse(text, input, complete = true) {
      if (text.length > MOST_CHARACTERS) return fail(`longer than ${MOST_CHARACTERS} characters`);
      const said = readsThought ? text : afterThought(text);
      if (said === undefined) return fail("the thought does not end");
      return said.trim() === "" ? fail("the text is empty") : read(said.trim(), input, complete);
    },
  };
}
