import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import type { WriteCluster } from "#shared/kubernetes/write.ts";
import { excludeLabel } from "#shared/metallb/own-objects.ts";
import { migrations } from "#shared/runbooks/all.ts";
import { drill } from "#shared/runbooks/drill.ts";
import { abort, comeBack } from "#shared/runs/people.ts";
import { plain } from "#shared/text.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import { addObject, patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { runOnTwin } from "../steps/run-on-twin.ts";

type World = ReturnType<typeof runOnTwin>;

const target = "httpbin";
const begin = (options: Parameters<typeof runOnTwin>[3] = {}, spec: SiteSpec = healthy()) =>
  runOnTwin(spec, drill, { service: target }, options);

const labels = ({ store }: World): Readonly<Record<string, string>> =>
  Object.fromEntries(
    store.list("nodes").items.flatMap(({ metadata: { name, labels = {} } }) => {
      const value = labels[excludeLabel];
      return value === undefined ? [] : [[name, value] as const];
    }),
  );

const noted = async (at: World) =>
  (await at.state()).notes["drill-survey"] as { node: string; next: string; ip: string };

/** What stops the drill before anything is changed. */
const refusal = async (at: World): Promise<readonly string[]> => {
  const { state } = await at.start();
  expect(state.halted?.step).toBe("drill-survey");
  expect(labels(at)).toEqual({});
  return state.halted?.findings.map(({ code }) => code) ?? [];
};

describe("drill", () => {
  it("is a runbook whose label comes off without asking anybody", () => {
    expect(migrations).toContain(drill);
    expect(drill.steps.map(({ id, cleanUp }) => [id, cleanUp ?? false])).toEqual([
      ["drill-survey", false],
      ["drill-exclude", false],
      ["drill-include", true],
      ["drill-leader-back", false],
    ]);
  });

  it("shows what moves, waits for somebody else, hands over, measures and hands back", async () => {
    const at = begin();
    expect((await at.start()).stopped).toBe("person");
    const asked = (await at.state()).steps[1]?.planned?.plan;
    const { node, next, ip } = await noted(at);
    expect(asked?.predicted).toMatchObject({ [`${ip} httpbin/httpbin`]: { from: node, to: next } });
    expect(asked?.undo.map(({ title }) => title)).toEqual([
      `take label ${excludeLabel}=arpeggio-R-7 off Node ${node}`,
    ]);
    expect(labels(at)).toEqual({});
    await at.approve();
    expect((await at.go()).stopped).toBe("ended");
    const said = (await at.steps()).join("\n");
    expect(said).toMatch(
      new RegExp(`drill-exclude done: ${ip} went from ${node} to ${next}: .*planned hand-over gap`),
    );
    expect(said).toMatch(new RegExp(`drill-include done: the label is off ${node}`));
    expect(said).toMatch(new RegExp(`drill-leader-back done: ${node} has ${ip} .*again`));
    expect(`${said}${at.said.join("\n")}`).not.toMatch(/failover/i);
    expect(said).toMatch(/known to \d+\.\d s|shorter than \d+\.\d s would not be seen/);
    expect(labels(at)).toEqual({});
  });

  it("really moves it: another node answers while the label is there", async () => {
    const patches: string[] = [];
    const at = begin({
      aroundWrite:
        (write): WriteCluster =>
        async (asked, options) => {
          const result = await write(asked, options);
          if (asked.verb === "patch") patches.push(JSON.stringify(asked.patch));
          return result;
        },
    });
    await at.start();
    await at.approve();
    await at.go();
    expect(patches.map((patch) => /arpeggio-R-7|null/.exec(patch)?.[0])).toEqual(["arpeggio-R-7", "null"]);
    const { next } = await noted(at);
    expect((await at.state()).notes["drill-exclude"]).toMatchObject({ to: next, gap: { open: false } });
  });

  const speakerFlag = patchObject("daemonsets", "metallb-speaker", {
    spec: {
      template: {
        spec: {
          containers: [
            {
              name: "speaker",
              image: "quay.io/metallb/speaker:v0.15.2",
              args: ["--ignore-exclude-lb"],
              env: [
                { name: "METALLB_NODE_NAME", value: "x" },
                { name: "METALLB_ML_BIND_ADDR", value: "x" },
                { name: "METALLB_ML_LABELS", value: "x" },
              ],
            },
          ],
        },
      },
    },
  });
  const image = (tag: string) =>
    patchObject("daemonsets", "metallb-speaker", {
      spec: {
        template: { spec: { containers: [{ name: "speaker", image: `quay.io/metallb/speaker:${tag}` }] } },
      },
    });

  it.each([
    ["speakers that ignore the label", speakerFlag, "drill-speakers-ignore-label"],
    ["a release that does not know the label", image("v0.13.12"), "drill-release-ignores-label"],
    ["a release that nobody can tell", image("latest"), "drill-release-unknown"],
    [
      "policy Local",
      patchObject("services", "httpbin", { spec: { externalTrafficPolicy: "Local" } }),
      "drill-policy-local",
    ],
    [
      "BGP beside layer 2",
      addObject(
        "bgpadvertisements",
        { name: "old", namespace: "metallb" },
        { spec: { ipAddressPools: ["primary"] } },
      ),
      "drill-bgp",
    ],
  ] as const)("refuses %s", async (_, fault, code) => {
    expect(await refusal(begin({}, withFaults(healthy(), fault)))).toContain(code);
  });

  it("refuses where an address has no next candidate, whichever it is", async () => {
    const names = healthy().nodes.map(({ name }) => name);
    const only = patchObject("l2advertisements", "primary", {
      spec: { nodeSelectors: [{ matchLabels: { "kubernetes.io/hostname": names[0] ?? "" } }] },
    });
    const { state } = await begin({}, withFaults(healthy(), only)).start();
    expect(state.halted?.findings.map(({ code }) => code)).toContain("drill-no-successor");
  });

  it("refuses without a vantage outside the cluster, and without a Service", async () => {
    const inside = begin({
      config: (config) => ({
        ...config,
        vantages: config.vantages.map((vantage) => ({ ...vantage, clusterNode: "karstark" })),
      }),
    });
    expect(await refusal(inside)).toContain("drill-no-vantage");
    for (const [service, words] of [
      ["nothing", /no Service/],
      ["all", /one address at a time/],
      ["10.4.9.9", /no Service has such/],
    ] as const) {
      const at = runOnTwin(healthy(), drill, { service });
      const { state } = await at.start();
      expect(plain(state.halted?.because ?? [])).toMatch(words);
    }
  });

  it("leaves a label of somebody else alone, found before, between and after", async () => {
    const first = begin();
    await first.start();
    const { node } = await noted(first);
    const theirs = (value: string) =>
      patchObject("nodes", node, { metadata: { labels: { [excludeLabel]: value } } });

    // Set between plan and act: what is read then is refused, and theirs stays.
    const between = begin();
    await between.start();
    await between.approve();
    const set = (at: World, value: string) => {
      const object = at.store.get("nodes", undefined, node);
      if (object === undefined) throw new Error(node);
      const { metadata } = object;
      at.store.update("nodes", {
        ...object,
        metadata: { ...metadata, labels: { ...metadata.labels, [excludeLabel]: value } },
      } as typeof object);
    };
    set(between, "");
    const { state } = await between.go();
    expect(state.halted?.findings.map(({ code }) => code)).toContain("drill-announcer-changed");
    expect(labels(between)).toEqual({ [node]: "" });

    // Overwritten while ours was there: it is theirs now.
    const after: World = begin({
      around: (ports, twin) => ({
        ...ports,
        shell: async (aim, command, options) => {
          const object = twin.store.get("nodes", undefined, node);
          if (object?.metadata.labels?.[excludeLabel] === "arpeggio-R-7")
            twin.store.update("nodes", {
              ...object,
              metadata: {
                ...object.metadata,
                labels: { ...object.metadata.labels, [excludeLabel]: "theirs" },
              },
            } as typeof object);
          return ports.shell(aim, command, options);
        },
      }),
    });
    await after.start();
    await after.approve();
    await after.go();
    expect(labels(after)).toEqual({ [node]: "theirs" });
    expect((await after.steps()).join("\n")).toMatch(/drill-include unneeded: .*theirs.*it stays/);

    const before = begin({}, withFaults(healthy(), theirs("")));
    const refused = await before.start();
    // With the label on it the node is no candidate: the address is another's, and what we find there is not touched.
    expect(labels(before)).toEqual({ [node]: "" });
    expect(refused.state.ended).toBeUndefined();
  });

  it("takes the label off once after the bot died with it on, however late", async () => {
    const gone = new FaultError({ kind: "cancelled", what: "shell", detail: "killed" });
    for (const dies of ["before the answer", "after the answer"] as const) {
      let down = false;
      const removals: string[] = [];
      const at: World = begin({
        killed: () => down,
        aroundWrite:
          (write): WriteCluster =>
          async (asked, options) => {
            const result = await write(asked, options);
            const text = asked.verb === "patch" ? JSON.stringify(asked.patch) : "";
            if (text.includes("null")) removals.push(text);
            if (text.includes("arpeggio-R-7")) {
              down = true;
              if (dies === "before the answer") throw gone;
            }
            return result;
          },
        around: (ports) => ({
          ...ports,
          shell: (...asked) => (down ? Promise.reject(gone) : ports.shell(...asked)),
        }),
      });
      await at.start();
      await at.approve();
      await expect(at.go()).rejects.toThrow("killed");
      expect(Object.values(labels(at))).toEqual(["arpeggio-R-7"]);
      down = false;
      await at.clock.advance(3 * 3_600_000);
      const resumed = await at.go();
      expect(resumed.stopped).toBe("ended");
      expect(labels(at)).toEqual({});
      expect(removals).toHaveLength(1);
      expect((await at.steps()).join("\n")).toMatch(/drill-exclude done: .*gap not measured/);
    }
  });

  it("waits for an API that is away rather than for a person, then takes the label off", async () => {
    let away = 0;
    const at: World = begin({
      around: (ports, twin) => ({
        ...ports,
        read: async (kinds, signal) => {
          const ours = Object.values(labels({ store: twin.store } as World)).includes("arpeggio-R-7");
          if (ours && kinds.length === 1 && kinds[0] === "nodes" && away++ < 8)
            throw new FaultError({ kind: "unreachable", what: "API", detail: "connection refused" });
          return ports.read(kinds, signal);
        },
      }),
    });
    await at.start();
    await at.approve();
    await at.go();
    expect(away).toBeGreaterThan(8);
    expect(labels(at)).toEqual({});
  });

  it("goes back and is aborted like any run", async () => {
    const at = begin();
    await at.start();
    expect(await abort(at.runner, "R-7", "olive")).toMatchObject({ ok: true });
    expect((await at.go()).stopped).toBe("ended");
    expect(labels(at)).toEqual({});

    const stuck = begin({
      config: (config) => config,
      aroundWrite: (write) => (asked, options) =>
        asked.verb === "patch" && JSON.stringify(asked.patch).includes("null") && refuse
          ? Promise.resolve({ ok: false, because: "denied", message: "no right to patch nodes" } as const)
          : write(asked, options),
    });
    let refuse = true;
    await stuck.start();
    await stuck.approve();
    const halted = await stuck.go();
    expect(halted.state.halted).toMatchObject({ step: "drill-include", code: "denied" });
    expect(Object.values(labels(stuck))).toEqual(["arpeggio-R-7"]);
    refuse = false;
    expect(await comeBack(stuck.runner, "R-7", "olive", undefined)).toMatchObject({ ok: true });
    expect((await stuck.go()).state.ended?.how).toBe("went-back");
    expect(labels(stuck)).toEqual({});
  });
});
