import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/net/**", "test/long/**", "test/aws/**", "test/cluster/**"],
    hookTimeout: 240_000,
    testTimeout: 240_000,
    pool: "threads",
    // Many tests wait for a server or a child process: more of them than cores, and modules loaded once a worker.
    maxWorkers: 4,
    isolate: false,
  },
});
