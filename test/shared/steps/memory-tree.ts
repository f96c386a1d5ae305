export { type MemoryTree, memoryTree } from "#infra/lab/memory-tree.ts";
