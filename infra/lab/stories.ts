import type { sites } from "#shared/twin/sites/all.ts";

/** What a newcomer to a site of the lab is told, and the first thing worth typing there. */
export const stories: Readonly<Record<keyof typeof sites, Readonly<{ story: string; first: string }>>> = {
  goldentooth: {
    story:
      "The cluster announced its addresses by BGP until its router was replaced by one without BGP. Is httpbin still answered?",
    first: "/arping httpbin",
  },
  "goldentooth-bgp": {
    story:
      "BGP carries every address, and its router will be replaced by one without BGP. Move to layer 2 before that; /as approver approves.",
    first: "/migrate plan bgp-to-l2",
  },
  "goldentooth-bgp-0.16": {
    story:
      "BGP carries every address. This MetalLB can leave one Service out of BGP, so a real address goes first.",
    first: "/migrate rehearse bgp-to-l2",
  },
  "goldentooth-l2": {
    story:
      "The cluster was moved to layer 2 with an advertisement that names no interface, and two nodes have Wi-Fi on.",
    first: "/arping prometheus",
  },
  healthy: { story: "Nothing is wrong here.", first: "/arping all" },
};
