import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/net/**", "test/long/**", "test/aws/**", "test/cluster/**"],
    testTimeout: 20_000,
    setupFiles: [],
    pool: "threads",
  },
});
