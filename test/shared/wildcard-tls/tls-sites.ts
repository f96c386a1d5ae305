import { parseAllDocuments } from "yaml";
import type { Json } from "#shared/json.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import type { StepPlan } from "#shared/steps/step.ts";
import { addObject, type SiteFault } from "#shared/twin/sites/faults.ts";
import { goldentoothZone } from "#shared/twin/sites/goldentooth-dns.ts";
import type { Drive } from "../steps/drive.ts";

export const dns01 = {
  dns01: { route53: { region: "us-east-1", hostedZoneID: goldentoothZone.id } },
  selector: { dnsZones: ["goldentooth.net"] },
};
export const http01 = { http01: { ingress: { class: "nginx" } } };

const ready = { conditions: [{ type: "Ready", status: "True", message: "registered" }] };

/** A ClusterIssuer of Let's Encrypt with these solvers. */
export const withIssuer = (solvers: readonly Json[] = [dns01], status: unknown = ready): SiteFault =>
  addObject(
    "clusterissuers",
    { name: "letsencrypt-prod" },
    {
      spec: { acme: { server: "https://acme-v02.api.letsencrypt.org/directory", solvers } },
      status,
    },
  );

export const withCertificate = (
  namespace: string,
  name: string,
  secretName: string,
  dnsNames: readonly string[],
  status: unknown = ready,
): SiteFault => addObject("certificates", { name, namespace }, { spec: { secretName, dnsNames }, status });

/** What a person does with the file: applies it, and cert-manager gets the certificates. */
export function applyCertificates(
  { twin }: Drive,
  plan: StepPlan | undefined,
  status: unknown = ready,
): void {
  for (const deed of plan?.deeds ?? []) {
    if (deed.kind !== "document") continue;
    for (const document of parseAllDocuments(deed.text)) {
      const result = twin.store.create("certificates", { ...(document.toJS() as KubeObject), status });
      if (!result.ok) throw new Error(result.refusal.message);
    }
  }
}
