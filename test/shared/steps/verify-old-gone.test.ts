import { describe, expect, it } from "vitest";
import { verifyOldGone } from "#shared/steps/verify-old-gone.ts";
import { plain } from "#shared/text.ts";
import type { SiteFault } from "#shared/twin/sites/faults.ts";
import { another, deploymentOf, digest, smallSite, withFlag } from "../domain-move/dns-faults.ts";
import { driveDns, hellholtId, pass, through } from "../domain-move/dns-sites.ts";
import type { Drive } from "./drive.ts";

/** The old names are asked for no more; ExternalDNS has not had its round yet. */
async function dropped(...given: Parameters<typeof driveDns>): Promise<Drive> {
  const at = driveDns(...given);
  for (const id of ["survey-dns", "cover-both-domains", "add-hostnames"]) await at.forward(id);
  await pass(at, 1_000_000);
  expect((await at.forward("drop-old-hostnames")).outcome).toBe("passed");
  return at;
}

const become = (at: Drive, ...faults: readonly SiteFault[]): void =>
  void at.twin.store.mergePatch("deployments", "external-dns", "external-dns", {
    spec: deploymentOf(smallSite({}, ...faults)).spec as never,
  });

describe("verify-old-gone", () => {
  it("waits for ExternalDNS's round, then passes with nothing of ours left", async () => {
    const at = await dropped(smallSite());
    const first = await at.forward("verify-old-gone");
    expect(first).toMatchObject({ outcome: "waiting" });
    expect(first.text).toContain("still in the zone");
    const came = await through(at, "verify-old-gone");
    expect(came).toMatchObject({ outcome: "passed", findings: [] });
    // What was made by hand, or by another cluster, is nobody's business here.
    expect(at.twin.zones.recordSets(hellholtId).map(({ name }) => name)).toContain("backup.hellholt.net");
  });

  it("fails where ExternalDNS has not deleted them after three rounds", async () => {
    const at = await dropped(smallSite());
    at.notes["drop-old-hostnames"] = { at: 0 };
    const came = await at.forward("verify-old-gone");
    expect([came.outcome, came.codes]).toEqual(["failed", ["old-record-left"]]);
    expect(came.findings.map(({ text }) => plain(text)).join()).toContain("its log says why");
  });

  it("fails under a policy that keeps them, and says who does it then", async () => {
    const came = await through(await dropped(smallSite({ policy: "upsert-only" })), "verify-old-gone");
    expect([came.outcome, came.codes]).toEqual(["failed", ["old-record-left"]]);
    expect(came.findings.map(({ text, remedy }) => `${plain(text)} ${plain(remedy ?? [])}`).join()).toMatch(
      /nobody will delete .* policy .* \/dns plan/,
    );
    expect(came.plan?.prediction.map(plain).join()).toContain("/dns apply");
  });

  it("passes with ownership texts left, and names them", async () => {
    const at = await dropped(smallSite());
    const text = at.twin.zones.recordSets(hellholtId).find(({ name }) => name === "a-httpbin.hellholt.net");
    await pass(at, 120_000);
    if (text === undefined) throw new Error("no text");
    at.twin.zones.edit(hellholtId, [{ action: "CREATE", set: text }]);
    const came = await at.forward("verify-old-gone");
    expect(came.outcome).toBe("passed");
    expect(came.text).toContain("1 ownership texts are");
    expect(came.findings.map(({ code, severity }) => [code, severity])).toEqual([["old-text-left", "info"]]);
  });

  it("finds what is left also when no ExternalDNS looks at the old domain any more", async () => {
    const at = await dropped(smallSite());
    become(at, withFlag("domain-filter", "goldentooth.net"));
    const came = await through(at, "verify-old-gone");
    expect([came.outcome, came.codes]).toEqual(["failed", ["old-record-left"]]);
    expect(came.findings.map(({ text }) => plain(text)).join()).toContain(
      "does not look at hellholt.net any more",
    );
  });

  it.each([
    ["its release is not known any more", "release-unknown"],
    ["its owner id stands in a Secret", "forecast-unknown"],
  ])("is unknown where %s: what is ours is then not known", async (_, code) => {
    const at = await dropped(smallSite());
    await pass(at, 120_000);
    const [container] = (
      deploymentOf(smallSite()).spec as never as {
        template: { spec: { containers: readonly [Readonly<{ args: readonly string[] }>] } };
      }
    ).template.spec.containers;
    const changed =
      code === "release-unknown"
        ? { ...container, image: digest }
        : {
            ...container,
            args: [
              ...container.args.filter((word) => !/owner-id/.test(word)),
              "--domain-filter=goldentooth.net",
            ],
            env: [
              { name: "EXTERNAL_DNS_TXT_OWNER_ID", valueFrom: { secretKeyRef: { name: "x", key: "y" } } },
            ],
          };
    at.twin.store.mergePatch("deployments", "external-dns", "external-dns", {
      spec: { template: { spec: { containers: [changed] } } },
    });
    const came = await at.forward("verify-old-gone");
    expect([came.outcome, came.codes]).toEqual(["unknown", [code]]);
  });

  it("is unknown while a second ExternalDNS cannot be read", async () => {
    const at = await dropped(smallSite());
    await pass(at, 120_000);
    const second = another("second", (each) => ({ ...each, image: digest }))(smallSite()).objects.find(
      ({ object }) => object.metadata.name === "second",
    );
    at.twin.store.create("deployments", second?.object as never);
    expect(await at.forward("verify-old-gone")).toMatchObject({ outcome: "unknown" });
  });

  describe("without ownership (--registry=noop)", () => {
    const noop = withFlag("registry", "noop");

    it("goes by the names that the survey found", async () => {
      const at = driveDns(smallSite({ policy: "upsert-only" }, noop, withFlag("policy", "upsert-only")));
      at.notes["survey-dns"] = { names: ["httpbin.hellholt.net"] };
      const came = await at.forward("verify-old-gone");
      expect([came.outcome, came.codes]).toEqual(["failed", ["old-record-left"]]);
      at.twin.zones.edit(
        hellholtId,
        at.twin.zones
          .recordSets(hellholtId)
          .filter(({ name, type }) => name === "httpbin.hellholt.net" && type === "A")
          .map((set) => ({ action: "DELETE" as const, set })),
      );
      expect((await at.forward("verify-old-gone")).outcome).toBe("passed");
    });

    it("is unknown where nobody surveyed them: an empty list would be a lie", async () => {
      const came = await driveDns(smallSite({}, noop)).forward("verify-old-gone");
      expect([came.outcome, came.codes]).toEqual(["unknown", ["ownership-not-kept"]]);
    });
  });

  it("is unknown where the old zone cannot be listed", async () => {
    const at = await dropped(smallSite());
    const blind = { ...at.context(), ports: { ...at.ports, zones: undefined } };
    expect(await at.on(() => verifyOldGone.verify(blind, undefined as never, undefined))).toMatchObject({
      outcome: "unknown",
    });
  });
});
