import type { LanguageModel } from "thoughtbook/llm";
import { OPERATIONS, runOperation } from "thoughtbook/operations";
import { describe, expect, it } from "vitest";
import { together } from "../../../lib/dist/eval/operations/together.js";
import { failure } from "../../core/helpers.js";
import { scriptedModel } from "../../operations/helpers.js";

/** Finishes the first text at once, and the others when it is stopped. */
function endless(): LanguageModel {
  const model = scriptedModel(() => "#### 1");
  return {
    ...model,
    async generate([first], { signal, onFinish } = {}) {
      const [[completion] = []] = await model.generate([first!]);
      onFinish?.(completion!, { request: 0, sample: 0 });
      return new Promise((_, reject) => {
        const stop = () => reject(new Error("stopped"));
        if (signal!.aborted) stop();
        else signal!.addEventListener("abort", stop);
      });
    },
  };
}

const input = (question: string) => ({ question });

describe("together", { timeout: 10_000 }, () => {
  it("a record that cannot be stored ends the call that all share", async () => {
    const ended: string[] = [];
    const work = async (name: string, model: LanguageModel, signal: AbortSignal) => {
      const full = new AbortController();
      await runOperation(model, OPERATIONS.answer, [input(`${name}?`), input(`${name} then?`)], {
        attempts: 1,
        signal: AbortSignal.any([full.signal, signal]),
        onOutcome: () => full.abort(new Error("the disk is full")),
      }).finally(() => ended.push(name));
    };
    const error = await failure(together(endless(), ["one", "other"], {}, work));
    expect(error.message).toBe("the disk is full");
    expect(ended.sort()).toEqual(["one", "other"]);
  });

  it("an interruption is told as the model tells it", async () => {
    const stop = new AbortController();
    const work = async (_: string, model: LanguageModel, signal: AbortSignal) => {
      await runOperation(model, OPERATIONS.answer, [input("One?"), input("Two?")], {
        attempts: 1,
        signal,
        onOutcome: () => stop.abort(),
      });
    };
    expect((await failure(together(endless(), ["one"], { signal: stop.signal }, work))).message).toBe("stopped");
  });
});
