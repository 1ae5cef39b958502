import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { DIALECTS, type Dialect } from "../../../lib/dist/llm/http/dialects.js";
import { root } from "../../notebook/helpers.js";

const yes = (has: boolean) => (has ? "yes" : "–");
const field = (name: string | undefined) => (name ? `\`${name}\`` : "–");

const COLUMNS: [string, (dialect: Dialect) => string][] = [
  ["server", ({ title }) => title],
  ["known by", ({ knownBy }) => knownBy],
  ["texts go to", ({ textPrompts }) => textPrompts],
  ["ids as prompt", ({ idPrompts }) => yes(idPrompts)],
  ["ids and log-probabilities of texts", ({ tokenIds }) => yes(tokenIds)],
  ["of prompts (`score`)", ({ promptLogProbs }) => yes(promptLogProbs)],
  ["`n`", ({ maxChoices }) => (maxChoices === 1 ? "one request each" : `to ${maxChoices}`)],
  ["`seed`", ({ seed }) => seed],
  ["`topK`", ({ filters }) => field(filters.topK)],
  ["`minP`", ({ filters }) => field(filters.minP)],
  ["`repetitionPenalty`", ({ filters }) => field(filters.repetitionPenalty)],
  ["stop strings", ({ maxStopStrings }) => (maxStopStrings === Infinity ? "any" : `to ${maxStopStrings}`)],
  ["`stopIds`", ({ stopIds }) => yes(stopIds)],
  ["begun answers", ({ answerPrefix }) => yes(answerPrefix)],
  ["template variables", ({ templateVariables }) => yes(templateVariables)],
  ["`countTokens`", ({ tokenize }) => (tokenize ? "`/tokenize`" : "–")],
  ["guided output", ({ guided }) => guided],
];

/** A line for each property, a column for each server. */
function table(): string {
  const dialects = Object.values(DIALECTS) as Dialect[];
  const [heads, ...lines] = COLUMNS.map(([name, show]) => `| ${[name, ...dialects.map(show)].join(" | ")} |`);
  return [heads, `|${"---|".repeat(dialects.length + 1)}`, ...lines].join("\n");
}

it("the differences between servers stand in docs/servers.md as they are in the code", () => {
  expect(readFileSync(join(root, "docs", "servers.md"), "utf8")).toContain(table());
});
