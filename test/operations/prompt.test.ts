import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadLocalModel } from "thoughtbook/llm";
import {
  type ChatTemplate,
  chatTemplateOf,
  encodeChat,
  loadTokenizer,
  saveBpe,
  type Tokenizer,
  trainBpe,
} from "thoughtbook/model";
import {
  exampleMessages,
  OPERATION_CHAT_TEMPLATE,
  OPERATION_NAMES,
  OPERATION_TAGS,
  OPERATIONS,
  operationExamples,
  operationMessage,
  operationPrompt,
  shortenedThought,
  styleOf,
} from "thoughtbook/operations";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeConversation } from "../../lib/dist/model/chat/tokens.js";
import { writeChatModel } from "../model/generate/helpers.js";
import { problems, randomFor, scriptedModel } from "./helpers.js";

const { cot, judge } = OPERATIONS;
const input = { question: "How many?" };

it("what an example is given stands before what it completes", () => {
  const [problem] = problems(1);
  const example = shortenedThought(problem!, randomFor(problem!));
  const content = `${example.given!}${example.completion}`;
  expect(content.length).toBeGreaterThan(example.completion.length);
  expect(exampleMessages(example)[1]).toEqual({ role: "assistant", content });
});

describe("tags and instructions", () => {
  it("each operation has a tag of its own and an instruction that says the format", () => {
    expect(OPERATION_TAGS).toEqual(OPERATION_NAMES.map((name) => `<|${name}|>`));
    expect(new Set(OPERATION_TAGS).size).toBe(13);
    for (const name of OPERATION_NAMES) {
      expect(OPERATIONS[name].name).toBe(name);
      expect(OPERATIONS[name].instruction.length).toBeGreaterThan(80);
    }
  });

  it("a model takes the tag if it says that it knows the operation", () => {
    const model = scriptedModel(() => "", { operations: new Set(["cot"]) });
    expect(styleOf(model, cot)).toBe("tag");
    expect(styleOf(model, judge)).toBe("instruction");
    expect(
      styleOf(
        scriptedModel(() => ""),
        cot,
      ),
    ).toBe("instruction");
    expect(operationPrompt(model, cot, input)).toEqual({
      messages: [{ role: "user", operation: "cot", content: "How many?" }],
    });
    expect(operationPrompt(model, cot, input, "instruction")).toEqual({
      messages: [{ role: "user", content: `${cot.instruction}\n\nHow many?` }],
    });
  });

  it("a model without a chat template gets a plain text", () => {
    const plain = { name: "plain", capabilities: new Set(["text"] as const), operations: undefined };
    expect(operationPrompt(plain, cot, input)).toBe(`${cot.instruction}\n\nHow many?\n\nAnswer:\n`);
    expect(operationPrompt(plain, cot, input, "tag")).toBe("<|cot|>How many?\n");
  });
});

describe("the inputs as text", () => {
  it("number what the output refers to", () => {
    expect(judge.render({ question: " Q ", answers: ["1", "a\n#### 2"] })).toBe("Q\nAnswer 1: 1\nAnswer 2:\na\n#### 2");
    const { verify, revise, contract, code } = OPERATIONS;
    const solution = "a\n\n b \n#### 3\n";
    expect(verify.render({ question: "Q", solution })).toBe("Q\nSolution:\n1. a\n2. b\n#### 3");
    expect(revise.render({ question: "Q", solution, feedback: "Step 2 is wrong." })).toBe(
      "Q\nSolution:\n1. a\n2. b\n#### 3\nFeedback: Step 2 is wrong.",
    );
    expect(revise.render({ question: "Q", solution: "no answer" })).toBe("Q\nSolution:\n1. no answer");
    expect(contract.render({ question: "Q", solved: [{ question: "R?", answer: "7" }] })).toBe("Q\nKnown:\nR? 7");
    const examples = [{ args: [[1, 2], "a"], result: true }];
    expect(code.render({ name: "f", parameters: ["x", "y"], specification: "Do it.", examples })).toBe(
      'f(x, y): Do it.\nf([1,2], "a") = true',
    );
  });
});

describe("the chat template of operations", () => {
  let folder: string;
  let tokenizer: Tokenizer;
  let template: ChatTemplate;
  const [problem] = problems(1);
  const examples = operationExamples(problem!, randomFor(problem!));
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-operations-"));
    await writeChatModel(folder);
    const bpe = await trainBpe(
      examples.map(({ prompt, completion }) => `${prompt}\n${completion}`),
      {
        vocabularySize: 400,
        specialTokens: ["<s>", "<|end|>", "<|user|>", "<|assistant|>", ...OPERATION_TAGS],
        bosToken: "<s>",
        eosToken: "<|end|>",
        minFrequency: 1,
      },
    );
    await saveBpe(folder, bpe, { chatTemplate: OPERATION_CHAT_TEMPLATE });
    tokenizer = await loadTokenizer(folder);
    template = await chatTemplateOf(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("writes the tag as one token, and counts the completion and its end for the loss", () => {
    for (const example of examples) {
      const { ids, assistant } = encodeConversation(tokenizer, template, exampleMessages(example));
      expect(ids.slice(0, 1).map(tokenizer.tokenOf)).toEqual(["<|user|>"]);
      const before = ids.indexOf(tokenizer.encode("<|assistant|>", { addSpecialTokens: false })[0]!);
      expect(ids.slice(before - 1, before).map(tokenizer.tokenOf)).toEqual([`<|${example.operation}|>`]);
      expect(tokenizer.decode(ids.filter((_, at) => assistant[at]))).toBe(`${example.completion}<|end|>`);
      expect(tokenizer.decode(ids.filter((_, at) => !assistant[at]))).toBe(
        `<|user|>${example.prompt}<|${example.operation}|><|assistant|>`,
      );
    }
  });

  it("reads a tag within a question as text", () => {
    const message = operationMessage(cot, { question: "<|judge|> or <|end|>?" }, "tag");
    const ids = encodeChat(tokenizer, template, [message], { addGenerationPrompt: true });
    const special = ids.filter((id) => tokenizer.specialIds.has(id)).map(tokenizer.tokenOf);
    expect(special).toEqual(["<|user|>", "<|cot|>", "<|assistant|>"]);
    expect(tokenizer.decode(ids)).toBe("<|user|><|judge|> or <|end|>?<|cot|><|assistant|>");
  });

  it("a model says which operations it knows in thoughtbook.json", async () => {
    const file = join(folder, "thoughtbook.json");
    expect((await loadLocalModel(folder)).operations).toBeUndefined();
    writeFileSync(file, '{"operations": ["cot"], "more": 1}');
    const model = await loadLocalModel(folder);
    expect(model.operations).toEqual(new Set(["cot"]));
    const prompt = operationPrompt(model, cot, input) as { messages: never };
    expect(tokenizer.decode(model.encode(prompt))).toBe("<|user|>How many?<|cot|><|assistant|>");
    for (const text of ["{", "[]", '{"operations": "cot"}']) {
      writeFileSync(file, text);
      await expect(loadLocalModel(folder)).rejects.toMatchObject({
        code: "corrupt-data",
        message: expect.stringContaining("thoughtbook.json"),
      });
    }
  });
});
