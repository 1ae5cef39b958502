import { join } from "node:path";
import { badInput, readJsonl, sha256, strictJson, writeWhole } from "../../core/index.js";
import { evaluationRecordSchema } from "../records.js";

/** A line of lm-evaluation-harness's file of samples. */
export interface HarnessSample {
  doc_id: number;
  doc: Record<string, unknown>;
  target: string;
  arguments: { gen_args_0: { arg_0: string; arg_1: Record<string, unknown> } };
  resps: [string[]];
  filtered_resps: string[];
  filter: string;
  metrics: ["exact_match"];
  doc_hash: string;
  prompt_hash: string;
  target_hash: string;
  exact_match: number;
}

/**
 * Write the records of an evaluation as a file of samples of lm-evaluation-harness (`--log_samples`): a line for each
 * problem, with all its texts, and the share of them that is right as `exact_match`. Records hold no prompt: `arg_0` is empty.
 *
 * @param folder of `evaluate`
 * @param policy under which texts are right
 * @returns number of lines
 * @throws bad-input for a budget or policy that the records do not have; corrupt-data, not-found, file-system
 */
export async function exportSamples(
  folder: string,
  out: string,
  {
    budget,
    policy = "strict",
  }: { budget?: number | undefined; policy?: "strict" | "astar" | "dots" | "aot" | undefined } = {},
): Promise<number> {
  const problems = new Map<string, HarnessSample & { right: number }>();
  const budgets = new Set<number>();
  for await (const { value: record } of readJsonl(join(folder, "records.jsonl"), { schema: evaluationRecordSchema })) {
    budgets.add(record.budget);
    if (budget === undefined && budgets.size > 1) {
      throw badInput(`${folder} has several budgets`, "Name the one that is to be written.");
    }
    if (budget !== undefined && record.budget !== budget) continue;
    const right = record.correct[policy];
    if (right === undefined) throw badInput(`${record.id} is not graded as ${policy}`, "Choose another policy.");
    const known =
      problems.get(record.problem) ?? sampleOf(record.problem, problems.size, record.reference, record.budget, policy);
    known.resps[0].push(record.completion);
    known.filtered_resps.push(record.answer ?? "[invalid]");
    known.right += Number(right);
    problems.set(record.problem, known);
  }
  if (problems.size === 0)
    throw badInput(`${folder} has no record of the budget ${budget}`, `It has ${[...budgets].join(", ")}.`);
  const lines = [...problems.values()].map(({ right, ...sample }) =>
    strictJson({ ...sample, exact_match: right / sample.resps[0].length }),
  );
  await writeWhole(out, lines.map((line) => `${line}\n`).join(""));
  return lines.length;
}

function sampleOf(
  problem: string,
  doc_id: number,
  target: string,
  budget: number,
  policy: string,
): HarnessSample & { right: number } {
  const doc = { id: problem, target };
  return {
    doc_id,
    doc,
    target,
    arguments: { gen_args_0: { arg_0: "", arg_1: { max_gen_toks: budget } } },
    resps: [[]],
    filtered_resps: [],
    filter: policy,
    metrics: ["exact_match"],
    doc_hash: sha256(JSON.stringify(doc, null, 2)),
    prompt_hash: sha256(""),
    target_hash: sha256(target),
    exact_match: 0,
    right: 0,
  };
}
