import { createRequire } from "node:module";
import { loadLocalModel } from "thoughtbook/llm";
import { generate } from "thoughtbook/model";
import { productTimer } from "../shared/product-timer.js";
import { modelFolders } from "./model.js";
import { serveGenerator } from "./peer.js";

const require = createRequire(import.meta.url);

await serveGenerator(async ({ folder, threads }) => {
  const session = { threads };
  const model = await (await loadLocalModel(modelFolders(folder).checkpoint)).host();
  return {
    versions: { "onnxruntime-node": (require("onnxruntime-node/package.json") as { version: string }).version },
    threads,
    async generate(prompts, newTokens) {
      const requests = prompts.map((prompt) => ({ prompt }));
      const common = { temperature: 0, maxNewTokens: newTokens, stopIds: [], batchSize: prompts.length, session };
      return (await generate(model, requests, common)).map(({ ids }) => ids);
    },
    product: productTimer(threads),
  };
});
