import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/aws/**/*.test.ts"],
    globalSetup: ["test/aws/support/install-moto.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
