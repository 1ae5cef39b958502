import { conversationOf } from "thoughtbook/data";
import { describe, expect, it } from "vitest";

const exchange = [
  { role: "user", content: "q" },
  { role: "assistant", content: "a" },
];
const shareGpt = (...turns: [from: string, value: string][]) => turns.map(([from, value]) => ({ from, value }));
const read = (row: unknown) => {
  const found = conversationOf(row);
  if (!found?.ok) throw new Error(found?.reason ?? "no conversation");
  return found.value;
};
const system = { role: "system", content: "S." };

describe("conversationOf", () => {
  it.each<[string, object, object[]]>([
    ["messages", { messages: exchange }, exchange],
    ["ShareGPT", { conversations: shareGpt(["human", "q"], ["gpt", "a"]) }, exchange],
    ["ShareGPT with other names", { conversation: shareGpt(["User", "q"], ["ChatGPT", "a"]) }, exchange],
    ["ShareGPT with role and content", { conversations: exchange }, exchange],
    ["messages with from and value", { messages: shareGpt(["human", "q"], ["model", "a"]) }, exchange],
    ["turns without names", { conversations: [{ value: "q" }, { value: "a" }] }, exchange],
    [
      "a system turn",
      { conversations: shareGpt(["system", "S."], ["human", "q"], ["gpt", "a"]) },
      [system, ...exchange],
    ],
    ["a system prompt", { system: "S.", conversations: shareGpt(["human", "q"], ["gpt", "a"]) }, [system, ...exchange]],
    ["the same one twice", { system: "S.", messages: [system, ...exchange] }, [system, ...exchange]],
    ["an empty system prompt", { system: "", tools: "[]", messages: exchange }, exchange],
    ["a developer", { messages: [{ role: "developer", content: "S." }, ...exchange] }, [system, ...exchange]],
    ["several exchanges", { conversations: [...exchange, ...exchange] }, [...exchange, ...exchange]],
    [
      "a list of parts",
      { messages: [{ role: "user", content: [{ type: "text", text: "q" }] }, exchange[1]] },
      exchange,
    ],
    ["columns of other rows", { messages: null, prompt: [exchange[0]], completion: [exchange[1]] }, exchange],
    ["a list and a text", { prompt: [system, exchange[0]], completion: "a" }, [system, ...exchange]],
    ["texts", { prompt: "q", completion: "a", system: "S." }, [system, ...exchange]],
    ["Alpaca", { instruction: "q", input: "", output: "a" }, exchange],
    [
      "Alpaca with input",
      { instruction: "q", input: "x", output: "a" },
      [{ role: "user", content: "q\nx" }, exchange[1]!],
    ],
    [
      "Alpaca with all fields",
      { instruction: "q", input: null, output: "a", system: "S.", history: [["q", "a"]] },
      [system, ...exchange, ...exchange],
    ],
    ["Dolly", { instruction: "q", context: "", response: "a", category: "x" }, exchange],
  ])("reads %s", (_, row, messages) => {
    expect(read(row).messages).toEqual(messages);
    const isLearned = read(row).learned;
    expect(isLearned).toEqual(messages.map((message) => (message as { role: string }).role === "assistant"));
  });

  it.each([
    { weight: 0 },
    { trainable: false },
    { train: false },
    { training: false },
    { loss: 0 },
    { weight: 1, train: false },
  ])("masks a turn with %j", (flags) => {
    const messages = [...exchange, exchange[0]!, { ...exchange[1]!, ...flags }];
    const found = read({ messages });
    expect(found.learned).toEqual([false, true, false, false]);
    expect(found.messages).toEqual([...exchange, ...exchange]);
    const kept = read({ messages: [exchange[0], { ...exchange[1], weight: 1, train: true, loss: null }] });
    expect(kept.learned).toEqual([false, true]);
  });

  it("learns of a prompt's turns none", () => {
    const found = read({ prompt: [...exchange, exchange[0]], completion: [exchange[1]] });
    expect(found.learned).toEqual([false, false, false, true]);
  });

  it("writes Alpaca rows of one exchange as Stanford did, for models without a chat template", () => {
    expect(read({ instruction: "q", input: "x", output: "a" }).text).toEqual({
      prompt:
        "Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\nq\n\n### Input:\nx\n\n### Response:\n",
      completion: "a",
    });
    expect(read({ instruction: "q", output: "a" }).text!.prompt).toMatch(
      /a task\. Write .*\n\n### Instruction:\nq\n\n### Response:\n$/s,
    );
    expect(read({ instruction: "q", output: "a", system: "S." }).text).toBeUndefined();
  });

  it.each<[object, string]>([
    [
      { conversations: shareGpt(["human", "q"], ["function_call", "{}"], ["observation", "x"], ["gpt", "a"]) },
      'conversations.1: "function_call" speaks; only system, human and gpt (or user and assistant) are supported',
    ],
    [{ messages: [exchange[0], { role: "assistant", content: null }] }, "messages.1.content: expected a text"],
    [{ messages: [exchange[0], { from: "gpt", value: 3 }] }, "messages.1.value: expected a text"],
    [{ messages: [exchange[0], { content: "a" }] }, "messages.1.role: expected a text"],
    [{ messages: [exchange[0], "a"] }, "messages.1: Invalid input: expected object, received string"],
    [{ messages: [] }, "messages: expected a list of turns"],
    [{ conversations: "q" }, "conversations: expected a list of turns"],
    [{ messages: [exchange[0], { ...exchange[1], weight: 0.5 }] }, "messages.1.weight: expected 0, 1, true or false"],
    [
      { messages: [{ role: "user", content: [{ type: "image_url" }] }, exchange[1]] },
      'messages.0.content.0: a part of the type "image_url", expected text',
    ],
    [{ messages: exchange, tools: [{ name: "f" }] }, "the row has tools, which are not supported"],
    [{ messages: [system, ...exchange], system: "T." }, "system says something else than the system's turn"],
    [{ messages: exchange, system: ["S."] }, "system: expected a text"],
    [
      { prompt: "q", completion: [exchange[1]] },
      "prompt is a text and completion a list of turns: give both in the same way",
    ],
    [{ prompt: [exchange[0]], chosen: "a", rejected: "b" }, "completion: expected a text or a list of turns"],
    [{ instruction: "q", output: ["a"] }, "output: Invalid input: expected string, received array"],
  ])("refuses by name: %j", (row, reason) => {
    expect(conversationOf(row)).toEqual({ ok: false, reason });
  });

  it.each([null, "q", 3, [], {}, { question: "q" }, { instruction: "q" }, { text: "t" }])(
    "knows that %j is no conversation",
    (row) => {
      expect(conversationOf(row)).toBeUndefined();
    },
  );
});
