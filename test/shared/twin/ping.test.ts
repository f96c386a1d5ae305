import { describe, expect, it } from "vitest";
import { pingHop } from "#shared/probes/ping-hop.ts";
import { tcpConnect } from "#shared/probes/tcp-connect.ts";
import { staticRoute, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { captured } from "../probes/captured.ts";
import { twinOf } from "./twin-fixture.ts";

const hops = async (site = healthy()) => {
  const fixture = twinOf(site);
  return {
    ...fixture,
    hop: async (machine: string, ip: string, ttl: number) =>
      pingHop.read(await fixture.run(machine, pingHop.argv(ip, ttl).argv.join(" "))),
    connect: async (machine: string, ip: string, port: number) =>
      tcpConnect.read(await fixture.run(machine, tcpConnect.argv(ip, port).argv.join(" "))),
  };
};

describe("ping with a limited time to live", () => {
  it("goes over the router to the announcing node, which answers nothing itself", async () => {
    const { hop, twin } = await hops();
    const way = twin.reach("guest-client", "10.4.11.1");
    const node = twin.machines().find(({ name }) => name === way.path[2]);
    expect(await hop("guest-client", "10.4.11.1", 1)).toEqual({ kind: "hop", from: "192.168.50.1" });
    expect(await hop("guest-client", "10.4.11.1", 2)).toEqual({ kind: "hop", from: node?.addresses[0] });
    expect(await hop("guest-client", "10.4.11.1", 4)).toEqual({ kind: "silence" });
  });

  it("shows the node that a static route leads over", async () => {
    const { hop } = await hops(withFaults(healthy(), staticRoute("10.4.11.0/24", "10.4.0.12")));
    expect(await hop("guest-client", "10.4.11.1", 2)).toEqual({ kind: "hop", from: "10.4.0.12" });
  });

  it("is answered by a machine's own address", async () => {
    const { hop } = await hops();
    expect(await hop("guest-client", "10.4.0.10", 5)).toEqual({ kind: "answer", from: "10.4.0.10" });
  });

  it.each([
    ["answer", "guest-client", "10.4.0.10", 5],
    ["announcer", "guest-client", "10.4.11.1", 2],
    ["nobody", "guest-client", "10.4.10.250", 4],
  ])("writes as the real program: %s", async (name, machine, ip, ttl) => {
    const { run } = await hops();
    const { stdout } = await run(machine, pingHop.argv(ip, ttl).argv.join(" "));
    const shape = (text: string) =>
      text
        .replaceAll(/\d+\.\d+\.\d+\.\d+/g, "ADDRESS")
        .replaceAll(/ttl=\d+/g, "ttl=N")
        .trim();
    expect(shape(stdout)).toBe(shape(captured("hops", name).stdout));
  });
});

describe("new connections to an address", () => {
  it.each([
    ["its port", "10.4.11.1", 80, "open"],
    ["another port", "10.4.11.1", 81, "filtered"],
    ["an address nobody has", "10.4.10.250", 80, "filtered"],
  ])("%s", async (_, ip, port, state) => {
    const { connect } = await hops();
    expect(await connect("guest-client", ip, port)).toBe(state);
  });

  it("are rejected where no endpoint is ready", async () => {
    const { connect, twin } = await hops();
    const [slice] = twin.store.list("endpointslices", "httpbin").items;
    twin.store.mergePatch("endpointslices", "httpbin", slice?.metadata.name ?? "", { endpoints: [] });
    expect(await connect("ops-host", "10.4.11.1", 80)).toBe("refused");
  });
});
