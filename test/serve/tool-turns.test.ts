import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadLocalModel } from "thoughtbook/llm";
import { startServer } from "thoughtbook/serve";
import { expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../core/helpers.js";
import { writeChatModel } from "../model/generate/helpers.js";
import { clientOf, post, testServer } from "./helpers.js";

/** How Qwen's template does it: calls as JSON, results in a turn of the user. */
const OBJECTS = `{% for m in messages %}{% if m.role == "tool" %}<|user|>[{{ m.content }}]{% else %}<|{{ m.role }}|>{{ m.content }}
{%- for call in m.tool_calls or [] %}({{ call.function.name }} {{ call.function.arguments | tojson }}){% endfor %}{% endif %}<|end|>{% endfor %}
{%- if add_generation_prompt %}<|assistant|>{% endif %}`;
/** How DeepSeek's does it: arguments are joined to a text. */
const TEXTS = OBJECTS.replace("arguments | tojson", "arguments.strip()");
/** As many old ones: other roles than these two, or two turns of one after the other, are errors. */
const STRICT = `{% for m in messages %}{% if (m.role == "user") != (loop.index0 % 2 == 0) %}{{ raise_exception("roles must alternate") }}{% endif %}
{%- if m.role not in ["user", "assistant"] %}{{ raise_exception("unknown role") }}{% endif %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}
{%- if add_generation_prompt %}<|assistant|>{% endif %}`;
/** Any role between signs of their own, as ChatML has it. */
const ANY_ROLE = `{% for m in messages %}<s>{{ m.role }}: {{ m.content }}<|end|>{% endfor %}{% if add_generation_prompt %}<s>assistant: {% endif %}`;

async function serverWith(template: string) {
  const folder = await temporaryFolder();
  await writeChatModel(folder);
  const file = join(folder, "tokenizer_config.json");
  const config = JSON.parse(readFileSync(file, "utf8")) as object;
  writeFileSync(file, JSON.stringify({ ...config, chat_template: template }));
  const model = await loadLocalModel(folder);
  const server = await startServer({ toy: model }, { port: 0 });
  onTestFinished(async () => {
    await server.close({ grace: 0 });
    await model.dispose();
  });
  const prompt = async (messages: object[], more: object = {}) => {
    const { status, body } = await post(server, "/tokenize", { messages, ...more });
    if (status !== 200) return body.error;
    return (await post(server, "/detokenize", { tokens: body.tokens })).body.prompt;
  };
  return { server, model, prompt };
}

const user = { role: "user", content: "two and two" };
const call = (name: string, args: string) => ({ id: "a", type: "function", function: { name, arguments: args } });
const calling = { role: "assistant", content: null, tool_calls: [call("add", '{"a": 2}')] };
const result = { role: "tool", tool_call_id: "a", content: "four" };
const history = [user, calling, result];

it("leaves calls and results to a template that knows them, with arguments as it wants them", async () => {
  for (const template of [OBJECTS, TEXTS]) {
    const { prompt, server } = await serverWith(template);
    const written = `<|user|>two and two<|end|><|assistant|>(add {"a": 2})<|end|><|user|>[four]<|end|><|assistant|>`;
    expect(await prompt(history)).toBe(written);
    // The older way to say the same, and with null where nothing is.
    const older = { role: "assistant", content: null, function_call: { name: "add", arguments: '{"a": 2}' } };
    expect(await prompt([user, older, { role: "function", name: "add", content: "four" }])).toBe(written);
    const nulls = { tool_calls: null, function_call: null, refusal: null, name: null, audio: null };
    expect(
      await prompt([
        { ...user, ...nulls },
        { ...nulls, ...calling },
        { ...nulls, ...result },
      ]),
    ).toBe(written);
    const answer = await clientOf(server).chat.completions.create({
      model: "toy",
      messages: history as never,
      max_tokens: 3,
    });
    expect(answer.choices.length).toBe(1);
  }
});

it("writes calls and results as text where the template has no place for them", async () => {
  const call = '<tool_call>\n{"name":"add","arguments":{"a":2}}\n</tool_call>';
  const response = (text: string) => `<tool_response>\n${text}\n</tool_response>`;
  const toolless = await testServer();
  const { tokens } = (await post(toolless, "/tokenize", { messages: history })).body;
  const plain = `<|user|>two and two<|end|><|assistant|>${call}<|end|><|user|>${response("four")}<|end|><|assistant|>`;
  expect(toolless.model.tokenizer!.decode(tokens as number[])).toBe(plain);

  const { prompt } = await serverWith(STRICT);
  expect(await prompt(history)).toBe(plain);
  const both = { ...calling, content: "So:", tool_calls: [...calling.tool_calls, calling.tool_calls[0]] };
  expect(
    await prompt([user, both, result, { ...result, content: "five" }, { role: "assistant", content: "4" }, user]),
  ).toBe(
    `<|user|>two and two<|end|><|assistant|>So:\n${call}\n${call}<|end|>` +
      `<|user|>${response("four")}\n${response("five")}<|end|><|assistant|>4<|end|><|user|>two and two<|end|><|assistant|>`,
  );
  const generic = await serverWith(ANY_ROLE);
  expect(await generic.prompt(history)).toBe(
    `<s>user: two and two<|end|><s>assistant: ${call}<|end|><s>tool: four<|end|><s>assistant: `,
  );
});

it("takes an assistant's turn without a text, and what a model wrote as arguments", async () => {
  const { prompt, model, server } = await serverWith(OBJECTS);
  const turn = (fields: object) => prompt([user, { role: "assistant", ...fields }, user]);
  const around = (text: string) =>
    `<|user|>two and two<|end|><|assistant|>${text}<|end|><|user|>two and two<|end|><|assistant|>`;
  expect(await turn({ content: null })).toBe(around(""));
  expect(await turn({})).toBe(around(""));
  expect(await turn({ content: null, refusal: "No." })).toBe(around("No."));
  expect(await turn({ content: [{ type: "refusal", refusal: "No." }] })).toBe(around("No."));
  for (const [args, written] of [
    ["", "{}"],
    ["{}", "{}"],
    ['{"a": ', '"{\\"a\\": "'],
    [{ a: 2 }, '{"a": 2}'],
  ] as const) {
    expect(await turn({ tool_calls: [call("f", args as string)] })).toBe(around(`(f ${written})`));
  }
  // What tools say cannot end a turn.
  const end = model.tokenizer!.idOf("<|end|>");
  const ids = model.encode({ messages: [user, { role: "assistant", content: "" }, user] });
  const { tokens } = (
    await post(server, "/tokenize", {
      messages: [
        user,
        { ...calling, tool_calls: [call("<|end|>", '{"<|end|>": "<|end|>"}')] },
        { ...result, content: "<|end|>" },
      ],
    })
  ).body;
  expect((tokens as number[]).filter((id) => id === end).length).toBe(ids.filter((id) => id === end).length);

  const refused: [object, string][] = [
    [{ role: "user", content: null }, "messages.0.content"],
    [{ role: "tool" }, "messages.0.content"],
    [{ ...user, tool_calls: calling.tool_calls }, "messages.0.tool_calls"],
    [{ ...calling, tool_calls: [{ id: "a", type: "custom", custom: {} }] }, "messages.0.tool_calls.0.type"],
    [
      { ...calling, tool_calls: [{ id: "a", type: "function", function: {} }] },
      "messages.0.tool_calls.0.function.name",
    ],
    [{ role: "assistant", content: null, audio: { id: "a" } }, "messages.0.audio"],
  ];
  for (const [message, param] of refused) expect(await prompt([message])).toMatchObject({ param });
  expect(await prompt(history.slice(0, 2), { continue_final_message: true })).toMatchObject({
    param: "continue_final_message",
  });
  const strict = await serverWith(STRICT);
  expect(await strict.prompt([user, user])).toMatchObject({
    param: "messages",
    message: expect.stringContaining("roles must alternate"),
  });
});
