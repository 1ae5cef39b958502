import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChatPrompt, loadLocalModel } from "thoughtbook/llm";
import {
  OPERATIONS,
  operationPrompt,
  requireSystemRole,
  runOperation,
  SYSTEM_PROMPT_NAMES,
  SYSTEM_PROMPTS,
  systemPromptName,
  THOUGHT_TAGS,
} from "thoughtbook/operations";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeChatModel } from "../model/generate/helpers.js";
import { scriptedModel } from "./helpers.js";

const { cot } = OPERATIONS;
const input = { question: "How much is 2 + 2?" };

describe("system prompts by name", () => {
  it("are one that names all four tags, and three with a sentence more", () => {
    expect(SYSTEM_PROMPT_NAMES).toEqual(["skythought", "chain-of-draft", "btc-effective-shortcut", "btc-skip-steps"]);
    for (const tag of Object.values(THOUGHT_TAGS)) expect(SYSTEM_PROMPTS.skythought).toContain(tag);
    const [base, ...others] = SYSTEM_PROMPT_NAMES.map((name) => SYSTEM_PROMPTS[name]);
    const sentences = others.map((text) => {
      expect(text.startsWith(`${base} `)).toBe(true);
      return text.slice(base!.length + 1);
    });
    expect(new Set(sentences).size).toBe(3);
    for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z][^.]+\.$/);
    expect(sentences[0]).toMatch(/draft.*five words/);
    expect(sentences[1]).toMatch(/shortcut/);
    expect(sentences[2]).toMatch(/[Ss]kip/);
  });

  it("are known by their text", () => {
    for (const name of SYSTEM_PROMPT_NAMES) expect(systemPromptName(SYSTEM_PROMPTS[name])).toBe(name);
    expect(systemPromptName("Be brief.")).toBeUndefined();
  });
});

describe("a prompt with a frame", () => {
  const frame = { system: "Be brief.", prefill: "So" };

  it("begins with the system prompt, and has the model go on from the prefill", () => {
    const model = scriptedModel(() => "");
    expect(operationPrompt(model, cot, input, undefined, frame)).toEqual({
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: `${cot.instruction}\n\n${input.question}` },
      ],
      answer: "So",
    });
  });

  it("of a model without a chat template ends with the prefill, and has no system prompt", () => {
    const model = scriptedModel(() => "", { capabilities: new Set(["text"]) });
    expect(operationPrompt(model, cot, input, undefined, { prefill: "So" })).toMatch(/Answer:\nSo$/);
    expect(() => operationPrompt(model, cot, input, undefined, frame)).toThrow(/conversations.*a system prompt needs/);
  });

  it("reaches the model, and the prefill counts as the beginning of what it wrote", async () => {
    const model = scriptedModel(() => "4");
    const outcomes = await runOperation(model, cot, [input], { ...frame, prefill: "2+2=4\n#### ", attempts: 1 });
    expect(outcomes[0]![0]).toMatchObject({ ok: true, text: "4", value: { reasoning: "2+2=4", answer: "4" } });
    const { messages, answer } = model.calls[0]!.requests[0]!.prompt as ChatPrompt;
    expect([messages[0]!.role, answer]).toEqual(["system", "2+2=4\n#### "]);
    const alone = await runOperation(model, cot, [input], { attempts: 1 });
    expect(alone[0]![0]).toMatchObject({ ok: false, failure: "unparseable" });
  });
});

describe("a text with the tags of the system prompt", () => {
  const { thoughtBegin, thoughtEnd, solutionBegin, solutionEnd } = THOUGHT_TAGS;
  const thought = `${thoughtBegin}\n\nThe answer is 5. Wait.\n\n`;

  it.each([
    [`${thought}${thoughtEnd}\n\n${solutionBegin}\n\n2+2=4\n#### 4\n\n${solutionEnd}`],
    [`${thought}${thoughtEnd}${solutionBegin}2+2=4\n#### 4${solutionEnd}`],
    [`${thought}${thoughtEnd}\n2+2=4\n#### 4`],
  ])("is read without its thought: %j", (text) => {
    expect(cot.parse(text, input)).toEqual({ ok: true, value: { reasoning: "2+2=4", answer: "4" } });
  });

  it("whose thought does not end has no answer", () => {
    expect(cot.parse(thought, input)).toMatchObject({ ok: false, reason: "the thought does not end" });
    expect(cot.parse("<think>\nThe answer is 5.", input)).toMatchObject({ ok: false });
  });
});

describe("whether a model takes a system prompt", () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "thoughtbook-system-"));
    await writeChatModel(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Of a folder whose template is this one. */
  async function check(template: string) {
    writeFileSync(join(folder, "chat_template.jinja"), template);
    const model = await loadLocalModel(folder);
    await requireSystemRole(model).finally(() => model.dispose());
  }
  const USER = "{% for m in messages %}{% if m.role == 'user' %}<|user|>{{ m.content }}<|end|>{% endif %}{% endfor %}";

  it("its template decides", async () => {
    await check("{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}");
    await expect(check(USER)).rejects.toThrow(/has no place for a system prompt/);
    const refusing =
      "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}";
    await expect(check(refusing + USER)).rejects.toThrow(/has no place for a system prompt/);
  });

  it("one that was trained on tags does not follow instructions", async () => {
    const tagged = scriptedModel(() => "", { name: "mini", operations: new Set(["cot"]) });
    await expect(requireSystemRole(tagged)).rejects.toThrow(
      /mini was trained on operations by their tags and does not/,
    );
    await expect(runOperation(tagged, cot, [input], { system: "Be brief." })).rejects.toThrow(/does not follow/);
    expect(tagged.calls).toHaveLength(0);
    const plain = scriptedModel(() => "", { capabilities: new Set(["text"]) });
    await expect(requireSystemRole(plain)).rejects.toThrow(/does not give conversations/);
    await requireSystemRole(scriptedModel(() => ""));
  });
});
