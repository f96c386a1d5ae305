import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  disagreements,
  dryRunArguments,
  loggedNumbers,
  programRelease,
  readProgramLog,
} from "#shared/dns/external-dns-program.ts";

const flags = (of: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(of));

describe("arguments of a dry run", () => {
  it("end with what makes it look only, whatever the Deployment says", () => {
    const made = dryRunArguments(
      flags({
        source: ["service", "ingress"],
        "dry-run": ["false"],
        once: ["false"],
        policy: ["sync"],
        events: ["true"],
        "no-dry-run": ["true"],
        "no-no-once": ["true"],
        kubeconfig: ["/elsewhere"],
        "metrics-address": [":7979"],
        "aws-prefer-cname": ["true"],
        "aws-evaluate-target-health": ["false"],
      }),
      "upsert-only",
    );
    expect(made).toMatchObject({
      ok: true,
      args: [
        "--source=service",
        "--source=ingress",
        "--aws-prefer-cname",
        "--no-aws-evaluate-target-health",
        "--policy=upsert-only",
        "--metrics-address=127.0.0.1:0",
        "--log-format=json",
        "--log-level=info",
        "--once",
        "--dry-run",
      ],
    });
  });

  it.each([
    [{ provider: ["webhook"] }, "--provider=webhook"],
    [{ registry: ["dynamodb"] }, "--registry=dynamodb"],
    [{ "txt-encrypt-aes-key": ["[secret]"] }, "is not known here"],
    [{ "domain-filter": ["a\n--no-dry-run"] }, "line end"],
    [{ "-x": ["y"] }, "no name of a flag"],
  ])("%o is refused", (given, why) => {
    const made = dryRunArguments(flags(given), "sync");
    expect(made.ok ? "" : made.problems.join()).toContain(why);
  });

  it("never let a value switch dry run off", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/),
          fc.array(fc.string(), { minLength: 1, maxLength: 3 }),
        ),
        (given) => {
          const made = dryRunArguments(flags(given), "sync");
          if (!made.ok) return;
          expect(made.args.slice(-2)).toEqual(["--once", "--dry-run"]);
          expect(made.args.filter((arg) => /^--(no-)?(dry-run|once)(=|$)/.test(arg))).toEqual([
            "--once",
            "--dry-run",
          ]);
        },
      ),
    );
  });
});

describe("what it logs", () => {
  it("is read from JSON and text, with ids and octal names, other lines left alone", () => {
    const said = readProgramLog(
      [
        "not a log line",
        '{"broken',
        '{"level":"info","msg":"Desired change: CREATE a.example.com A","zoneID":"/hostedzone/Z1","time":"t"}',
        'time="t" level=info msg="Desired change: DELETE \\\\052.example.com. TXT" profile=default zoneID=/hostedzone/Z1 zoneName=example.com.',
        'time="t" level=info msg="Desired change: UPSERT b.example.com A [Id: /hostedzone/Z2]"',
        '{"level":"error","msg":"boom"}',
        '{"level":"info","msg":"All records are already up to date"}',
      ].join("\n"),
    );
    expect(said).toEqual({
      changes: [
        { zone: "Z1", action: "CREATE", name: "a.example.com", type: "A" },
        { zone: "Z1", action: "DELETE", name: "*.example.com", type: "TXT" },
        { zone: "Z2", action: "UPSERT", name: "b.example.com", type: "A" },
      ],
      upToDate: true,
      errors: ["boom"],
    });
  });

  it("is read whatever it is", () => {
    fc.assert(fc.property(fc.string(), (text) => void readProgramLog(text)));
  });

  it.each([
    ["v0.15.0", "0.15.0"],
    ["external-dns v0.17.0-3-gabc", "0.17.0"],
    ["unknown", undefined],
  ])("release of %s", (words, release) => expect(programRelease(words)?.text).toBe(release));
});

describe("two words about one round", () => {
  const change = (action: string, name: string, type = "A") => ({ zone: "Z1", action, name, type });
  it("count what comes, what changes and what goes for good", () => {
    expect(
      loggedNumbers([
        change("UPSERT", "d"),
        change("UPSERT", "d", "TXT"),
        change("CREATE", "e"),
        change("DELETE", "a"),
        change("DELETE", "a", "TXT"),
        change("DELETE", "b"),
        change("CREATE", "b"),
        change("DELETE", "c", "CNAME"),
        change("CREATE", "c", "A"),
      ]),
    ).toEqual({ create: 2, update: 2, delete: 2 });
  });

  it("differ where only one says it, as often as it does", () => {
    const ours = [{ action: "CREATE", set: { name: "a", type: "A" } }] as never;
    expect(
      disagreements([change("CREATE", "a"), change("CREATE", "a"), change("DELETE", "b")], ours),
    ).toEqual({
      onlyProgram: ["CREATE a A", "DELETE b A"],
      onlyOurs: [],
    });
    expect(disagreements([], ours).onlyOurs).toEqual(["CREATE a A"]);
  });
});
