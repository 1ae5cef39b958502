import { type Command, Option } from "@commander-js/extra-typings";
import { z } from "zod";
import { ANSWER_KINDS, type Grade, grade, POLICIES, type Policy } from "../answer/index.js";
import {
  groupBy,
  inexactNumber,
  type JsonlIssue,
  readJsonl,
  resolveUserPath,
  ThoughtbookError,
} from "../core/index.js";
import { proportion } from "../eval/index.js";
import { count } from "./numbers.js";
import { percent } from "./table.js";

const FIELDS = `
One record a line:
  id                      name of the record in the output; the line number unless given
  completion or response  what the model wrote
  reference or answer     the right answer, or a solution with \\boxed{} or ####; whole numbers beyond 2^53 as a string
  kind                    ${ANSWER_KINDS.join(", ")}; math unless given

Policies: strict is ours; astar, dots and aot grade as the released A*-Thought, DOTS and Atom of Thoughts do, with
their faults.`;

/** Text, or what JSON writes for it. */
const reference = z
  .custom<string | number | boolean>((value) => ["string", "number", "boolean"].includes(typeof value), "expected text")
  .superRefine((value, context) => {
    const message = inexactNumber(value);
    if (message !== undefined) context.addIssue({ code: "custom", message });
  });

const recordSchema = z
  .object({
    id: z.union([z.string(), z.number()]).optional(),
    completion: z.string().optional(),
    response: z.string().optional(),
    reference: reference.optional(),
    answer: reference.optional(),
    kind: z.enum(ANSWER_KINDS).optional(),
  })
  .refine((record) => (record.completion ?? record.response) !== undefined, "no completion and no response")
  .refine((record) => (record.reference ?? record.answer) !== undefined, "no reference and no answer");

interface Graded {
  id: string;
  grades: Map<Policy, Grade>;
}

export function addGradeCommand(program: Command): void {
  program
    .command("grade")
    .description("grade records of completions and reference answers")
    .requiredOption("--file <records.jsonl>", "the records, one JSON object a line")
    .addOption(new Option("--policy <policy>", "how to grade").choices([...POLICIES, "all"]).default("all"))
    .option("--limit <n>", "grade only the first n records", count)
    .addHelpText("after", FIELDS)
    .action(async ({ file, policy, limit }) => {
      const policies = policy === "all" ? POLICIES : [policy];
      const { graded, issues } = await gradeFile(resolveUserPath(file), policies, limit);
      if (graded.length === 0) throw nothingToGrade(file, issues);
      for (const each of policies) console.log(accuracyLine(each, graded));
      for (const line of disagreements(graded)) console.log(line);
      if (issues.length > 0) {
        console.log(`malformed lines, not graded: ${issues.length.toLocaleString("en-US")}`);
        for (const { line, reason } of issues) console.log(`  line ${line}: ${reason}`);
      }
    });
}

/** Maximum number of different reasons that an error lists. */
const MOST_REASONS = 4;

/** The error for a file without a gradable record: what its lines lack, and where that occurs first. */
function nothingToGrade(file: string, issues: readonly JsonlIssue[]): ThoughtbookError {
  if (issues.length === 0) {
    return new ThoughtbookError("bad-input", `${file} has no records`, { hint: "Run with --help for the fields." });
  }
  // The messages of JSON's parser hold a part of the line.
  const byReason = groupBy(issues, ({ reason }) => (reason.startsWith("invalid JSON") ? "invalid JSON" : reason));
  const reasons = [...byReason].slice(0, MOST_REASONS).map(([reason, those]) => {
    const more = those.length > 1 ? ` and ${(those.length - 1).toLocaleString("en-US")} more` : "";
    return `${reason} (line ${those[0].line}${more})`;
  });
  const rest = byReason.size > MOST_REASONS ? "; …" : "";
  const lines = issues.length === 1 ? "its line is" : `its ${issues.length.toLocaleString("en-US")} lines are`;
  const message = `${file} has no record that can be graded: ${lines} malformed: ${reasons.join("; ")}${rest}`;
  return new ThoughtbookError("bad-input", message, {
    hint: "Each line needs a completion (or response) and a reference (or answer): see --help.",
  });
}

async function gradeFile(file: string, policies: readonly Policy[], limit = Number.POSITIVE_INFINITY) {
  const graded: Graded[] = [];
  const issues: JsonlIssue[] = [];
  const onMalformed = (issue: JsonlIssue) => issues.push(issue);
  for await (const { line, value } of readJsonl(file, { schema: recordSchema, onMalformed })) {
    const completion = (value.completion ?? value.response)!;
    const reference = String(value.reference ?? value.answer);
    const grades = new Map(
      policies.map((policy) => [policy, grade({ completion, reference, policy, kind: value.kind })]),
    );
    graded.push({ id: String(value.id ?? line), grades });
    if (graded.length >= limit) break;
  }
  return { graded, issues };
}

function accuracyLine(policy: Policy, graded: readonly Graded[]): string {
  const statuses = graded.map(({ grades }) => grades.get(policy)!.status);
  const count = (status: Grade["status"]) => statuses.filter((each) => each === status).length;
  const { value, interval } = proportion(count("correct"), graded.length);
  if (interval === undefined) return `${policy.padEnd(8)}no records`;
  const [low, high] = interval.map(percent);
  const counts = `${count("correct")} of ${graded.length} correct, ${count("unparseable")} unparseable`;
  return `${policy.padEnd(8)}${percent(value).padStart(5)} %  [${low}, ${high}]  ${counts}`;
}

/** The records on which the policies do not all say correct or all say not correct. */
function* disagreements(graded: readonly Graded[]): Generator<string, void, undefined> {
  const mixed = graded.filter(({ grades }) => new Set([...grades.values()].map(({ correct }) => correct)).size > 1);
  if (mixed.length > 0) yield `policies disagree on ${mixed.length} of ${graded.length} records`;
  for (const { id, grades } of mixed) {
    yield `  ${id}`;
    for (const [policy, { status, extracted }] of grades) {
      yield `    ${policy.padEnd(8)}${status.padEnd(12)}${brief(extracted ?? "")}`.trimEnd();
    }
  }
}

function brief(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 80 ? `${line.slice(0, 79)}…` : line;
}
