import * as z from "zod";
import { askThrough } from "#shared/explain/ask-through.ts";
import { type Fault, FaultError } from "#shared/fault.ts";
import type { Json } from "#shared/json.ts";
import { nearest } from "#shared/nearest.ts";
import type { KnownZone } from "#shared/rehearsal/zones-of-site.ts";
import type { Reply } from "#shared/reply.ts";
import type { Migration } from "#shared/steps/runbook.ts";
import { text } from "#shared/text.ts";
import { stepPorts } from "../runs/runner-of.ts";
import { defineVerb } from "./command.ts";
import { chosenRunbook, everyDoor, inputOptions, inputShape } from "./migrate-words.ts";

/** Runbooks whose steps look into zones. */
const aboutNames = ({ steps }: Migration): boolean =>
  steps.some(({ id }) => id === "survey-dns" || id === "survey-tls");

const givenMove = ({ from, to }: Readonly<Record<string, Json>>) =>
  typeof from === "string" && typeof to === "string" ? { from, to } : undefined;

const usage = (cluster: string, problems: readonly string[]): Reply => ({
  verdict: {
    word: "Not understood",
    outcome: "usage",
    text: problems.length === 1 ? [`${problems[0]}.`] : [`${problems.length} problems with this request.`],
  },
  cluster,
  findings: [],
  blocks: problems.length > 1 ? [{ kind: "evidence", title: "Problems", lines: problems }] : [],
  actions: [],
});

/** `/migrate rehearse RUNBOOK`: the runbook on a model of this cluster and its network; nothing real is changed. */
export const rehearse = defineVerb({
  path: ["rehearse"],
  usage: "RUNBOOK [--order STEP,...] [--dump FILE] [--zones FILE,...] [inputs as in plan]",
  summary:
    "Run a runbook on a model of this cluster: what clients would feel in each step, and what would stop it. Changes nothing.",
  examples: [
    "bgp-to-l2",
    "bgp-to-l2 --order withdraw-bgp,create-l2advertisement",
    "dns-domain-move --from old.net --to new.net",
  ],
  positionals: ["runbook"],
  options: [
    {
      name: "dump",
      value: "FILE",
      about: "objects from kubectl get ... -A -o json instead of the cluster; - reads standard input",
    },
    {
      name: "zones",
      value: "FILE,...",
      about: "what zones hold, from aws route53 list-resource-record-sets, instead of asking Route 53",
      list: true,
    },
    {
      name: "order",
      value: "STEP,...",
      about: "steps in the order to try; the runbook's own when left out",
      list: true,
    },
    ...inputOptions,
  ],
  input: z.object({
    runbook: z.string(),
    dump: z.string().min(1, "needs the name of a file").optional(),
    zones: z.string().min(1, "needs names of files").optional(),
    order: z.string().min(1, "needs steps").optional(),
    ...inputShape,
  }),
  role: "viewer",
  effect: "read",
  slow: true,
  cluster: "one",
  doors: everyDoor,
  handle: async ({ input, cluster, deps, caller, signal, show }) => {
    if (cluster === undefined) throw new Error("migrate rehearse needs a cluster");
    const { config } = cluster;
    const chosen = chosenRunbook((await deps.migrations?.()) ?? [], config.name, input.runbook, input);
    if ("verdict" in chosen) return chosen;
    const { migration, inputs } = chosen;
    if (input.dump !== undefined && caller.door === "slack")
      return usage(config.name, ["--dump names a file of the terminal's machine; Slack has none"]);
    if (input.zones !== undefined && caller.door === "slack")
      return usage(config.name, ["--zones names files of the terminal's machine; Slack has none"]);
    const order = input.order?.split(",").map((id) => id.trim());
    // Loaded when asked for: the model is large, and few commands need it.
    const [
      { cannotRehearse, rehearsalReply },
      { objectsOfCluster, objectsOfDump },
      run,
      { siteOfCluster },
      seen,
      { zonesOfAccount, zoneOfFile },
      { resolverHabits },
    ] = await Promise.all([
      import("#shared/rehearsal/rehearsal-reply.ts"),
      import("#shared/rehearsal/cluster-objects.ts"),
      import("#shared/rehearsal/rehearse.ts"),
      import("#shared/rehearsal/site-of-cluster.ts"),
      import("#shared/rehearsal/bgp-seen.ts"),
      import("#shared/rehearsal/zones-of-site.ts"),
      import("#shared/rehearsal/resolver-habits.ts"),
    ]);
    const fileOf = async (
      path: string,
    ): Promise<Readonly<{ content: string }> | Readonly<{ problem: string }>> => {
      try {
        return { content: await deps.readFile(path) };
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        return { problem: `${error.fault.what}: ${error.fault.detail}` };
      }
    };
    const ordered = run.orderedSteps(migration, order);
    if ("unknown" in ordered) {
      const ids = migration.steps.map(({ id }) => id);
      return usage(
        config.name,
        ordered.unknown.map((id) => {
          const near = nearest(id, ids);
          return `${migration.id} has no step ${id}${near === undefined ? `; its steps: ${ids.join(", ")}` : `; nearest: ${near}`}`;
        }),
      );
    }

    let objects: Awaited<ReturnType<typeof objectsOfCluster>>["objects"];
    let unknownKinds: Awaited<ReturnType<typeof objectsOfCluster>>["unknown"];
    if (input.dump === undefined) {
      const read = await objectsOfCluster(cluster.read, signal);
      if (read.faults.length > 0)
        return cannotRehearse(
          config.name,
          migration,
          read.faults.map(({ what, detail }) => `${what} (${detail})`),
        );
      ({ objects, unknown: unknownKinds } = read);
    } else {
      const file = await fileOf(input.dump);
      if ("problem" in file) return usage(config.name, [file.problem]);
      const read = objectsOfDump(file.content);
      if (!read.ok)
        return usage(
          config.name,
          read.problems.map((problem) => `${input.dump}: ${problem}`),
        );
      ({ objects, unknown: unknownKinds } = read);
    }

    const known: KnownZone[] = [];
    let zonesFault: Fault | undefined;
    if (input.zones !== undefined) {
      const problems: string[] = [];
      for (const path of input.zones.split(",").map((each) => each.trim())) {
        const file = await fileOf(path);
        const read = "problem" in file ? file : zoneOfFile(file.content, config.dns?.zones ?? []);
        if ("problem" in read) problems.push(read.problem);
        else if (read.ok) known.push(read.zone);
        else problems.push(...read.problems.map((problem) => `${path}: ${problem}`));
      }
      if (problems.length > 0) return usage(config.name, problems);
    } else if (aboutNames(migration)) {
      const move = givenMove(inputs) ?? config.dns?.move;
      const read = await zonesOfAccount(cluster.zones, move, signal);
      if (read.ok) known.push(...read.zones);
      else zonesFault = read.fault;
    }
    const bgp =
      input.dump === undefined ? await seen.bgpSeen(stepPorts(deps, cluster), config.name, signal) : "up";
    // A dump is of another time or place; a cluster that answers has resolvers that do.
    const inside = config.vantages.find(
      ({ place, clusterNode }) => place !== "behind-router" && clusterNode === undefined,
    );
    const habits =
      input.dump === undefined && known.length > 0 && inside !== undefined
        ? await resolverHabits(askThrough(cluster.shell, inside.name), config.site.resolvers, known, signal)
        : undefined;
    const site = siteOfCluster(objects, config, bgp, known.length > 0 ? known : undefined, habits);
    if (!site.ok) return cannotRehearse(config.name, migration, site.missing);
    const rehearsal = await run.rehearse({
      spec: site.spec,
      config: site.config,
      migration,
      unknownKinds,
      ...(zonesFault === undefined ? {} : { zonesFault }),
      trees: cluster.trees,
      ...(order === undefined ? {} : { order }),
      inputs,
      clients: site.clients,
      startAt: deps.clock.now(),
      readFile: deps.readFile,
      settle: () => new Promise((go) => setImmediate(go)),
      show: (step, number, of) =>
        show({
          verdict: {
            word: "REHEARSING",
            outcome: "running",
            text: text`${migration.id} · step ${number} of ${of}, ${step.title}`,
          },
          cluster: config.name,
          findings: [],
          blocks: [],
          actions: [],
        }),
    });
    return rehearsalReply(config.name, migration, rehearsal, site.assumed);
  },
});
