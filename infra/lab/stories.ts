import type { sites } from "#shared/twin/sites/all.ts";

/** What a newcomer to a site of the lab is told, and the first thing worth typing there. */
export const stories: Readonly<Record<keyof typeof sites, Readonly<{ story: string; first: string }>>> = {
  goldentooth: {
    story:
      "The cluster announced its addresses by BGP until its router was replaced by one without BGP. Is httpbin still answered?",
    first: "/arping httpbin",
  },
  "goldentooth-l2": {
    story:
      "The cluster was moved to layer 2 with an advertisement that names no interface, and two nodes have Wi-Fi on.",
    first: "/arping prometheus",
  },
  healthy: { story: "Nothing is wrong here.", first: "/arping all" },
};
