import OpenAI from "openai";
import { type LocalModel, loadLocalModel } from "thoughtbook/llm";
import { type RequestRecord, type ServeOptions, type Server, startServer } from "thoughtbook/serve";
import { onTestFinished } from "vitest";
import { temporaryFolder } from "../core/helpers.js";
import { writeChatModel } from "../model/generate/helpers.js";

export interface TestServer extends Server {
  model: LocalModel;
  client: OpenAI;
  records: RequestRecord[];
  faults: unknown[];
}

/** A small chat model with random weights, context 2,048. */
export async function chatModel(): Promise<LocalModel> {
  const folder = await temporaryFolder();
  await writeChatModel(folder);
  return loadLocalModel(folder);
}

/** A server of a chat model called "toy", for the running test. */
export async function testServer(options: ServeOptions = {}): Promise<TestServer> {
  const model = await chatModel();
  const records: RequestRecord[] = [];
  const faults: unknown[] = [];
  const server = await startServer(
    { toy: model },
    { port: 0, onRequest: (record) => records.push(record), onFault: (error) => faults.push(error), ...options },
  );
  onTestFinished(async () => {
    await server.close({ grace: 0 });
    await model.dispose();
  });
  return Object.assign(server, { model, client: clientOf(server, options.apiKey), records, faults });
}

export const clientOf = ({ url }: Server, apiKey = "any"): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });

/** Ask without the client. */
export async function post(
  { url }: Server,
  path: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; headers: Headers; body: { error: Record<string, unknown> } & Record<string, unknown> }> {
  const response = await fetch(`${url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as never };
}

/** Wait until something is so; fails after some seconds. */
export async function until(isSo: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 40_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error(`waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
