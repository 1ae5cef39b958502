import { defineConfig } from "vitest/config";
import { LongestFirst } from "./test/longest-first.ts";
import { SlowestReporter } from "./test/slowest.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Generous, since what takes a second here takes many beside other heavy work.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Files that start notebook kernels are heavy: two cores, two files at a time.
    maxWorkers: 2,
    // And one thread each, also for what they start, but where a test says otherwise.
    env: { THOUGHTBOOK_THREADS: "1" },
    // The compiled library is loaded by Node itself, as its users do; to transform it for each run takes far longer.
    server: { deps: { external: [/\/lib\/dist\//] } },
    sequence: { sequencer: LongestFirst },
    reporters: ["default", new SlowestReporter()],
    // They also race against the clock of a machine that does other work: a second try tells slow from broken.
    retry: process.env.CI ? 1 : 0,
  },
});
