import { type Namespaces, usualNamespaces } from "#infra/rbac.ts";
import type { KubeWrite } from "#shared/kubernetes/write.ts";
import { bgpToL2 } from "#shared/runbooks/bgp-to-l2.ts";
import { dnsDomainMove } from "#shared/runbooks/dns-domain-move.ts";
import type { Deed } from "#shared/steps/deed.ts";
import { type AccessCall, type Recording, recordCalls } from "#shared/steps/recording.ts";
import type { StepPorts } from "#shared/steps/step.ts";
import { dnsSite, driveDns, through } from "#test/shared/domain-move/dns-sites.ts";
import { bgpSite } from "#test/shared/steps/bgp-sites.ts";
import { type Drive, drive } from "#test/shared/steps/drive.ts";
import { setBgpMode } from "#test/shared/steps/world.ts";

/** What a whole run asked of the API, its way back included. */
export type RecordedRun = Readonly<{
  calls: readonly AccessCall[];
  /** Every write of it, forwards and back, in order. */
  writes: readonly KubeWrite[];
  /** Where the parts of its site live. */
  namespaces: Namespaces;
}>;

const recordingPorts =
  (recording: Recording) =>
  (ports: StepPorts): StepPorts => ({
    ...ports,
    read: recording.read(ports.read),
    logs: recording.logs(ports.logs),
    dryRun: recording.write(ports.dryRun),
  });

/** Goes through the steps and notes what each would do and how it would be taken back. */
async function recordRun(
  at: Drive,
  recording: Recording,
  steps: readonly Readonly<{ id: string }>[],
  forward: (id: string) => ReturnType<Drive["forward"]>,
): Promise<readonly KubeWrite[]> {
  const writes: KubeWrite[] = [];
  const write = recording.write(async (each) => {
    writes.push(each);
    return { ok: true, object: undefined };
  });
  const note = async (deeds: readonly Deed[]): Promise<void> => {
    for (const deed of deeds) if (deed.kind === "kube") await write(deed.write);
  };
  let undone = 0;
  for (const { id } of steps) {
    if (id === "frr-off") setBgpMode(at.twin, "native");
    const { plan, outcome, text } = await forward(id);
    if (!["passed", "unneeded"].includes(outcome)) throw new Error(`${id}: ${outcome}: ${text}`);
    if (plan === undefined) continue;
    await note(plan.deeds);
    await note(plan.undo);
    if (plan.undo.length > 0) undone += 1;
  }
  if (undone < 3) throw new Error(`only ${undone} steps of this run had a way back`);
  return writes;
}

export async function bgpRun(version: string): Promise<RecordedRun> {
  const recording = recordCalls();
  const spec = bgpSite(version);
  const at = drive({ spec, around: recordingPorts(recording) });
  const writes = await recordRun(at, recording, bgpToL2.steps, at.forward);
  const calls = recording.calls();
  const canary = calls.find(({ resource, verb }) => resource === "services" && verb !== "list")?.namespace;
  return {
    calls,
    writes,
    namespaces: { ...usualNamespaces, metallb: spec.metallb.namespace, canary: canary ?? "default" },
  };
}

export async function dnsRun(): Promise<RecordedRun> {
  const recording = recordCalls();
  const spec = dnsSite();
  const at = driveDns(spec, {
    around: (ports, twin) => recordingPorts(recording)({ ...ports, zones: twin.zones.read }),
  });
  const writes = await recordRun(at, recording, dnsDomainMove.steps, (id) => through(at, id));
  return {
    calls: recording.calls(),
    writes,
    namespaces: { ...usualNamespaces, metallb: spec.metallb.namespace },
  };
}
