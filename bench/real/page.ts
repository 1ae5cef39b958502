import { countOf } from "thoughtbook/core";
import { table } from "../model/markdown.js";
import type { LongResult } from "../serve/long.js";
import { formatNumber, formatSpread, type Machine } from "../shared/report.js";
import { numberText } from "./checks/check.js";
import type { CheckResults } from "./checks/index.js";
import type { Contest } from "./contest.js";
import type { Measured, RealResults } from "./index.js";

export const TITLE = "How fast and how exact is the engine on real models?";

const INTRODUCTION = `This engine and others at the same work, on the same machine, each round in turn: medians of the rounds, and in parentheses the
range. Ratios are taken in each round: 2 means that this engine is twice as fast. \`fast\` multiplies the file's own 4 to 8 bits,
\`exact\` computes in float32. All get the same prompts, made from word problems of this library, with others in each round, and write texts of
the same length; llama.cpp's are random ids of that length. vLLM and transformers run on the file's weights dequantised.

\`\`\`sh
npm run bench -- real --gguf FILE --python PATH --llama FOLDER              # all measures; --only decode,lora for some
npm run bench -- real --gguf FILE --python PATH --llama FOLDER --checks     # is it right? --checks ids,batch for some
\`\`\`

\`--python\` is a Python with any of vLLM, transformers, PEFT and llama-cpp-python, and may be given several times; \`--llama\` holds
llama-batched-bench and llama-server. Who is not there is left out, and named. \`--out bench/results --page\` writes this page anew.
`;

/** The page of the documentation that tells the results. */
export function realPage(results: RealResults, checks: CheckResults): string {
  const models = [...new Set([...Object.keys(results), ...Object.keys(checks)])];
  return [
    `# ${TITLE}`,
    INTRODUCTION.trim(),
    ...models.flatMap((model) => [
      `## ${model}`,
      ...Object.values(results[model] ?? {}).flatMap(measureParts),
      ...checkParts(checks[model] ?? {}),
    ]),
  ]
    .join("\n\n")
    .concat("\n");
}

const placeOf = ({ processor, cores, loadBefore }: Machine, started: string): string =>
  `Measured on ${started.slice(0, 10)} with ${cores} cores of ${processor}; load before: ${loadBefore}.`;

function measureParts({ machine, started, contests, serving, failure }: Measured): string[] {
  const parts = [...contests.map(contestPart), ...(serving ? [servingPart(serving)] : [])];
  if (failure !== undefined) parts.push(`Failed: ${failure}.`);
  return [...parts, placeOf(machine, started)];
}

/** What its conditions say in words: `promptTokens` as "prompt tokens". */
const words = (name: string): string =>
  name.includes(" ") ? name : name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function contestPart({ title, unit, better, references, conditions, peers, failed }: Contest): string {
  const sizes = Object.entries(conditions).map(([name, value]) => `${words(name)} ${value}`);
  const compared = references.filter((name) => peers.some((peer) => peer.timesAsGood[name]));
  const head = ["", unit, ...compared.map((name) => (better === "more" ? `${name} is faster by` : `of ${name}`))];
  const rows = peers.map(({ title, value, timesAsGood }) => [
    title,
    formatSpread(value),
    ...compared.map((name) => formatSpread(timesAsGood[name] ?? null)),
  ]);
  const heading = `### ${title[0]!.toUpperCase()}${title.slice(1)}`;
  const absent = failed.map(({ name, title, reason }) => {
    const rounds = peers.find((peer) => peer.name === name)?.value?.count ?? 0;
    return `${title} ${rounds === 0 ? "did not take part" : `failed after ${countOf(rounds, "round")}`}: ${beginning(reason)}`;
  });
  return [heading, `(${sizes.join(", ")})`, table(head, rows), ...absent].join("\n\n");
}

/** Of a reason, which may end with all that a program wrote, what comes before that. */
function beginning(reason: string): string {
  const short = reason.slice(0, REASON_CHARACTERS);
  return short === reason ? `${reason}.` : `${short.slice(0, short.lastIndexOf(" "))} …`;
}
const REASON_CHARACTERS = 120;

function servingPart({ startMb, prompts, left }: LongResult): string {
  const { alone, reading, waiting, writing } = left;
  const seconds = [alone, reading, waiting, writing].map(formatNumber);
  return [
    "### `serve` with long prompts, one after another, beside another stream",
    table(
      ["prompt, tokens", "s", "resident memory at most, MB", "longest pause of the stream, s", "slowest `/health`, s"],
      prompts.map(({ tokens, seconds, peakMb, pause, health }) =>
        [tokens, seconds, peakMb, pause, health].map(formatNumber),
      ),
    ),
    `Before the first prompt the server has ${formatNumber(startMb)} MB. With one row, a short answer takes ${seconds[0]} s alone; ${seconds[1]}, ${seconds[2]} and ${seconds[3]} s after a client has left while its prompt was read, while it waited, and while its text was written.`,
  ].join("\n\n");
}

function checkParts(checks: CheckResults[string]): string[] {
  const rows = Object.values(checks).flatMap(({ findings }) =>
    findings.map(({ statement, holds, numbers, intervals = {} }) => {
      const said = Object.entries(numbers).map(([name, value]) => {
        const interval = intervals[name];
        return `${words(name)} ${numberText(value)}${interval ? ` (${interval.map(formatNumber).join("–")})` : ""}`;
      });
      return [statement, holds ? "yes" : "no", said.join(", ")];
    }),
  );
  const failed = Object.entries(checks).flatMap(([name, { failure }]) =>
    failure === undefined ? [] : [`The check ${name} failed: ${failure}.`],
  );
  if (rows.length === 0) return failed;
  return ["### Is it right?", table(["statement", "holds", "counts, with intervals of 95 %"], rows), ...failed];
}
