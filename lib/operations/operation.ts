import { fail, type Result } from "../answer/index.js";
import { afterThought } from "./text.js";

/** Something a method asks of a model. It is stateless: what it says and how it reads, not how it is run. */
export interface Operation<Input, Output> {
  /** What a model folder's `thoughtbook.json` calls it. */
  readonly name: string;
  /** The special token that stands for the instruction in models trained on operations: "<|cot|>". */
  readonly tag: string;
  /** The instruction in words, with the format wanted, for models that follow instructions. */
  readonly instruction: string;
  /** The input as text: what comes after the instruction or the tag. */
  render(input: Input): string;
  /** What a model trained on the operation writes; `parse` reads it back. */
  write(output: Output): string;
  /**
   * Read what a model wrote, whatever stands around it. Nothing in it is executed, and no text makes it throw.
   *
   * @param complete whether the model ended the text; false if it was cut off: then what stands at the end does not count
   */
  parse(text: string, input: Input, complete?: boolean): Result<Output>;
}

interface Definition<Input, Output> {
  name: string;
  instruction: string;
  render(input: Input): string;
  write(output: Output): string;
  /** Reads a text without the thought before it. */
  read(text: string, input: Input, complete: boolean): Result<Output>;
  /** Whether `read` gets the thought as well. */
  readsThought?: boolean;
}

/** Longer than anything a model writes in one go. */
const MOST_CHARACTERS = 500_000;

/** An operation from its parts. Models that think unasked may do so: what stands before `</think>` is left out. */
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
