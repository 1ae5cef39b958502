import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { fileSystemError, isLfsPointer, lfsPointerError, ThoughtbookError } from "../../core/index.js";
import { exists, readOptional, readSpecialTokenNames } from "../tokenizer/files.js";
import { type Program, parseTemplate } from "./program.js";

/** A turn of a conversation. Templates may read further fields, such as `reasoning_content` or `tool_calls`. */
export interface ChatMessage {
  role: string;
  content: string;
  [field: string]: unknown;
}

/** A model's chat format: a Jinja template and the special tokens it can name. */
export interface ChatTemplate {
  /** Name of the template in error messages. */
  source: string;
  text: string;
  /** The names that the template knows special tokens by (`bos_token`, `eos_token`, …), and the tokens. */
  specialTokens: Readonly<Record<string, string>>;
  program: Program;
}

export interface RenderOptions {
  /** Whether to write the beginning of the assistant's next turn. Default: false. */
  addGenerationPrompt?: boolean;
  /** Further variables of the template, such as `tools` or `enable_thinking`. */
  variables?: Readonly<Record<string, unknown>>;
  /** The date for templates that write it (Llama 3). Default: the present one. Fix it to repeat a run. */
  now?: Date;
}

const JINJA_FILE = "chat_template.jinja";
/** Where transformers 5 writes templates other than the default. */
const NAMED_FOLDER = "additional_chat_templates";

const listSchema = z.array(z.object({ name: z.string(), template: z.string() }));
const configSchema = z.looseObject({
  chat_template: z.union([z.string(), listSchema, z.record(z.string(), z.string())]).nullish(),
});

/**
 * The chat template of a GGUF file, or of a Hugging Face folder: `chat_template.jinja`, or else that of `tokenizer_config.json` or of
 * `chat_template.json`; where there are several, the one with the given name, or else "default".
 *
 * @throws not-found without a template, or without one of that name; corrupt-data if it does not parse; file-system
 */
export async function chatTemplateOf(folder: string, { name }: { name?: string } = {}): Promise<ChatTemplate> {
  const templates = await readTemplates(folder);
  const { names } = await readSpecialTokenNames(folder);
  const known = Object.keys(templates);
  const chosen = name ?? (known.length === 1 ? known[0]! : "default");
  const text = templates[chosen];
  if (known.length === 0) {
    throw new ThoughtbookError("not-found", `${folder} holds no chat template: its model was not trained on chats`, {
      hint: `Give the model a plain prompt, choose an "instruct" or "chat" model, or add a ${JINJA_FILE}.`,
    });
  }
  if (text === undefined) {
    throw new ThoughtbookError("not-found", `${folder} holds no chat template named ${JSON.stringify(chosen)}`, {
      hint: `Choose one of ${known.join(", ")}.`,
    });
  }
  return parseChatTemplate(text, {
    source: `the chat template of ${folder}`,
    specialTokens: Object.fromEntries(
      [
        ["bos_token", names.bos],
        ["eos_token", names.eos],
        ["pad_token", names.pad],
        ["unk_token", names.unk],
      ].filter(([, token]) => token !== undefined) as [string, string][],
    ),
  });
}

/**
 * A chat template from its text.
 *
 * @param options `source` is what the messages of errors call it, `specialTokens` as in {@link ChatTemplate}
 * @throws corrupt-data if it does not parse
 */
export function parseChatTemplate(
  text: string,
  {
    source = "the chat template",
    specialTokens = {},
  }: { source?: string; specialTokens?: Record<string, string> } = {},
): ChatTemplate {
  return { source, text, specialTokens, program: parseTemplate(text, source) };
}

/**
 * Write a conversation in the model's format. For token ids use `encodeChat`, which distinguishes the template's
 * special tokens from what a user wrote.
 *
 * @throws bad-input without messages, or where the template refuses them or fails
 */
export function renderChat(
  { program, specialTokens, source }: ChatTemplate,
  messages: readonly ChatMessage[],
  { addGenerationPrompt = false, variables = {}, now = new Date() }: RenderOptions = {},
): string {
  if (messages.length === 0) {
    throw new ThoughtbookError("bad-input", `there are no messages for ${source}`, {
      hint: "Give at least one, such as { role: 'user', content: 'Hello' }.",
    });
  }
  // Templates distinguish `none` from a missing variable: these two are always defined.
  const common = { tools: null, documents: null, ...specialTokens, ...variables };
  return program({ ...common, messages, add_generation_prompt: addGenerationPrompt }, now);
}

/** The templates of a folder by name. */
async function readTemplates(folder: string): Promise<Record<string, string>> {
  if (!(await exists(folder))) {
    throw new ThoughtbookError("not-found", `there is no folder ${folder}`, { hint: "Check the path." });
  }
  const fromFiles: Record<string, string> = {};
  if (await exists(join(folder, JINJA_FILE))) fromFiles.default = await readText(join(folder, JINJA_FILE));
  if (await exists(join(folder, NAMED_FOLDER))) {
    for (const file of await listFolder(join(folder, NAMED_FOLDER))) {
      if (!file.endsWith(".jinja")) continue;
      fromFiles[file.slice(0, -".jinja".length)] = await readText(join(folder, NAMED_FOLDER, file));
    }
  }
  if (Object.keys(fromFiles).length > 0) return fromFiles;
  for (const file of ["tokenizer_config.json", "chat_template.json"]) {
    const template = (await readOptional(folder, file, configSchema))?.chat_template;
    if (typeof template === "string") return { default: template };
    if (Array.isArray(template)) return Object.fromEntries(template.map((each) => [each.name, each.template]));
    if (template) return template;
  }
  return {};
}

const listFolder = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileSystemError(error, "read the folder", folder);
  });
  return names.sort();
};

async function readText(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw fileSystemError(error, "read", file);
  });
  if (isLfsPointer(text)) throw lfsPointerError(file, text);
  return text;
}
