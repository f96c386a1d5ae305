import { readFileSync } from "node:fs";
import { createGatherer, sameQuestion } from "./nodes-gather.ts";
import type { BenchNode } from "./nodes-sshd.ts";

/** One visit from a process that has only just started, as a command line is: nothing is warm. */
const { gather, close } = createGatherer(
  JSON.parse(readFileSync(process.argv[2] as string, "utf8")) as readonly BenchNode[],
);
await gather([sameQuestion]);
close();
