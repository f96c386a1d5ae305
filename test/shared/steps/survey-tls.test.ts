import { describe, expect, it } from "vitest";
import { plain } from "#shared/text.ts";
import { addObject, patchObject, type SiteFault } from "#shared/twin/sites/faults.ts";
import { goldentoothZone } from "#shared/twin/sites/goldentooth-dns.ts";
import {
  annotated,
  another,
  digest,
  gatewayWithRoute,
  ingress,
  smallSite,
  withFlag,
} from "../domain-move/dns-faults.ts";
import { driveDns, goldentoothId } from "../domain-move/dns-sites.ts";
import { dns01, http01, withCertificate, withIssuer } from "../wildcard-tls/tls-sites.ts";

const hostname = "external-dns.alpha.kubernetes.io/hostname";
const domain = "services.k8s.goldentooth.net";
const named = annotated({ [hostname]: `httpbin.${domain}` });
const covering = withFlag("domain-filter", "hellholt.net", "goldentooth.net");
const survey = (faults: readonly SiteFault[], more: Parameters<typeof driveDns>[1] = {}) =>
  driveDns(smallSite({}, covering, named, ...faults), more).forward("survey-tls");
const tls = (name: string, secretName: string, ...hosts: readonly string[]): SiteFault =>
  ingress(name, { rules: hosts.map((host) => ({ host })), tls: [{ hosts, secretName }] });

const controller = (...args: readonly string[]): SiteFault =>
  addObject(
    "deployments",
    { name: "cert-manager", namespace: "cert-manager" },
    {
      spec: {
        template: {
          spec: {
            containers: [
              { name: "cert-manager", image: "images.example/cert-manager-controller:v1.17.2", args },
            ],
          },
        },
      },
    },
  );

/** The site's resolver answers for the new domain itself. */
const hijacking = {
  name: "router",
  ip: "10.4.0.1",
  machine: "router",
  forwardsTo: "1.1.1.1",
  overrides: [{ domain: goldentoothZone.name, hosts: { "router.goldentooth.net": "10.4.0.1" } }],
};
const atHijacked = (...faults: readonly SiteFault[]) =>
  driveDns(smallSite({ resolver: hijacking }, covering, named, withIssuer(), ...faults)).forward(
    "survey-tls",
  );

const addCaa = (at: ReturnType<typeof driveDns>, name: string, ...values: readonly string[]) =>
  at.twin.zones.edit(goldentoothId, [
    {
      action: "CREATE",
      set: {
        name: name as never,
        type: "CAA",
        routing: { policy: "simple" },
        answer: { kind: "values", ttl: 300, values },
      },
    },
  ]);

describe("survey-tls", () => {
  it("says which wildcards are needed where, and who can prove them", async () => {
    const came = await survey([withIssuer()]);
    expect(came.outcome).toBe("passed");
    expect(came.verified?.blocks[0]).toMatchObject({
      title: "Certificates needed",
      rows: [
        [
          ["default"],
          [`*.${domain}`],
          ["wildcard-services-k8s-goldentooth-net-tls"],
          ["ClusterIssuer letsencrypt-prod"],
        ],
      ],
    });
    expect(came.findings.map(({ code, severity }) => [code, severity])).toEqual([["secret-reach", "info"]]);
    expect(came.plan?.deeds).toEqual([]);
  });

  it("counts names that are still to move under the new domain", async () => {
    const came = await driveDns(smallSite({}, withIssuer())).forward("survey-tls");
    expect(came.outcome).toBe("passed");
    expect(JSON.stringify(came.verified?.blocks)).toContain(`*.${domain}`);
  });

  it("gives each level a wildcard of its own, and the domain its name", async () => {
    const hosts = annotated({
      [hostname]: [`httpbin.${domain}`, `a.apps.${domain}`, `b.apps.${domain}`, domain].join(),
    });
    const came = await survey([withIssuer(), hosts]);
    expect(came.verified?.blocks[0]).toMatchObject({
      rows: [
        [["default"], [`${domain}, *.${domain}, *.apps.${domain}`], expect.anything(), expect.anything()],
      ],
    });
    const short = withCertificate("default", "star", "star-tls", ["*.k8s.goldentooth.net", `*.${domain}`]);
    const told = await survey([withIssuer(), hosts, short]);
    const found = told.findings.find(({ code }) => code === "wildcard-too-short");
    expect(found?.facts).toEqual({ uncovered: [`a.apps.${domain}`, `b.apps.${domain}`] });
  });

  describe("issuers", () => {
    it.each<[string, SiteFault[], RegExp]>([
      ["there is none", [], /there is no Issuer/],
      ["all have HTTP-01, which proves no wildcard", [withIssuer([http01])], /HTTP-01, which can never/],
      [
        "its DNS-01 is for another zone",
        [withIssuer([{ ...dns01, selector: { dnsZones: ["example.org"] } }])],
        /can prove/,
      ],
      [
        "its DNS-01 is for Certificates with a label",
        [withIssuer([{ ...dns01, selector: { matchLabels: { x: "y" } } }])],
        /can prove/,
      ],
      [
        "it is an Issuer of another namespace",
        [
          addObject(
            "issuers",
            { name: "le", namespace: "elsewhere" },
            {
              spec: { acme: { server: "https://acme-v02.api.letsencrypt.org/directory", solvers: [dns01] } },
            },
          ),
        ],
        /no issuer that default may use/,
      ],
    ])("fails where %s, and says what to add", async (_, faults, because) => {
      const came = await survey(faults);
      expect([came.outcome, came.codes]).toEqual(["failed", ["issuer-without-dns01"]]);
      expect(came.text).toMatch(because);
      expect(plain(came.findings[0]?.remedy ?? [])).toContain(goldentoothId);
    });

    it.each<[string, SiteFault, string]>([
      [
        "is not ready",
        withIssuer([dns01], { conditions: [{ type: "Ready", status: "False", message: "401" }] }),
        "issuer-not-ready",
      ],
      ["writes elsewhere", withIssuer([{ ...dns01, dns01: { cloudflare: {} } }]), "solver-elsewhere"],
      [
        "writes into another zone",
        withIssuer([{ ...dns01, dns01: { route53: { hostedZoneID: "ZOTHER" } } }]),
        "solver-other-zone",
      ],
    ])("fails where it %s", async (_, fault, code) => {
      expect(await survey([fault])).toMatchObject({ outcome: "failed", codes: [code] });
    });

    it("asks nothing of an issuer where the certificate stands already", async () => {
      const standing = withCertificate("default", "star", "star-tls", [`*.${domain}`]);
      expect(await survey([standing])).toMatchObject({ outcome: "passed" });
    });
  });

  describe("Secrets", () => {
    it("wants one in each namespace that uses one, and one Certificate for each Secret", async () => {
      const second: SiteFault = addObject(
        "ingresses",
        { name: "other", namespace: "shop" },
        { spec: { rules: [], tls: [{ hosts: [`shop.${domain}`], secretName: "shop-tls" }] } },
      );
      const came = await survey([
        withIssuer(),
        tls("a", "a-tls", `a.${domain}`),
        tls("b", "b-tls", `b.${domain}`),
        second,
      ]);
      const rows = (came.verified?.blocks[0] as unknown as { rows: readonly (readonly string[][])[] }).rows;
      expect(rows.map(([namespace, , secret]) => `${namespace}/${secret}`)).toEqual([
        "shop/shop-tls",
        "web/a-tls",
        "web/b-tls",
      ]);
      // Nothing serves httpbin with a Secret, and nobody claims to have covered it.
      expect(came.findings.find(({ code }) => code === "hosts-without-secret")?.facts).toEqual({
        hosts: [`httpbin.${domain}`],
      });
    });

    it("says where a Secret is out of reach, and where a grant is needed for it", async () => {
      const far = withCertificate("certs", "star", "a-tls", [`*.${domain}`]);
      const came = await survey([withIssuer(), tls("a", "a-tls", `a.${domain}`), far]);
      expect(came.findings.map(({ code }) => code)).toContain("secret-out-of-reach");
      const gateway: SiteFault = (spec) =>
        patchObject("gateways", "edge", {
          spec: {
            listeners: [
              {
                name: "https",
                protocol: "HTTPS",
                port: 443,
                tls: { certificateRefs: [{ name: "star", namespace: "certs" }] },
              },
            ],
          },
        })(gatewayWithRoute(undefined, [`shop.${domain}`])(spec));
      const granted = await survey([withIssuer(), gateway]);
      const found = granted.findings.find(({ code }) => code === "reference-grant-needed");
      expect(found?.severity).toBe("info");
      // A listener without a host serves what its routes name.
      expect(JSON.stringify(granted.verified?.blocks[1])).toContain(`shop.${domain}`);
    });
  });

  describe("CAA", () => {
    const withCaa = async (name: string, values: readonly string[], issuer: SiteFault = withIssuer()) => {
      const at = driveDns(smallSite({}, covering, named, issuer));
      addCaa(at, name, ...values);
      return at.forward("survey-tls");
    };
    it.each([
      ["names another CA", goldentoothZone.name, ['0 issue "pki.goog"'], true],
      ["forbids wildcards", goldentoothZone.name, ['0 issue "letsencrypt.org"', '0 issuewild ";"'], true],
      [
        "names it for wildcards",
        goldentoothZone.name,
        ['0 issue ";"', '0 issuewild "letsencrypt.org"'],
        false,
      ],
      ["names it", goldentoothZone.name, ['0 issue "letsencrypt.org; validationmethods=dns-01"'], false],
      ["nearer to the name says something else", domain, ['0 issue "pki.goog"'], true],
      ["only tells where to report", goldentoothZone.name, ['0 iodef "mailto:a@example.org"'], false],
    ])("that %s", async (_, name, values, isForbidden) => {
      const came = await withCaa(name, values);
      expect(came.codes).toEqual(isForbidden ? ["caa-forbids"] : []);
    });

    it("is told, not judged, for a CA whose name there is not known, and nothing to a private one", async () => {
      const acme = (server: string | undefined): SiteFault =>
        addObject(
          "clusterissuers",
          { name: "own" },
          {
            spec: server === undefined ? { ca: {} } : { acme: { server, solvers: [dns01] } },
            status: { conditions: [{ type: "Ready", status: "True" }] },
          },
        );
      const values = ['0 issue "pki.goog"'];
      const other = await withCaa(goldentoothZone.name, values, acme("https://acme.example.org/directory"));
      expect(other.findings.map(({ code }) => code)).toContain("caa-unjudged");
      const own = await withCaa(goldentoothZone.name, values, acme(undefined));
      expect(own.findings.map(({ code }) => code).filter((code) => code.startsWith("caa"))).toEqual([]);
    });
  });

  describe("a router that answers for the domain", () => {
    const only = "--dns01-recursive-nameservers-only";
    const servers = "--dns01-recursive-nameservers";
    it("is named, with what cert-manager has to run with", async () => {
      const came = await atHijacked();
      expect([came.outcome, came.codes]).toEqual(["failed", ["recursive-nameservers-needed"]]);
      const remedy = plain(
        came.findings.find(({ code }) => code === "recursive-nameservers-needed")?.remedy ?? [],
      );
      expect(remedy).toContain(`${only} and ${servers}=1.1.1.1:53`);
    });

    it.each([
      [[only], true],
      [[`${servers}=1.1.1.1:53`], true],
      [[only, `${servers}=10.4.0.1:53`], true],
      [[`${only}=false`, `${servers}=1.1.1.1:53`], true],
      [[only, `${servers}=1.1.1.1:53,8.8.8.8:53`], false],
      [[`${only}=true`, `${servers}=1.1.1.1:53`], false],
      [[only, servers, "1.1.1.1:53"], false],
      [[only, `${servers}=https://1.1.1.1/dns-query`], false],
    ])("and %j", async (args, isNeeded) => {
      const came = await atHijacked(controller(...args));
      expect(came.codes).toEqual(isNeeded ? ["recursive-nameservers-needed"] : []);
    });

    /** Whatever server is asked on port 53 from inside, the router answers. */
    const intercepting = (args: readonly string[]) =>
      driveDns(smallSite({ resolver: hijacking }, covering, named, withIssuer(), controller(...args)), {
        around: (ports) => ({
          ...ports,
          config: {
            ...ports.config,
            dns: { ...ports.config.dns, askFrom: "outside" } as typeof ports.config.dns,
          },
          shell: (target, command, options) =>
            target.name === "outside"
              ? ports.shell({ ...target, name: inside(ports) }, command, options)
              : ports.shell(
                  target,
                  {
                    ...command,
                    argv: command.argv.map((word) =>
                      /^@(1\.1\.1\.1|8\.8\.8\.8)$/.test(word) ? "@10.4.0.1" : word,
                    ) as never,
                  },
                  options,
                ),
        }),
      }).forward("survey-tls");
    const inside = ({
      config,
    }: Parameters<NonNullable<NonNullable<Parameters<typeof driveDns>[1]>["around"]>>[0]) =>
      config.vantages.find(({ place, clusterNode }) => place !== "behind-router" && clusterNode === undefined)
        ?.name ?? "";

    it("and for every server outside: then other servers do not help, only DNS over HTTPS", async () => {
      const plainly = await intercepting([only, `${servers}=1.1.1.1:53`]);
      expect([plainly.outcome, plainly.codes]).toEqual(["failed", ["dns-intercepted"]]);
      const https = await intercepting([only, `${servers}=https://1.1.1.1/dns-query`]);
      expect(https.codes).toEqual([]);
    });

    it("is unknown where the site's resolvers cannot be asked", async () => {
      const came = await survey([withIssuer()], { site: { resolvers: [] } });
      expect([came.outcome, came.codes]).toEqual(["unknown", ["could-not-look"]]);
    });
  });

  it("is unknown while an ExternalDNS cannot be read: its names would be missing", async () => {
    const came = await survey([withIssuer(), another("two", (each) => ({ ...each, image: digest }))]);
    expect([came.outcome, came.codes]).toEqual(["unknown", ["release-unknown"]]);
  });

  it("fails where nothing asks for a name, which may be accepted", async () => {
    const elsewhere = annotated({ [hostname]: "httpbin.example.org" });
    expect(await survey([withIssuer(), elsewhere])).toMatchObject({ outcome: "failed", codes: ["no-hosts"] });
    const accepted = await survey([withIssuer(), elsewhere], { inputs: { accept: "no-hosts" } });
    expect(accepted.outcome).toBe("passed");
  });

  it("says that cert-manager is not there, and is unknown where it may not look", async () => {
    const without = (kind: string) =>
      survey([withIssuer()], {
        around: (ports) => ({
          ...ports,
          read: async (kinds, signal) => {
            const lists = await ports.read(kinds, signal);
            return (kinds as readonly string[]).includes("certificates")
              ? { ...lists, certificates: { kind, what: "list of certificates", detail: "no" } as never }
              : lists;
          },
        }),
      });
    expect(await without("not-configured")).toMatchObject({
      outcome: "failed",
      codes: ["cert-manager-missing"],
    });
    expect(await without("denied")).toMatchObject({ outcome: "unknown" });
  });
});
