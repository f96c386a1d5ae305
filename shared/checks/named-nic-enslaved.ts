import type { Finding } from "../finding.ts";
import { cannotAnnounce, interfacesFor, noNodeObject, ownObjects } from "../metallb/own-objects.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";

export const namedNicEnslaved = defineCheck({
  id: "named-nic-enslaved",
  about: "node",
  title: "No interface that an advertisement names is a member of a bond or bridge",
  codes: ["named-nic-enslaved"],
  page: {
    why: `A speaker gives no responder to an interface that has a master: a member of a bond, a port of a bridge or of
Open vSwitch. Naming such an interface in \`interfaces\` passes every test of MetalLB, because the interface exists, and
ends in silence without an \`announceFailed\` event.`,
    looks: `An address is silent while a node with a bond or bridge announces it; events and status name that node, and
nothing warns. It often begins when somebody puts eth0 into a bridge for virtual machines.`,
    fix: `Name the master (bond0, br0) instead, on these nodes: add it to \`interfaces\` first, then take the member's
name out. The address itself belongs on the master too. To go back, restore the list.`,
  },
  needs: ["ip-addr"],
  reads: ["nodes", "pods", "daemonsets", "ipaddresspools", "l2advertisements"],
  judge: ({ node, "ip-addr": nics }, { objects }) => {
    const object = objects.nodes.find(({ name }) => name === node);
    if (object === undefined) return unknown(noNodeObject(node));
    const own = ownObjects(objects);
    const never = cannotAnnounce(own, object);
    if (never !== undefined) return skipped(`the node announces nothing: ${never}`);
    const findings = new Map<string, Finding>();
    for (const pool of own.pools) {
      const names = interfacesFor(own, pool, object);
      if (names === undefined || names === "all") continue;
      const named = nics.filter(({ name }) => names.includes(name));
      const others = named.filter(({ up, master }) => up && master === undefined).map(({ name }) => name);
      for (const { name, master } of named) {
        if (master === undefined) continue;
        const silent = others.length === 0;
        if (findings.has(name) && !silent) continue;
        findings.set(
          name,
          found({
            code: "named-nic-enslaved",
            severity: silent ? "error" : "warning",
            node,
            nic: name,
            facts: { pool: pool.name, interfaces: names, master, others },
            text: silent
              ? text`${name} is a member of ${master}: named for pool ${pool.name}, yet nothing answers on it`
              : text`${name} is a member of ${master}: of those named for pool ${pool.name} only ${nameList(others)} answers`,
            remedy: text`Name ${master} in ${code("interfaces")}, then take ${name} out`,
          }),
        );
      }
    }
    return judged([...findings.values()]);
  },
});
