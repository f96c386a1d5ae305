import { describe, expect, it } from "vitest";
import { keepPictures, withPathPicture, withPicture } from "#bot/pictures.ts";
import { FaultError } from "#shared/fault.ts";
import type { Diagnosis } from "#shared/incidents/diagnosis.ts";
import type { Link } from "#shared/incidents/link.ts";
import type { Reply } from "#shared/reply.ts";
import { renderJson } from "#shared/report/json.ts";
import { renderTerminal } from "#shared/report/terminal.ts";

const reply: Reply = {
  verdict: { word: "MOVED", outcome: "info", text: ["karstark to inchfield"] },
  findings: [],
  blocks: [{ kind: "prose", text: ["what was said before"] }],
  actions: [],
};
const picture = () => ({ title: "Timeline of httpbin", alt: "karstark, then inchfield", svg: "<svg/>" });
const png = Uint8Array.of(1, 2, 3);
const refuse = (): Promise<never> =>
  Promise.reject(new FaultError({ kind: "denied", what: "x", detail: "no room on the disk" }));
const drawn = () => withPicture(async () => png, reply, picture);

describe("pictures in answers", () => {
  it("come below what is said", async () => {
    expect((await drawn()).blocks).toEqual([
      ...reply.blocks,
      { kind: "image", title: "Timeline of httpbin", alt: "karstark, then inchfield", png },
    ]);
  });

  it("are left out where nothing can draw", async () => {
    expect(await withPicture(undefined, reply, picture)).toBe(reply);
  });

  it("are told in words when they could not be drawn", async () => {
    const { blocks } = await withPicture(refuse, reply, picture);
    expect(blocks.at(-1)).toEqual({
      kind: "prose",
      text: [
        "Timeline of httpbin could not be drawn (no room on the disk). In words: karstark, then inchfield",
      ],
    });
  });

  it("have names that a file system takes", async () => {
    const saved: string[] = [];
    const title = `Path of ${"a".repeat(253)}`;
    const named = await withPicture(
      async () => png,
      reply,
      () => ({ ...picture(), title }),
    );
    await keepPictures(async (name) => String(saved.push(name)), named);
    expect(saved[0]?.length).toBeLessThan(255);
    expect(saved[0]).toMatch(/^path-of-a+\.png$/);
  });

  it("become files for a terminal, which both of its forms name", async () => {
    const saved: string[] = [];
    const kept = await keepPictures(
      async (name) => {
        saved.push(name);
        return `/pictures/${name}`;
      },
      await drawn(),
    );
    expect(saved).toEqual(["timeline-of-httpbin.png"]);
    const terminal = renderTerminal(kept, { columns: 200, colour: false });
    expect(terminal).toContain("karstark, then inchfield (picture: /pictures/timeline-of-httpbin.png)");
    expect(renderJson(kept)).toMatchObject({
      pictures: [{ title: "Timeline of httpbin", file: "/pictures/timeline-of-httpbin.png" }],
    });
  });

  it("that cannot be saved leave their words, and why", async () => {
    const kept = await keepPictures(refuse, await drawn());
    expect(renderTerminal(kept, { columns: 200, colour: false })).toContain(
      "(not saved: no room on the disk)",
    );
  });
});

describe("the picture of a diagnosis", () => {
  const link = (id: string): Link => ({
    id,
    title: `${id} holds`,
    because: ["seen"],
    outcome: "passed",
    findings: [],
  });
  const diagnosis: Diagnosis = {
    runbook: "service-unreachable",
    subject: { kind: "service", name: "httpbin/httpbin" },
    title: "httpbin · 10.4.11.1",
    links: [link("name"), link("record"), link("arp")],
    conclusion: { kind: "healthy", text: ["httpbin answers"] },
    findings: [],
    seen: [],
    changes: [],
    startedAt: 0,
    endedAt: 1,
    facts: {},
  };

  it("shows the path below the answer", async () => {
    const { blocks } = await withPathPicture(async () => png, reply, diagnosis, "goldentooth");
    expect(blocks.at(-1)).toMatchObject({
      kind: "image",
      title: "goldentooth: path of httpbin · 10.4.11.1",
      png,
    });
  });

  it("is not made of one link", async () => {
    const short = { ...diagnosis, links: [link("name")] };
    expect(await withPathPicture(refuse, reply, short, "goldentooth")).toBe(reply);
  });
});
