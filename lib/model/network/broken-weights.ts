import { ThoughtbookError } from "../../core/index.js";
import type { HostModel } from "./host-model.js";

/**
 * Create the error for scores that are NaN or infinite. It searches the weights for the cause, which takes a second at
 * most for a model of a billion parameters.
 *
 * @param what whose scores they are: "sequence 0"
 */
export function brokenScores({ weights, adapter }: HostModel, what: string): ThoughtbookError {
  const tensors = [...Object.entries(weights), ...Object.entries(adapter?.parameters ?? {})];
  const broken = tensors.flatMap(([name, { data }]) => {
    const place = data.findIndex((value) => !Number.isFinite(value));
    return place === -1 ? [] : [{ name, value: data[place]!, place }];
  });
  const first = broken[0];
  const message = `the model's scores of ${what} are no numbers (NaN)`;
  if (first === undefined) {
    return new ThoughtbookError("execution", `${message}, though all its weights are: they are too large for float32`, {
      hint: "Check the checkpoint, or train again with a lower learning rate.",
    });
  }
  const { name, value, place } = first;
  const others = broken.length > 1 ? `, and ${broken.length - 1} more of its tensors are broken` : "";
  return new ThoughtbookError("execution", `${message}: its weight ${name} holds ${value} at place ${place}${others}`, {
    hint: "Download the checkpoint again, or train again with a lower learning rate.",
  });
}
