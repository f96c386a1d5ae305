import type { Twin } from "#shared/twin/twin.ts";
import { writtenKinds } from "./stories.ts";

/** Without ids that differ from run to run although the same was done. */
export const withoutIds = (text: string): string =>
  text.replaceAll(/\bR-\d+\b/g, "R").replaceAll(/"(uid|resourceVersion)":"[^"]*"/g, '"$1":""');

/** What a file of a machine says, as somebody on it reads it. */
async function fileOn(twin: Twin, machine: string, path: string): Promise<string> {
  let text = "";
  await twin.run(machine, ["cat", path], {
    signal: new AbortController().signal,
    write: (_, part) => {
      text += part;
    },
  });
  return text.trim();
}

/** What a run leaves behind, comparable: objects that runs write, records of every zone, radios of the nodes. */
export async function worldAt(twin: Twin): Promise<Readonly<Record<string, string>>> {
  const objects = writtenKinds.flatMap((kind) =>
    twin.store.list(kind).items.map(({ metadata, spec }) => {
      const { name, namespace = "", labels = {}, annotations = {} } = metadata;
      return [`${kind} ${namespace}/${name}`, withoutIds(JSON.stringify({ spec, labels, annotations }))];
    }),
  );
  const records = (twin.spec.dns?.zones ?? []).flatMap(({ id }) =>
    twin.zones
      .recordSets(id)
      .map((set) => [`${id} ${set.type} ${set.name}`, withoutIds(JSON.stringify(set))]),
  );
  const radios: [string, string][] = [];
  for (const { name, kind } of twin.machines())
    if (kind === "node")
      radios.push([`radio of ${name}`, await fileOn(twin, name, "/sys/class/net/wlan0/operstate")]);
  const client = twin.reach("guest-client", "10.4.11.1").ok;
  return Object.fromEntries([
    ...objects,
    ...records,
    ...radios,
    ["a client behind the router", String(client)],
  ]);
}
