import { appendFile, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openRun, type RunOptions } from "thoughtbook/core";
import { beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { collect, failure, temporaryFolder } from "./helpers.js";

interface Sample {
  id: string;
  correct: boolean;
}

let options: RunOptions<Sample>;
let recordsFile: string;
beforeEach(async () => {
  const folder = join(await temporaryFolder(), "runs/aot");
  recordsFile = join(folder, "records.jsonl");
  options = {
    folder,
    config: { model: { name: "mini", temperature: 0.7 }, tasks: ["gsm8k", "math"] },
    seed: 1,
    idOf: ({ id }) => id,
  };
});

async function runOnce(...ids: string[]): Promise<void> {
  const run = await openRun(options);
  for (const id of ids) await run.append({ id, correct: true });
  await run.close();
}

describe("a new run", () => {
  it("writes run.json and its records", async () => {
    await runOnce("a", "b");
    expect((await readdir(options.folder)).sort()).toEqual(["records.jsonl", "run.json"]);
    expect(JSON.parse(await readFile(join(options.folder, "run.json"), "utf8"))).toEqual({
      config: options.config,
      seed: 1,
      versions: { node: process.versions.node, thoughtbook: expect.stringMatching(/^\d+\.\d+\.\d+/) },
      created: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(await readFile(recordsFile, "utf8")).toBe('{"id":"a","correct":true}\n{"id":"b","correct":true}\n');
  });

  it("rejects a config that is not JSON, before it writes anything in the folder", async () => {
    const error = await failure(openRun({ ...options, config: { temperature: Number.NaN } }));
    expect(error).toMatchObject({ code: "bad-input", message: expect.stringContaining("config.temperature is NaN") });
    expect(await readdir(options.folder)).toEqual([]);
  });

  it("names a folder that cannot be made", async () => {
    expect(await failure(openRun({ ...options, folder: "/dev/null/run" }))).toMatchObject({ code: "file-system" });
  });
});

describe("a run opened again", () => {
  it("knows what is done and goes on", async () => {
    await runOnce("a", "b");
    const run = await openRun(options);
    expect(run.folder).toBe(options.folder);
    expect([...run.done]).toEqual(["a", "b"]);
    await run.append({ id: "c", correct: false });
    expect(run.done.has("c")).toBe(true);
    await run.close();
    expect((await collect(run.records())).map(({ id }) => id)).toEqual(["a", "b", "c"]);
  });

  it("does not mind the order of keys, or keys that are undefined", async () => {
    await runOnce("a");
    options.config = {
      tasks: ["gsm8k", "math"],
      model: { temperature: 0.7, name: "mini" },
      limit: undefined,
    };
    await runOnce("b");
  });

  it.each<[string, Partial<RunOptions<Sample>>]>([
    ["config.model.temperature = 0.7, but now it is 1", { config: { model: { name: "mini", temperature: 1 } } }],
    [
      'config.tasks.1 = "math", but now it is not set',
      { config: { model: { name: "mini", temperature: 0.7 }, tasks: ["gsm8k"] } },
    ],
    ["config.extra = not set, but now it is true", { config: { extra: true } }],
    ['config.model = {"name":"mini","temperature":0.7}, but now it is "x"', { config: { model: "x" } }],
    ['seed = 1, but now it is "1"', { seed: "1" }],
  ])("must be the same run: %s", async (message, change) => {
    await runOnce("a");
    const error = await failure(openRun({ ...options, ...change }));
    expect(error).toMatchObject({
      code: "bad-input",
      message: `${options.folder} holds a run with ${message}`,
      hint: "Choose another folder, or remove this one to start anew.",
    });
  });

  it("drops a record that was cut off", async () => {
    await runOnce("a");
    await appendFile(recordsFile, '{"id":"b","corr');
    await runOnce("b");
    expect(await readFile(recordsFile, "utf8")).toBe('{"id":"a","correct":true}\n{"id":"b","correct":true}\n');
  });

  it("checks the records with a schema", async () => {
    await runOnce("a");
    const schema = z.object({ id: z.string(), correct: z.literal(false) });
    const error = await failure(openRun({ ...options, schema }));
    expect(error).toMatchObject({
      code: "corrupt-data",
      message: expect.stringContaining("records.jsonl:1: correct: "),
    });
  });

  it.each([
    ["the same id twice", '{"id":"a"}\n', 'records.jsonl:2: the id "a" is there already'],
    ["a record without an id", "{}\n", "records.jsonl:2: the id undefined is not a text"],
    ["a broken record", "{]\n", "records.jsonl:2: invalid JSON"],
  ])("rejects records with %s", async (_, line, message) => {
    await runOnce("a");
    await appendFile(recordsFile, line);
    const error = await failure(openRun(options));
    expect(error).toMatchObject({ code: "corrupt-data", message: expect.stringContaining(message) });
  });

  it("rejects a folder whose run.json is missing or broken", async () => {
    await runOnce("a");
    for (const text of ["{", "null"]) {
      await writeFile(join(options.folder, "run.json"), text);
      expect(await failure(openRun(options))).toMatchObject({ code: "corrupt-data" });
    }
    await rm(join(options.folder, "run.json"));
    expect(await failure(openRun(options))).toMatchObject({
      code: "corrupt-data",
      message: `${options.folder} holds records but no run.json that says what they are`,
    });
  });
});

describe("append", () => {
  it("rejects an id that is there, also while it is being written", async () => {
    const run = await openRun(options);
    const first = run.append({ id: "a", correct: true });
    expect(await failure(run.append({ id: "a", correct: true }))).toMatchObject({ code: "bad-input" });
    await first;
    expect(await failure(run.append({ id: "a", correct: true }))).toMatchObject({
      message: 'the id "a" is there already',
    });
    await run.close();
  });

  it("does not count a record that could not be written", async () => {
    const run = await openRun<{ id: string; reward: number }>({
      folder: options.folder,
      config: {},
      seed: 1,
      idOf: ({ id }) => id,
    });
    await failure(run.append({ id: "a", reward: Number.NaN }));
    expect(run.done.size).toBe(0);
    await run.append({ id: "a", reward: 1 });
    await run.close();
  });
});

describe("a run of a version that did not name a setting", () => {
  it("is one with the value that it had, if there is such a setting now", async () => {
    await runOnce("a");
    const unnamed = { numerics: "exact" };
    const open = async (config: Record<string, unknown>) => {
      const run = await openRun({ ...options, config: { ...options.config, ...config }, unnamed });
      await run.close();
      return [...run.done];
    };
    expect(await open({ numerics: "exact" })).toEqual(["a"]);
    expect(await open({})).toEqual(["a"]);
    const error = await failure(open({ numerics: "fast" }));
    expect(error.message).toContain('numerics = "exact", but now it is "fast"');
  });
});

describe("a run that is asked for more or fewer items", () => {
  const sized = (items: number, note = "x"): RunOptions<Sample> => ({
    ...options,
    config: { items, note },
    resized(earlier) {
      const { items: before } = earlier as { items: number };
      return before === items ? undefined : { config: { items: before, note }, grows: before < items };
    },
  });
  const settings = async () => JSON.parse(await readFile(join(options.folder, "run.json"), "utf8"));
  const open = async (run: RunOptions<Sample>) => {
    const opened = await openRun(run);
    await opened.close();
    return [...opened.done];
  };

  it("goes on with its records, and keeps the larger number", async () => {
    const run = await openRun(sized(2));
    await run.append({ id: "a", correct: true });
    await run.close();
    const { created } = await settings();
    expect(await open(sized(5))).toEqual(["a"]);
    expect(await settings()).toMatchObject({ config: { items: 5, note: "x" }, created });
    expect(await open(sized(3))).toEqual(["a"]);
    expect(await settings()).toMatchObject({ config: { items: 5 } });
  });

  it("is another run with other settings, which then stay", async () => {
    await open(sized(2));
    const error = await failure(openRun(sized(5, "y")));
    expect(error.message).toContain('config.note = "x", but now it is "y"');
    expect(await settings()).toMatchObject({ config: { items: 2, note: "x" } });
  });
});
