import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AotGrpoOptions, aot, aotGrpo, promptTasks } from "thoughtbook/aot";
import { optimizeSoftPrompt } from "thoughtbook/grpo";
import { loadLocalModel, softPromptOf } from "thoughtbook/llm";
import { exportGguf, openCheckpoint, resolveModel } from "thoughtbook/model";
import type { Strategy } from "thoughtbook/rollouts";
import { createTask, loadTask } from "thoughtbook/tasks";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";
import { shareOfE } from "../seams/toys.js";
import { SILENT } from "../train/helpers.js";

const SMALL = { problems: 1, groupSize: 2, vectors: 2, maxNewTokens: 48, seed: 1, threads: 1, display: SILENT };

async function small(parts: Partial<AotGrpoOptions> = {}) {
  const model = await loadLocalModel("mini");
  const task = await loadTask("word-problems:2", { limit: 2 });
  const training = await loadTask("word-problems:2", { limit: 2, split: "train" });
  const folder = parts.folder ?? (await temporaryFolder());
  return { folder, result: await aotGrpo({ model, task, training, steps: 1, ...SMALL, ...parts, folder }) };
}

describe("aotGrpo", () => {
  it("evaluates without and with the learned prompt, scores each problem, and resumes", async () => {
    const strategy = aot({ without: ["dependent"] });
    const { folder, result } = await small({ strategy });
    expect(result).toMatchObject({ samples: 2, steps: 1, per: "task", reward: "answer", strategy: "aot-no-dependent" });
    expect(result.updates).toMatchObject([{ step: 1, reward: expect.any(Number) }]);
    const lines = (await readFile(join(folder, "records.jsonl"), "utf8")).trim().split("\n");
    const records = lines.map((line) => JSON.parse(line));
    expect(records).toHaveLength(2);
    for (const each of records) {
      expect(each).toMatchObject({ method: "aot-grpo", ground_truth: expect.any(String) });
      expect([0, 1]).toContain(each.score.aot);
      expect([0, 1]).toContain(each.score.optimized);
      for (const { depend, answer } of each.sub_questions) if (depend.length > 0) expect(answer).toBeNull();
    }
    const right = records.filter(({ score }) => score.optimized === 1).length;
    expect(result.optimised!.budgets[0]!.accuracy.strict!.value).toBe(right / 2);
    const { both, onlyFirst } = result.comparison!;
    expect(both + onlyFirst).toBe(right);
    expect((await small({ folder, strategy })).result).toEqual(result);
    expect(JSON.parse(await readFile(join(folder, "result.json"), "utf8"))).toEqual(JSON.parse(JSON.stringify(result)));
  }, 120_000);

  it("learns a prompt for each question without labels, or evaluates only", async () => {
    const { result } = await small({ training: undefined, problems: 2 });
    expect(result).toMatchObject({ per: "question", reward: "majority", steps: 1 });
    expect(result.optimised!.problems).toBe(2);
    const { result: plain } = await small({ steps: 0 });
    expect(plain.updates).toEqual([]);
    expect(plain).not.toHaveProperty("optimised");
    expect(await failure(() => small({ training: undefined, reward: "answer" }))).toMatchObject({ code: "bad-input" });
  }, 120_000);
});

describe("promptTasks", () => {
  it("never learns on what is evaluated", async () => {
    const words = await promptTasks("word-problems:2-3", { samples: 4, training: 6 });
    expect(words.task.problems).toHaveLength(4);
    expect(words.training.problems).toHaveLength(6);
    const file = join(await temporaryFolder(), "mine.jsonl");
    const rows = Array.from({ length: 30 }, (_, at) =>
      JSON.stringify({ question: `Number ${at}?`, answer: String(at) }),
    );
    await writeFile(file, rows.join("\n"));
    const own = await promptTasks(file, { samples: 5 });
    expect(own.task.problems).toHaveLength(5);
    const learned = new Set(own.training.problems.map(({ id }) => id));
    expect(learned.size).toBeGreaterThan(2);
    expect(own.task.problems.some(({ id }) => learned.has(id))).toBe(false);
  });

  it.skipIf(!process.env.THOUGHTBOOK_DATA)("takes all tasks of BIG-Bench Hard in turn", async () => {
    const { task, training } = await promptTasks("bbh", { samples: 18, training: 9 });
    expect(new Set(task.problems.map(({ id }) => id.split("/")[1])).size).toBeGreaterThan(12);
    expect(training.problems).toHaveLength(9);
    const gsm8k = await promptTasks("gsm8k", { samples: 2, training: 2 });
    expect(gsm8k.training.settings.split).toBe("train");
  });
});

const goOn: Strategy = {
  name: "go-on",
  async attempt({ id, question }, { model, seed, sample, sampling, maxNewTokens }) {
    const request = { prompt: question, ...sampling, maxNewTokens, seed: `${seed}/${id}/${sample}` };
    const [[completion] = []] = await model.generate([request]);
    return { text: completion!.text };
  },
};

describe("in low memory", () => {
  it("optimises a prompt beside weights that stay in their blocks, to the same numbers", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "scorer-q8_0.gguf");
    await exportGguf(await openCheckpoint(await resolveModel("mini-scorer")), file, { type: "q8_0" });
    const task = createTask("beginnings", [
      { id: "1", question: "Tom has 3 apples.", kind: "words", references: ["x"] },
    ]);
    const learned = async (lowMemory: boolean) => {
      const model = await loadLocalModel(file, { lowMemory });
      const { prompts } = await optimizeSoftPrompt({
        ...{ model, task, strategy: goOn, reward: shareOfE, groupSize: 6, maxNewTokens: 8, seed: 2, vectors: 3 },
        ...{ collections: 2, problems: 1, passes: 1, beta: 0.01, text: "Tom has", display: SILENT, threads: 1 },
        folder: join(folder, String(lowMemory)),
      });
      const { blocks } = await model.host();
      const first = (await softPromptOf(model, "Tom has", 3)).data;
      await model.dispose();
      return { vectors: prompts[0]!.vectors.data, first, blocks };
    };
    const [whole, low] = [await learned(false), await learned(true)];
    expect(whole.blocks).toBeUndefined();
    expect(Object.keys(low.blocks!).length).toBeGreaterThan(4);
    const distance = (a: Float32Array, b: Float32Array) =>
      Math.sqrt(a.reduce((sum, value, at) => sum + (value - b[at]!) ** 2, 0));
    const moved = distance(low.vectors, low.first);
    expect(moved).toBeGreaterThan(0.01);
    expect(distance(low.vectors, whole.vectors)).toBeLessThan(0.01 * moved);
  }, 120_000);
});
