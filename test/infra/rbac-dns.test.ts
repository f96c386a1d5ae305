import { expect, it } from "vitest";
import { covers, readingRoles, rightsOf, rolesOf, usualNamespaces } from "#infra/rbac.ts";
import { dnsDomainMove } from "#shared/runbooks/dns-domain-move.ts";
import type { Deed } from "#shared/steps/deed.ts";
import { type AccessCall, recordCalls } from "#shared/steps/recording.ts";
import type { SiteFault } from "#shared/twin/sites/faults.ts";
import {
  dnsEndpoint,
  everySource,
  gatewayWithRoute,
  ingress,
  smallSite,
} from "#test/shared/domain-move/dns-faults.ts";
import { driveDns, pass, through } from "#test/shared/domain-move/dns-sites.ts";
import { argoTracks, fluxApplies } from "#test/shared/steps/gitops.ts";

const words = ({ verb, resource, namespace = "*" }: AccessCall): string =>
  `${verb} ${resource} in ${namespace}`;

/** What a whole move asked of the API, its way back included, with this one healing the Deployment. */
async function callsOfMove(healer: SiteFault): Promise<readonly AccessCall[]> {
  const recording = recordCalls();
  const spec = smallSite(
    {},
    everySource,
    ingress("web", { rules: [{ host: "web.hellholt.net" }] }),
    gatewayWithRoute(undefined, ["shop.hellholt.net"]),
    dnsEndpoint({ dnsName: "ntp.hellholt.net", recordType: "A", targets: ["10.4.0.7"] }),
    healer,
  );
  const at = driveDns(spec, {
    around: (ports) => ({
      ...ports,
      read: recording.read(ports.read),
      logs: recording.logs(ports.logs),
      dryRun: recording.write(ports.dryRun),
    }),
  });
  await pass(at, 120_000);
  const write = recording.write(async () => ({ ok: true, object: undefined }));
  for (const { id } of dnsDomainMove.steps) {
    if (id === "resume-dns-sync") at.notes["persist-dns"] = { compared: 1, differing: 0, unseen: 0 };
    // Resuming would begin its sync interval anew each time it is asked for.
    const { plan, outcome } = await (id === "resume-dns-sync" ? at.forward(id) : through(at, id));
    const isEnough = id === "persist-dns" || (id === "resume-dns-sync" && outcome === "waiting");
    if (!isEnough) expect(["passed", "unneeded"], id).toContain(outcome);
    for (const deed of [...(plan?.deeds ?? []), ...(plan?.undo ?? [])] as readonly Deed[])
      if (deed.kind === "kube") await write(deed.write);
  }
  return recording.calls();
}

it("a domain move may do what it calls, and nothing that no run of it calls", async () => {
  const roles = [...readingRoles(usualNamespaces), ...rolesOf("dns-domain-move", usualNamespaces)];
  const calls = [
    ...(await callsOfMove(argoTracks("deployments", "external-dns", { selfHeal: true }, "dns"))),
    ...(await callsOfMove(fluxApplies("deployments", "external-dns", false))),
  ];
  expect(calls.length).toBeGreaterThan(20);
  expect(covers(roles, calls).map(words)).toEqual([]);
  const called = new Set(calls.map(({ verb, resource }) => `${verb} ${resource}`));
  const unused = rightsOf(rolesOf("dns-domain-move", usualNamespaces)).filter(
    ({ verb, resource }) => !called.has(`${verb} ${resource}`),
  );
  // No HelmRelease heals anything here: charts go by values.
  expect(unused.map(({ verb, resource }) => `${verb} ${resource}`)).toEqual(["patch helmreleases"]);
});
