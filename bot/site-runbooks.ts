import type { IncidentRunbook } from "#shared/incidents/runbook.ts";
import {
  type KnownToSite,
  siteRunbookFile,
  siteRunbookIssues,
  toIncidentRunbook,
} from "#shared/incidents/site-runbook.ts";
import { type FileProblem, readYaml, schemaIssues } from "./yaml-places.ts";

export type SiteRunbooks =
  | Readonly<{ ok: true; runbooks: readonly IncidentRunbook[] }>
  | Readonly<{ ok: false; problems: readonly FileProblem[] }>;

/**
 * Reads a file of a site's own runbooks. Every problem is told at once, each with its place, the value that stands there,
 * what was expected and the nearest valid word. `name` is the file's, for where a runbook comes from.
 */
export function readSiteRunbooks(source: string, name: string, known: KnownToSite): SiteRunbooks {
  const read = readYaml(source);
  if (!read.ok) return read;
  const { root, told } = read;
  const parsed = siteRunbookFile.safeParse(root ?? {});
  const issues = [
    ...(parsed.success ? [] : schemaIssues(siteRunbookFile, parsed.error, root)),
    ...siteRunbookIssues(root, known),
  ];
  if (!parsed.success || issues.length > 0) return { ok: false, problems: told(issues) };
  return {
    ok: true,
    runbooks: parsed.data.runbooks.map((each, i) => {
      const [at] = told([{ path: ["runbooks", i], message: "" }]);
      return toIncidentRunbook(each, known.builtIn, `${name}:${at?.line ?? 1}`);
    }),
  };
}

/** `runbooks.yaml:3:5 runbooks[0].id is missing; expected string`. */
export const problemLine = (file: string, { line, column, path, message }: FileProblem): string =>
  `${file}:${line}:${column} ${path} ${message}`.replace("  ", " ");

export type ReadFiles = Readonly<{
  runbooks: readonly IncidentRunbook[];
  problems: readonly string[];
}>;

/** All files of the config, each judged, names over all of them. `read` throws what becomes `why` in words. */
export function readAllSiteRunbooks(
  files: readonly string[],
  read: (file: string) => string,
  known: Omit<KnownToSite, "taken">,
  why: (error: unknown) => string,
): ReadFiles {
  const runbooks: IncidentRunbook[] = [];
  const problems: string[] = [];
  for (const file of files) {
    let source: string;
    try {
      source = read(file);
    } catch (error) {
      problems.push(`${file} (runbooks) cannot be read: ${why(error)}`);
      continue;
    }
    const taken = runbooks.map(({ id }) => id);
    const result = readSiteRunbooks(source, file, { ...known, taken });
    if (result.ok) runbooks.push(...result.runbooks);
    else problems.push(...result.problems.map((problem) => problemLine(file, problem)));
  }
  return { runbooks, problems };
}

/** What a site's runbooks may name: loaded when there are any, since the list of checks brings every check along. */
export async function knownToSite(): Promise<Omit<KnownToSite, "taken">> {
  const [{ checks }, { incidentRunbooks }] = await Promise.all([
    import("#shared/checks/all.ts"),
    import("#shared/incidents/runbooks/all.ts"),
  ]);
  return { checks: checks.map(({ id }) => id), builtIn: incidentRunbooks };
}
