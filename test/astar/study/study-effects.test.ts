import { type AstarStudyResults, parseStudy, setPoints, settingEffect } from "thoughtbook/astar";
import { describe, expect, it } from "vitest";
import { failure } from "../../core/helpers.js";

const set = (name: string, rest: object = {}) => ({ name, method: name, mode: "faithful", ...rest });
const study = parseStudy({
  name: "effects",
  seed: 1,
  models: { base: "a", validator: "b", scorer: "c" },
  chains: { count: 1, operations: [1, 1], seed: 1 },
  sets: [
    set("reference", { search: { minSteps: 1 } }),
    set("alpha-1", { importance: { alpha: 1 }, search: { minSteps: 1 } }),
    set("alpha-0", { importance: { alpha: 0 }, search: { minSteps: 1 } }),
    set("w-4", { search: { minSteps: 1, expandSize: 4 } }),
    set("both", { importance: { alpha: 1 }, search: { minSteps: 5 } }),
    set("kmin-5", {}),
    set("nll", { importance: { signal: "nll" }, search: { minSteps: 1 } }),
    set("no-students", { importance: { alpha: 0.5 }, search: { minSteps: 1 }, students: false }),
  ],
});
const withStudents = study.sets.filter(({ students }) => students);
const results = {
  study,
  sets: study.sets.map(({ name, method }, i) => ({ name, method, keptTokens: i / 10 })),
  students: withStudents.map(({ name, method }, i) => ({
    name,
    method,
    budgets: [64, 128].map((budget) => ({ budget, accuracy: { value: i + budget, interval: undefined, count: 1 } })),
  })),
} as unknown as AstarStudyResults;

describe("settingEffect", () => {
  const effect = (setting: Parameters<typeof settingEffect>[1]["setting"]) =>
    settingEffect(results, { setting, budget: 64 }).map(({ set, value }) => [set, value]);

  it("takes the sets that differ from the first one in this setting only, by its value", () => {
    expect(effect("alpha")).toEqual([
      ["alpha-0", 0],
      ["reference", 0.5],
      ["alpha-1", 1],
    ]);
    expect(effect("minSteps")).toEqual([
      ["reference", 1],
      ["kmin-5", 5],
    ]);
    expect(effect("expandSize")).toEqual([
      ["reference", 2],
      ["w-4", 4],
    ]);
    expect(effect("beta")).toEqual([["reference", 0.1]]);
  });
});

describe("settingEffect of accepted chains", () => {
  const accepted = (of: string, by = of) => ({ name: `${of}-${by}`, method: of, mode: "accepted", of, by });
  const withBy = parseStudy({
    ...study,
    sets: [
      ...["a", "b", "c"].map((name, i) => set(name, { importance: { alpha: i / 2 }, students: false })),
      ...[accepted("b"), accepted("a"), accepted("c"), accepted("c", "a")],
    ],
  });
  const budgets = [{ budget: 64, accuracy: { value: 0.5, interval: undefined, count: 1 } }];
  const ofAccepted = {
    study: withBy,
    sets: withBy.sets.map(({ name }) => ({ name, keptTokens: 0.5 })),
    students: withBy.sets.slice(3).map(({ name, method }) => ({ name, method, budgets })),
  } as unknown as AstarStudyResults;

  it("takes the settings of the sets whose rows they are, each accepted by its own search", () => {
    const found = settingEffect(ofAccepted, { setting: "alpha", budget: 64 });
    expect(found.map((point) => [point.set, point.value])).toEqual([
      ["a-a", 0],
      ["b-b", 0.5],
      ["c-c", 1],
    ]);
  });
});

describe("setPoints", () => {
  it("tells of each set with students what they reach and what it keeps", async () => {
    const points = setPoints(results, 128);
    expect(points.map((point) => point.set)).toEqual(withStudents.map(({ name }) => name));
    expect(points[3]).toEqual({
      set: "w-4",
      method: "w-4",
      accuracy: { value: 131, interval: undefined, count: 1 },
      keptTokens: 0.3,
    });
    expect(await failure(() => setPoints({ ...results, students: results.students }, 99))).toMatchObject({
      code: "bad-input",
      message: /no budget of 99 tokens/,
    });
  });
});
