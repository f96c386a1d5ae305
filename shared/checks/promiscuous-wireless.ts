import { isPlainName } from "../node-network/disable-nic.ts";
import { code, text } from "../text.ts";
import { defineCheck, found, judged, skipped, unknown } from "./check.ts";
import { defineFix } from "./fix.ts";

export const promiscuousWireless = defineCheck({
  id: "promiscuous-wireless",
  about: "node",
  title: "No wireless interface is promiscuous",
  codes: ["promiscuous-wireless"],
  page: {
    why: `Some Wi-Fi chips, the Raspberry Pi's among them, do not pass broadcast frames on unless the interface is
promiscuous (raspberrypi/linux#2677). A capture that runs on the node makes it promiscuous: ARP questions arrive, the
speaker answers, and every test passes. When the capture ends the address goes silent again.`,
    looks: `An address is reachable while somebody runs \`tcpdump\` on the node to find out why it is not. \`ip -d link\`
shows \`promiscuity\` above 0.`,
    fix: `End the capture, or run it with \`tcpdump -p\`, and test again: what works then works by itself. \`ss -0 -p\`
names the programs that listen on raw sockets. A bridge keeps its members promiscuous: take the radio out of it. Where
addresses have to be announced over Wi-Fi, promiscuity set for good is a workaround that MetalLB's own guide names; then
accept this finding knowingly.`,
  },
  fix: defineFix({
    needs: ["ip-addr", "wireless-nics"],
    reads: [],
    plan: ({ node, "ip-addr": nics, "wireless-nics": wireless }) => {
      const radios = nics.filter(
        ({ name, promiscuity = 0, flags }) =>
          wireless.includes(name) && (promiscuity > 0 || flags.includes("PROMISC")),
      );
      const [radio] = radios;
      if (radio === undefined)
        return { kind: "nothing-to-do", because: "no wireless interface is promiscuous" };
      if (radio.master !== undefined)
        return {
          kind: "by-hand",
          because: text`${radio.name} is a member of ${radio.master}, which keeps it promiscuous: take it out in the network manager`,
        };
      const byHand = radios.filter(({ flags, name }) => flags.includes("PROMISC") && isPlainName(name));
      if (byHand.length === 0)
        return {
          kind: "by-hand",
          because: text`a program keeps ${radio.name} promiscuous and only its end undoes that: ${code("sudo ss -0 -p")} on the node names it`,
        };
      return {
        kind: "plan",
        plans: byHand.map(({ name }) => ({
          title: text`Take the promiscuous mode of ${name} back`,
          arm: [],
          change: [`sudo ip link set ${name} promisc off`],
          lasts: text`the mode is set anew after a start only if a unit or script does so; ${code("grep -rn promisc /etc")} finds it`,
          verify: [`ip -d link show ${name}`, `arpeggio nodes check ${node} --only promiscuous-wireless`],
          disarm: [],
          undo: [`sudo ip link set ${name} promisc on`],
          instead: [],
          notes: [text`A chip that drops broadcasts is silent afterwards: announce by cable instead`],
          commands: {
            change: [{ run: ["ip", "link", "set", name, "promisc", "off"] as const }],
            undo: [{ run: ["ip", "link", "set", name, "promisc", "on"] as const }],
          },
        })),
      };
    },
  }),
  needs: ["ip-addr", "wireless-nics"],
  reads: [],
  judge: ({ node, "ip-addr": nics, "wireless-nics": wireless }) => {
    const radios = nics.filter(({ name, up }) => up && wireless.includes(name));
    if (radios.length === 0) return skipped("no wireless interface is up");
    const findings = radios
      .filter(({ promiscuity = 0, flags }) => promiscuity > 0 || flags.includes("PROMISC"))
      .map(({ name, promiscuity = 0, master, flags }) =>
        found({
          code: "promiscuous-wireless",
          severity: "warning",
          node,
          nic: name,
          facts: { promiscuity, master: master ?? null, setByHand: flags.includes("PROMISC") },
          text: text`${name} is promiscuous${master === undefined ? "" : ` as a member of ${master}`}: tests over it pass only as long as that lasts`,
          remedy: text`End what keeps it so, then test again: ${code(`/nodes fix ${node} promiscuous-wireless`)}`,
        }),
      );
    const untold = radios.find(
      ({ promiscuity, flags }) => promiscuity === undefined && !flags.includes("PROMISC"),
    );
    if (findings.length === 0 && untold !== undefined)
      return unknown({
        kind: "unreadable",
        what: `${untold.name} of ${node}`,
        detail: "ip told no promiscuity, as very old ones do",
      });
    return judged(findings);
  },
});
