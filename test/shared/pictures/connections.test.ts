import { describe, expect, it } from "vitest";
import { feltBy, type Sample } from "#shared/migration/clients.ts";
import { connectionsPicture } from "#shared/pictures/connections.ts";
import { textsOf } from "./texts-of.ts";

const start = Date.UTC(2026, 10, 23, 20, 15);
/** A try every 200 ms for 20 s; those from `bad[0]` to `bad[1]` seconds fail. */
const felt = (bad: readonly [number, number] | undefined) => {
  const samples: Sample[] = Array.from({ length: 100 }, (_, i) => {
    const at = i * 0.2;
    const opened = bad === undefined || at < bad[0] || at >= bad[1];
    return { at: start + at * 1_000, until: start + at * 1_000 + 5, opened };
  });
  const made = feltBy(samples);
  if (made === undefined) throw new Error("there are samples");
  return made;
};

const quiet = { ip: "10.4.11.2", service: "grafana", felt: felt(undefined) };
const cut = { ip: "10.4.11.1", service: "httpbin", felt: felt([8, 10.4]) };

describe("the picture of new connections", () => {
  it("puts the longest gap first and says what it is worth", () => {
    const { svg, alt } = connectionsPicture("goldentooth", "withdrawal of BGP", "one gap", [quiet, cut]);
    const words = textsOf(svg).map(({ words }) => words);
    expect(words.indexOf("httpbin 10.4.11.1")).toBeLessThan(words.indexOf("grafana 10.4.11.2"));
    expect(words.join(" ")).toContain(
      "httpbin: no new connection from 7.8\u00a0s for 2.6\u00a0s, ±\u00a00.2\u00a0s",
    );
    expect(alt).toBe(
      "withdrawal of BGP: one gap. On goldentooth, from 2026-11-23 20:15:00 UTC, 19.8 s, one sample each 0.2 s. " +
        "httpbin 10.4.11.1: longest gap 2.6 s, known to 0.2 s, 12 of 100 connections failed. " +
        "grafana 10.4.11.2: no failed connection in 100; a gap shorter than 0.2 s would not be seen.",
    );
  });

  it("says how short a gap would have stayed unseen where there was none", () => {
    const { svg } = connectionsPicture("goldentooth", "drill", "fine", [quiet]);
    expect(
      textsOf(svg)
        .map(({ words }) => words)
        .join(" "),
    ).toContain("No connection failed. A gap shorter than 0.2\u00a0s would not be seen.");
    expect(svg).not.toContain("still none");
  });

  it("draws eight of many, and says that it left the rest", () => {
    const many = Array.from({ length: 20 }, (_, i) => ({ ...quiet, service: `s${i}` }));
    const { svg, alt } = connectionsPicture("goldentooth", "drill", "one gap", [cut, ...many]);
    expect(textsOf(svg).filter(({ words }) => / 10\.4\.11\.\d$/.test(words))).toHaveLength(8);
    expect(alt).toContain("13 more addresses, none with a longer gap");
  });
});
