import { parse } from "yaml";
import type { Machine } from "./machine.ts";
import type { ObjectStore } from "./object-store.ts";

/** NICs on which a speaker answers ARP: up, of no bond or bridge, and not excluded (internal/layer2/announcer.go). */
export const respondersOf = ({
  machine,
  exclude,
}: Readonly<{ machine: Machine; exclude: readonly RegExp[] }>): ReadonlySet<string> =>
  new Set(
    machine.nics
      .filter(
        (nic) =>
          nic.up &&
          nic.spec.master === undefined &&
          nic.spec.noArp !== true &&
          !exclude.some((pattern) => pattern.test(nic.name)),
      )
      .map((nic) => nic.name),
  );

/** Patterns of interfaces that speakers leave alone, as they read them at their start. */
export function excludeList(store: ObjectStore, namespace: string): readonly RegExp[] {
  const data = store.get("configmaps", namespace, "metallb-excludel2")?.data as
    | Readonly<Record<string, string>>
    | undefined;
  const list = parse(data?.["excludel2.yaml"] ?? "{}") as {
    announcedInterfacesToExclude?: string[];
  } | null;
  return (list?.announcedInterfacesToExclude ?? []).map((pattern) => new RegExp(pattern));
}
