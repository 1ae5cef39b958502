import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { evaluate, parseArithmetic } from "thoughtbook/answer";
import { dataFolder } from "thoughtbook/core";
import { classicTasks, loadReasonerTask, readTaskFile, taskFileSchemas } from "thoughtbook/reasoner";
import { openProgramSandbox } from "thoughtbook/rollouts";
import { gradeAttempt } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";

const folder = join(dataFolder(), "tasks");
const json = (file: string) => JSON.parse(readFileSync(join(folder, file), "utf8"));

describe("the files of data/tasks", () => {
  it("are what their schemas say, and the schemas what the library reads", async () => {
    for (const [domain, schema] of Object.entries(taskFileSchemas())) {
      expect(json(`${domain}.schema.json`)).toEqual(JSON.parse(JSON.stringify(schema)));
      const files = readdirSync(join(folder, domain));
      expect(files).toHaveLength(3);
      for (const file of files) {
        const { tasks } = await readTaskFile(join(folder, domain, file));
        const { problems } = await loadReasonerTask(join(folder, domain, file));
        expect(problems.map(({ id }) => id)).toEqual(tasks.map(({ id }) => id));
      }
    }
    for (const [name, tasks] of Object.entries(classicTasks())) expect(json(`code/${name}.json`).tasks).toEqual(tasks);
  });

  it("refuse what is no task, by its place, and take other files of questions as rows", async () => {
    const [wrong, rows] = [join(await temporaryFolder(), "wrong.json"), join(await temporaryFolder(), "rows.json")];
    const { writeFile } = await import("node:fs/promises");
    await writeFile(
      wrong,
      JSON.stringify({ domain: "math", tasks: [{ id: "1", question: "?", steps: [], answer: "x" }] }),
    );
    await writeFile(rows, JSON.stringify([{ question: "What is 2 + 3?", answer: 5 }]));
    expect((await failure(readTaskFile(wrong))).message).toMatch(/tasks\[0\]\.(steps|answer)/);
    expect((await failure(loadReasonerTask("code:cobol"))).message).toContain("cobol");
    expect((await failure(loadReasonerTask("math", { split: "new" }))).message).toContain("new");
    expect((await loadReasonerTask(rows)).problems[0]!.references).toEqual(["5"]);
  });

  it("know FizzBuzz: 15 is FizzBuzz", async () => {
    const [javascript] = classicTasks().fizzbuzz;
    const hidden = javascript!.functions[0]!.hidden;
    expect(hidden).toContainEqual({ args: [15], expect: "FizzBuzz" });
    const sandbox = openProgramSandbox();
    const { problems } = await loadReasonerTask(join(folder, "code", "fizzbuzz.json"));
    const off = "function fizzBuzz(n) { return n % 3 ? (n % 5 ? String(n) : 'Buzz') : 'Fizz'; }";
    const grades = [problems[0]!.solution!, off].map((solution) =>
      gradeAttempt(problems[0]!, { text: "", solution }, { sandbox }),
    );
    expect((await Promise.all(grades)).map(({ correct }) => correct.strict)).toEqual([true, false]);
    await sandbox.close();
  });
});

describe("math tasks", () => {
  it("have steps that lead to the answer, and numbers of their kind", async () => {
    const { problems } = await loadReasonerTask("math", { limit: 30, split: "train", seed: 5 });
    for (const { steps, references, id, question } of problems) {
      expect(steps!.at(-1)!.value).toBe(references[0]);
      for (const { expression, value } of steps!) {
        const parsed = parseArithmetic(expression);
        const found = parsed.ok ? evaluate(parsed.value) : parsed;
        expect(found.ok && found.value.toFraction()).toBe(value);
      }
      const given = [...question.matchAll(/\d+/g)].map(([number]) => Number(number));
      if (id.startsWith("single-digit")) expect(given.every((each) => each <= 9)).toBe(true);
      if (id.startsWith("double-digit")) expect(given.every((each) => each <= 99)).toBe(true);
      if (id.startsWith("multi-step")) expect(steps!.length).toBeGreaterThanOrEqual(2);
    }
    const heldOut = await loadReasonerTask("math", { limit: 30, split: "test", seed: 5 });
    const known = new Set(problems.map(({ question }) => question));
    expect(heldOut.problems.some(({ question }) => known.has(question))).toBe(false);
  });
});
