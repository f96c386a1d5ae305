import { nearest } from "../nearest.ts";
import { code, type Text, text } from "../text.ts";
import type { Alert } from "./alert.ts";

/** A mapping as the config writes it: labels that must hold, and what is then run about what. */
export type RouteSpec = Readonly<{
  /** Label to its value, or to `/regex/`, which has to match the whole value as in Alertmanager. */
  match: Readonly<Record<string, string>>;
  runbook: string;
  /** The label that names the subject, or a template such as `{{namespace}}/{{service}}`. */
  subject?: string;
  /** The name of a configured cluster, or the label that names one. */
  cluster?: string;
}>;

export type Route = Readonly<{
  matches: (labels: Alert["labels"]) => boolean;
  runbook: string;
  subject: readonly TemplatePart[] | undefined;
  cluster: ClusterFrom;
}>;

type TemplatePart = Readonly<{ words: string }> | Readonly<{ label: string }>;
type ClusterFrom = Readonly<{ name: string }> | Readonly<{ label: string }>;

/** Something wrong with a route; `path` leads to it from the list of routes. */
export type RouteProblem = Readonly<{ path: readonly PropertyKey[]; message: string }>;

/** A runbook that routes may name. `takesSubject` is false for one that is run without an argument. */
export type KnownRunbook = Readonly<{ id: string; takesSubject: boolean }>;

const labelName = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

const quote = (value: string): string => JSON.stringify(value);

function readTemplate(given: string): readonly TemplatePart[] | string {
  if (!given.includes("{{"))
    return labelName.test(given) ? [{ label: given }] : `${quote(given)} is no label name`;
  const parts: TemplatePart[] = [];
  for (const [i, piece] of given.split(/\{\{\s*([^{}]*?)\s*\}\}/).entries()) {
    if (i % 2 === 0) {
      if (/\{\{|\}\}/.test(piece)) return `${quote(given)} has braces that do not close`;
      if (piece !== "") parts.push({ words: piece });
    } else {
      // `{{ $labels.service }}` is what people know from Prometheus.
      const label = piece.replace(/^(?:\$labels)?\./, "");
      if (!labelName.test(label)) return `${quote(piece)} between braces is no label name`;
      parts.push({ label });
    }
  }
  return parts;
}

function readMatcher(given: string): ((value: string) => boolean) | string {
  const pattern =
    given.length > 1 && given.startsWith("/") && given.endsWith("/") ? given.slice(1, -1) : undefined;
  if (pattern === undefined) return (value) => value === given;
  try {
    const whole = new RegExp(`^(?:${pattern})$`, "su");
    return (value) => whole.test(value);
  } catch (error) {
    return `is ${quote(given)}, which is no regular expression: ${(error as Error).message}`;
  }
}

/** Routes ready for use, or every problem with them at once; without `runbooks` their names are not judged. A label that is not there has the empty value. */
export function readRoutes(
  specs: readonly RouteSpec[],
  known: Readonly<{ clusters: readonly string[]; runbooks?: readonly KnownRunbook[] }>,
):
  | Readonly<{ ok: true; routes: readonly Route[] }>
  | Readonly<{ ok: false; problems: readonly RouteProblem[] }> {
  const problems: RouteProblem[] = [];
  const ids = known.runbooks?.map(({ id }) => id) ?? [];
  const routes = specs.map((spec, i): Route => {
    const matchers = Object.entries(spec.match).map(([label, value]) => {
      if (!labelName.test(label))
        problems.push({ path: [i, "match", label], message: `${quote(label)} is no label name` });
      const matcher = readMatcher(value);
      if (typeof matcher === "string") problems.push({ path: [i, "match", label], message: matcher });
      return { label, holds: typeof matcher === "string" ? () => false : matcher };
    });
    const runbook = known.runbooks?.find(({ id }) => id === spec.runbook);
    if (known.runbooks !== undefined && runbook === undefined) {
      const near = nearest(spec.runbook, ids);
      problems.push({
        path: [i, "runbook"],
        message: `is ${quote(spec.runbook)}, which is no runbook; ${near === undefined ? `expected one of ${ids.join(", ")}` : `nearest: "${near}"`}`,
      });
    }
    if (runbook?.takesSubject === true && spec.subject === undefined)
      problems.push({
        path: [i],
        message: `has no "subject"; ${runbook.id} is about something: name the label that says what`,
      });
    if (runbook?.takesSubject === false && spec.subject !== undefined)
      problems.push({ path: [i, "subject"], message: `is ${quote(spec.subject)}; ${runbook.id} takes none` });
    const subject = spec.subject === undefined ? undefined : readTemplate(spec.subject);
    if (typeof subject === "string") problems.push({ path: [i, "subject"], message: subject });
    const cluster = spec.cluster ?? (known.clusters.length === 1 ? (known.clusters[0] ?? "") : "cluster");
    const isName = known.clusters.includes(cluster);
    if (!isName && !labelName.test(cluster)) {
      const near = nearest(cluster, known.clusters);
      problems.push({
        path: [i, "cluster"],
        message: `is ${quote(cluster)}, which is neither a configured cluster nor a label name${near === undefined ? "" : `; nearest: "${near}"`}`,
      });
    }
    return {
      matches: (labels) => matchers.every(({ label, holds }) => holds(labels[label] ?? "")),
      runbook: spec.runbook,
      subject: typeof subject === "string" ? undefined : subject,
      cluster: isName ? { name: cluster } : { label: cluster },
    };
  });
  return problems.length > 0 ? { ok: false, problems } : { ok: true, routes };
}

/** What an alert is about, or why nobody can tell. */
export type Routed =
  | Readonly<{ kind: "mapped"; cluster: string; runbook: string; subject: string | null }>
  | Readonly<{ kind: "unmapped"; cluster: string; why: Text }>;

/** Longest name of anything that runbooks are about: a DNS name. */
const wordChars = 253;
/** Names that labels give are shown and kept, so they are bounded; what is cut says so. */
const bounded = (name: string): string => (name.length <= 100 ? name : `${name.slice(0, 100)}… (cut)`);

/** Said where an alert names no cluster and several are configured. */
export const noCluster = "unnamed cluster";

function clusterOf(from: ClusterFrom, labels: Alert["labels"]): string | undefined {
  if ("name" in from) return from.name;
  const said = labels[from.label];
  return said === undefined || said === "" ? undefined : said;
}

function fill(
  parts: readonly TemplatePart[],
  labels: Alert["labels"],
): string | Readonly<{ missing: string }> {
  let filled = "";
  for (const part of parts) {
    const piece = "words" in part ? part.words : labels[part.label];
    if (piece === undefined || piece === "") return { missing: "label" in part ? part.label : "" };
    filled += piece;
  }
  return filled;
}

/** The first route whose labels all hold decides. */
export function routeAlert(routes: readonly Route[], clusters: readonly string[], alert: Alert): Routed {
  const { labels } = alert;
  const only = clusters.length === 1 ? clusters[0] : undefined;
  const said = labels.cluster === undefined || labels.cluster === "" ? undefined : labels.cluster;
  const fallback = only ?? (said === undefined ? noCluster : bounded(said));
  if (alert.malformed !== undefined)
    return {
      kind: "unmapped",
      cluster: fallback,
      why: text`Alertmanager sent it in a form we cannot read: ${alert.malformed}.`,
    };
  const route = routes.find(({ matches }) => matches(labels));
  if (route === undefined)
    return { kind: "unmapped", cluster: fallback, why: ["No route of the config maps it to a runbook."] };
  const nth = routes.indexOf(route) + 1;
  const cluster = clusterOf(route.cluster, labels);
  if (cluster === undefined || !clusters.includes(cluster)) {
    const label = "label" in route.cluster ? route.cluster.label : "";
    return {
      kind: "unmapped",
      cluster: cluster === undefined ? fallback : bounded(cluster),
      why:
        cluster === undefined
          ? text`Route ${nth} maps it to ${code(route.runbook)}, but it has no label ${code(label)} that names its cluster.`
          : text`Route ${nth} maps it to ${code(route.runbook)}, but no cluster ${code(bounded(cluster))} is configured.`,
    };
  }
  if (route.subject === undefined) return { kind: "mapped", cluster, runbook: route.runbook, subject: null };
  const subject = fill(route.subject, labels);
  if (typeof subject !== "string")
    return {
      kind: "unmapped",
      cluster,
      why: text`Route ${nth} maps it to ${code(route.runbook)}, but it has no label ${code(subject.missing)}.`,
    };
  if (subject.length > wordChars || /[\s\u0000-\u001f\u007f]/.test(subject))
    return {
      kind: "unmapped",
      cluster,
      why: text`Route ${nth} maps it to ${code(route.runbook)}, but what it is about is no single word of at most ${wordChars} characters: ${code(bounded(subject))}.`,
    };
  return { kind: "mapped", cluster, runbook: route.runbook, subject };
}
