import { cannotAnnounce, interfacesFor, noNodeObject, ownObjects } from "../metallb/own-objects.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";

export const namedNicMissing = defineCheck({
  id: "named-nic-missing",
  about: "node",
  title: "The node has an interface of those that the advertisements name",
  codes: ["named-nic-missing", "named-nic-down"],
  page: {
    why: `Interfaces play no part in the election. A node that has none of the names in \`interfaces\` is elected like any
other; its speaker then emits a Warning event \`announceFailed\`, answers nothing, and still reports the address as
announced. An interface that exists and is down does not even give the warning.`,
    looks: `One address in so many is silent: those whose election this node wins. \`kubectl describe service\` shows
\`announceFailed\` with the node's name, next to \`nodeAssigned\`.`,
    fix: `Compare the names with \`ip link\` on the node: names are exact. Add the right name to \`interfaces\`, or restrict
the advertisement with \`nodeSelectors\` to the nodes that have it. Both can be taken back. Do not rename interfaces on a
running node.`,
  },
  needs: ["ip-addr"],
  reads: ["nodes", "pods", "daemonsets", "ipaddresspools", "l2advertisements"],
  judge: ({ node, "ip-addr": nics }, { objects }) => {
    const object = objects.nodes.find(({ name }) => name === node);
    if (object === undefined) return unknown(noNodeObject(node));
    const own = ownObjects(objects);
    const never = cannotAnnounce(own, object);
    if (never !== undefined) return skipped(`the node announces nothing: ${never}`);
    const silent = own.pools.flatMap((pool) => {
      const names = interfacesFor(own, pool, object);
      if (names === undefined || names === "all") return [];
      const named = nics.filter(({ name }) => names.includes(name));
      return named.some(({ up }) => up) ? [] : [{ pool: pool.name, names, missing: named.length === 0 }];
    });
    const [first] = silent;
    if (first === undefined) return judged([]);
    const pools = nameList(silent.map(({ pool }) => pool));
    const names = nameList(first.names);
    return judged([
      found({
        code: first.missing ? "named-nic-missing" : "named-nic-down",
        severity: "error",
        node,
        facts: { pools: silent.map(({ pool }) => pool), interfaces: first.names },
        text: first.missing
          ? text`has none of the interfaces announced for pool ${pools} (${names}); elected, it stays silent`
          : text`${names}, announced for pool ${pools}, is down; elected, the node stays silent`,
        remedy: first.missing
          ? text`Add this node's interface to ${code("interfaces")}, or leave the node out by ${code("nodeSelectors")}`
          : text`Bring ${names} up, or leave the node out by ${code("nodeSelectors")} meanwhile`,
      }),
    ]);
  },
});
