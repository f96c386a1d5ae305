/** A page for what no machine can see: what somebody concludes from a command, or what a switch keeps to itself. */
export type Taught = Readonly<{
  /** Path below `docs/`. */
  page: string;
  /** Words that the page must have, or it is about something else. */
  mentions: readonly [string, ...string[]];
}>;

/**
 * What Arpeggio is meant to catch, in two lists: A, what users of MetalLB's layer 2 run into, and B, where a migration from
 * BGP to layer 2 by a typical home lab's notes goes wrong. The numbers are stable.
 */
export const coverageLines: readonly Readonly<{ line: string; words: string; taught?: Taught }>[] = [
  { line: "A1", words: "Wi-Fi does not hear broadcast ARP" },
  { line: "A2", words: "a node with two NICs in the segment answers twice" },
  { line: "A3", words: "the router learnt a NIC that nobody meant" },
  { line: "A4", words: "which interfaces announce is not what was meant" },
  { line: "A5", words: "Services that share an address elect different nodes" },
  { line: "A6", words: "two nodes announce, the member list is split" },
  { line: "A7", words: "port 7946 is blocked or taken" },
  { line: "A8", words: "the only replica dies with the node" },
  { line: "A9", words: "a release without memberlist" },
  {
    line: "A10",
    words: "quick on the LAN, slow behind the router",
    taught: { page: "hand-over-times.md", mentions: ["behind the router", "ARP cache", "/arping drill"] },
  },
  {
    line: "A11",
    words: "the switch forgets before the gateway asks",
    taught: { page: "hand-over-times.md", mentions: ["forwarding table", "ageing", "1200 s"] },
  },
  { line: "A12", words: "memberlist off: an address stays on a dead node" },
  { line: "A13", words: "the exclude label on the candidates" },
  { line: "A14", words: "an address, but no advertisement for its pool" },
  { line: "A15", words: "pool or nodes in another segment" },
  { line: "A16", words: "the pool holds addresses of nodes" },
  { line: "A17", words: "somebody else uses the address" },
  { line: "A18", words: "IPVS without strictARP" },
  { line: "A19", words: "ServiceL2Status names the wrong node" },
  { line: "A20", words: "the webhook cannot be reached" },
  { line: "A21", words: "a node selector that selects nothing" },
  { line: "A22", words: "addresses ending in .0 and .255" },
  { line: "A23", words: "replies leave by another way than requests came" },
  { line: "A24", words: "the named NIC is in a bond or bridge" },
  { line: "A25", words: "port security refuses the moved MAC" },
  { line: "A26", words: "an address goes back to a node that just booted" },
  { line: "A27", words: "an address is withdrawn while the API is away" },
  {
    line: "A28",
    words: "who leads, and how to move it on purpose",
    taught: { page: "runbooks/drill.md", mentions: ["hand-over", "exclude-from-external-load-balancers"] },
  },
  {
    line: "A29",
    words: "the address does not answer ping",
    taught: { page: "tests-that-prove-nothing.md", mentions: ["ping", "kube-proxy"] },
  },
  { line: "A30", words: "k3s' own load balancer beside MetalLB" },
  { line: "B1", words: "BGP withdrawn before layer 2 stands" },
  { line: "B2", words: "a star as label value in a selector" },
  { line: "B3", words: "a restricted and an unrestricted advertisement" },
  { line: "B4", words: "an interface name as if it steered the election" },
  { line: "B5", words: "a static route for a fifth of the pool" },
  { line: "B6", words: "a pool called separate that lies in the LAN" },
  { line: "B7", words: "a node as gateway to the pool" },
  { line: "B8", words: "ARP for the address claimed beside that route" },
  { line: "B9", words: "reached through that route taken as proof" },
  {
    line: "B10",
    words: "a log line with fields that do not exist",
    taught: { page: "reading-speaker-logs.md", mentions: ["serviceAnnounced", "no service and no node"] },
  },
  {
    line: "B11",
    words: "log words that never occur",
    taught: { page: "reading-speaker-logs.md", mentions: ["leader", "failover", "announcing"] },
  },
  {
    line: "B12",
    words: "gratuitous ARP looked for in logs",
    taught: { page: "reading-speaker-logs.md", mentions: ["gratuitous ARP", "empty"] },
  },
  {
    line: "B13",
    words: "labels of another way to install",
    taught: {
      page: "reading-speaker-logs.md",
      mentions: ["app.kubernetes.io/component=speaker", "app=metallb,component=speaker"],
    },
  },
  {
    line: "B14",
    words: "logs by label, ten lines a pod",
    taught: { page: "reading-speaker-logs.md", mentions: ["--tail=-1", "-c speaker", "ten lines"] },
  },
  {
    line: "B15",
    words: "a detection time nobody measured",
    taught: { page: "hand-over-times.md", mentions: ["memberlist", "10-30 s", "/arping drill"] },
  },
  {
    line: "B16",
    words: "arping without interface or program named",
    taught: { page: "tests-that-prove-nothing.md", mentions: ["arping", "iputils", "Habets", "-I"] },
  },
  {
    line: "B17",
    words: "one host's ARP cache as consistency check",
    taught: { page: "tests-that-prove-nothing.md", mentions: ["arp -a", "ARP cache"] },
  },
  { line: "B18", words: "routes listed where they prove nothing" },
  {
    line: "B19",
    words: "curl from a node, and of a .0 address",
    taught: { page: "tests-that-prove-nothing.md", mentions: ["curl", "from a node", ".0"] },
  },
  { line: "B20", words: "eth0 assumed on every node" },
  { line: "B21", words: "Wi-Fi taken down until the next boot" },
  { line: "B22", words: "Calico took the Wi-Fi address" },
  { line: "B23", words: "domain filter swapped in place" },
  {
    line: "B24",
    words: "ownership TXT looked for at the wrong name",
    taught: {
      page: "dns-ownership.md",
      mentions: ["dig", "Where that TXT stands", "What each release writes"],
    },
  },
  { line: "B25", words: "annotations that a release no longer reads" },
  { line: "B26", words: "a wildcard for deeper names" },
  { line: "B27", words: "chart values that do not exist" },
  { line: "B28", words: "FRR off while BGP objects are left" },
  { line: "B29", words: "BGP peers left behind" },
  { line: "B30", words: "a pool among DHCP leases" },
  { line: "B31", words: "all traffic thought to pass one node" },
];
