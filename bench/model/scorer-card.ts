import { band, percent, table } from "./markdown.js";
import type { ScorerMeasurement } from "./scorer.js";

export const SCORER = "It weighs the steps of long chains, as GPT-2 does in A*-Thought; it answers no questions.";

/** What was measured of a model that weighs texts. */
export function scorerSections({ operations, losses, precision }: ScorerMeasurement): string {
  return `On ${losses[0]!.loss.count} unseen problems of ${operations.join(" to ")} operations, of scenarios and structures that were held out, with 95 % intervals over problems.

Mean negative log-probability of a token, in nats:

${table(
  ["text", "after", "loss", "95 %"],
  losses.map(({ text, after, loss }) => [
    text,
    after,
    loss.value.toFixed(3),
    loss.interval!.map((end) => end.toFixed(3)).join(" – "),
  ]),
)}

Bidirectional importance, α = 0.5: which share of the steps that the answer needs is among the most important ones, of which as many are
taken as are needed:

${table(
  ["signal", "normalisation", "found %", "95 %"],
  precision.map(({ signal, normalisation, precision: { value, interval } }) => [
    signal,
    signal === "both" || signal === "attention" ? normalisation : "",
    percent(value),
    band(interval!),
  ]),
)}
`;
}
