import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    testTimeout: 30_000,
    // Files that start notebook kernels are heavy: two cores, two files at a time.
    maxWorkers: 2,
  },
});
