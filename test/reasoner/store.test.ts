import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createRandom } from "thoughtbook/core";
import {
  aggregate,
  chooseTasks,
  openStore,
  preferencePairs,
  readSolutions,
  storeStatistics,
} from "thoughtbook/reasoner";
import { describe, expect, it } from "vitest";
import { failure, temporaryFolder } from "../core/helpers.js";

type Solution = Parameters<typeof preferencePairs>[0][number];
const solution = (task: string, name: string, reward: number, stepReward = reward, round = 1): Solution => ({
  ...{
    id: `${task}-${name}`,
    task,
    domain: "math",
    prompt: `Q ${task}`,
    completion: `${name} is a solution of ${task}`,
  },
  ...{ reward, stepReward, round, source: "sample", tokens: 10 },
});
const attempt = ({ id, task, reward, stepReward, round, tokens }: Solution, nth: number) => ({
  ...{ id: `${id}#${nth}`, task, round, solution: id, reward, stepReward, tokens },
});

const SOLUTIONS = [
  ...[solution("a", "one", 1), solution("a", "two", 1), solution("a", "three", 1), solution("a", "near", 0, 0.4)],
  ...[solution("b", "near", 0, 0.25), solution("b", "lost", 0, 0)],
  ...[solution("c", "one", 1), solution("c", "near", 0, 0.5), solution("c", "nearer", 0, 0.75)],
];

describe("aggregate", () => {
  it("keeps right and partly right solutions, each once, and at most so many of a task", () => {
    const kept = aggregate(SOLUTIONS, { mostRight: 2, mostNear: 1 });
    expect(kept.map(({ id }) => id)).toEqual(["a-one", "a-three", "a-near", "b-near", "c-one", "c-near"]);
    // A solution that fails one of its tests has the outcome 0: it is never cloned.
    expect(kept.filter(({ reward }) => reward === 1).map(({ task }) => task)).toEqual(["a", "a", "c"]);
  });

  it("is changed neither by repetition nor by order, and the first round counts", () => {
    const random = createRandom(2);
    const later = SOLUTIONS.map((each) => ({ ...each, round: 3 }));
    for (let trial = 0; trial < 10; trial++) {
      const mixed = random.shuffle([...SOLUTIONS, ...later, ...SOLUTIONS]);
      expect(aggregate(mixed)).toEqual(aggregate(SOLUTIONS));
    }
    expect(aggregate(aggregate(SOLUTIONS))).toEqual(aggregate(SOLUTIONS));
  });

  it("gives pairs of right and partly right solutions of the same task", () => {
    const pairs = preferencePairs(aggregate(SOLUTIONS));
    expect(pairs.map(({ chosen, rejected }) => [chosen.id, rejected.id])).toEqual([
      ...[
        ["a-one", "a-near"],
        ["a-three", "a-near"],
        ["a-two", "a-near"],
      ],
      ...[
        ["c-one", "c-near"],
        ["c-one", "c-nearer"],
      ],
    ]);
    expect(preferencePairs(aggregate(SOLUTIONS), 1)).toHaveLength(2);
  });

  it("refuses caps that are no numbers", async () => {
    expect((await failure(() => aggregate(SOLUTIONS, { mostRight: 0 }))).message).toContain("mostRight");
  });
});

describe("a store", () => {
  const attempts = [...SOLUTIONS, SOLUTIONS[0]!].map(attempt);

  it("is the same however often and in whichever order things are added, and after a kill", async () => {
    const folder = await temporaryFolder();
    const first = await openStore(folder);
    await first.add({ solutions: SOLUTIONS.slice(0, 5), attempts: attempts.slice(0, 5) });
    await first.close();
    // The process was killed in the middle of a record.
    await appendFile(join(folder, "solutions.jsonl"), '{"id":"half');
    await appendFile(join(folder, "attempts.jsonl"), '{"id":');
    const second = await openStore(folder);
    expect(second.solutions()).toHaveLength(5);
    for (const each of [SOLUTIONS.toReversed(), SOLUTIONS])
      await second.add({ solutions: each, attempts: attempts.toReversed() });
    const size = (await readFile(join(folder, "solutions.jsonl"), "utf8")).length;
    await second.add({ solutions: SOLUTIONS, attempts });
    expect((await readFile(join(folder, "solutions.jsonl"), "utf8")).length).toBe(size);
    const other = await openStore(await temporaryFolder());
    await other.add({ solutions: SOLUTIONS, attempts });
    expect(second.solutions()).toEqual(other.solutions());
    expect(second.attempts()).toEqual(other.attempts());
    // What is not even partly right is no solution, but an attempt.
    expect(second.solutions().map(({ id }) => id)).not.toContain("b-lost");
    expect(second.attempts()).toHaveLength(SOLUTIONS.length + 1);
    await Promise.all([second.close(), other.close()]);
    expect(await readSolutions(folder)).toEqual(second.solutions());
    expect(await readSolutions(join(folder, "solutions.jsonl"))).toEqual(second.solutions());
  });

  it("tells what is wrong in it", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "solutions.jsonl"), `${JSON.stringify({ ...SOLUTIONS[0], reward: 2 })}\n`);
    expect((await failure(readSolutions(folder))).message).toMatch(/solutions\.jsonl:1/);
    expect((await failure(readSolutions(await temporaryFolder()))).code).toBe("not-found");
  });

  it("has statistics of diversity and difficulty", () => {
    const statistics = storeStatistics(SOLUTIONS, attempts);
    expect(statistics).toMatchObject({
      tasks: 3,
      solved: 2,
      attempts: 10,
      right: 5,
      differentRight: 4,
      differentNear: 4,
    });
    expect(statistics.repeated).toBeCloseTo(1 / 5);
    // "one is a solution of a" and "two is a …" share 5 of 7 pairs of words.
    expect(statistics.distance).toBeCloseTo(1 - 5 / 7);
    expect(statistics.difficulty).toEqual({ never: 1, seldom: 1, often: 1, always: 0 });
  });

  it("chooses tasks from which most can be learned", () => {
    const many = (task: string, right: number, of: number) =>
      Array.from({ length: of }, (_, at) => attempt(solution(task, `${at}`, Number(at < right)), at));
    const known = [...many("always", 8, 8), ...many("never", 0, 8), ...many("half", 4, 8), ...many("seldom", 1, 8)];
    const tasks = ["always", "never", "half", "seldom", "new"].map((id) => ({ id }));
    const chosen = chooseTasks(tasks, known, { count: 3, seed: 1 }).map(({ id }) => id);
    expect(new Set(chosen.slice(0, 2))).toEqual(new Set(["half", "new"]));
    expect(chosen[2]).toBe("seldom");
    expect(chooseTasks(tasks, [], { count: 5, seed: 1 })).not.toEqual(chooseTasks(tasks, [], { count: 5, seed: 2 }));
  });
});
