import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { StepPlan } from "#shared/steps/step.ts";
import { wildcardCertificate } from "#shared/steps/wildcard-certificate.ts";
import { plain } from "#shared/text.ts";
import { addObject, patchObject, type SiteFault } from "#shared/twin/sites/faults.ts";
import { annotated, another, digest, ingress, smallSite, withFlag } from "../domain-move/dns-faults.ts";
import { driveDns, pass } from "../domain-move/dns-sites.ts";
import { applyCertificates, dns01, http01, withCertificate, withIssuer } from "../wildcard-tls/tls-sites.ts";
import type { Drive } from "./drive.ts";

const hostname = "external-dns.alpha.kubernetes.io/hostname";
const domain = "services.k8s.goldentooth.net";
const named = annotated({ [hostname]: `httpbin.${domain}` });
const covering = withFlag("domain-filter", "hellholt.net", "goldentooth.net");
const site = (...faults: readonly SiteFault[]) => driveDns(smallSite({}, covering, named, ...faults));
const tls = (name: string, secretName: string, ...hosts: readonly string[]): SiteFault =>
  ingress(name, { rules: hosts.map((host) => ({ host })), tls: [{ hosts, secretName }] });

type Manifest = Readonly<{
  metadata: { name: string; namespace: string };
  spec: { secretName: string; dnsNames: readonly string[]; issuerRef: object };
}>;
const manifestsOf = (plan: StepPlan | undefined): readonly Manifest[] =>
  (plan?.deeds ?? []).flatMap((deed) =>
    deed.kind === "document" ? parseAllDocuments(deed.text).map((each) => each.toJS() as Manifest) : [],
  );
const verify = (at: Drive) =>
  at.on((context) => wildcardCertificate.verify(context, undefined as never, undefined));
const codes = (came: Readonly<{ findings: readonly Readonly<{ code: string }>[] }>) =>
  came.findings.map(({ code }) => code);

describe("wildcard-certificate", () => {
  it("hands over a Certificate, writes none, and passes once a person has applied it and it is ready", async () => {
    const at = site(withIssuer());
    const came = await at.forward("wildcard-certificate");
    expect(came).toMatchObject({ outcome: "failed", codes: ["certificate-missing"] });
    expect(manifestsOf(came.plan)).toMatchObject([
      {
        metadata: { name: "wildcard-services-k8s-goldentooth-net", namespace: "default" },
        spec: {
          secretName: "wildcard-services-k8s-goldentooth-net-tls",
          dnsNames: [`*.${domain}`],
          issuerRef: { kind: "ClusterIssuer", name: "letsencrypt-prod" },
        },
      },
    ]);
    expect(came.plan?.instructions.map(plain).join()).toContain("kubectl apply -f R-1-certificates.yaml");
    expect([came.plan?.undo, at.twin.store.list("certificates").items]).toEqual([[], []]);
    applyCertificates(at, came.plan);
    expect((await verify(at)).outcome).toBe("passed");
    expect(await at.forward("wildcard-certificate")).toMatchObject({ outcome: "unneeded" });
  });

  it("goes where the person says when nobody uses a Secret yet", async () => {
    const at = driveDns(smallSite({}, covering, named, withIssuer()), { inputs: { namespace: "ingress" } });
    expect(manifestsOf((await at.forward("wildcard-certificate")).plan)[0]?.metadata.namespace).toBe(
      "ingress",
    );
  });

  it("makes one for each Secret: another Secret of the namespace does not serve it", async () => {
    const at = site(withIssuer(), tls("a", "a-tls", `a.${domain}`), tls("b", "b-tls", `b.${domain}`));
    const { plan } = await at.forward("wildcard-certificate");
    expect(manifestsOf(plan).map(({ metadata, spec }) => [metadata.name, spec.secretName])).toEqual([
      ["wildcard-services-k8s-goldentooth-net", "a-tls"],
      ["b-tls", "b-tls"],
    ]);
    const [first] = manifestsOf(plan);
    at.twin.store.create("certificates", {
      ...(first as object),
      status: { conditions: [{ type: "Ready", status: "True" }] },
    } as never);
    const after = await verify(at);
    expect([after.outcome, after.findings.map(({ subject }) => subject.name)]).toEqual([
      "failed",
      ["Certificate web/b-tls"],
    ]);
  });

  it("widens the Certificate that fills a Secret, instead of a second one for it", async () => {
    const at = site(
      withIssuer([dns01, { dns01: { route53: {} }, selector: {} }]),
      tls("a", "a-tls", `a.${domain}`, "a.hellholt.net"),
      withCertificate("web", "own", "a-tls", ["a.hellholt.net"]),
    );
    const { plan } = await at.forward("wildcard-certificate");
    expect(manifestsOf(plan)).toMatchObject([
      {
        metadata: { name: "own", namespace: "web" },
        spec: { secretName: "a-tls", dnsNames: [`*.${domain}`, "a.hellholt.net"] },
      },
    ]);
  });

  it("leaves the Secret of old hosts alone, and makes another beside it", async () => {
    const at = site(withIssuer(), tls("a", "old-tls", "a.hellholt.net"));
    const { plan } = await at.forward("wildcard-certificate");
    expect(manifestsOf(plan)).toMatchObject([
      {
        metadata: { namespace: "web" },
        spec: { secretName: "wildcard-services-k8s-goldentooth-net-tls", dnsNames: [`*.${domain}`] },
      },
    ]);
    applyCertificates(at, plan);
    expect((await verify(at)).outcome).toBe("passed");
  });

  it("says where cert-manager makes the Certificate itself, and writes none there", async () => {
    const owned: SiteFault = (spec) =>
      patchObject("certificates", "a-tls", {
        metadata: {
          ownerReferences: [{ kind: "Ingress", name: "a", apiVersion: "networking.k8s.io/v1", uid: "u" }],
        },
      })(withCertificate("web", "a-tls", "a-tls", ["b.example.org"])(spec));
    const came = await site(
      withIssuer([{ dns01: { route53: {} } }]),
      tls("a", "a-tls", `a.${domain}`),
      owned,
    ).forward("wildcard-certificate");
    expect(came.plan?.deeds).toEqual([]);
    expect(came.plan?.instructions.map(plain).join()).toContain("made by cert-manager from Ingress a");
    expect(came.outcome).toBe("failed");
  });

  it("warns of the CA's limit where many namespaces want the same set", async () => {
    const many = ["a", "b", "c", "d", "e"].map((name) =>
      addObject(
        "ingresses",
        { name, namespace: name },
        { spec: { tls: [{ hosts: [`x.${domain}`], secretName: "x" }] } },
      ),
    );
    const { plan } = await site(withIssuer(), ...many).forward("wildcard-certificate");
    expect(manifestsOf(plan)).toHaveLength(5);
    expect(plan?.instructions.map(plain).join()).toContain("five times a week");
  });

  it.each<[string, SiteFault[]]>([
    ["there is no issuer", []],
    ["there is only HTTP-01", [withIssuer([http01])]],
  ])("is blocked where %s", async (_, faults) => {
    expect(await site(...faults).forward("wildcard-certificate")).toMatchObject({
      outcome: "blocked",
      codes: ["issuer-without-dns01"],
    });
  });

  it("is blocked, and not unneeded, while an ExternalDNS cannot be read", async () => {
    const second = another("two", (each) => ({ ...each, image: digest }));
    const standing = withCertificate("default", "star", "star-tls", [`*.${domain}`]);
    const at = site(withIssuer(), second, standing);
    expect(await at.forward("wildcard-certificate")).toMatchObject({
      outcome: "blocked",
      codes: ["release-unknown"],
    });
    expect((await verify(at)).outcome).toBe("unknown");
  });

  describe("judges what stands", () => {
    const start = Date.UTC(2026, 2, 1, 14);
    const at = (ms: number) => new Date(start + ms).toISOString();
    const standing = (status: object): SiteFault =>
      withCertificate("default", "star", "star-tls", [`*.${domain}`], status);
    const ready = (more: object = {}) => ({ conditions: [{ type: "Ready", status: "True", ...more }] });
    const issuing = (since: string) => ({
      conditions: [
        {
          type: "Ready",
          status: "False",
          message: "Issuing certificate as Secret does not exist",
          lastTransitionTime: since,
        },
      ],
    });

    it("waits while it is issued, and not for ever", async () => {
      const drive = site(withIssuer(), standing(issuing(at(-60_000))));
      const came = await verify(drive);
      expect([came.outcome, came.until]).toEqual(["waiting", drive.ports.clock.now() + 30_000]);
      await pass(drive, 30 * 60_000);
      const stuck = await verify(drive);
      expect([stuck.outcome, codes(stuck)]).toEqual(["failed", ["certificate-stuck"]]);
      expect(plain(stuck.findings[0]?.remedy ?? [])).toContain("describe challenge");
    });

    it("fails on what cert-manager says, whatever it says", async () => {
      const denied = { conditions: [{ type: "Ready", status: "False", message: "AccessDenied: route53" }] };
      const came = await verify(site(withIssuer(), standing(denied)));
      expect([came.outcome, codes(came)]).toEqual(["failed", ["certificate-not-ready"]]);
      expect(plain(came.findings[0]?.text ?? [])).toContain("AccessDenied");
      const silent = { conditions: [{ type: "Ready", status: "False" }] };
      expect(plain((await verify(site(withIssuer(), standing(silent)))).findings[0]?.text ?? [])).toContain(
        "does not say why",
      );
    });

    it("takes an ended certificate for none, and a Ready of an older generation for nothing yet", async () => {
      const ended = await verify(site(withIssuer(), standing({ ...ready(), notAfter: at(-1) })));
      expect([ended.outcome, codes(ended)]).toEqual(["failed", ["certificate-not-ready"]]);
      const drive = site(
        withIssuer(),
        standing({
          ...ready({ observedGeneration: 1, lastTransitionTime: at(0) }),
          notAfter: at(90_000_000),
        }),
      );
      expect((await verify(drive)).outcome).toBe("passed");
      drive.twin.store.mergePatch("certificates", "default", "star", {
        spec: { dnsNames: [`*.${domain}`, `*.apps.${domain}`] },
      });
      const stale = await verify(drive);
      expect([stale.outcome, codes(stale)]).toEqual(["waiting", []]);
    });

    it("is unknown where Certificates cannot be listed", async () => {
      const drive = driveDns(smallSite({}, covering, named), { denied: ["certificates"] });
      expect((await verify(drive)).outcome).toBe("unknown");
    });
  });

  it("counts as a proof: leaving it out needs a reason", () => {
    expect(plain(wildcardCertificate.proof ?? [])).toContain("every name");
    expect(wildcardCertificate.kind).toBe("manual");
  });
});
