import type { Command } from "@commander-js/extra-typings";
import type { AtomTrace } from "../../aot/index.js";
import { badInput, resolveUserPath } from "../../core/index.js";
import type { EvaluationRecord } from "../../eval/index.js";
import type { Flags } from "../flags.js";
import { nameOf } from "../table.js";

const OUTPUT = `
The folder is that of "thoughtbook evaluate" with a strategy that keeps a trace, such as aot. Without --record the records are
listed. A drawing has each transition with its question, the graph of its sub-questions with their answers, the contracted
question, and whose answer went on; of best-of-k one for each chain. Traces of other strategies are printed as JSON.`;

export function addTraceCommand(program: Command): void {
  traceCommand(program).action(trace);
}

const traceCommand = (program: Command) =>
  program
    .command("trace")
    .description("show and draw what a strategy did in an attempt that was evaluated")
    .argument("<folder>", "the folder of the evaluation")
    .option("--record <id>", "the id of the record, or of its problem")
    .option("--figures <folder>", "export the drawing there, as SVG and PNG")
    .option("--json", "print the trace as JSON")
    .addHelpText("after", OUTPUT);

async function trace(folder: string, { record: id, figures, json }: Flags<typeof traceCommand>): Promise<void> {
  // Imported here so that other commands do not load the engine.
  const { readEvaluationRecords } = await import("../../eval/index.js");
  const { atomChains } = await import("../../aot/index.js");
  const records = await readEvaluationRecords(resolveUserPath(folder));
  if (id === undefined) {
    for (const each of records) console.log([each.id, summaryOf(each, atomChains(each.trace))].join("  "));
    return;
  }
  const record = records.find((each) => each.id === id) ?? records.find(({ problem }) => problem === id);
  if (!record) {
    throw badInput(`${folder} has no record ${JSON.stringify(id)}`, "Leave out --record to list them.");
  }
  if (record.trace === undefined) {
    throw badInput(`the record ${record.id} holds no trace`, "Its strategy keeps none; aot does, for example.");
  }
  const chains = atomChains(record.trace);
  if (json || chains.length === 0) console.log(JSON.stringify(record.trace, null, 2));
  else console.log(chains.map(readable).join("\n\n"));
  if (figures === undefined) return;
  if (chains.length === 0) throw badInput(`the trace of ${record.id} cannot be drawn`, "Leave out --figures.");
  const { drawAtomTrace, exportDrawing } = await import("../../plot/index.js");
  for (const [at, chain] of chains.entries()) {
    const part = chains.length > 1 ? `-${at + 1}` : "";
    const name = `trace-${nameOf(record.id.replaceAll(/[/#@]/g, "-"))}${part}`
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-");
    const drawing = drawAtomTrace(chain, { name, title: `Atom of Thoughts: ${record.problem}` });
    const { svg, png } = await exportDrawing(drawing, resolveUserPath(figures));
    console.log(`${svg}\n${png}`);
  }
}

function summaryOf({ correct, trace }: EvaluationRecord, chains: readonly AtomTrace[]): string {
  const right = correct.strict ? "right" : "wrong";
  if (chains.length === 0) return trace === undefined ? `${right}, no trace` : right;
  return `${right}, ${chains.map(({ transitions, stopped }) => `${transitions.length} transitions, stopped: ${stopped}`).join("; ")}`;
}

function readable({ transitions, stopped, failures, costs }: AtomTrace): string {
  const parts = transitions.flatMap(({ question, graph = [], contracted, answers, chosen, chosenBy }, at) => [
    `Transition ${at + 1}${costs[at] ? ` (${costs[at].calls} calls, ${costs[at].completionTokens} new tokens)` : ""}`,
    `  Q${at}: ${question}`,
    ...graph.map(
      (node, index) =>
        `  ${index + 1}. ${node.question} [${node.dependsOn.map((each) => each + 1).join(", ")}] ${node.answer ?? "(no answer)"}`,
    ),
    ...(contracted === undefined ? [] : [`  Q${at + 1}: ${contracted}`]),
    `  answers: ${Object.entries(answers)
      .map(([source, answer]) => `${source} ${answer}${source === chosen ? ` <- ${chosenBy}` : ""}`)
      .join(", ")}`,
  ]);
  const failed = failures.map(({ step, transition, failure, reason }) => {
    return `Failed in transition ${transition + 1}: ${step} (${failure}): ${reason}`;
  });
  return [...parts, `Stopped: ${stopped}`, ...failed].join("\n");
}
