import { parseAllDocuments } from "yaml";
import type { ClusterPorts } from "#bot/commands/command.ts";
import { fqdn } from "#shared/dns/fqdn.ts";
import { FaultError } from "#shared/fault.ts";
import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { withFilledIn } from "#shared/metallb/filled-in.ts";
import { currentStep } from "#shared/runs/next-move.ts";
import { defaultMigration } from "#shared/site/site.ts";
import { hellholt } from "#shared/twin/sites/goldentooth-dns.ts";
import { startCertManager } from "./lab/cert-manager.ts";
import { clusterInGit, commitCluster } from "./lab/cluster-in-git.ts";
import { goldentoothMove, move } from "./lab/goldentooth-move.ts";
import type { MemoryTree } from "./lab/memory-tree.ts";
import { setBgpMode } from "./lab/set-bgp-mode.ts";
import { type SlackStory, tellInSlack } from "./lab/slack-story.ts";
import { type Page, pageOf } from "./walkthrough-page.ts";

const began = Date.UTC(2026, 10, 24, 18);
const start = `migrate start goldentooth --with from=${move.from},to=${move.to}`;
const oldName = `httpbin.${move.from}`;
const newName = `httpbin.${move.to}`;
const approve = "Approve and run";

/** A vantage that can be unplugged. */
function pluggable(vantage: string) {
  const plug = { isIn: true };
  const around = (ports: ClusterPorts): ClusterPorts => ({
    ...ports,
    shell: (target, command, options) =>
      !plug.isIn && target.name === vantage
        ? Promise.reject(
            new FaultError({ kind: "unreachable", what: `ssh to ${vantage}`, detail: "no route to host" }),
          )
        : ports.shell(target, command, options),
  });
  return { around, plug };
}

const stepOf = async (story: SlackStory): Promise<string> => currentStep(await story.run())?.id ?? "the end";

/** The page is about this step now; anything else means that the story has to be told anew. */
async function at(story: SlackStory, step: string): Promise<void> {
  const now = await stepOf(story);
  if (now !== step) throw new Error(`the walkthrough tells of ${step}, and the run is at ${now}`);
}

/** Ends it; Slack must have had nothing to complain about. */
async function end({ workspace, close }: SlackStory): Promise<void> {
  const [first] = workspace.violations();
  if (first !== undefined) throw new Error(`Slack refused something: ${JSON.stringify(first)}`);
  await close();
}

const retryLabel = (story: SlackStory): string =>
  /\[(Retry step \d+)\]/.exec(story.read(story.message()))?.[1] ?? "Retry";

/** Applies the file that the run handed over. */
async function applyCertificates(story: SlackStory): Promise<void> {
  for (const deed of currentStep(await story.run())?.planned?.plan.deeds ?? [])
    if (deed.kind === "document")
      for (const document of parseAllDocuments(deed.text)) {
        const made = story.twin.store.create("certificates", document.toJS() as KubeObject);
        if (!made.ok) throw new Error(made.refusal.message);
      }
}

/** The speakers come up again in another mode, one after the other. */
async function applyValues(story: SlackStory, mode: "native" | "frr"): Promise<void> {
  setBgpMode(story.twin, mode);
  await story.clock.advance(180_000);
}

const resolved = ({ twin }: SlackStory, name: string): string => {
  const outcome = twin.resolve("laptop", name, "A");
  if (typeof outcome === "string") return outcome;
  const [answer] = outcome.answer;
  return answer === undefined ? outcome.status : answer.value;
};

async function addresses(page: Page, story: SlackStory, plug: { isIn: boolean }): Promise<void> {
  page.say(
    "## The addresses",
    "### Layer 2 beside BGP",
    "Both people hold the role approver. Who asked is not a second person all the same, and who is not in the config is nobody.",
  );
  await at(story, "create-l2advertisement");
  await page.presses("operator", approve);
  page.told();
  await page.presses("viewer", approve);
  page.told();
  page.keepOldView();
  await page.presses("approver", approve, "In the thread:");
  page.thread();

  await at(story, "canary");
  page.say(
    "### One address goes first, and a halt",
    "@approver's phone still shows the message of before. A press there means what stood there:",
  );
  await page.pressesOldView("approver", approve);
  page.told();
  page.say(
    "The vantage behind the router loses its network just then. What cannot be seen is not proven, so the run stops before anything else loses BGP.",
  );
  plug.isIn = false;
  await page.presses("approver", approve);
  page.message("without-steps");
  page.thread();
  plug.isIn = true;
  page.say("Somebody plugs it in again.");
  await page.presses("operator", retryLabel(story));
  page.thread({ of: /PROVEN .*Canary/, part: /^hops/ });

  await at(story, "withdraw-bgp");
  page.say("### BGP is withdrawn while a probe from outside runs");
  await page.presses("approver", approve);
  page.thread({ of: /SEEN .*Withdraw BGP/, part: /^New connections/ });
  await at(story, "remove-bgp-peers");
  page.message("without-steps");

  page.say("### What belongs to BGP");
  await page.presses("approver", approve);
  await page.presses("approver", approve);
  page.thread();
  await at(story, "frr-off");
  page.say("Now it is a person's turn:");
  page.message("without-steps");
  page.say("**@operator** applies the Helm values, the speakers roll, and then:");
  await applyValues(story, "native");
  await page.types("operator", 'migrate done --said "applied the values with the chart in use"');
  page.thread();
}

/** Git says something else than the cluster; a person brings it in. */
async function inGit(page: Page, story: SlackStory, tree: MemoryTree, step: "persist" | "persist-dns") {
  await at(story, step);
  if (step === "persist") {
    page.say("### What Git says");
    page.message("without-steps");
    page.say("Among the files of the thread is the patch that cures it:");
    page.file(/\.patch$/);
    page.say("**@operator** commits it; nothing of BGP comes back by a sync or a new install.");
  } else
    page.say(
      "Git still asks for the old names, so the run stops again; **@operator** commits what was handed over.",
    );
  await commitCluster(tree, story.twin.store);
  await page.presses("operator", retryLabel(story));
  page.thread();
}

async function names(page: Page, story: SlackStory): Promise<void> {
  await at(story, "cover-both-domains");
  page.say(
    "## The names",
    "### ExternalDNS looks at both domains",
    "Its filter is not swapped in place: records of a domain that nobody looks at any more are nobody's to delete.",
  );
  await page.presses("approver", approve);
  page.thread({ of: /PLAN .*Add the new names/, part: /^Service httpbin/ });
  await at(story, "add-hostnames");
  page.say("### New names beside the old, and a router that hides them");
  await page.presses("approver", approve);
  page.message("without-steps");
  page.thread({ of: /FAIL .*Verify the new names/, part: /^Who says what/ });
  page.say(
    "The zone has them and the world sees them; the router drops private addresses from answers, as it should for strangers' domains. **@operator** exempts goldentooth.net on it.",
  );
  story.twin.resolvers.setHabits("router", { privateDomains: [hellholt, fqdn("goldentooth.net")] });
  await page.presses("operator", retryLabel(story));
  page.thread({ of: /PROVEN .*Verify the new names/, part: /^Who says what/ });

  await at(story, "drop-old-hostnames");
  page.say(
    "### A day later: the old names go",
    "Nobody had to sit there: the run waited for the old TTL and the quiet period by itself, and then asked.",
  );
  page.message("without-steps");
  await page.presses("approver", approve);
  await at(story, "narrow-filter");
  await page.presses("approver", approve);
  page.thread();
}

async function certificates(page: Page, story: SlackStory): Promise<void> {
  await at(story, "wildcard-certificate");
  page.say("## The certificates, and the final verification");
  page.message("without-steps");
  page.say(
    "The file is in the thread. **@operator** applies it, cert-manager proves the name by a record in the zone, and:",
  );
  await applyCertificates(story);
  await page.presses("operator", "It is done");
  page.thread({ of: /PROVEN .*Final verification/, part: /^verdict/ });
  page.message("with-steps");
  page.say(
    `Asked on the laptop, \`${newName}\` is ${resolved(story, newName)}, and \`${oldName}\` is ${resolved(story, oldName)}.`,
  );
}

/** A clone of the cluster's manifests beside a site. */
const withClone =
  (tree: MemoryTree) =>
  (ports: ClusterPorts): ClusterPorts => ({
    ...ports,
    trees: new Map([[tree.name, tree]]),
    config: {
      ...ports.config,
      migration: {
        ...defaultMigration,
        repositories: [{ name: tree.name, path: tree.name, branch: "arpeggio", base: "main" }],
      },
    },
  });

async function there(): Promise<readonly string[]> {
  const client = pluggable("guest-client");
  const site = goldentoothMove([hellholt]);
  const tree = clusterInGit(site);
  const story = await tellInSlack(site, began, (ports) => client.around(withClone(tree)(ports)));
  startCertManager(story.twin.store, story.clock);
  const page = pageOf(story);
  page.say("## What it would do", "Nothing is begun by a plan.");
  const plan = start.replace("start", "plan");
  await page.types("operator", plan, "The steps are followed by the plan of each; here they are left out.");
  page.told(/^Step 1, /);
  page.say("## Start");
  await page.types("operator", start, "It looks, plans, and stops before the first act:");
  page.message("without-steps");
  page.say("In its thread, what was looked at, and the plan that waits:");
  page.thread({ of: /PLAN .*Create the L2Advertisement/, rows: 3 });
  await addresses(page, story, client.plug);
  await inGit(page, story, tree, "persist");
  await names(page, story);
  await inGit(page, story, tree, "persist-dns");
  await certificates(page, story);
  await end(story);
  return page.parts;
}

const changed = [
  "services",
  "deployments",
  "ipaddresspools",
  "l2advertisements",
  "bgpadvertisements",
  "bgppeers",
  "bfdprofiles",
] as const satisfies readonly ResourceKind[];

/** What a run changes of these objects, comparable: hostnames and specs with what the server fills in. */
const worldOf = ({ twin }: SlackStory): readonly string[] => [
  ...changed.flatMap((kind) =>
    twin.store.list(kind).items.map(({ metadata: { name, namespace, annotations = {} }, spec }) => {
      const hostnames = Object.entries(annotations).filter(([key]) => key.endsWith("/hostname"));
      const filled = withFilledIn(kind, spec as Record<string, unknown>);
      return JSON.stringify([kind, namespace, name, hostnames, filled]);
    }),
  ),
];

const recordsOf = ({ twin }: SlackStory): readonly string[] =>
  twin.zones.read === undefined
    ? []
    : (twin.spec.dns?.zones.flatMap(({ id }) =>
        twin.zones.recordSets(id).map((set) => JSON.stringify(set)),
      ) ?? []);

async function back(): Promise<readonly string[]> {
  const story = await tellInSlack(goldentoothMove(), began + 7 * 86_400_000);
  startCertManager(story.twin.store, story.clock);
  const page = pageOf(story);
  const before = worldOf(story);
  const zones = recordsOf(story);
  await story.type("operator", start);
  for (let turn = 0; turn < 20 && (await stepOf(story)) !== "wildcard-certificate"; turn++) {
    if ((await stepOf(story)) === "frr-off") {
      await applyValues(story, "native");
      await story.press("operator", "It is done");
    } else await story.press("approver", approve);
  }
  await at(story, "wildcard-certificate");
  story.thread();
  story.said();
  page.say(
    "## Another run, and all the way back",
    "The same site a week later, as if the first run had not been. Everything went well up to the certificates: addresses are moved, names too, the old ones are gone. Then they decide otherwise. Going back needs no second person: it leads to what was there before, and the snapshot says what that was.",
  );
  await page.mentions("operator", "rollback");
  page.message("without-steps");
  page.say(
    "Names and filters are back already. A BFDProfile is not put into a cluster whose speakers would reject everything because of it, layer 2 included. **@operator** applies the old Helm values.",
  );
  await applyValues(story, "frr");
  await page.presses("operator", retryLabel(story));
  page.message("with-steps");
  // ExternalDNS has its rounds, and resolvers forget.
  await story.clock.advance(1_800_000);
  const { ok } = story.twin.reach("guest-client", "10.4.11.1");
  const objects = worldOf(story);
  const left = objects.filter((each, i) => each !== before[i]).length;
  const records = recordsOf(story);
  const kept = zones.filter((each) => records.includes(each)).length;
  page.say(
    `Half an hour later ${objects.length - left} of ${before.length} objects that it may change are as they were, and of ${zones.length} record sets of both zones ${kept}${records.length === kept ? " and no other" : ` and ${records.length - kept} others`}. A client behind the router ${ok ? "reaches" : "does not reach"} 10.4.11.1, by ${story.twin.bgp.nextHops("10.4.11.1").length} routes of BGP; on the laptop \`${oldName}\` is ${resolved(story, oldName)}, and \`${newName}\` is ${resolved(story, newName)}.`,
  );
  await end(story);
  return page.parts;
}

/** `docs/walkthrough.md`: the whole evening with two people in Slack, and another taken back. */
export async function walkthrough(): Promise<string> {
  const head = [
    "<!-- Made by npm run generate. Edit infra/walkthrough.ts instead. -->",
    "# Walkthrough: a whole evening with two people in Slack",
    "A cluster of thirteen nodes leaves BGP for layer 2, its names leave hellholt.net for services.k8s.goldentooth.net, and the new names get a certificate: the runbook `goldentooth`. What follows was done in the lab by two people in #platform, `@operator` who asks and `@approver` who approves; every command, press and message went through Slack's signed HTTP door, on a model of the site. Times are the model's (UTC). Slack draws cards, tables and buttons; here they are text. `npm start -- --scenario goldentooth-move` is the same site to try it on. How runs work in general: [migrations](migrations.md); who may do what: [rights](rights.md).",
  ];
  return `${[...head, ...(await there()), ...(await back())].join("\n\n")}\n`;
}
