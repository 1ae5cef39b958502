import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadLocalModel, loadModel } from "thoughtbook/llm";
import {
  type AskedModel,
  askedModel,
  askingSettings,
  askingTable,
  type Kind,
  kindOf,
  OPERATION_NAMES,
  OPERATIONS,
  operationPrompt,
  readKind,
  runOperation,
  shownPrompts,
} from "thoughtbook/operations";
import { describe, expect, it, vi } from "vitest";
import { writeChatModel } from "../../model/generate/helpers.js";
import { scriptedModel } from "../helpers.js";

const kind = (operations: Record<string, object>, rest: object = {}): Kind =>
  ({ name: "own", models: [], hashes: [], tags: false, ...rest, operations: withDefaults(operations) }) as Kind;
const withDefaults = (operations: Record<string, object>) =>
  Object.fromEntries(
    Object.entries(operations).map(([name, way]) => [name, { place: "user", begin: "", stop: [], ...way }]),
  );

const { cot } = OPERATIONS;
const input = { question: "How many?" };

describe("the table", () => {
  it.each(askingTable().map(({ name }) => name))(
    "asks models of the kind %s as the snapshots have it",
    async (name) => {
      const shown = await shownPrompts(await readKind(name), OPERATION_NAMES, { demonstrations: false });
      const text = shown.map(({ operation, text }) => `=== ${operation}\n${text}\n`).join("\n");
      await expect(text).toMatchFileSnapshot(`prompts/${name}.txt`);
    },
  );

  it("tells kinds by the names of files, of the hub and of servers, and by tags", () => {
    const named = (name: string) => kindOf({ name, knowsTags: false }).name;
    for (const name of [
      "/models/qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
      "Qwen/Qwen2.5-Coder-0.5B-Instruct",
      "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF:qwen2.5-coder-0.5b-instruct-q8_0.gguf",
      "http://localhost:8080/v1#qwen2.5-coder-0.5b",
    ]) {
      expect(named(name)).toBe("qwen2.5-coder-0.5b");
    }
    expect(named("HuggingFaceTB/SmolLM2-135M-Instruct")).toBe("smollm2-135m");
    expect(named("Qwen/Qwen2.5-7B-Instruct")).toBe("default");
    expect(kindOf({ name: "smollm2-135m", knowsTags: true }).name).toBe("mini");
  });

  it("refuses what is no kind, with what was expected", async () => {
    await expect(readKind("qwen2.5-coder")).rejects.toThrow(/no way of asking named "qwen2.5-coder"/);
    const folder = mkdtempSync(join(tmpdir(), "asking-"));
    const file = join(folder, "own.json");
    writeFileSync(file, JSON.stringify({ name: "own", operations: { cot: { place: "assistant" } } }));
    await expect(readKind(file)).rejects.toThrow(/own\.json is no way of asking: .*place/s);
    writeFileSync(file, JSON.stringify({ name: "own", operations: { cot: { begin: "Step 1:" } } }));
    expect((await readKind(file)).operations.cot).toMatchObject({ begin: "Step 1:", place: "user", stop: [] });
    rmSync(folder, { recursive: true });
  });
});

describe("what a model is asked", () => {
  it("mini is asked by its tags, whatever the table says, and so is every model without a kind as before", async () => {
    const mini = await loadModel("mini");
    expect(await askedModel(mini)).toBe(mini);
    expect(operationPrompt(mini, cot, input)).toEqual({
      messages: [{ role: "user", operation: "cot", content: "How many?" }],
    });
    await expect(askedModel(mini, { demonstrations: 2 })).rejects.toThrow(/takes no demonstrations/);
    const other = scriptedModel(() => "");
    await expect(askedModel(other, { kind: "mini" })).rejects.toThrow(/knows no operations by their tags/);
    expect(await askedModel(other)).toBe(other);
    expect(askingSettings(other)).toBeUndefined();
    await mini.dispose();
  });

  it("stays as it was chosen when it is asked again, though the table has another kind for the model", async () => {
    const qwen = { ...scriptedModel(() => ""), name: "qwen2.5-coder-0.5b" };
    expect(askingSettings(await askedModel(qwen))).toMatchObject({ kind: "qwen2.5-coder-0.5b" });
    const chosen = await askedModel(qwen, { kind: "default" });
    expect(askingSettings(await askedModel(chosen))).toEqual({ kind: "default", operations: {} });
  });

  it("is the instruction at its place, the input in it or after it, and the beginning of the answer", async () => {
    const promptOf = async (way: object, frame = {}) =>
      operationPrompt(
        await askedModel(
          scriptedModel(() => ""),
          { kind: kind({ cot: way }) },
        ),
        cot,
        input,
        undefined,
        frame,
      );
    const user = (content: string) => ({ role: "user", content });
    expect(await promptOf({})).toEqual({ messages: [user(`${cot.instruction}\n\nHow many?`)] });
    expect(await promptOf({ instruction: "Solve." })).toEqual({ messages: [user("Solve.\n\nHow many?")] });
    expect(await promptOf({ instruction: "{input} Think." })).toEqual({ messages: [user("How many? Think.")] });
    expect(await promptOf({ instruction: "Solve.", place: "system", begin: "Step 1:" })).toEqual({
      messages: [{ role: "system", content: "Solve." }, user("How many?")],
      answer: "Step 1:",
    });
    // What a caller gives keeps its place.
    expect(
      await promptOf(
        { instruction: "Solve.", place: "system", begin: "Step 1:" },
        { system: "Be brief.", prefill: "So" },
      ),
    ).toEqual({
      messages: [{ role: "system", content: "Be brief." }, user("Solve.\n\nHow many?")],
      answer: "So",
    });
  });

  it("has the input as it is, also where it looks like a replacement", async () => {
    const model = await askedModel(
      scriptedModel(() => ""),
      { kind: kind({ cot: { instruction: "{input}!" } }) },
    );
    expect(operationPrompt(model, cot, { question: "$& costs $1 {input}" })).toEqual({
      messages: [{ role: "user", content: "$& costs $1 {input}!" }],
    });
  });

  it("is a plain text for a model without a chat template", async () => {
    const plain = scriptedModel(() => "", { capabilities: new Set(["text"]) });
    const model = await askedModel(plain, { kind: kind({ cot: { instruction: "Solve.", begin: "1." } }) });
    expect(operationPrompt(model, cot, input)).toBe("Solve.\n\nHow many?\n\nAnswer:\n1.");
  });
});

describe("what is begun", () => {
  it("is left out, with its stops, for a server that cannot begin an answer, unless somebody asked for it", async () => {
    const server = scriptedModel(() => "", { name: "http://localhost/v1#qwen2.5-coder-0.5b", takesAnswer: false });
    const way = (model: object) => (model as AskedModel).asking.operations.program;
    expect(way(await askedModel(server))).toMatchObject({ begin: "", stop: [] });
    const begun = { begin: expect.stringContaining("def solution"), stop: expect.arrayContaining(["```"]) };
    expect(way(await askedModel({ ...server, takesAnswer: undefined }))).toMatchObject(begun);
    expect(way(await askedModel(server, { kind: "qwen2.5-coder-0.5b" }))).toMatchObject(begun);
  });

  it("goes to the parser, and is neither in the text nor asked of the next attempt", async () => {
    const scripted = scriptedModel(() => "42");
    const model = await askedModel(scripted, { kind: kind({ answer: { begin: "#### ", stop: ["\n"] } }) });
    const [[outcome] = []] = await runOperation(model, OPERATIONS.answer, [input], {
      attempts: 1,
      stopStrings: ["END"],
    });
    expect(outcome).toMatchObject({ ok: true, value: "42", text: "42", begun: "#### ", completionTokens: 2 });
    expect(scripted.calls[0]!.options.stopStrings).toEqual(["END", "\n"]);
  });

  it("costs tokens of the prompt and none of the answer", async () => {
    const folder = mkdtempSync(join(tmpdir(), "asking-"));
    await writeChatModel(folder);
    const model = await loadLocalModel(folder);
    const begin = "Step 1: count";
    const asked = await askedModel(model, { kind: kind({ cot: { instruction: "Go", begin } }) });
    const plain = await askedModel(model, { kind: kind({ cot: { instruction: "Go" } }) });
    const run = async (each: typeof asked) =>
      (await runOperation(each, cot, [input], { attempts: 1, maxNewTokens: 5 }))[0]![0]!;
    const [one, other] = [await run(asked), await run(plain)];
    const beginTokens = model.tokenizer!.encode(begin, { addSpecialTokens: false, continues: true }).length;
    expect(beginTokens).toBeGreaterThan(2);
    expect(one.promptTokens).toBe(other.promptTokens + beginTokens);
    expect(one.completionTokens).toBeLessThanOrEqual(5);
    expect(one.tokens!.completionIds).toHaveLength(one.completionTokens);
    expect(one.text).not.toContain("Step 1");
    await model.dispose();
    rmSync(folder, { recursive: true });
  });
});

describe("demonstrations", () => {
  it("whose rows are not at hand are an error where they are asked for, and nowhere else", async () => {
    vi.stubEnv("THOUGHTBOOK_DATA", "");
    vi.stubEnv("THOUGHTBOOK_CACHE", mkdtempSync(join(tmpdir(), "asking-")));
    const ways = { cot: {}, revise: { demonstrations: { count: 2, form: "turns", choose: "seed" } } };
    const model = await askedModel(
      scriptedModel(() => ""),
      { kind: kind(ways), signal: AbortSignal.timeout(20_000) },
    );
    expect(operationPrompt(model, cot, input)).toEqual({
      messages: [{ role: "user", content: `${cot.instruction}\n\nHow many?` }],
    });
    expect(() => operationPrompt(model, OPERATIONS.revise, { ...input, solution: "" })).toThrow(
      /gsm8k train is not at hand/,
    );
    vi.unstubAllEnvs();
  });

  const example = (question: string, answer: string) => ({
    id: `gsm8k/train/${question.length}`,
    question,
    example: {
      ...{ operation: "cot" as const, input: { question }, output: { reasoning: "so", answer } },
      ...{ prompt: question, completion: `so\n#### ${answer}` },
    },
  });
  /** A model with examples of its own in place of GSM8K's. */
  async function modelWith(way: object): Promise<AskedModel> {
    const base = await askedModel(
      scriptedModel(() => ""),
      { kind: kind({ cot: { ...way } }) },
    );
    const all = [example("One apple?", "1"), example("Two pears there?", "2"), example("Three?", "3")];
    return { ...base, asking: { ...(base as AskedModel).asking, pools: new Map([["cot", { all }]]) } } as AskedModel;
  }

  it("are turns before the question, begun and formed as the answer will be", async () => {
    const model = await modelWith({ instruction: "Go.", begin: "A: ", form: "boxed" });
    model.asking.operations.cot!.demonstrations = { count: 2, form: "turns", choose: "seed" };
    expect(operationPrompt(model, cot, input)).toEqual({
      messages: [
        { role: "user", content: "Go.\n\nOne apple?" },
        { role: "assistant", content: "A: so\nThe answer is \\boxed{1}." },
        { role: "user", content: "Go.\n\nTwo pears there?" },
        { role: "assistant", content: "A: so\nThe answer is \\boxed{2}." },
        { role: "user", content: "Go.\n\nHow many?" },
      ],
      answer: "A: ",
    });
  });

  it("are in the question's turn where the way says so", async () => {
    const model = await modelWith({ instruction: "Go." });
    model.asking.operations.cot!.demonstrations = { count: 1, form: "prompt", choose: "seed" };
    expect(operationPrompt(model, cot, input)).toEqual({
      messages: [{ role: "user", content: "Go.\n\nExample 1:\nOne apple?\n\nso\n#### 1\n\nNow this one:\nHow many?" }],
    });
  });
});
