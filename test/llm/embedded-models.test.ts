import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { evaluate } from "thoughtbook/eval";
import { isTokenModel, loadModel } from "thoughtbook/llm";
import { resolveModel } from "thoughtbook/model";
import { OPERATION_NAMES } from "thoughtbook/operations";
import { cot } from "thoughtbook/strategies";
import { loadTask } from "thoughtbook/tasks";
import { isTrainedBy, readRecipe, readTraining } from "thoughtbook/train";
import { afterAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { renewCard } from "../../bench/model/card.js";
import { failure } from "../core/helpers.js";
import { root } from "../notebook/helpers.js";

const models = join(root, "data", "models");
const bytesOf = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const path = join(folder, entry.name);
    return sum + (entry.isDirectory() ? bytesOf(path) : statSync(path).size);
  }, 0);
const folder = mkdtempSync(join(tmpdir(), "thoughtbook-embedded-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const read = (name: string, file: string): string => readFileSync(join(models, name, file), "utf8");

describe.each(["mini", "mini-base", "mini-scorer"])("%s", (name) => {
  it("is opened by its name, with the weights that were measured", async () => {
    expect(await resolveModel(name)).toBe(join(models, name));
    const model = await loadModel(name);
    const { modelHash, parameters } = JSON.parse(read(name, "measured.json"));
    expect(await model.hash()).toBe(modelHash);
    expect(model.parameterCount).toBe(parameters);
    expect(model.parameterCount).toBeLessThan(name === "mini-scorer" ? 1e6 : 3e6);
    await model.dispose();
  });

  it("comes with its recipe, its curve and a card that says what was measured", () => {
    const { recipe, seed, phases } = JSON.parse(read(name, "training.json"));
    expect(recipe.phases.map((phase: { name: string }) => phase.name)).toEqual(
      phases.map(({ phase }: { phase: string }) => phase),
    );
    const updates = phases.reduce((sum: number, phase: { updates: number }) => sum + phase.updates, 0);
    expect(read(name, "curve.csv").trimEnd().split("\n").at(-1)).toMatch(new RegExp(`,${updates},`));
    const card = read(name, "README.md");
    expect(card).toContain(`# ${name}\n`);
    expect(card).toContain(`seed (${seed})`);
    const { chainOfThought, losses } = JSON.parse(read(name, "measured.json"));
    for (const { operations, accuracy } of chainOfThought ?? []) {
      expect(card).toContain(`| ${operations} | ${(100 * accuracy).toFixed(1)} |`);
    }
    for (const { loss } of losses ?? []) expect(card).toContain(`| ${loss.value.toFixed(3)} |`);
  });
});

describe("cards", () => {
  const nameOf = ({ name }: { name: string }) => `\`${name}\``;
  it.each(["mini", "mini-base", "mini-scorer"])(
    "of %s name the recipe that made it, and write over no model",
    async (name) => {
      const card = read(name, "README.md");
      const { recipe, meanOf } = JSON.parse(read(name, "training.json"));
      const file = `data/recipes/${name.replace("-base", "")}.json`;
      const current = await readRecipe(join(root, file));
      const count = ({ length }: { length: number }) => `${length} phase${length === 1 ? "" : "s"}`;
      if (await isTrainedBy(join(models, name), current)) expect(card).toContain(`It was trained by [${file}]`);
      else {
        expect(card).toContain(
          `The recipe that made it is the one in [training.json](training.json): ${count(recipe.phases)}, ${recipe.phases.map(nameOf).join(", ")}.`,
        );
        expect(card).toContain(`is a later one: ${count(current.phases)}, ${current.phases.map(nameOf).join(", ")}.`);
      }
      for (const phase of Object.keys(meanOf ?? {}))
        expect(card).toMatch(new RegExp(`the mean of those after .*\`${phase}\``));
      const commands = card.match(/^ {4}npx thoughtbook pretrain .*$/gm)!;
      expect(commands).toEqual([expect.stringContaining(`--recipe ${file} --out runs/`)]);
      expect(commands[0]).toMatch(/--publish runs\//);
    },
  );

  it("tell mini's recipe from the present one, and mini-scorer's as the present one", async () => {
    const by = async (name: string, recipe: string) =>
      isTrainedBy(join(models, name), await readRecipe(join(root, "data", "recipes", `${recipe}.json`)));
    expect([await by("mini", "mini"), await by("mini-scorer", "mini-scorer"), await by("mini-scorer", "mini")]).toEqual(
      [false, true, false],
    );
  });

  it.each(["mini", "mini-base", "mini-scorer"])("of %s are what the generator writes", async (name) => {
    const copy = join(folder, "card", name);
    cpSync(join(models, name), copy, { recursive: true });
    writeFileSync(join(copy, "README.md"), read(name, "README.md").replace(/^[\s\S]*?(?=## Measured)/, "old\n"));
    await renewCard(copy, await readTraining(copy));
    expect(readFileSync(join(copy, "README.md"), "utf8")).toBe(read(name, "README.md"));
    writeFileSync(join(copy, "README.md"), "nothing");
    expect(await failure(renewCard(copy, await readTraining(copy)))).toMatchObject({ code: "bad-input" });
  });
});

describe("mini", () => {
  it("solves what its card says it can, twice the same to the last bit", { timeout: 60_000 }, async () => {
    // On as many threads as there are processors.
    vi.stubEnv("THOUGHTBOOK_THREADS", "");
    onTestFinished(() => void vi.unstubAllEnvs());
    const model = await loadModel("mini");
    expect(isTokenModel(model) && model.tokenizer?.vocabularySize).toBe(1024);
    expect([...model.operations!]).toEqual(OPERATION_NAMES);
    const task = await loadTask("word-problems:1-2", { limit: 40, seed: 99 });
    const folders = ["a", "b"].map((each) => join(folder, each));
    const { summary } = await evaluate(cot(), task, { model, budgets: [200], folder: folders[0]! });
    await evaluate(cot(), task, { model, budgets: [200], folder: folders[1]! });
    const [records, again] = folders.map((each) => readFileSync(join(each, "records.jsonl"), "utf8"));
    expect(again).toBe(records);
    const { chainOfThought } = JSON.parse(read("mini", "measured.json"));
    const said = (chainOfThought[0].accuracy + chainOfThought[1].accuracy) / 2;
    const [low, high] = summary.budgets[0]!.accuracy.strict!.interval!;
    expect(low).toBeLessThan(said);
    expect(high).toBeGreaterThan(said);
    await model.dispose();
  });

  it("can do what docs/models.md says, and the studies that are shown were made with it", () => {
    const page = readFileSync(join(root, "docs", "models.md"), "utf8");
    const cells = (line: RegExp) =>
      line
        .exec(page)![1]!
        .split("|")
        .map((cell) => Number(cell.trim()));
    const operations = cells(/\n\| operations that a problem needs \|(.*)\|\n/);
    const { chainOfThought, modelHash } = JSON.parse(read("mini", "measured.json"));
    const measured = operations.map(
      (count) => chainOfThought.find((level: { operations: number }) => level.operations === count).accuracy,
    );
    expect(cells(/\n\| accuracy \(%\) \|(.*)\|\n/)).toEqual(measured.map((share) => Number((100 * share).toFixed(1))));
    const scorer = JSON.parse(read("mini-scorer", "measured.json")).modelHash;
    const results = join(root, "data", "results");
    for (const file of ["astar.json", "astar-ablation.json"]) {
      const { models: used } = JSON.parse(readFileSync(join(results, file), "utf8"));
      expect(
        [used.base, used.validator, used.scorer].map(({ hash }) => hash),
        file,
      ).toEqual([modelHash, modelHash, scorer]);
    }
  });
});

it("all embedded models are small enough to be committed", () => {
  expect(bytesOf(join(models, "mini"))).toBeLessThan(16e6);
  expect(bytesOf(models)).toBeLessThan(24e6);
});

it("a name that is not embedded is looked for elsewhere", async () => {
  expect(await failure(() => resolveModel("./mini"))).toMatchObject({ code: "not-found" });
});
