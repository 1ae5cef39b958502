import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    // Files that start notebook kernels are heavy: two cores, two files at a time.
    maxWorkers: 2,
    // They also race against the clock of a machine that does other work: a second try tells slow from broken.
    retry: process.env.CI ? 1 : 0,
  },
});
