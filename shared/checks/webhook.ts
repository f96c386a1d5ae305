import * as z from "zod";
import { ownObjects } from "../metallb/own-objects.ts";
import { atLeast } from "../metallb/versions.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { defineCheck, judged, skipped, unknown } from "./check.ts";

const optionalText = z.string().nullish();

/** `admissionregistration.k8s.io/v1`, as far as a call can fail by it. */
const configuration = z.object({
  metadata: z.object({ name: z.string() }),
  webhooks: z
    .array(
      z.object({
        name: z.string(),
        clientConfig: z.object({
          caBundle: optionalText,
          url: optionalText,
          service: z.object({ namespace: z.string(), name: z.string() }).nullish(),
        }),
        failurePolicy: optionalText,
        rules: z.array(z.object({ apiGroups: z.array(z.string()).nullish() })).nullish(),
      }),
    )
    .nullish(),
});

export const webhook = defineCheck({
  id: "webhook",
  about: "cluster",
  title: "MetalLB's webhook stands and is asked about every object",
  codes: ["webhook-unreachable", "webhook-without-ca", "webhook-ignored", "webhook-missing"],
  page: {
    why: `Since 0.13 the controller checks pools, advertisements and peers before the API server takes them. With
failurePolicy Fail, which the manifests have, no such object can be written while the webhook does not answer: neither by a
person nor by GitOps nor by a migration on its way back. With Ignore, or without the webhook, anything is taken, and one bad
object makes every speaker refuse the whole configuration: they go on with the last good one and announce nothing after their
next restart.`,
    looks: `\`failed calling webhook "l2advertisementvalidationwebhook.metallb.io": ... connection refused\` or
\`context deadline exceeded\` or \`x509: certificate signed by unknown authority\` on \`kubectl apply\`, on delete of a
BFDProfile too. Reading works, addresses stay announced.`,
    fix: `See why no controller is ready: \`kubectl get pods,endpointslices\` in MetalLB's namespace. The CA is put into the
configuration by the controller itself as soon as it runs; GitOps that resets \`caBundle\` takes it out again, so leave that
field out of what it compares. What this check sees ends at a ready endpoint: whether the API server's host reaches a pod over
the CNI, a dry run shows (\`kubectl apply --dry-run=server\`), and every migration makes one before its first write.
\`crds.validationFailurePolicy\` in the Helm values is what to set back to Fail, and the old value is the way back.`,
  },
  needs: [],
  reads: ["validatingwebhookconfigurations", "services", "endpointslices", "pods", "daemonsets"],
  judge: (_, { cluster, objects, raw }) => {
    const { speakers } = ownObjects(objects);
    if (speakers.namespace === undefined) return skipped("no MetalLB speaker in the cluster");
    const configurations = raw.validatingwebhookconfigurations.map((each) => ({
      name: each.metadata.name,
      read: configuration.safeParse(each),
    }));
    const unreadable = configurations.find(({ read }) => !read.success);
    const all = configurations.flatMap(({ name, read }) =>
      (read.data?.webhooks ?? [])
        .filter(({ rules }) => (rules ?? []).some(({ apiGroups }) => apiGroups?.includes("metallb.io")))
        .map((each) => ({ ...each, of: name })),
    );
    const about = { subject: { kind: "cluster", name: cluster } } as const;
    if (all.length === 0) {
      if (unreadable !== undefined)
        return unknown({
          kind: "unreadable",
          what: `ValidatingWebhookConfiguration ${unreadable.name}`,
          detail: "it has another shape than admissionregistration.k8s.io/v1, and no other names metallb.io",
        });
      if (speakers.version === undefined)
        return unknown({
          kind: "not-modelled",
          what: "release of the speakers",
          detail: `${speakers.versionDoubt ?? "no image was found"}; webhooks came with 0.13`,
        });
      if (!atLeast(speakers.version, "0.13.0"))
        return skipped(`MetalLB ${speakers.version} has no webhook: that came with 0.13`);
      return judged([
        {
          ...about,
          code: "webhook-missing",
          severity: "warning",
          facts: { version: speakers.version },
          text: text`no ValidatingWebhookConfiguration is about metallb.io: nothing checks MetalLB's objects before they count`,
          remedy: text`Apply the one of release ${speakers.version}; until then ${code("/migrate rehearse")} and ${code("/nodes check")} are what checks`,
        },
      ]);
    }
    const strict = all.filter(({ failurePolicy }) => failurePolicy !== "Ignore");
    const lax = all.filter(({ failurePolicy }) => failurePolicy === "Ignore");
    const refuses = strict.length > 0;
    const effect = refuses
      ? "the API server refuses every write to MetalLB's objects"
      : "MetalLB's objects are written unchecked";
    const services = new Map(
      all.flatMap(({ clientConfig: { service } }) =>
        service ? [[`${service.namespace}/${service.name}`, service] as const] : [],
      ),
    );
    const dead = [...services].filter(
      ([, { namespace, name }]) =>
        !objects.services.some((each) => each.namespace === namespace && each.name === name) ||
        !objects.endpointSlices.some(
          (slice) =>
            slice.namespace === namespace &&
            slice.service === name &&
            // A condition that is absent counts as ready.
            slice.endpoints.some(({ ready }) => ready !== false),
        ),
    );
    const bare = all.filter(({ clientConfig }) => clientConfig.service && !clientConfig.caBundle);
    return judged([
      ...dead.map(([key, { namespace, name }]) => {
        const exists = objects.services.some((each) => each.namespace === namespace && each.name === name);
        return {
          ...about,
          code: "webhook-unreachable",
          severity: refuses ? ("error" as const) : ("warning" as const),
          facts: { service: key, exists, failurePolicy: refuses ? "Fail" : "Ignore" },
          text: text`MetalLB's webhook cannot be reached: ${exists ? `${key} has no ready endpoint` : `there is no Service ${key}`}, so ${effect}`,
          remedy: text`See why no controller is ready: ${code(`kubectl -n ${namespace} get pods,endpointslices`)}`,
        };
      }),
      ...(bare.length === 0
        ? []
        : [
            {
              ...about,
              code: "webhook-without-ca",
              severity: refuses ? ("error" as const) : ("warning" as const),
              facts: { webhooks: bare.map(({ name }) => name) },
              text: text`${nameList([...new Set(bare.map(({ of }) => of))])} has no caBundle for ${bare.length} of ${all.length} webhooks: the API server trusts none of them, so ${effect}`,
              remedy: text`The controller writes it when it starts; see its log, and that GitOps leaves ${code("caBundle")} alone`,
            },
          ]),
      ...(lax.length === 0
        ? []
        : [
            {
              ...about,
              code: "webhook-ignored",
              severity: "warning" as const,
              facts: { webhooks: lax.map(({ name }) => name) },
              text: text`failurePolicy is Ignore for ${lax.length} of ${all.length} webhooks of MetalLB: while it does not answer, bad objects are taken`,
              remedy: text`Set ${code("crds.validationFailurePolicy: Fail")} in the Helm values`,
            },
          ]),
    ]);
  },
});
