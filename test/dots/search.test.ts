import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type SearchedQuestion, searchTrajectories, staticRates, trajectoryKey } from "thoughtbook/dots";
import type { LanguageModel } from "thoughtbook/llm";
import { createTask, type Problem } from "thoughtbook/tasks";
import { afterEach, describe, expect, it } from "vitest";
import { SILENT } from "../eval/helpers.js";
import { acting, operationsAsked } from "./helpers.js";

const problems = ["program", "easy", "never"].map(
  (id): Problem => ({
    id,
    question: `${id}: what is 3 + 4?`,
    kind: "gsm8k",
    references: ["7"],
    operations: 1,
    fields: { group: id },
  }),
);
const task = createTask("three", problems);

/** Words are right for "easy", programs for "program" and "easy", nothing for "never". */
function said(operation: string | undefined, content: string): string {
  const answer = content.includes("never") ? 1 : operation === "program" || content.includes("easy") ? 7 : 0;
  if (operation === "program") return `return ${answer};`;
  if (operation === "plan") return "1. Add.";
  if (operation === "rewrite") return `<question>${content}</question>`;
  return operation === "verify" ? "right" : `#### ${answer}`;
}

/** The hash stands for the model's weights. */
const solver = (hash = "a") => acting(said, { hash: async () => hash });

const options = (model: LanguageModel, parts = {}) => ({ model, display: SILENT, ...parts });
async function searched(model: LanguageModel, parts = {}): Promise<SearchedQuestion[]> {
  const found: SearchedQuestion[] = [];
  for await (const question of searchTrajectories(task, options(model, parts))) found.push(question);
  return found;
}

let folder: string | undefined;
const inFolder = () => {
  folder = mkdtempSync(join(tmpdir(), "thoughtbook-dots-"));
  return folder;
};
afterEach(() => folder && rmSync(folder, { recursive: true, force: true }));

describe("searchTrajectories", () => {
  it("finds the shortest of the best, and drops what every or no trajectory solves after one round", async () => {
    const [program, easy, never] = await searched(solver());
    expect(program).toMatchObject({ id: "program", best: ["program"], group: "program", operations: 1 });
    expect(program!.samples).toHaveLength(80);
    expect(program).not.toHaveProperty("dropped");
    expect([easy!.dropped, never!.dropped]).toEqual(["every", "none"]);
    expect(easy).not.toHaveProperty("best");
    expect([easy!.samples.length, never!.samples.length]).toEqual([48, 48]);
    const kept = program!.trajectories.filter(({ rounds }) => rounds === 2);
    expect(kept).toHaveLength(8);
    // Right ones go on, and among the wrong ones the shorter.
    expect(kept.map(({ trajectory }) => trajectoryKey(trajectory)).sort()).toEqual(
      [
        ...[
          "program",
          "plan+program",
          "rewrite+program",
          "program+verify",
          "plan+program+verify",
          "rewrite+program+verify",
        ],
        "cot",
        "cot+verify",
      ].sort(),
    );
  });

  it("computes what trajectories share once", async () => {
    const model = solver();
    await searched(model, { search: { perRound: 1, keep: [1] } });
    const asked = operationsAsked(model);
    const count = (operation: string) => asked.filter((each) => each === operation).length;
    // For each of three questions: the plan once, though four trajectories begin with it; solutions with the plan and without. A
    // rewriting that changes nothing leads to the same request as none.
    expect([count("plan"), count("rewrite")]).toEqual([3, 3]);
    expect([count("cot"), count("program")]).toEqual([6, 6]);
  });

  it("has random numbers of their own for samples, the same for the same beginning, and other ones for another seed", async () => {
    const seeds = async (seed: number) => {
      const model = solver();
      await searched(model, { seed, search: { perRound: 2, keep: [1] } });
      return model.calls.flatMap(({ requests }) =>
        requests.flatMap(({ seed: own, samples = 1, firstSample = 0 }) =>
          Array.from({ length: samples }, (_, at) => `${own}#${firstSample + at}`),
        ),
      );
    };
    const first = await seeds(1);
    expect(new Set(first).size).toBe(first.length);
    expect((await seeds(1)).sort()).toEqual(first.sort());
    expect((await seeds(2)).filter((each) => first.includes(each))).toEqual([]);
  });

  it("goes on with the attempts in its folder after a stop at any moment, with the same results", async () => {
    const whole = await searched(solver());
    const place = inFolder();
    const stop = new AbortController();
    let asked = 0;
    const stopping = acting(
      (operation, content) => {
        if (++asked === 40) stop.abort();
        return said(operation, content);
      },
      { hash: async () => "a" },
    );
    await expect(searched(stopping, { folder: place, signal: stop.signal })).rejects.toThrow();
    const lines = readFileSync(join(place, "records.jsonl"), "utf8").split("\n");
    expect(lines.length).toBeGreaterThan(1);
    // The last record was truncated by the stop.
    writeFileSync(join(place, "records.jsonl"), lines.join("\n").slice(0, -20));
    expect(await searched(solver(), { folder: place })).toEqual(whole);
    const model = solver();
    expect(await searched(model, { folder: place })).toEqual(whole);
    expect(model.calls).toEqual([]);
    await expect(searched(solver(), { folder: place, temperature: 1 })).rejects.toThrow(/temperature/);
    await expect(searched(solver("b"), { folder: place })).rejects.toThrow(/model/);
  });

  it("takes other searches, and policies of grading", async () => {
    const bandit = await searched(solver(), { search: { method: "bandit", pulls: 40 } });
    expect(bandit[0]!.best).toContain("program");
    expect(bandit[0]!.samples).toHaveLength(40);
    const near = acting((operation) => (operation === "program" ? "return 7.2;" : "#### 7.2"));
    expect((await searched(near, { search: { perRound: 1, keep: [1] } }))[0]!.dropped).toBe("none");
    // The released code rounds where the right answer is a whole number.
    const rounded = await searched(near, { search: { perRound: 1, keep: [1] }, policy: "dots" });
    expect(rounded[0]!.samples.find(({ trajectory }) => trajectory.join() === "cot")).toMatchObject({
      right: true,
      correct: { strict: false, dots: true },
    });
  });

  it("refuses what cannot be searched", async () => {
    await expect(searched(solver(), { temperature: 0 })).rejects.toThrow(/temperature 0 are all the same/);
    await expect(searched(solver(), { search: { pulls: 11 } })).rejects.toThrow(/11 samples are too few/);
  });
});

describe("staticRates", () => {
  it("counts only as many samples of a trajectory as all have", async () => {
    const [program] = await searched(solver());
    const lucky = structuredClone(program!);
    for (const sample of lucky.samples) if (sample.sample >= 4) sample.right = !sample.right;
    const rates = Object.fromEntries(
      staticRates([lucky]).map(({ trajectory, rate }) => [trajectoryKey(trajectory), rate]),
    );
    expect(rates).toMatchObject({ program: 1, cot: 0 });
    expect(staticRates([lucky])[0]!.trajectory).toEqual(["program"]);
  });
});
