import type { WorkingTree } from "../git/working-tree.ts";
import type { RepositoryConfig } from "../site/site.ts";
import { openWorkingTree } from "./git-working-tree.ts";

/** The clones of the config, by name. Nothing is run before the first use. */
export const configuredTrees = (
  repositories: readonly RepositoryConfig[],
): ReadonlyMap<string, WorkingTree> =>
  new Map(repositories.map((repository) => [repository.name, openWorkingTree(repository)]));
