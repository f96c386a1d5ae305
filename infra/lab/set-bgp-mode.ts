import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { Twin } from "#shared/twin/twin.ts";

/** What a person does who applies Helm values with another `bgpType`: the speakers come up again in that mode. */
export function setBgpMode(twin: Twin, mode: string): void {
  const { store, spec } = twin;
  const found = store.get("daemonsets", spec.metallb.namespace, "metallb-speaker") as KubeObject & {
    spec: { template: { spec: { containers: { name: string; env: { name: string; value?: string }[] }[] } } };
  };
  const { template } = found.spec;
  const containers = template.spec.containers.map((container) =>
    container.name !== "speaker"
      ? container
      : {
          ...container,
          env: [
            ...container.env.filter(({ name }) => name !== "METALLB_BGP_TYPE"),
            { name: "METALLB_BGP_TYPE", value: mode },
          ],
        },
  );
  const result = store.update("daemonsets", {
    ...found,
    spec: { ...found.spec, template: { ...template, spec: { ...template.spec, containers } } },
  } as KubeObject);
  if (!result.ok) throw new Error(result.refusal.message);
}
