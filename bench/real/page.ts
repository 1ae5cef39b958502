import { table } from "../model/markdown.js";
import { formatNumber, formatSpread, type Machine } from "../shared/report.js";
import { numberText } from "./checks/check.js";
import type { CheckResults } from "./checks/index.js";
import type { Contest } from "./contest.js";
import type { Measured, RealResults } from "./index.js";
import type { Serving } from "./measures/serving.js";

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
const words = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

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
  const absent = failed.map(({ title, reason }) => `Did not take part: ${title}: ${reason}.`);
  return [heading, `(${sizes.join(", ")})`, table(head, rows), ...absent].join("\n\n");
}

function servingPart({ prompts, megabytes, health, longestPauseSeconds, idleAfterLeavingSeconds }: Serving): string {
  const memory = (value: number | null) => (value === null ? "–" : formatNumber(value));
  return [
    "### `serve` with long prompts, one after another",
    table(
      ["prompt, tokens", "s", "most resident memory, MiB"],
      prompts.map((each) => [formatNumber(each.tokens), formatNumber(each.seconds), memory(each.megabytes)]),
    ),
    `Most resident memory ${memory(megabytes)} MiB. Of ${health.asked} requests for \`/health\` ${health.failed} failed, and the slowest took ${formatNumber(health.slowestSeconds)} s; the longest pause of another stream was ${formatNumber(longestPauseSeconds)} s.${idleAfterLeavingSeconds === null ? "" : ` ${formatNumber(idleAfterLeavingSeconds)} s after a client had left in the middle of its prompt the server was idle.`}`,
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
