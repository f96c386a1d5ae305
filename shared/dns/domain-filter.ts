import { domainToUnicode } from "node:url";
import { atLeast, newestRelease, type Release } from "./release.ts";

/** `--domain-filter`, `--exclude-domains`, `--regex-domain-filter` and `--regex-domain-exclusion`. */
export type DomainFilter = Readonly<{
  include: readonly string[];
  exclude: readonly string[];
  regexInclude: string | undefined;
  regexExclude: string | undefined;
}>;

export const noDomainFilter: DomainFilter = {
  include: [],
  exclude: [],
  regexInclude: undefined,
  regexExclude: undefined,
};

/** Lower case, without trailing dot, IDNA labels in Unicode; what is no IDN stays as it is. */
export function filterForm(domain: string): string {
  const bare = domain.trim().replace(/\.$/, "").toLowerCase();
  if (!/xn--|[^\x00-\x7f]/.test(bare)) return bare;
  const dotted = bare.startsWith(".");
  const unicode = domainToUnicode(dotted ? bare.slice(1) : bare);
  if (unicode === "") return bare;
  return dotted ? `.${unicode}` : unicode;
}

const below = (name: string, filter: string): boolean =>
  filter.startsWith(".") ? name.endsWith(filter) : name === filter || name.endsWith(`.${filter}`);

/**
 * Go's regular expressions in JavaScript's spelling; a leading `(?i)` is the one common difference. Throws SyntaxError for
 * what JavaScript cannot read.
 */
export function compileRegex(source: string): RegExp {
  const flagged = /^\(\?([ims]+)\)(.*)$/s.exec(source);
  return flagged
    ? new RegExp(flagged[2] as string, `${flagged[1]}u`)
    : new RegExp(source.replace(/\(\?P</g, "(?<"), "u");
}

/** What is wrong with a regular expression, or `undefined`. */
export function regexProblem(source: string): string | undefined {
  try {
    compileRegex(source);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/**
 * Whether ExternalDNS looks at a name at all. Plain filters match themselves and everything below on a label boundary, a
 * leading dot only what is below; an empty list is everything; exclusions win. One regular expression switches the plain
 * lists off, and up to 0.20 an exclusion switches the inclusion off too (endpoint/domain_filter.go).
 */
export function domainMatcher(
  filter: DomainFilter,
  release: Release = newestRelease,
): (name: string) => boolean {
  const regexInclude = filter.regexInclude ? compileRegex(filter.regexInclude) : undefined;
  const regexExclude = filter.regexExclude ? compileRegex(filter.regexExclude) : undefined;
  if (regexInclude || regexExclude) {
    const both = atLeast(release, "0.21.0");
    return (name) => {
      const form = filterForm(name);
      if (regexExclude?.test(form)) return false;
      return regexInclude && (both || !regexExclude) ? regexInclude.test(form) : true;
    };
  }
  const include = filter.include.map(filterForm).filter((each) => each !== "");
  const exclude = filter.exclude.map(filterForm).filter((each) => each !== "");
  if (include.length === 0 && exclude.length === 0) return () => true;
  return (name) => {
    const form = filterForm(name);
    return (
      (include.length === 0 || include.some((each) => below(form, each))) &&
      !exclude.some((each) => below(form, each))
    );
  };
}
