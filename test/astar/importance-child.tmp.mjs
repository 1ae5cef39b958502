
      import { readFileSync } from "node:fs";
      import { importanceSignals, openImportanceCache } from "thoughtbook/astar";
      import { loadLocalModel } from "thoughtbook/llm";
      const [folder, chains, file] = process.argv.slice(2);
      const model = await loadLocalModel(folder);
      const cache = await openImportanceCache(file, model);
      for await (const _ of importanceSignals(model, JSON.parse(readFileSync(chains, "utf8")), { cache })) {
        process.stdout.write(".");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await cache.close();
      await model.dispose();