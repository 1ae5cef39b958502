import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OPERATIONS } from "thoughtbook/operations";
import { createTask } from "thoughtbook/tasks";
import { afterAll, describe, expect, it } from "vitest";
import type { ReleasedResult, ReleasedSummary } from "../../lib/dist/eval/released-files.js";
import { type Said, scriptedModel } from "../operations/helpers.js";
import { evaluateModel, SILENT } from "./helpers.js";

const folders: string[] = [];
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "thoughtbook-released-"));
  folders.push(folder);
  return folder;
}
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const readResults = (folder: string): Record<string, ReleasedResult> =>
  JSON.parse(readFileSync(join(folder, "results.json"), "utf8"));
const readSummary = (folder: string): ReleasedSummary => JSON.parse(readFileSync(join(folder, "summary.json"), "utf8"));

const TASK = createTask("two", [
  { id: "b", question: "How much is 0 + 1?", kind: "gsm8k", references: ["1"], fields: { answer: "1", level: 3 } },
  { id: "a", question: "How much is 1 + 1?", kind: "gsm8k", references: ["2"], operations: 1 },
]);

/** Says these texts, by question and sample. */
const speaker = (texts: readonly (readonly Said[])[], parts = {}) =>
  scriptedModel(({ prompt }, sample) => texts[JSON.stringify(prompt).includes("0 + 1?") ? 0 : 1]![sample]!, parts);

const conversation = (question: string) => [
  { role: "user", content: `${OPERATIONS.cot.instruction}\n\nHow much is ${question}?` },
];

describe("results as A*-Thought's evaluation writes them", () => {
  it("have what was asked and each text by problem, and the averages", async () => {
    const folder = newFolder();
    const model = speaker([
      ["#### 1", "#### 9", "It is\n#### 7"],
      ["#### 5", "#### 5", { text: "1 + 1 = 3", finishReason: "length" }],
    ]);
    const options = { budgets: [50], samples: 3, temperature: 0.7, topP: 0.9, seed: 4, folder, display: SILENT };
    const backend = { name: "local", args: { threads: 2 } };
    const { summary } = await evaluateModel(model, TASK, { ...options, backend });

    const inputs = [conversation("0 + 1"), conversation("1 + 1")];
    const promptTokens = JSON.stringify({ messages: inputs[0] }).length;
    const usage = (tokens: number) => ({ completion_tokens: tokens, prompt_tokens: promptTokens });
    const wrong = (content: string) => ({ content, correctness: false, reason: "Solution is incorrect." });
    const results = readResults(folder);
    expect(Object.keys(results)).toEqual(["b", "a"]);
    expect(results).toEqual({
      b: {
        id: "b",
        question: "How much is 0 + 1?",
        kind: "gsm8k",
        references: ["1"],
        answer: "1",
        level: 3,
        _index: 0,
        prompt: inputs[0]![0]!.content,
        input_conversation: inputs[0],
        responses: [{ content: "#### 1", correctness: true, reason: "" }, wrong("#### 9"), wrong("It is\n#### 7")],
        token_usages: [usage(6), usage(6), usage(12)],
      },
      a: {
        id: "a",
        question: "How much is 1 + 1?",
        kind: "gsm8k",
        references: ["2"],
        operations: 1,
        _index: 1,
        prompt: inputs[1]![0]!.content,
        input_conversation: inputs[1],
        responses: [
          wrong("#### 5"),
          wrong("#### 5"),
          { content: "1 + 1 = 3", correctness: false, reason: "Solution is incorrect; cut off at 50 tokens." },
        ],
        token_usages: [usage(6), usage(6), usage(9)],
      },
    });

    // 1 of 6; 6 + 6 + 12 + 6 + 6 + 9 = 45 tokens; 1 of 3 and 0 of 3 right.
    const released: ReleasedSummary = {
      configuration: {
        task: { name: "two", config: { ...TASK.settings, policy: "astar" }, start: 0, end: 2 },
        model: { name: "scripted", config: { strategy: "cot" } },
        backend: { name: "local", backend_args: { threads: 2 } },
        sampling_params: { temperature: 0.7, top_p: 0.9, max_tokens: 50, n: 3, seed: 4 },
      },
      total_completion_tokens: 45,
      avg_completion_tokens: 7.5,
      total_prompt_tokens: 6 * promptTokens,
      avg_prompt_tokens: promptTokens,
      accuracy: 0.1667,
      pass_at_k: { "k=1": 16.667, "k=2": 33.333, "k=3": 50 },
    };
    expect(readSummary(folder)).toMatchObject({ ...released, task: "two", problems: 2, strategy: "cot" });
    expect(summary).toMatchObject(released);
  });

  it("of several budgets lie in a folder for each, where a text that was cut off counts by its last number", async () => {
    const folder = newFolder();
    const model = scriptedModel((_, __, call): Said => {
      const { maxNewTokens = 0 } = model.calls[call]!.requests[0]!;
      return maxNewTokens < 10 ? { text: "0 + 1 = 1", finishReason: "length" } : "It is 5.\n#### 2";
    });
    const { summary } = await evaluateModel(model, TASK, { budgets: [20, 5], folder, display: SILENT });
    expect(existsSync(join(folder, "results.json"))).toBe(false);
    expect(summary).not.toHaveProperty("configuration");
    expect(readSummary(folder)).not.toHaveProperty("accuracy");

    const small = join(folder, "budget-5");
    expect(readSummary(small)).toMatchObject({ accuracy: 0.5, avg_completion_tokens: 9, total_completion_tokens: 18 });
    expect(readSummary(small).configuration.sampling_params).toEqual({
      temperature: 0,
      top_p: 1,
      max_tokens: 5,
      n: 1,
      seed: 0,
    });
    expect(readSummary(small)).not.toHaveProperty("pass_at_k");
    expect(readResults(small).b!.responses).toEqual([{ content: "0 + 1 = 1", correctness: true, reason: "" }]);
    expect(readResults(small).a!.responses[0]!.reason).toBe("Solution is incorrect; cut off at 5 tokens.");

    const large = join(folder, "budget-20");
    expect(readSummary(large)).toMatchObject({ accuracy: 0.5, avg_completion_tokens: 15 });
    expect(readResults(large).a!.responses).toEqual([{ content: "It is 5.\n#### 2", correctness: true, reason: "" }]);
  });

  it("have the system prompt and the prefill in the conversation, and a model's average to 3 decimals", async () => {
    const folder = newFolder();
    const task = createTask("three", [
      ...TASK.problems,
      { id: "c", question: "How much is 2 + 1?", kind: "gsm8k", references: ["3"] },
    ]);
    const model = speaker([["1"], ["33"]], { parameterCount: 7, hash: async () => "ab12" });
    const frame = { systemPrompt: "Be brief.", assistantPrefill: "#### ", strategy: "cot" } as const;
    await evaluateModel(model, task, { ...frame, folder, display: SILENT });
    expect(readResults(folder).b!.input_conversation).toEqual([
      { role: "system", content: "Be brief." },
      ...conversation("0 + 1"),
      { role: "assistant", content: "#### " },
    ]);
    expect(readResults(folder).b!.prompt).toBe(conversation("0 + 1")[0]!.content);
    const { avg_completion_tokens, accuracy, configuration } = readSummary(folder);
    expect([avg_completion_tokens, accuracy]).toEqual([1.667, 0.3333]); // 5 tokens in 3 texts.
    expect(configuration.model.config).toEqual({
      hash: "ab12",
      parameter_count: 7,
      strategy: "cot",
      system_prompt: "Be brief.",
      assistant_prefill: "#### ",
    });
  });

  it("grade under strict where astar does not apply, and leave prompts that are too long out of the averages", async () => {
    const folder = newFolder();
    const task = createTask("words", [{ id: "w", question: "Who?", kind: "words", references: ["Ann"] }]);
    await evaluateModel(
      scriptedModel(() => "#### Ann"),
      task,
      { folder, display: SILENT },
    );
    expect(readSummary(folder)).toMatchObject({
      accuracy: 1,
      configuration: { task: { config: { policy: "strict" } } },
    });

    const short = newFolder();
    const model = scriptedModel(() => "#### 1", { capabilities: new Set(["text", "countTokens"]), contextLength: 10 });
    await evaluateModel(model, TASK, { folder: short, display: SILENT });
    expect(readSummary(short)).toMatchObject({ accuracy: 0, avg_completion_tokens: 0, total_prompt_tokens: 0 });
    expect(readResults(short).b!.responses).toEqual([
      { content: "", correctness: false, reason: "The prompt is too long for the model." },
    ]);
    // Without a chat template the conversation is the text.
    expect(readResults(short).b!.input_conversation).toEqual([
      { role: "user", content: expect.stringMatching(/How much is 0 \+ 1\?\n\nAnswer:\n$/) },
    ]);
  });
});
