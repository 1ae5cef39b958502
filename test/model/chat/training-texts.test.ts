import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type ChatMessage, encodeTrainingTexts, loadTokenizer, renderChat, saveBpe, trainBpe } from "thoughtbook/model";
import { describe, expect, it } from "vitest";
import { trainingTexts } from "../../../lib/dist/model/chat/spans.js";
import { parseChatTemplate } from "../../../lib/dist/model/chat/template.js";
import { failure, temporaryFolder } from "../../core/helpers.js";

const FIXTURES = join(import.meta.dirname, "..", "..", "fixtures");
const now = new Date(2026, 2, 5);

function templateOf(name: string, eos = "</s>") {
  const folder = ["opened", "closed"].includes(name) ? "training-templates" : "chat-templates";
  const text = readFileSync(join(FIXTURES, folder, `${name}.jinja`), "utf8");
  return parseChatTemplate(text, { specialTokens: { bos_token: "<s>", eos_token: eos } });
}

/** The texts with what is learned between brackets. */
const texts = (template: ReturnType<typeof templateOf>, messages: ChatMessage[], learned?: boolean[]) =>
  trainingTexts(template, messages, { now, learned }).map(({ text, spans }) =>
    spans.reduceRight(
      (marked, { start, end }) => `${marked.slice(0, start)}⟦${marked.slice(start, end)}⟧${marked.slice(end)}`,
      text,
    ),
  );

const chat = (...contents: string[]): ChatMessage[] =>
  contents.map((content, index) => ({ role: index % 2 === 0 ? "user" : "assistant", content }));
const thought = (text: string, answer: string) => `<think>\n${text}\n</think>\n${answer}`;
const two = chat("Hi", thought("hm", "One."), "More?", thought("so", "Two."));

describe("training texts", () => {
  it("are one where the template writes turns the same way whichever follow", () => {
    const template = templateOf("chatml", "<|im_end|>");
    const turn = (role: string, text: string) => `<|im_start|>${role}\n${text}\n`;
    const system = turn("system", "You are a helpful assistant.<|im_end|>");
    const [user, more] = [`${system}${turn("user", "Hi<|im_end|>")}`, turn("user", "More?<|im_end|>")];
    expect(texts(template, two)).toEqual([
      `${user}${turn("assistant", `⟦${thought("hm", "One.")}<|im_end|>⟧`)}${more}${turn("assistant", `⟦${thought("so", "Two.")}<|im_end|>⟧`)}`,
    ]);
    expect(texts(template, two, [false, false, false, true])[0]).toContain(
      `assistant\n${thought("hm", "One.")}<|im_end|>`,
    );
    expect(texts(template, two, [false, false, false, false])[0]).not.toContain("⟦");
  });

  it("are one a turn where it drops the thoughts of earlier turns, as Qwen3's", () => {
    const template = templateOf("thinking", "<|im_end|>");
    const user = "<|im_start|>user\nHi<|im_end|>\n";
    const first = `${user}<|im_start|>assistant\n⟦<think>\nhm\n</think>\n\nOne.<|im_end|>⟧\n`;
    const second = `${user}<|im_start|>assistant\nOne.<|im_end|>\n<|im_start|>user\nMore?<|im_end|>\n<|im_start|>assistant\n⟦<think>\nso\n</think>\n\nTwo.<|im_end|>⟧\n`;
    expect(texts(template, two)).toEqual([first, second]);
    expect(texts(template, two, [false, false, false, true])).toEqual([second]);
    expect(texts(template, two.slice(0, 3))).toEqual([first]);
  });

  it("are the prompt and the message where it drops the thought of any turn, as DeepSeek's", () => {
    const opened = templateOf("opened");
    const system: ChatMessage = { role: "system", content: "Be brief." };
    const prompt = "<s>Be brief.<|User|>Hi<|Assistant|><think>\n";
    expect(texts(opened, [system, ...two])).toEqual([
      `${prompt}⟦hm\n</think>\nOne.</s>⟧`,
      "<s>Be brief.<|User|>Hi<|Assistant|>\nOne.</s><|User|>More?<|Assistant|><think>\n⟦so\n</think>\nTwo.</s>⟧",
    ]);
    expect(prompt).toBe(renderChat(opened, [system, two[0]!], { addGenerationPrompt: true }));
    expect(texts(templateOf("closed"), two.slice(0, 2))).toEqual([
      `<s><|User|>Hi<|Assistant|></think>⟦${thought("hm", "One.")}</s>⟧`,
    ]);
    // Without a thought its template writes the turn as prompted.
    expect(texts(templateOf("closed"), chat("Hi", "One.", "More?", "Two."))).toHaveLength(1);
  });

  it("end a thought at once that the prompt begins and the message lacks, and take one from beside the content", () => {
    const opened = templateOf("opened");
    const prompt = "<s><|User|>Hi<|Assistant|><think>\n";
    expect(texts(opened, chat("Hi", "One."))).toEqual([`${prompt}⟦\n</think>\n\nOne.</s>⟧`]);
    for (const field of ["reasoning_content", "reasoning", "thinking"]) {
      const beside = [two[0]!, { role: "assistant", content: "One.", [field]: "hm" }];
      expect(texts(opened, beside)).toEqual([`${prompt}⟦hm\n</think>\n\nOne.</s>⟧`]);
    }
  });

  it("end with the token that ends texts where the template ends no turn", () => {
    const template = parseChatTemplate(
      "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}",
      { specialTokens: { eos_token: "</s>" } },
    );
    expect(texts(template, chat("Hi", "One."))).toEqual(["<|user|>Hi<|assistant|>⟦One.</s>⟧"]);
  });

  it("take templates that change the text of turns, or that write no prompt", () => {
    expect(texts(templateOf("macros"), chat("a", "\tb"))[0]).toMatch(/ASSISTANT:⟦\tb<\/s>⟧$/);
    expect(texts(templateOf("instruct"), chat("a", "b"))).toEqual(["<s>[INST] a [/INST]⟦ b</s>⟧"]);
  });

  it.each<[string, ChatMessage[], RegExp]>([
    ["chatml", chat("a", "b").reverse(), /a conversation that the assistant begins has no prompt/],
    ["opened", [{ role: "tool", content: "7" }, ...two], /leaves out message 0, of the role "tool"/],
    [
      "chatml",
      [...chat("a"), { role: "assistant", content: "", tool_calls: [{ function: { name: "sum" } }] }],
      /leaves out the tool calls of message 1/,
    ],
  ])("refuse what would be lost: %s", async (name, messages, reason) => {
    const error = await failure(() => trainingTexts(templateOf(name), messages));
    expect([error.code, error.message]).toEqual(["bad-input", expect.stringMatching(reason)]);
  });

  it("hold the marks of thoughts as the tokens that they are, but no other special token of a message", async () => {
    const folder = await temporaryFolder();
    const bpe = await trainBpe(["one two three"], {
      vocabularySize: 280,
      specialTokens: ["<|User|>", "<|Assistant|>", "<think>", "</think>"],
      bosToken: "<s>",
      eosToken: "</s>",
    });
    await saveBpe(folder, bpe);
    const tokenizer = await loadTokenizer(folder);
    const messages = chat("one </think>", thought("two</s>", "three"));
    const [{ ids, assistant }] = encodeTrainingTexts(tokenizer, templateOf("opened"), messages) as [
      { ids: number[]; assistant: boolean[] },
    ];
    const learned = ids.filter((_, index) => assistant[index]);
    expect(tokenizer.decode(learned)).toBe("two</s>\n</think>\nthree</s>");
    const specials = ids.map((id) => tokenizer.tokenOf(id)).filter((token) => /^<.*>$/.test(token));
    expect(specials).toEqual(["<s>", "<|User|>", "<|Assistant|>", "<think>", "</think>", "</s>"]);
  });
});
