import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LanguageModel } from "thoughtbook/llm";
import type { Strategy } from "thoughtbook/rollouts";
import { type Arm, runStudy, type Stages, type Study, type StudyOptions } from "thoughtbook/study";
import { createTask, type Problem } from "thoughtbook/tasks";
import { afterAll, describe, expect, it } from "vitest";
import { studyFiles } from "../../lib/dist/study/files.js";
import { failure } from "../core/helpers.js";
import { SILENT } from "../eval/helpers.js";
import { type ScriptedModel, scriptedModel } from "../operations/helpers.js";

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "thoughtbook-run-study-"));
  folders.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const sums = (count: number) =>
  createTask(
    "sums",
    Array.from({ length: count }, (_, i): Problem => {
      return { id: `sum/${i}`, question: `${i} + 1`, kind: "gsm8k", references: [String(i + 1)] };
    }),
  );

/** Says the number it is asked for where that is even, unless it is asked a second time. */
function adder(): ScriptedModel {
  return scriptedModel(({ prompt }) => {
    const [, again, left] = /^(again )?(\d+) \+ 1/.exec(prompt as string)!;
    const sum = Number(left) + 1;
    return `#### ${again !== undefined || sum % 2 === 0 ? sum : 0}`;
  });
}

/** Two strategies: one asks once, the other asks again. */
const answer = async (model: LanguageModel, prompt: string, seed: number | string, maxNewTokens: number) =>
  (await model.generate([{ prompt, seed, maxNewTokens }]))[0]![0]!.text;
const STRATEGIES: Record<"once" | "twice", Strategy> = {
  once: {
    name: "once",
    async attempt({ question }, { model, seed, maxNewTokens }) {
      const text = await answer(model, question, seed, maxNewTokens);
      return { text, solution: text };
    },
  },
  twice: {
    name: "twice",
    async attempt({ question }, { model, seed, maxNewTokens }) {
      await answer(model, question, seed, maxNewTokens);
      const text = await answer(model, `again ${question}`, seed, maxNewTokens);
      return { text, solution: text };
    },
  },
};

const ARMS = [
  { name: "once", method: "asked once", model: "adder" },
  { name: "twice", model: "adder" },
] as const;
const toy = (parts: Partial<Study<Arm>> = {}): Study<Arm> => ({
  name: "toy",
  arms: ARMS,
  seeds: [1, 2],
  task: sums(4),
  budgets: [20, 10],
  comparisons: [["twice", "once"]],
  ...parts,
});
const strategyOf = (name: string) => STRATEGIES[name === "twice" ? "twice" : "once"];
const stages: Stages<Arm> = { strategy: ({ name }) => strategyOf(name) };

/** Loads scripted models, and tells what became of them. */
function loader(make: (spec: string) => LanguageModel = adder) {
  const log: string[] = [];
  const load: StudyOptions["load"] = async (spec) => {
    log.push(`load ${spec}`);
    return {
      ...make(spec),
      name: spec,
      dispose: async () => {
        log.push(`dispose ${spec}`);
      },
    };
  };
  return { log, load };
}

describe("a study of strategies", () => {
  it("evaluates each arm with each seed under each budget, and compares them in pairs", async () => {
    const { log, load } = loader();
    const folder = newFolder();
    const results = await runStudy(toy(), stages, { folder, load, display: SILENT });
    expect(results).toMatchObject({
      name: "toy",
      task: "sums",
      problems: 4,
      seeds: [1, 2],
      policy: "strict",
      prepared: [],
      arms: [
        { name: "once", method: "asked once", budgets: [{ budget: 10 }, { budget: 20 }] },
        { name: "twice", method: "twice", budgets: [{ budget: 10 }, { budget: 20 }] },
      ],
      comparisons: [{ arm: "twice", other: "once", budgets: [{ budget: 10 }, { budget: 20 }] }],
    });
    const [once, twice] = results.arms.map(({ budgets }) => budgets[0]!);
    expect([once!.accuracy.value, twice!.accuracy.value]).toEqual([0.5, 1]);
    expect(once!.accuracy.count).toBe(8);
    // "#### 2" is six tokens to this model; of two calls all count.
    expect([once!.length.value, twice!.length.value]).toEqual([6, 12]);
    const [comparison] = results.comparisons[0]!.budgets;
    expect([comparison!.difference.value, comparison!.lengthRatio.value]).toEqual([0.5, 2]);
    // A model that arms share is loaded once.
    expect(log).toEqual(["load adder", "dispose adder"]);
    const files = studyFiles(folder);
    expect(readdirSync(files.evaluation("once", 2))).toContain("records.jsonl");
    expect(JSON.parse(readFileSync(files.answers("twice", 1), "utf8")).result[0]).toEqual({
      budget: 10,
      strict: [1, 1, 1, 1],
      finished: [1, 1, 1, 1],
      length: [12, 12, 12, 12],
    });
    expect(JSON.parse(JSON.stringify(results))).toEqual(results);
  });

  it("draws each seed's texts from random numbers of its own, unless one is named for all", async () => {
    const seedsOf = async (sampling?: Study["sampling"]) => {
      const model = adder();
      const study = toy({ arms: [ARMS[0]], comparisons: [], budgets: [10], sampling });
      await runStudy(study, stages, { folder: newFolder(), load: async () => model, display: SILENT });
      return new Set(model.calls.flatMap(({ requests }) => requests.map(({ seed }) => seed)));
    };
    expect(await seedsOf()).toEqual(new Set([1, 2]));
    expect(await seedsOf({ seed: 7 })).toEqual(new Set([7]));
  });

  it("goes on after a kill with what is there, asks for nothing twice, and gives the same results", async () => {
    const whole = await runStudy(toy(), stages, { folder: newFolder(), load: loader().load, display: SILENT });
    const folder = newFolder();
    const asked: string[] = [];
    const counting = (stopAfter: number) =>
      loader(() => {
        const model = adder();
        return {
          ...model,
          generate: async (requests, options) => {
            if (asked.length + requests.length > stopAfter) throw new Error("killed");
            asked.push(...requests.map(({ prompt, seed, maxNewTokens }) => `${prompt} ${seed} ${maxNewTokens}`));
            return model.generate(requests, options);
          },
        };
      });
    // In the evaluation of the second arm with the first seed: the first budget is finished.
    const killed = counting(16);
    await expect(runStudy(toy(), stages, { folder, load: killed.load, display: SILENT })).rejects.toThrow("killed");
    expect(killed.log).toEqual(["load adder", "dispose adder"]);
    expect(readdirSync(join(folder, "evaluations", "once")).sort()).toEqual(["1", "1.json"]);
    expect(readdirSync(join(folder, "evaluations", "twice"))).toEqual(["1"]);
    expect(asked).toHaveLength(16);
    const again = counting(Number.POSITIVE_INFINITY);
    expect(await runStudy(toy(), stages, { folder, load: again.load, display: SILENT })).toEqual(whole);
    const total = 16 + 2 * 16;
    expect(asked).toHaveLength(total);
    expect(await runStudy(toy(), stages, { folder, load: again.load, display: SILENT })).toEqual(whole);
    expect(asked).toHaveLength(total);
    // Seeds and arms that are added need their own work only.
    const more = { ...toy({ seeds: [1, 2, 3] }), arms: [...ARMS, { name: "third", model: "adder" }] };
    await runStudy(more, stages, { folder, load: again.load, display: SILENT });
    expect(asked.slice(total).filter((each) => / 3 (?:10|20)$/.test(each))).toHaveLength(8 + 16 + 8);
    expect(asked).toHaveLength(total + 8 + 16 + 3 * 8);
  });

  it.each(["once", "twice"])("stops where it is interrupted, and goes on from there: at %s", async (last) => {
    const controller = new AbortController();
    const folder = newFolder();
    const { log, load } = loader();
    const prepared: string[] = [];
    const stopping: Stages<Arm, string> = {
      strategy: ({ name }) => strategyOf(name),
      prepare: async ({ name }) => {
        prepared.push(name);
        if (name === last) controller.abort();
        return name;
      },
    };
    const options = { folder, load, display: SILENT };
    expect(await failure(runStudy(toy(), stopping, { ...options, signal: controller.signal }))).toMatchObject({
      code: "interrupted",
      message: "the study was interrupted",
    });
    expect(prepared.at(-1)).toBe(last);
    expect(log).toEqual([]);
    expect((await runStudy(toy(), stopping, options)).arms).toHaveLength(2);
  });

  it("measures what is finished when the hours are over, and goes on with the rest", async () => {
    const folder = newFolder();
    const options = { folder, load: loader().load, display: SILENT };
    // Answers until all arms have the first seed, and one the second.
    const slow: StudyOptions["load"] = async () => {
      const model = adder();
      return {
        ...model,
        name: "adder",
        generate: (requests, settings) =>
          requests.some(({ prompt, seed }) => seed === 2 && (prompt as string).startsWith("again"))
            ? new Promise((_, reject) => {
                settings?.signal?.addEventListener("abort", () => reject(settings.signal!.reason));
              })
            : model.generate(requests, settings),
      };
    };
    const part = await runStudy(toy(), stages, { ...options, load: slow, hours: 0.4 / 3600 });
    const first = await runStudy(toy({ seeds: [1] }), stages, options);
    expect(part).toMatchObject({ seeds: [1, 2], unfinished: ["twice/2"], comparisons: first.comparisons });
    expect(part.arms[1]).toEqual(first.arms[1]);
    expect(part.arms[0]!.budgets[0]!.accuracy.count).toBe(8);
    const none = await runStudy(toy(), stages, { ...options, folder: newFolder(), hours: 0 });
    expect(none).toMatchObject({ arms: [], comparisons: [], unfinished: ["once/1", "twice/1", "once/2", "twice/2"] });
    expect(await runStudy(toy(), stages, options)).toMatchObject({ unfinished: [], arms: [{}, {}] });
  });

  it("refuses a folder with answers of another model, strategy, task or other budgets", async () => {
    const folder = newFolder();
    const run = (study: Study<Arm>, own = stages, hash = "a1") =>
      runStudy(study, own, {
        folder,
        load: async () => ({ ...adder(), hash: async () => hash }),
        display: SILENT,
      });
    await run(toy());
    const refused = { code: "bad-input", message: /1\.json keeps a result of other settings/ };
    expect(await failure(run(toy(), stages, "b2"))).toMatchObject(refused);
    // The same weights on another path say other texts.
    const fast = async () => ({ ...adder(), hash: async () => "a1", host: async () => {}, numerics: "fast" as const });
    expect(await failure(runStudy(toy(), stages, { folder, load: fast, display: SILENT }))).toMatchObject(refused);
    expect(await failure(run(toy({ budgets: [10] })))).toMatchObject(refused);
    expect(await failure(run(toy({ task: sums(3) })))).toMatchObject(refused);
    expect(await failure(run(toy({ policy: "astar" })))).toMatchObject(refused);
    expect(await failure(run(toy(), { strategy: () => STRATEGIES.twice }))).toMatchObject(refused);
    await run(toy());
  });

  it.each([
    [{ arms: [] }, /toy has no arms/],
    [{ arms: [{ name: "a/b", model: "m" }], comparisons: [] }, /arm named "a\/b"/],
    [{ arms: [{ name: "..", model: "m" }], comparisons: [] }, /arm named "\.\."/],
    [{ arms: [{ name: "", model: "m" }], comparisons: [] }, /arm named ""/],
    [{ arms: [ARMS[0], { ...ARMS[0], name: "Once" }], comparisons: [] }, /two arms named once/],
    [{ arms: [...ARMS, { name: "untold" }] }, /which model the arm untold has/],
    [{ seeds: [] }, /no seeds/],
    [{ seeds: [1.5] }, /the seed 1\.5/],
    [{ seeds: [1, 2, 1] }, /the seed 1 twice/],
    [{ budgets: [] }, /no budgets/],
    [{ budgets: [0] }, /budget of the study toy is 0/],
    [{ comparisons: [["once", "none"]] }, /compares "none"/],
    [{ task: { name: "no-such-task" } }, /no-such-task/],
    [{ policy: "dots", task: choice() }, /grades as dots.*kind choice/],
  ] as [Partial<Study<Arm>>, RegExp][])("says before any work what is wrong: %o", async (parts, message) => {
    const prepare = () => Promise.reject(new Error("work"));
    const options = { folder: newFolder(), load: loader().load, display: SILENT };
    const error = await failure(runStudy(toy(parts), { ...stages, prepare }, options));
    expect(error).toMatchObject({ code: "bad-input", message });
  });
});

function choice() {
  return createTask("choice", [{ id: "c", question: "A or B?", kind: "choice", references: ["A"] }]);
}

describe("a study of trained arms", () => {
  interface Learner extends Arm {
    rate: number;
    isData?: boolean;
  }
  const LEARNERS: Learner[] = [
    { name: "data", rate: 0, isData: true },
    { name: "base", rate: 0, model: "base" },
    { name: "slow", rate: 1 },
    { name: "fast", rate: 2 },
  ];
  const study = (arms = LEARNERS): Study<Learner> => ({
    name: "learners",
    arms,
    seeds: [1, 2],
    task: sums(2),
    budgets: [10],
  });

  /** Stages that write down what is done. */
  function learning() {
    const log: string[] = [];
    const { load, log: models } = loader();
    const own: Stages<Learner, { rows: number }> = {
      prepare: async ({ name, rate }) => {
        log.push(`prepare ${name}`);
        return { rows: 10 + rate };
      },
      release: async () => {
        log.push("release");
      },
      isEvaluated: ({ isData }) => !isData,
      train: async ({ name, rate }, seed, { folder, prepared }) => {
        log.push(`train ${name}/${seed} on ${prepared.rows} rows`);
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, "rate"), String(rate));
        return folder;
      },
      strategy: () => STRATEGIES.once,
    };
    return { own, log, models, load };
  }

  it("prepares all first, trains with each seed, and disposes what was trained after its evaluation", async () => {
    const { own, log, models, load } = learning();
    const folder = newFolder();
    const results = await runStudy(study(), own, { folder, load, display: SILENT });
    expect(results.prepared).toEqual([{ rows: 10 }, { rows: 10 }, { rows: 11 }, { rows: 12 }]);
    expect(results.arms.map(({ name }) => name)).toEqual(["base", "slow", "fast"]);
    expect(log).toEqual([
      ...["prepare data", "prepare base", "prepare slow", "prepare fast", "release"],
      ...["train slow/1 on 11 rows", "train fast/1 on 12 rows", "train slow/2 on 11 rows", "train fast/2 on 12 rows"],
    ]);
    const used = [1, 2].flatMap((seed) => [
      "base",
      ...["slow", "fast"].map((arm) => studyFiles(folder).student(arm, seed)),
    ]);
    expect(models).toEqual(used.flatMap((spec) => [`load ${spec}`, `dispose ${spec}`]));
    expect(readFileSync(join(studyFiles(folder).student("fast", 2), "rate"), "utf8")).toBe("2");

    log.length = 0;
    expect(await runStudy(study(), own, { folder, load, display: SILENT })).toEqual(results);
    expect(log.filter((each) => each.startsWith("train"))).toEqual([]);
    // What figures call an arm may change; how it is trained may not.
    const renamed = LEARNERS.map((arm) => ({ ...arm, method: `the ${arm.name}` }));
    const { arms } = await runStudy(study(renamed), own, { folder, load, display: SILENT });
    expect(arms.map(({ method }) => method)).toEqual(["the base", "the slow", "the fast"]);
    const faster = LEARNERS.map((arm) => ({ ...arm, rate: 2 * arm.rate }));
    expect(await failure(runStudy(study(faster), own, { folder, load, display: SILENT }))).toMatchObject({
      code: "bad-input",
      message: /slow.1\.json keeps a result of other settings/,
    });
  });

  it("keeps beside the answers the settings that the stages name", async () => {
    const { own, load } = learning();
    const folder = newFolder();
    const settings = async ({ rate }: Learner, seed: number) => ({ rate, seed, evaluation: { own: true } });
    await runStudy(study(), { ...own, settings }, { folder, load, display: SILENT });
    const kept = JSON.parse(readFileSync(studyFiles(folder).answers("slow", 2), "utf8"));
    expect(kept.settings).toEqual({ rate: 1, seed: 2, evaluation: { own: true } });
  });

  it("releases what preparing needed where an arm cannot be prepared", async () => {
    const { own, log, load } = learning();
    const prepare = () => Promise.reject(new Error("no rows"));
    await expect(
      runStudy(study(), { ...own, prepare }, { folder: newFolder(), load, display: SILENT }),
    ).rejects.toThrow("no rows");
    expect(log).toEqual(["release"]);
  });
});
