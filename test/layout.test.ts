import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { build } from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");

function filesUnder(folder: string, suffix: string): string[] {
  const path = join(root, folder);
  return readdirSync(path, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((name) => name.endsWith(suffix) && statSync(join(root, name)).isFile());
}

const sources = ["bot", "lambdas", "shared", "infra"].flatMap((top) => filesUnder(top, ".ts"));

/** Who imports what, as esbuild resolves it: files of ours by path, packages by name. Type-only imports are erased. */
let imports: ReadonlyMap<string, readonly string[]>;

beforeAll(async () => {
  const built = await build({
    absWorkingDir: root,
    entryPoints: sources,
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    format: "esm",
    packages: "external",
    outdir: "out",
    logLevel: "silent",
    loader: { ".json": "json" },
    define: {},
  });
  imports = new Map(
    Object.entries(built.metafile.inputs).map(([file, input]) => [file, input.imports.map((i) => i.path)]),
  );
});

const importsOf = (file: string): readonly string[] => imports.get(file) ?? [];

/** Files that must not import something, with what they import of it. */
function offenders(from: (file: string) => boolean, forbidden: (path: string) => boolean): string[] {
  return [...imports.keys()].filter(from).flatMap((file) =>
    importsOf(file)
      .filter(forbidden)
      .map((path) => `${file} imports ${path}`),
  );
}

const within = (folder: string) => (path: string) => path.startsWith(`${folder}/`);
const adapters = within("shared/adapters");
const decisions = (path: string) => within("shared")(path) && !adapters(path);
/** Composition roots: they may join adapters, environment and clock. */
const roots = [
  "bot/main.ts",
  "bot/serve.ts",
  "bot/cli.ts",
  "bot/compose.ts",
  "bot/load-config.ts",
  "bot/require-node.ts",
];
const sdks = /^(@slack\/|@aws-sdk\/|@kubernetes\/|ssh2|undici|ws$)/;
const worldly =
  /^(node:)?(fs|fs\/promises|net|http|https|tls|dgram|child_process|worker_threads|sqlite|os|readline|timers|timers\/promises|dns|dns\/promises)$/;

describe("import directions", () => {
  it("looks at every source file", () => {
    expect(sources.length).toBeGreaterThan(50);
    expect(sources.filter((file) => !imports.has(file))).toEqual([]);
  });

  it("bot and lambdas import neither each other nor infra", () => {
    expect(offenders(within("bot"), (path) => within("lambdas")(path) || within("infra")(path))).toEqual([]);
    expect(offenders(within("lambdas"), (path) => within("bot")(path) || within("infra")(path))).toEqual([]);
  });

  it("shared imports nothing above it", () => {
    expect(
      offenders(within("shared"), (p) => within("bot")(p) || within("lambdas")(p) || within("infra")(p)),
    ).toEqual([]);
  });

  it("decisions import no adapter, no SDK and nothing that touches the world", () => {
    expect(offenders(decisions, adapters)).toEqual([]);
    expect(offenders(decisions, (path) => sdks.test(path))).toEqual([]);
    expect(offenders(decisions, (path) => worldly.test(path))).toEqual([]);
  });

  it("SDKs are imported by adapters and the Slack door only", () => {
    const allowed = (file: string) =>
      adapters(file) || within("infra")(file) || /^bot\/doors\/slack/.test(file);
    expect(
      offenders(
        (file) => !allowed(file),
        (path) => sdks.test(path),
      ),
    ).toEqual([]);
  });

  it("no Bolt, Kubernetes client or ssh2 in a Lambda", () => {
    const reach = (file: string, seen = new Set<string>()): Set<string> => {
      if (seen.has(file)) return seen;
      seen.add(file);
      for (const next of importsOf(file)) reach(next, seen);
      return seen;
    };
    for (const handler of [...imports.keys()].filter(within("lambdas"))) {
      expect([...reach(handler)].filter((path) => /^(@slack\/bolt|@kubernetes|ssh2)/.test(path))).toEqual([]);
    }
  });

  it("across top folders imports go by #name, within one relatively", () => {
    const wrong = sources.flatMap((file) => {
      const top = file.split("/")[0] as string;
      const text = readFileSync(join(root, file), "utf8");
      return [...text.matchAll(/(?:from|import)\s*\(?"([^"]+)"/g)]
        .map((match) => match[1] as string)
        .filter(
          (path) =>
            path.startsWith(`#${top}/`) ||
            (path.startsWith(".") &&
              !relative(top, join(file, "..", path))
                .split("/")
                .every((part) => part !== "..")),
        )
        .filter((path) => !/^(\.\.\/)+(package\.json|bot\/(require-node|main)\.ts)$/.test(path))
        .map((path) => `${file} imports ${path}`);
    });
    expect(wrong).toEqual([]);
  });
});

describe("decisions take the world as parameters", () => {
  const globals =
    /\b(Date\.now\(|new Date\(\)|Math\.random\(|setTimeout\(|setInterval\(|process\.|performance\.now\(|crypto\.randomUUID\()/;
  it.each(sources.filter(decisions))("%s", (file) => {
    const code = readFileSync(join(root, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(globals.exec(code)?.[0]).toBeUndefined();
  });

  it("the doors and commands too", () => {
    const doors = sources.filter(
      (file) => within("bot")(file) && !roots.includes(file) && !/^bot\/doors\/slack/.test(file),
    );
    const wrong = doors.filter((file) => {
      const code = readFileSync(join(root, file), "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      return globals.test(code);
    });
    expect(wrong).toEqual([]);
  });
});

describe("names and sizes", () => {
  it("files are kebab-case, and none is a utils file or a barrel", () => {
    const names = sources.map((file) => basename(file, ".ts"));
    expect(names.filter((name) => !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(name))).toEqual([]);
    expect(names.filter((name) => /^(utils?|helpers?|common|misc|index)$/.test(name))).toEqual([]);
    const barrels = sources.filter((file) => {
      const lines = readFileSync(join(root, file), "utf8")
        .split("\n")
        .filter((line) => line.trim() !== "" && !/^\s*(\/\/|\/?\*)/.test(line));
      return lines.length > 0 && lines.every((line) => /^export (\*|\{.*\}) from /.test(line));
    });
    expect(barrels).toEqual([]);
  });

  it("no file is so long that nobody reads it whole", () => {
    const long = sources.filter((file) => readFileSync(join(root, file), "utf8").split("\n").length > 480);
    expect(long).toEqual([]);
  });

  it("no class where a function does: only errors are classes", () => {
    const classes = sources.filter((file) =>
      /^\s*(export )?(abstract )?class (?!\w+ extends (\w*Error)\b)/m.test(
        readFileSync(join(root, file), "utf8"),
      ),
    );
    expect(classes).toEqual([]);
  });
});

/** A list module names every file beside it that defines an entry. */
function unregistered(folder: string, not: readonly string[]): string[] {
  const list = readFileSync(join(root, folder, "all.ts"), "utf8");
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".ts") && name !== "all.ts" && !not.includes(name))
    .filter((name) => !list.includes(`"./${name}"`))
    .map((name) => `${folder}/${name}`);
}

describe("everything is registered, tested and documented", () => {
  it("commands", () => {
    // Verbs are registered by the command they belong to.
    const verbs = [
      "command.ts",
      "changes.ts",
      "doctor.ts",
      "status.ts",
      "whoami.ts",
      "nodes-impact.ts",
      "nodes-check.ts",
      "nodes-list.ts",
      "nodes-explain.ts",
      "nodes-fix.ts",
      "arping-drill.ts",
      "arping-watch.ts",
    ];
    const dns = [...importsOf("bot/commands/dns.ts")].map((path) => basename(path));
    const migrate = [...importsOf("bot/commands/migrate.ts")].map((path) => basename(path));
    const runbook = [...importsOf("bot/commands/runbook.ts")].map((path) => basename(path));
    const words = ["arping-words.ts", "migrate-words.ts", "runbook-words.ts"];
    expect(unregistered("bot/commands", [...verbs, ...dns, ...migrate, ...runbook, ...words])).toEqual([]);
  });

  it("actions", () => {
    expect(unregistered("bot/actions", ["action.ts", "older-message.ts"])).toEqual([]);
  });

  it("checks: each file is in the list, has a test of its name and a page", async () => {
    const { checks } = await import("#shared/checks/all.ts");
    const framework = ["check.ts", "check-reply.ts", "evidence.ts", "gather.ts", "node-probes.ts", "run.ts"];
    const defining = (file: string) => readFileSync(join(root, file), "utf8").includes("defineCheck({");
    expect(
      unregistered("shared/checks", framework).filter(
        (file) => defining(file) && file !== "shared/checks/all.ts",
      ),
    ).toEqual([]);
    const ids = checks.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const files = filesUnder("shared/checks", ".ts").map((file) => basename(file, ".ts"));
    expect(ids.filter((id) => !files.includes(id))).toEqual([]);
    const tests = filesUnder("test/shared/checks", ".test.ts").map((file) => basename(file, ".test.ts"));
    expect(ids.filter((id) => !tests.includes(id))).toEqual([]);
    const pages = filesUnder("docs/checks", ".md").map((file) => basename(file, ".md"));
    expect(ids.filter((id) => !pages.includes(id))).toEqual([]);
    expect(pages.filter((page) => page !== "README" && !ids.includes(page))).toEqual([]);
    const codes = checks.flatMap((check) => check.codes);
    expect(codes.filter((code, i) => codes.indexOf(code) !== i)).toEqual([]);
  });

  it("diagnoses of names: each in the list, with a page", async () => {
    const { diagnoses } = await import("#shared/explain/all.ts");
    const defining = filesUnder("shared/explain", ".ts").filter((file) =>
      readFileSync(join(root, file), "utf8").includes(": Diagnosis = {"),
    );
    expect(defining.map((file) => basename(file, ".ts")).toSorted()).toEqual(
      diagnoses.map(({ id }) => id).toSorted(),
    );
    const pages = filesUnder("docs/explain", ".md").map((file) => basename(file, ".md"));
    expect(pages.toSorted()).toEqual(diagnoses.map(({ id }) => id).toSorted());
  });

  it("drift kinds: each is in the list, has a file, a page and a test", async () => {
    const { driftKinds } = await import("#shared/drift/all.ts");
    const defining = (file: string) => readFileSync(join(root, file), "utf8").includes("defineDrift({");
    expect(unregistered("shared/drift", []).filter(defining)).toEqual([]);
    const ids = driftKinds.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const files = filesUnder("shared/drift", ".ts").map((file) => basename(file, ".ts"));
    expect(ids.filter((id) => !files.includes(id))).toEqual([]);
    const pages = filesUnder("docs/drift", ".md").map((file) => basename(file, ".md"));
    expect(pages.filter((page) => page !== "README").sort()).toEqual([...ids].sort());
    // Reports send people there: a page begins with what the kind is called and says who puts it right.
    const unsaid = driftKinds.filter(({ id, title }) => {
      const said = readFileSync(join(root, `docs/drift/${id}.md`), "utf8");
      return (
        !said.startsWith(`# ${title}\n`) || !said.includes("**Who puts it right:**") || said.length < 300
      );
    });
    expect(unsaid.map(({ id }) => id)).toEqual([]);
    const tested = readFileSync(join(root, "test/shared/drift/kinds.test.ts"), "utf8");
    expect(ids.filter((id) => !tested.includes(`describe("${id}"`))).toEqual([]);
  });

  it("every verdict code has its page", async () => {
    const { verdictCodes } = await import("#shared/arp/verdict-codes.ts");
    const pages = filesUnder("docs/verdicts", ".md").map((file) => basename(file, ".md"));
    expect(verdictCodes.length).toBeGreaterThan(5);
    expect(verdictCodes.filter((code) => !pages.includes(code))).toEqual([]);
    expect(pages.filter((page) => !(verdictCodes as readonly string[]).includes(page))).toEqual([]);
  });
});

describe("nothing of this workplace", () => {
  it("no path of a machine and no registry host in what is committed", () => {
    const text = [
      ...sources,
      ...filesUnder("docs", ".md"),
      ...filesUnder("test", ".ts"),
      ...filesUnder("bench", ".ts"),
      "README.md",
      "CONTRIBUTING.md",
      "package.json",
      ".ci/run",
    ];
    const wrong = text.filter(
      (file) =>
        file !== "test/layout.test.ts" &&
        /(^|["'\s])\/(work|root)\/|\bregistry\.\w+\.(org|com)/m.test(readFileSync(join(root, file), "utf8")),
    );
    expect(wrong).toEqual([]);
  });
});
