import { defineStep, verified } from "../migration/define-step.ts";
import { pathsJson } from "../migration/hops.ts";
import { viewMetalLb } from "../migration/metallb-view.ts";
import { routerNeeds } from "../migration/router-needs.ts";
import { seeRouter } from "../migration/router-seen.ts";
import { announcersSeen, lookOnTheWire } from "../migration/wire.ts";
import { text } from "../text.ts";
import { noDeeds } from "./step.ts";
import { bgpNoted } from "./survey.ts";

export const router = defineStep({
  id: "router",
  kind: "manual",
  title: "Router",
  proof: text`that the router asks for the addresses itself, instead of sending everything to one node`,
  reversibleWhile: text`you can set the router back as it was`,
  unneeded: async (context) => {
    const needs = routerNeeds(context, await viewMetalLb(context));
    // Without BGP in between, what the router really does can be seen; then it is looked at whatever the site says.
    return needs.kind === "nothing" && bgpNoted(context.run.notes) === "up"
      ? text`by the site description the router's LAN prefix holds the pool and no route leads there; the canary shows whether that is so`
      : undefined;
  },
  ready: async () => [],
  plan: async (context) => {
    const needs = routerNeeds(context, await viewMetalLb(context));
    return {
      ...noDeeds,
      instructions: needs.instructions,
      prediction: [
        needs.kind === "nothing"
          ? text`the router needs nothing: the pool is in its own LAN prefix`
          : needs.kind === "other-segment"
            ? text`layer 2 cannot reach these addresses: they are in no prefix of the segment`
            : text`with that, the router asks for each address by ARP and follows its announcer`,
      ],
      predicted: { needs: needs.kind },
    };
  },
  verify: async (context) => {
    const view = await viewMetalLb(context);
    const needs = routerNeeds(context, view);
    // Where that is not known, an address under a BGPAdvertisement may still be led there by BGP.
    const down = ["down", "not-configured"].includes(bgpNoted(context.run.notes) ?? "");
    const wire = await lookOnTheWire(context);
    const seen = await seeRouter(context, view, announcersSeen(wire.results), down);
    const more = {
      findings: [...seen.findings],
      blocks: seen.blocks,
      notes: { seen: seen.judgement.kind, needs: needs.kind, paths: pathsJson(seen.paths) },
    };
    if (needs.kind === "other-segment")
      return verified(
        "failed",
        text`layer 2 cannot announce addresses outside ${context.ports.config.site.lanPrefix}`,
        {
          ...more,
          findings: [...more.findings, ...needs.findings],
        },
      );
    switch (seen.judgement.kind) {
      case "via-node":
        return verified(
          "failed",
          text`the router sends ${seen.judgement.addresses.length} addresses via ${seen.judgement.node}, not to their announcers`,
          more,
        );
      case "on-link":
        return verified(
          "passed",
          text`the router follows the announcers: ${seen.judgement.announcers.length} different ones were the first node on the way`,
          more,
        );
      default:
        return verified(
          "unknown",
          text`what the router does could not be seen: ${seen.judgement.because}. Going on records it as said by you`,
          more,
        );
    }
  },
});
