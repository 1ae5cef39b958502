import { join } from "node:path";
import { dataFolder } from "thoughtbook/core";
import { type LanguageModel, loadModel } from "thoughtbook/llm";
import {
  loadReasonerTask,
  reasonerReward,
  runSearch,
  type SearchSettings,
  searchReport,
  searchStrategy,
} from "thoughtbook/reasoner";
import { runAttempts } from "thoughtbook/rollouts";
import { createTask, loadTask, type Problem } from "thoughtbook/tasks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";
import { scriptedModel } from "../operations/helpers.js";

let mini: LanguageModel;
beforeAll(async () => {
  mini = await loadModel("mini");
});
afterAll(() => mini.dispose());

const SETTINGS: readonly Omit<SearchSettings, "budget">[] = [
  { search: "best-of-n" },
  { search: "majority" },
  { search: "weighted" },
  { search: "verifier" },
  { search: "revision", score: "checks" },
  { search: "beam" },
  { search: "mcts" },
  { search: "mcts", value: "probability" },
  { search: "mcts", value: "steps", score: "reward" },
];

describe("searches on mini", () => {
  it.each(SETTINGS)(
    "$search, $value: finds candidates within the budget, and the same again",
    { timeout: 240_000 },
    async (settings) => {
      const { problems } = await loadTask("word-problems:2", { limit: 3 });
      const places = problems.map((problem) => ({ problem, sample: 0 }));
      const strategy = searchStrategy({ ...settings, budget: 150 }, { reward: reasonerReward() });
      const options = { model: mini, maxNewTokens: 64, seed: 1 };
      const attempts = await runAttempts(strategy, places, options);
      for (const { calls, trace, text } of attempts) {
        const { candidates, chosen, spent } = trace as {
          candidates: { text: string }[];
          chosen: number;
          spent: number;
        };
        const tokens = calls.reduce((sum, { completion }) => sum + completion.completionTokens, 0);
        expect(tokens).toBe(spent);
        expect(spent).toBeLessThanOrEqual(150);
        expect(candidates.length).toBeGreaterThan(0);
        expect(candidates[chosen]!.text).toBe(text);
      }
      // Alone, in another order: the same.
      const [alone] = await runAttempts(strategy, places.slice(2), options);
      const textsOf = ({ trace }: { trace?: unknown }) =>
        (trace as { candidates: { text: string }[] }).candidates.map(({ text }) => text);
      expect([alone!.text, ...textsOf(alone!)]).toEqual([attempts[2]!.text, ...textsOf(attempts[2]!)]);
    },
  );

  it("are recorded with what each choice gives, go on after a stop, and refuse other settings", {
    timeout: 240_000,
  }, async () => {
    const folder = await temporaryFolder();
    const task = await loadTask("word-problems:2-3", { limit: 6 });
    const settings = { search: "mcts", budget: 120 } as const;
    const options = { model: mini, settings, maxNewTokens: 64, folder, problemsAtOnce: 2 };
    const first = { ...task, problems: task.problems.slice(0, 2) };
    await runSearch(first, options);
    const { summary, records } = await runSearch(task, options);
    const again = await runSearch(task, { ...options, folder: undefined });
    const textsOf = (run: typeof again) => run.records.map(({ candidates }) => candidates.map(({ text }) => text));
    expect(textsOf({ ...again, records })).toEqual(textsOf(again));
    expect(records.map(({ id }) => id)).toEqual(task.problems.map(({ id }) => id));
    const { best, random, coverage } = summary.selections;
    expect(coverage).toBeGreaterThanOrEqual(best);
    expect(coverage).toBeGreaterThanOrEqual(random);
    expect(summary.accuracy.value).toBe(best);
    const report = searchReport(records);
    expect(report.different).toBeGreaterThan(0);
    expect(report.depth).toBeGreaterThan(0);
    expect((await failure(runSearch(task, { ...options, settings: { ...settings, budget: 64 } }))).code).toBe(
      "bad-input",
    );
  });

  it("refuse what cannot be done", async () => {
    const wrong: [SearchSettings, RegExp][] = [
      [{ search: "best-of-n", budget: 0 }, /budget/],
      [{ search: "mcts", budget: 9, width: 0 }, /width/],
      [{ search: "mcts", budget: 9, value: "head" }, /head/],
      [{ search: "beam", budget: 9, score: "reward" }, /reward/],
      [{ search: "beam", budget: 9, temperature: 0 }, /temperature/],
      [{ search: "dfs" as never, budget: 9 }, /dfs/],
    ];
    for (const [settings, message] of wrong)
      expect((await failure(() => searchStrategy(settings))).message).toMatch(message);
    const code = await loadReasonerTask("code:python", { limit: 1 });
    const found = await failure(runSearch(code, { model: mini, settings: { search: "mcts", budget: 64 } }));
    expect(found.message).toMatch(/asks for a program/);
  });
});

describe("a revision", () => {
  const problem: Problem = {
    ...{ id: "p", question: "Ana has 3 pens and Ben 4. How many have both twice?", kind: "gsm8k", references: ["14"] },
    steps: [
      { expression: "3+4", value: "7" },
      { expression: "7*2", value: "14" },
    ],
  };
  const said = ({ prompt }: { prompt: unknown }) =>
    (prompt as { messages: { content: string }[] }).messages.at(-1)!.content;
  const run = (say: (text: string) => string, settings: Partial<SearchSettings> = {}, asked: Problem = problem) => {
    const prompts: string[] = [];
    const model = scriptedModel((request) => {
      prompts.push(said(request));
      return { text: say(said(request)), finishReason: "stop", completionTokens: 20 };
    });
    const all = { search: "revision", budget: 100, score: "reward", temperature: 0.5, ...settings } as const;
    const task = createTask("one", [asked]);
    return runSearch(task, { model, settings: all, parts: { reward: reasonerReward() } }).then(({ records }) => ({
      prompts,
      record: records[0]!,
    }));
  };

  it("is told which step is wrong, and never the answer", async () => {
    const wrong = "3+4=7\n7*2=15\n#### 15";
    const { prompts, record } = await run((text) => (text.includes("Feedback") ? "3+4=7\n7*2=14\n#### 14" : wrong));
    expect(prompts).toHaveLength(2);
    expect(prompts[1]).toContain("Feedback: Step 2 is wrong.");
    expect(prompts[1]).not.toContain("14");
    expect(record.candidates.map(({ source, correct }) => [source, correct])).toEqual([
      ["sample", false],
      ["revision", true],
    ]);
    expect(record).toMatchObject({ correct: true, spent: 40 });
  });

  it("never lowers the kept reward, and ends where nothing is wrong", async () => {
    const worse = await run((text) => (text.includes("Feedback") ? "nothing at all" : "3+4=7\n7*2=15\n#### 15"), {
      score: "checks",
    });
    expect(worse.record.candidates[worse.record.chosen!]!.text).toContain("15");
    expect(worse.record.candidates.length).toBe(5);
    const right = await run(() => "3+4=7\n7*2=14\n#### 14");
    expect(right.prompts).toHaveLength(1);
  });

  it("of a program is told which shown call fails, in a sandbox", { timeout: 240_000 }, async () => {
    const { problems } = await loadReasonerTask(join(dataFolder(), "tasks", "code", "array-sum.json"));
    const asked = problems.find(({ code }) => code!.language === "javascript")!;
    const wrong = "```js\nfunction arraySum(numbers) { return numbers[0]; }\n```";
    const fixed = `\`\`\`js\n${asked.solution}\n\`\`\``;
    const { prompts, record } = await run(
      (text) => (text.includes("Fault:") ? fixed : wrong),
      { score: "checks", samples: 2 },
      asked,
    );
    expect(prompts[1]).toMatch(/Fault: Example \d fails: the function returned another value than expected/);
    expect(record.candidates.map(({ correct, score }) => [correct, score === 1])).toEqual([
      [false, false],
      [true, true],
    ]);
    expect(record.correct).toBe(true);
  });
});
