import { describe, expect, test } from "vitest";
import { predict } from "#shared/metallb/announcer.ts";
import { parseMetalLbObjects } from "#shared/metallb/resources.ts";
import { speakerSettings } from "#shared/metallb/speakers.ts";
import { admitMetalLb } from "#shared/metallb/validate.ts";
import { createObjectStore } from "#shared/twin/create-object-store.ts";
import { sites } from "#shared/twin/sites/all.ts";
import {
  addObject,
  calicoUses,
  onMachine,
  onNic,
  patchObject,
  plugIn,
  removeObject,
  staticRoute,
  wifiOn,
  withFaults,
} from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { createTwin } from "#shared/twin/twin.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { macsIn, twinOf } from "./twin-fixture.ts";

describe.each(Object.keys(sites))("site %s", (name) => {
  const spec = sites[name]!();

  test("passes MetalLB's webhooks, and a second twin on the same store adds nothing", () => {
    const clock = createVirtualClock();
    let ids = 0;
    const newId = () => `00000000-0000-4000-8000-${String(++ids).padStart(12, "0")}`;
    const store = createObjectStore({ now: clock.now, newUid: newId, admit: admitMetalLb });
    createTwin({ spec, clock, store, newId }).stop();
    const counts = () => [store.list("pods").items.length, store.list("services").items.length];
    const before = counts();
    createTwin({ spec, clock, store, newId }).stop();
    expect(counts()).toEqual(before);
  });

  test("reads back without a problem, and its daemon set says what its speakers do", () => {
    const { twin } = twinOf(spec);
    const kinds = [
      "nodes",
      "services",
      "endpointslices",
      "daemonsets",
      "pods",
      "ipaddresspools",
      "l2advertisements",
    ] as const;
    const { objects, problems } = parseMetalLbObjects(kinds.flatMap((kind) => twin.store.list(kind).items));
    expect(problems).toEqual([]);
    expect(speakerSettings(objects)).toMatchObject({
      namespace: "metallb",
      version: spec.metallb.version,
      memberlist: "on",
    });
    expect(objects.services.filter(({ type }) => type === "LoadBalancer")).toHaveLength(13);
    expect(predict(objects).addresses).toHaveLength(13);
  });

  test("no MAC and no address is given twice, and every node has a machine", () => {
    const machines = [...spec.nodes, ...spec.vantages, spec.router];
    const macs = machines.flatMap(({ nics }) => nics.map(({ mac }) => mac));
    expect(new Set(macs).size).toBe(macs.length);
    const addresses = machines.flatMap(({ nics }) => nics.flatMap((nic) => nic.addresses));
    expect(new Set(addresses).size).toBe(addresses.length);
    expect(addresses.map((cidr) => cidr.split("/")[0])).not.toContain(spec.unusedAddress);
    const objects = spec.objects
      .filter(({ kind }) => kind === "nodes")
      .map(({ object }) => object.metadata.name);
    expect(objects).toEqual(spec.nodes.map(({ name: node }) => node));
  });
});

describe("faults", () => {
  test("two at once: a node with Wi-Fi on, and Calico on that address", async () => {
    const spec = withFaults(
      healthy(),
      patchObject("l2advertisements", "primary", { spec: { interfaces: null } }),
      wifiOn("cargyll", "10.4.1.12/20"),
      calicoUses("cargyll", "10.4.1.12/20"),
    );
    const fixture = twinOf(spec);
    const { stdout } = await fixture.run("ops-host", "arping -b -c 1 -I eth0 10.4.11.1");
    expect(macsIn(stdout)).toEqual(["dc:a6:32:0a:13:0b", "dc:a6:32:0a:13:0c"]);
    expect(
      fixture.twin.store.get("nodes", undefined, "cargyll")?.metadata.annotations?.[
        "projectcalico.org/IPv4Address"
      ],
    ).toBe("10.4.1.12/20");
  });

  test("objects come and go, machines and interfaces change, the rest of the site stays", () => {
    const spec = healthy();
    const changed = withFaults(
      spec,
      removeObject("l2advertisements", "primary"),
      addObject("communities", { name: "left", namespace: "metallb" }, { spec: { communities: [] } }),
      onMachine("ops-host", { arping: "habets" }),
      onNic("dalt", "eth0", { master: "bond0" }),
      plugIn("dalt", { name: "bond0", mac: "dc:a6:32:0a:14:0b", addresses: ["10.4.0.99/20"], kind: "bond" }),
      staticRoute("10.4.11.0/24", "10.4.0.11"),
    );
    const { store } = twinOf(changed).twin;
    expect(store.list("l2advertisements").items).toEqual([]);
    expect(store.list("communities").items).toHaveLength(1);
    expect(changed.vantages.find(({ name }) => name === "ops-host")?.arping).toBe("habets");
    expect(
      changed.nodes.find(({ name }) => name === "dalt")?.nics.map(({ name, master }) => [name, master]),
    ).toEqual([
      ["eth0", "bond0"],
      ["wlan0", undefined],
      ["bond0", undefined],
    ]);
    expect(changed.router.staticRoutes).toEqual([{ to: "10.4.11.0/24", via: "10.4.0.11" }]);
    expect(changed.nodes.filter(({ name }) => name !== "dalt")).toEqual(
      spec.nodes.filter(({ name }) => name !== "dalt"),
    );
  });

  test("a name that the site does not have is refused", () => {
    const spec = healthy();
    expect(() => withFaults(spec, removeObject("nodes", "nobody"))).toThrow("healthy has no nodes nobody");
    expect(() => withFaults(spec, patchObject("nodes", "nobody", {}))).toThrow("healthy has no nodes nobody");
    expect(() => withFaults(spec, onMachine("nobody", {}))).toThrow("healthy has no machine nobody");
    expect(() => withFaults(spec, onNic("dalt", "eth7", {}))).toThrow(
      "healthy has no interface eth7 on dalt",
    );
  });
});
