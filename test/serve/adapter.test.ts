import { cpSync } from "node:fs";
import { type LanguageModel, loadLocalModel, loadModel, type TextRequest } from "thoughtbook/llm";
import { initializeParameters, parseConfig, saveCheckpoint } from "thoughtbook/model";
import { type Server, startServer } from "thoughtbook/serve";
import { expect, it } from "vitest";
import { temporaryFolder } from "../core/helpers.js";
import { apart, CONFIG } from "../model/generate/helpers.js";
import { tokenizerFolder } from "../model/tokenizer/fixtures.js";
import { testServer } from "./helpers.js";

const opened = ({ url }: Server, name = "toy"): Promise<LanguageModel> => loadModel(`${url}/v1#${name}`);

it("our adapter gets from the server what the local model gives", async () => {
  const server = await testServer();
  const { model: local } = server;
  const remote = await opened(server);
  expect(await remote.hash()).toBe(await local.hash());
  expect([remote.contextLength, remote.parameterCount]).toEqual([local.contextLength, local.parameterCount]);
  const messages = [{ role: "user", content: "the cat <|end|>" }];
  const requests: TextRequest[] = [
    { prompt: "the cat" },
    { prompt: { ids: [3, 9, 200] }, maxNewTokens: 5, samples: 3, seed: 4, temperature: 0.8, topK: 40, minP: 0.01 },
    { prompt: { messages }, seed: 9, topP: 0.9, repetitionPenalty: 1.2 },
    { prompt: { messages, answer: "sat" }, samples: 2 },
    { prompt: "the dog", seed: 5, stopStrings: ["t", "o"] },
    { prompt: "the log", seed: 6, stopIds: [3, 4, 5] },
    ...Array.from({ length: 20 }, (_, i) => ({ prompt: `the cat sat ${"and ".repeat(i)}` })),
  ];
  for (const request of requests) if (request.seed === undefined) request.temperature = 0;
  const [expected, got] = [
    await local.generate(requests, { maxNewTokens: 24 }),
    await remote.generate(requests, { maxNewTokens: 24 }),
  ];
  for (const [i, completions] of got.entries()) {
    expect(completions.length).toBe(expected[i]!.length);
    for (const [k, completion] of completions.entries()) {
      const { tokens, ...rest } = expected[i]![k]!;
      expect(completion).toMatchObject(rest);
      expect(completion.tokens!.promptIds).toEqual(tokens!.promptIds);
      expect(completion.tokens!.completionIds).toEqual(tokens!.completionIds);
      expect(apart(completion.tokens!.logProbs, tokens!.logProbs)).toBeLessThan(1e-4);
    }
  }
  let streamed = "";
  const [[whole]] = (await remote.generate([{ prompt: "the cat", seed: 1 }], {
    onText: (text) => {
      streamed += text;
    },
  })) as [[(typeof got)[0][0]]];
  expect(streamed).toBe(whole.text);
  expect(await remote.countTokens({ messages })).toBe(await local.countTokens({ messages }));
  await remote.dispose();
});

it("our adapter gets the local model's scores, of a SentencePiece model too", async () => {
  const folder = await temporaryFolder();
  cpSync(tokenizerFolder("llama2"), folder, { recursive: true });
  const config = parseConfig({ ...CONFIG, vocab_size: 600 });
  await saveCheckpoint(folder, { config, parameters: initializeParameters(config, { seed: 2, deviation: 0.4 }) });
  const local = await loadLocalModel(folder);
  const server = await startServer({ pieces: local }, { port: 0 });
  const remote = await opened(server, "pieces");
  const requests = [
    { prompt: "the cat", continuation: " sat on the mat" },
    { prompt: "the cat", continuation: "s and dogs" },
    { prompt: { ids: [5, 6, 7] }, continuation: { ids: [8, 9] } },
  ];
  const [expected, got] = [await local.score(requests), await remote.score(requests)];
  for (const [i, { ids, logProbs }] of got.entries()) {
    expect(ids).toEqual(expected[i]!.ids);
    expect(apart(logProbs, expected[i]!.logProbs)).toBeLessThan(1e-4);
  }
  await remote.dispose();
  await server.close();
  await local.dispose();
});
