import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readWebhook } from "#shared/alerts/read-webhook.ts";

const folder = join(import.meta.dirname, "../../fixtures/alertmanager");
const captured = (name: string) =>
  (JSON.parse(readFileSync(join(folder, `${name}.json`), "utf8")) as { body: Record<string, unknown> }).body;

const read = (body: unknown) => {
  const result = readWebhook(body);
  if (!result.ok) throw new Error(result.problems.join("\n"));
  return result.delivery;
};
const problems = (body: unknown) => {
  const result = readWebhook(body);
  return result.ok ? [] : result.problems;
};

describe("what Alertmanager 0.34.2 posts", () => {
  it("is read whole: group, labels, times, fingerprints", () => {
    const delivery = read(captured("first-notification"));
    expect(delivery.groupKey).toBe(
      '{}:{alertname="KubeServiceDown", namespace="httpbin", service="httpbin"}',
    );
    expect(delivery.receiver).toBe("arpeggio");
    expect(delivery.truncated).toBe(0);
    expect(delivery.alerts.map(({ fingerprint, status }) => [fingerprint, status])).toEqual([
      ["5ad4bb54dc20daa3", "firing"],
      ["f16f3cb0434984ce", "firing"],
    ]);
    const second = delivery.alerts[1];
    expect(second?.labels.instance).toBe("10.4.11.1:80");
    expect(second?.annotations.summary).toBe("httpbin does not answer");
    expect(second?.startsAt).toBe(Date.parse("2026-11-23T06:56:24.562Z"));
    // A firing alert has Go's zero time for its end.
    expect(second).not.toHaveProperty("endsAt");
    expect(second?.generatorUrl).toContain("prometheus.example");
  });

  it("tells which of a group is resolved, and when", () => {
    const [firing, resolved] = read(captured("one-resolved")).alerts;
    expect([firing?.status, resolved?.status]).toEqual(["firing", "resolved"]);
    expect(resolved?.endsAt).toBeGreaterThan(resolved?.startsAt ?? 0);
  });

  it("tells how many were left out", () => {
    const delivery = read(captured("max-alerts"));
    expect([delivery.alerts.length, delivery.truncated]).toEqual([2, 2]);
  });

  it("repeats the same alerts under the same names", () => {
    const names = (name: string) =>
      read(captured(name)).alerts.map(({ fingerprint, startsAt }) => `${fingerprint} ${startsAt}`);
    expect(names("repeated")).toEqual(names("first-notification"));
  });
});

describe("a body that is not one", () => {
  it.each([
    ["nothing", null, "the body is null"],
    ["a list", [], "the body"],
    ["text", "firing", "the body"],
  ])("%s is refused", (_, body, said) => {
    expect(problems(body)[0]).toContain(said);
  });

  it("is told every problem at once, with place and value", () => {
    const said = problems({ version: "3", alerts: "all", truncatedAlerts: -1 });
    expect(said).toHaveLength(4);
    expect(said.join("\n")).toContain('version is "3"');
    expect(said.join("\n")).toContain("groupKey is missing");
    expect(said.join("\n")).toContain('alerts is "all"');
    expect(said.join("\n")).toContain("truncatedAlerts is -1");
  });

  it("may hold more than we know", () => {
    expect(problems({ ...captured("watchdog"), somethingNew: { a: 1 } })).toEqual([]);
  });
});

describe("a malformed alert in a good body", () => {
  const body = (alerts: readonly unknown[]) => ({ ...captured("first-notification"), alerts });

  it("is kept beside the good ones, with what is wrong and what can be read", () => {
    const good = (captured("first-notification").alerts as unknown[])[0];
    const { alerts } = read(
      body([
        good,
        { status: "on fire", labels: { alertname: "Odd", n: 3 }, startsAt: "yesterday", fingerprint: "x" },
      ]),
    );
    expect(alerts).toHaveLength(2);
    expect(alerts[0]).not.toHaveProperty("malformed");
    expect(alerts[1]?.malformed).toContain("status");
    expect(alerts[1]?.malformed).toContain("startsAt");
    expect(alerts[1]?.labels).toEqual({ alertname: "Odd" });
    expect(alerts[1]?.status).toBe("firing");
  });

  it("has the same name when it comes again, whatever the order of its keys, and another has another", () => {
    const name = (alert: unknown) => read(body([alert])).alerts[0]?.fingerprint;
    expect(name({ a: 1, b: 2 })).toBe(name({ b: 2, a: 1 }));
    expect(name({ a: 1 })).not.toBe(name({ a: 2 }));
    expect(name(null)).toMatch(/^malformed-[0-9a-f]{16}$/);
  });

  it("nested without an end is kept with what can be read, and costs no other alert", () => {
    const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`) as unknown;
    const { alerts } = read(body([deep, { labels: { alertname: "Deep", more: deep } }, { a: 1 }]));
    expect(alerts.map(({ labels, malformed }) => [labels.alertname, malformed])).toEqual([
      [undefined, "it is nested deeper than 20 levels"],
      ["Deep", "it is nested deeper than 20 levels"],
      [undefined, expect.stringContaining("status")],
    ]);
    expect(readWebhook({ version: deep, groupKey: deep, alerts: [] })).toMatchObject({ ok: false });
  });

  it("never makes fewer alerts than were sent, whatever was sent", () => {
    fc.assert(
      fc.property(fc.array(fc.anything({ withNullPrototype: false }), { maxLength: 8 }), (given) => {
        const sent = JSON.parse(JSON.stringify(given)) as unknown[];
        expect(read(body(sent)).alerts).toHaveLength(sent.length);
      }),
    );
  });
});

describe("what is too long", () => {
  it("is cut with a mark, and an alert keeps a bounded size", () => {
    const [good] = captured("first-notification").alerts as Record<string, unknown>[];
    const long = { ...good, annotations: { description: "x".repeat(50_000), b: "kept" } };
    const [alert] = read({ ...captured("first-notification"), alerts: [long] }).alerts;
    expect(alert?.annotations.description).toMatch(/^x{2000}… \(cut, 50,000 characters\)$/);
    expect(alert?.annotations.b).toBe("kept");
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`label_${i}`, "y".repeat(500)]));
    const [other] = read({ ...captured("first-notification"), alerts: [{ ...good, labels: many }] }).alerts;
    expect(JSON.stringify(other).length).toBeLessThan(30_000);
    expect(other?.labels["…"]).toMatch(/^\d+ more were too long to keep$/);
  });
});
