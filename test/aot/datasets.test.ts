import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type AtomTrace, aot } from "thoughtbook/aot";
import { evaluate } from "thoughtbook/eval";
import { createHttpModel } from "thoughtbook/llm";
import { loadTask, type Task } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { type Asked, startScripted } from "../llm/http/scripted.js";

const folder = process.env.THOUGHTBOOK_DATA;

const contentOf = ({ body }: Asked): string => {
  const messages = body.messages as { content: string }[];
  return messages.map(({ content }) => content).join("\n");
};

/**
 * A server that knows the answer of a contracted question only: everything else it answers with "wrong". So an attempt is
 * right if its question was decomposed, answered, contracted (with its options and passages), solved and judged.
 */
async function serve({ problems }: Task) {
  const prompts: string[] = [];
  // The last words of the question are its own, with or without the passages before it.
  const of = (text: string) => problems.find(({ question }) => text.includes(question.split("\n\n").at(-1)!.trim()))!;
  const say = (text: string): string => {
    if (text.startsWith("Split the question")) return "1. What is said first? []\n2. What is asked? [1]";
    if (text.includes("between <context>")) {
      return `<context>The passage of ${of(text).id}.</context>\n<question>Contracted ${of(text).id}?</question>`;
    }
    if (text.startsWith("Some sub-questions")) return `<question>Contracted ${of(text).id}.\nWhat is asked?</question>`;
    if (text.startsWith("Below are a question and several answers")) return "Best: 3";
    const contracted = problems.find(
      ({ id }) => text.includes(`Contracted ${id}.`) || text.includes(`Contracted ${id}?`),
    );
    return contracted ? `It follows.\n#### ${contracted.references[0]}` : "#### wrong";
  };
  const { url } = await startScripted((asked) => {
    if (!asked.path.endsWith("/chat/completions")) return undefined;
    const text = contentOf(asked);
    prompts.push(text);
    const message = { role: "assistant", content: say(text) };
    const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
    return { body: JSON.stringify({ choices: [{ index: 0, message, finish_reason: "stop" }], usage }) };
  });
  return { prompts, model: await createHttpModel({ baseUrl: url, model: "scripted", concurrency: 64 }) };
}

async function attempted(task: Task) {
  const { model, prompts } = await serve(task);
  const { records, summary } = await evaluate(aot(), task, { model });
  await model.dispose();
  return { prompts, records, failed: summary.budgets[0]!.failedSteps };
}

const traceOf = (record: { trace?: unknown }) => record.trace as AtomTrace;

describe.skipIf(!folder)(
  "every stage of Atom of Thoughts against a scripted server (skipped without THOUGHTBOOK_DATA)",
  () => {
    it("passes the 100 rows of HotpotQA, and contracts their passages", async () => {
      const task = await loadTask("hotpotqa", { split: "sample" });
      expect(task.problems).toHaveLength(100);
      const { records, prompts, failed } = await attempted(task);
      expect(failed).toEqual({ attempts: 0, steps: {} });
      for (const record of records) {
        const { question } = task.problems.find(({ id }) => id === record.problem)!;
        const [transition] = traceOf(record).transitions;
        expect(transition).toMatchObject({ chosen: "contracted", chosenBy: "judge" });
        expect(transition!.contracted).toBe(`The passage of ${record.problem}.\n\nContracted ${record.problem}?`);
        expect(record.correct.strict).toBe(true);
        expect(record.f1).toBe(1);
        // A sub-question is asked about the passages; the old question is not among them.
        const passages = question.slice(0, question.lastIndexOf("\n\n"));
        expect(prompts.some((text) => text.endsWith(`${passages.trim()}\n\nWhat is said first?`))).toBe(true);
      }
    }, 400_000);

    const splits = folder ? readdirSync(join(folder, "bbh")).map((file) => file.replace(".json", "")) : [];
    it(`passes the ${splits.length} tasks of BIG-Bench Hard: choices, words, yes or no, numbers, brackets`, async () => {
      expect(splits).toHaveLength(27);
      const kinds = new Set<string>();
      for (const split of splits) {
        const task = await loadTask("bbh", { split, limit: 2 });
        const { records, prompts, failed } = await attempted(task);
        expect(failed, split).toEqual({ attempts: 0, steps: {} });
        for (const record of records) {
          kinds.add(record.kind);
          expect(traceOf(record).transitions[0], split).toMatchObject({ chosen: "contracted" });
          expect(record.correct.strict, `${split} ${record.problem}`).toBe(true);
          const { question } = task.problems.find(({ id }) => id === record.problem)!;
          const list = /^(?:Options:|\(A\) )[\s\S]*/m.exec(question)?.[0];
          // Options stay in what is contracted, and out of sub-questions.
          if (list) expect(traceOf(record).transitions[0]!.contracted).toContain(list);
          const subQuestions = prompts.filter((text) => text.endsWith("What is said first?"));
          expect(subQuestions.length).toBeGreaterThan(0);
          for (const text of subQuestions) expect(text).not.toMatch(/^(?:Options:|\(A\) )/m);
        }
      }
      expect([...kinds].sort()).toEqual(["choice", "math", "symbols", "words", "yes-no"]);
    }, 400_000);
  },
);
