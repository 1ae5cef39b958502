import { resolve } from "node:path";
import { parseEnv } from "node:util";
import { badInput, readIfThere } from "../../core/index.js";

/**
 * The key for the servers: the one given, else THOUGHTBOOK_API_KEY, else OPENAI_API_KEY, each from the environment or
 * else from the file `.env` of the current folder. For api.openai.com OPENAI_API_KEY comes first; it is not sent to
 * another machine over http, where others could read it. An empty variable means no key.
 *
 * @throws bad-input (a key no header can hold), file-system
 */
export async function findApiKey(
  baseUrls: readonly string[],
  given?: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string | undefined> {
  if (given !== undefined) return checkKey(given, "the option apiKey");
  const variables = { ...(await readDotEnv()), ...environment };
  const isOpenAi = baseUrls.every((url) => new URL(url).hostname === "api.openai.com");
  const names = isOpenAi ? ["OPENAI_API_KEY", "THOUGHTBOOK_API_KEY"] : ["THOUGHTBOOK_API_KEY", "OPENAI_API_KEY"];
  const name = names.find((each) => variables[each] !== undefined);
  if (name === undefined || (name === "OPENAI_API_KEY" && !baseUrls.every(isPrivate))) return undefined;
  return checkKey(variables[name]!, name);
}

/**
 * The key in a variable of the environment, or of the file `.env` of the current folder.
 *
 * @throws bad-input if it is not set, or no header can hold it; file-system
 */
export async function apiKeyIn(
  variable: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string> {
  const value = environment[variable] ?? (await readDotEnv())[variable];
  const key = value === undefined ? undefined : checkKey(value, variable);
  if (key !== undefined) return key;
  throw badInput(`the variable ${variable} for the key is not set`, "Set it in the environment or in the file .env.");
}

function checkKey(key: string, source: string): string | undefined {
  const trimmed = key.trim();
  if (trimmed === "") return undefined;
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  // Without the value.
  throw badInput(`${source} holds characters that no key has`, "Set it to a key of the server, or leave it out.");
}

/** Whether nobody on the way can read what is sent. */
function isPrivate(baseUrl: string): boolean {
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === "https:" || /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

async function readDotEnv(): Promise<Record<string, string | undefined>> {
  const text = await readIfThere(resolve(".env"));
  return text === undefined ? {} : (parseEnv(text) as Record<string, string | undefined>);
}
