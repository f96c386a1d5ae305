import type { Fault } from "../fault.ts";
import type { AddressPrediction } from "../metallb/prediction.ts";
import { whyNotWords } from "../metallb/why-not-words.ts";
import type { Route } from "../probes/ip-route.ts";
import type { Site } from "../site/site.ts";
import { lanNics, type MacTable } from "./mac-table.ts";

/** What was read beside the wire that can explain silence; `undefined` is "not known". */
export type SilenceFacts = Readonly<{
  /** Some Service has the address. */
  assigned: boolean | undefined;
  /** A BGPAdvertisement selects the address's pool. */
  bgp: boolean | undefined;
  /** Nodes whose Ready condition is not True. */
  notReady: ReadonlySet<string>;
  /** Nodes with a running, ready speaker. */
  speakers: readonly string[] | undefined;
  /** Other nodes that announced it within the hour that events live. */
  announcedBefore?: readonly string[];
  /** How the vantage would send to the address. */
  route: Route | Fault | undefined;
  /** Interface the requests left by, and whether it has an address in the LAN prefix. */
  vantageNic: Readonly<{ name: string; onLan: boolean; wireless: boolean }> | undefined;
}>;

export type SilenceCandidate = Readonly<{
  /** Stable: tests and `data` name it. */
  id: string;
  text: string;
  /** The test that decides it. */
  test: string;
  /** Something that was read says so; the others are merely possible. */
  seen: boolean;
}>;

type Case = Readonly<{
  ip: string;
  service: string | undefined;
  site: Site;
  table: MacTable;
  prediction: AddressPrediction | undefined;
  silence: SilenceFacts;
  vantage: Readonly<{ name: string; place: string }> | undefined;
}>;

/** Per cause: true when the evidence shows it, false when it rules it out, undefined when nothing was read about it. */
type Cause = Readonly<{
  id: string;
  aboutAnnouncing: boolean;
  applies: (c: Case) => boolean | undefined;
  text: (c: Case) => string;
  test: (c: Case) => string;
}>;

const whys = ({ prediction }: Case): ReadonlySet<string> =>
  new Set(prediction && prediction.order.length === 0 ? Object.values(prediction.why) : []);

const allAre = (c: Case, code: string): boolean | undefined =>
  c.prediction === undefined ? undefined : whys(c).has(code);

const leader = ({ prediction }: Case): string => prediction?.order[0] ?? "the announcer";

/** A prediction that names nobody rules out every cause that is about the elected node. */
const nobodyElected = ({ prediction }: Case): boolean =>
  prediction !== undefined && prediction.order.length === 0;

const checkLeader = ({ prediction }: Case): string =>
  prediction?.order[0] === undefined ? "/nodes check" : `/nodes check ${prediction.order[0]}`;

/** Whether the node's responders have an interface that can answer; the rules are those of MetalLB's announcer. */
function hasUsableNic(c: Case): boolean | undefined {
  const node = c.prediction?.order[0];
  if (node === undefined) return undefined;
  const nics = c.table.nicsOf(node);
  if (nics === undefined) return undefined;
  const limited = c.prediction?.interfaces[node] ?? "all";
  const segment = lanNics(node, nics, c.site).filter(
    (nic) => limited === "all" || limited.includes(nic.name),
  );
  return segment.some(
    (nic) => nic.up && nic.carrier && nic.master === undefined && !nic.flags.includes("NOARP"),
  );
}

const poolText = ({ prediction }: Case): string =>
  prediction?.pool ? `pool ${prediction.pool}` : "its pool";

const not = (value: boolean | undefined): boolean | undefined => (value === undefined ? undefined : !value);

/** In order of likelihood, as people run into them. */
const causes: readonly Cause[] = [
  {
    id: "not-assigned",
    aboutAnnouncing: false,
    applies: ({ silence }) => not(silence.assigned),
    text: ({ ip }) => `no Service has the address ${ip}, so nothing announces it.`,
    test: ({ ip }) => `kubectl get services -A | grep -F ${ip}`,
  },
  {
    id: "invalid-configuration",
    aboutAnnouncing: true,
    applies: ({ prediction }) =>
      prediction === undefined ? undefined : prediction.configError !== undefined,
    text: ({ prediction }) =>
      `MetalLB rejects its whole configuration: ${prediction?.configError ?? "see ConfigurationState"}.`,
    test: () => "kubectl get configurationstates -A",
  },
  {
    id: "only-bgp",
    aboutAnnouncing: true,
    applies: (c) => {
      const silentL2 = allAre(c, "pool-not-advertised");
      return silentL2 === undefined || c.silence.bgp === undefined ? undefined : silentL2 && c.silence.bgp;
    },
    text: (c) => `only BGP announces ${poolText(c)}: no L2Advertisement selects it, so nobody answers ARP.`,
    test: () => "kubectl get l2advertisements,bgpadvertisements -A",
  },
  {
    id: "no-l2-advertisement",
    aboutAnnouncing: true,
    applies: (c) => {
      const silentL2 = allAre(c, "pool-not-advertised");
      if (silentL2 === undefined) return undefined;
      return (silentL2 && c.silence.bgp !== true) || whys(c).has("no-advertisement-selects-service");
    },
    text: (c) => `no L2Advertisement selects ${poolText(c)}.`,
    test: () => "kubectl get l2advertisements -A -o yaml",
  },
  {
    id: "no-servable-endpoint",
    aboutAnnouncing: true,
    applies: (c) => allAre(c, "no-servable-endpoint"),
    text: ({ service }) =>
      `${service ?? "the Service"} has no endpoint that can serve: then nobody announces.`,
    test: ({ service }) => {
      const [namespace, name] = service?.split("/") ?? [];
      return name === undefined
        ? "kubectl get endpointslices -A"
        : `kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${name}`;
    },
  },
  {
    id: "no-candidate",
    aboutAnnouncing: true,
    applies: (c) =>
      c.prediction === undefined
        ? undefined
        : c.prediction.order.length === 0 &&
          c.prediction.configError === undefined &&
          ![...whys(c)].every((why) =>
            ["pool-not-advertised", "no-advertisement-selects-service", "no-servable-endpoint"].includes(why),
          ),
    text: (c) =>
      `no node may announce it: ${[...whys(c)].map(whyNotWords).join("; ") || "excluded by label, condition or missing local endpoint"}.`,
    test: ({ ip }) => `arpeggio announcer --dump dump.json --ip ${ip}`,
  },
  {
    id: "leader-no-usable-nic",
    aboutAnnouncing: true,
    applies: (c) => (nobodyElected(c) ? false : not(hasUsableNic(c))),
    text: (c) => {
      const limited = c.prediction?.interfaces[leader(c)] ?? "all";
      return (
        `${leader(c)} is elected but has no usable NIC${limited === "all" ? " in the segment" : ` among ${limited.join(", ")}`} ` +
        "(missing, down, without carrier, or a member of a bond or bridge). Events and metrics still say that it announces."
      );
    },
    test: checkLeader,
  },
  {
    id: "leader-gone",
    aboutAnnouncing: true,
    applies: (c) => {
      const node = c.prediction?.order[0];
      if (node === undefined) return nobodyElected(c) ? false : undefined;
      if (c.silence.notReady.has(node)) return true;
      return c.silence.speakers === undefined ? undefined : !c.silence.speakers.includes(node);
    },
    text: (c) =>
      c.silence.notReady.has(leader(c))
        ? `${leader(c)} is elected but not Ready.`
        : `${leader(c)} is elected but its speaker is gone or does not answer.`,
    test: ({ prediction }) =>
      `kubectl get pods -A -o wide | grep -E 'speaker.*${prediction?.order[0] ?? ""}'`,
  },
  {
    id: "moved-and-filtered",
    aboutAnnouncing: true,
    // Never certain: no program on a node sees what a switch drops. Only left open where nothing else is wrong with the node.
    applies: (c) => {
      const node = c.prediction?.order[0];
      const before = (c.silence.announcedBefore ?? []).filter((each) => each !== node);
      if (node === undefined || before.length === 0 || c.silence.notReady.has(node)) return false;
      return hasUsableNic(c) === true && c.silence.speakers?.includes(node) === true ? undefined : false;
    },
    text: (c) =>
      `${leader(c)} took it over from ${(c.silence.announcedBefore ?? []).filter((each) => each !== leader(c)).join(", ")} within the hour, and nothing is wrong with ${leader(c)}: a switch or hypervisor that binds addresses to MACs or ports (port security, ARP inspection) may drop what it says.`,
    test: (c) =>
      `on ${leader(c)}: sudo tcpdump -p -nn -e arp and host ${c.ip} (replies that leave and never arrive)`,
  },
  {
    id: "vantage-not-on-segment",
    aboutAnnouncing: false,
    applies: ({ silence }) => {
      if (silence.vantageNic && !silence.vantageNic.onLan) return true;
      if (silence.route === undefined || !("nic" in silence.route)) return undefined;
      return silence.route.kind === "via" ? true : silence.vantageNic === undefined ? undefined : false;
    },
    text: ({ vantage, silence }) =>
      silence.route && silence.route.kind === "via"
        ? `${vantage?.name ?? "the vantage"} reaches it through ${silence.route.gateway}, so it may not be on this segment.`
        : `${vantage?.name ?? "the vantage"} may not be on the segment of the address.`,
    test: ({ ip }) => `ip -j route get ${ip}`,
  },
  {
    id: "wifi-filter",
    aboutAnnouncing: false,
    applies: ({ vantage, silence }) =>
      vantage?.place === "lan-wifi" || silence.vantageNic?.wireless === true ? undefined : false,
    text: ({ vantage }) =>
      `the access point keeps broadcast ARP from or to ${vantage?.name ?? "the vantage"}; a wired vantage would tell.`,
    // A wired vantage; which there are, the answer to an unknown name lists.
    test: ({ ip }) => `/arping ${ip} --from VANTAGE`,
  },
  {
    id: "broadcast-lost-at-leader",
    aboutAnnouncing: true,
    applies: (c) => {
      const node = c.prediction?.order[0];
      if (nobodyElected(c)) return false;
      const nics = node === undefined ? undefined : c.table.nicsOf(node);
      if (node === undefined || nics === undefined) return undefined;
      return lanNics(node, nics, c.site).some(({ wireless }) => wireless) ? undefined : false;
    },
    text: (c) => `${leader(c)} answers on Wi-Fi, and some chips drop broadcast ARP unless promiscuous.`,
    test: (c) => `does it answer while a capture runs on ${leader(c)}?`,
  },
];

/** Causes that the evidence shows first, then those it leaves open; each group by how often people meet it. */
export function silenceCandidates(c: Case): readonly SilenceCandidate[] {
  const judged = causes.flatMap((cause) => {
    // Nothing announces an address that no Service has: only who asked from where is left to doubt.
    const applies = c.silence.assigned === false && cause.aboutAnnouncing ? false : cause.applies(c);
    return applies === false
      ? []
      : [{ id: cause.id, text: cause.text(c), test: cause.test(c), seen: applies === true }];
  });
  return [...judged.filter(({ seen }) => seen), ...judged.filter(({ seen }) => !seen)];
}
