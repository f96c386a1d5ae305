import * as z from "zod";
import { wrapped } from "#shared/arp/verdict-reply.ts";
import { FaultError } from "#shared/fault.ts";
import type { Finding } from "#shared/finding.ts";
import { isFailure } from "#shared/finding.ts";
import { predict } from "#shared/metallb/announcer.ts";
import { readDump } from "#shared/metallb/dump.ts";
import { parseIp } from "#shared/metallb/ip.ts";
import type { AddressPrediction, Prediction } from "#shared/metallb/prediction.ts";
import { foldSiblings, predictionFindings, reasons } from "#shared/metallb/prediction-findings.ts";
import type { MetalLbObjects } from "#shared/metallb/resources.ts";
import { knownVersion, newestVersion } from "#shared/metallb/versions.ts";
import type { Reply } from "#shared/reply.ts";
import { code, text } from "#shared/text.ts";
import { type Command, defineVerb } from "./command.ts";

const getDump =
  "kubectl get nodes,services,endpointslices,ipaddresspools,l2advertisements,pods -A -o json > dump.json";

const usage = (summary: string, problems: readonly string[] = []): Reply => ({
  verdict: { word: "Usage", outcome: "usage", text: [summary] },
  findings: [],
  blocks: problems.length > 1 ? [{ kind: "evidence", title: "Problems", lines: problems }] : [],
  next: [text`A dump comes from ${code(getDump)}`],
  actions: [],
  data: { problems: problems.length > 0 ? problems : [summary] },
});

/** Known addresses, numerically nearest first. */
function byDistance(wanted: string, addresses: readonly string[]): readonly string[] {
  const ip = parseIp(wanted);
  if (!ip) return addresses;
  const distance = (other: string): bigint => {
    const parsed = parseIp(other);
    if (!parsed || parsed.family !== ip.family) return 1n << 200n;
    return parsed.value > ip.value ? parsed.value - ip.value : ip.value - parsed.value;
  };
  return [...addresses].sort((a, b) => {
    const difference = distance(a) - distance(b);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  });
}

function unknownAddress(ip: string, addresses: readonly string[]): Reply {
  if (addresses.length === 0) return usage("No Service in the dump has a LoadBalancer address.");
  const [first, ...others] = byDistance(ip, addresses);
  const shown = others.slice(0, 9).join(", ");
  const more = others.length > 9 ? ` and ${others.length - 9} more` : "";
  const what = parseIp(ip) ? `No Service in the dump has ${ip}` : `"${ip}" is not an IP address`;
  return usage(`${what}. Nearest: ${first}.${others.length > 0 ? ` Others: ${shown}${more}.` : ""}`);
}

const nics = (address: AddressPrediction, node: string | undefined): string => {
  const on = node === undefined ? undefined : address.interfaces[node];
  return on === undefined || on === "all" ? "" : ` (${on.join(", ")})`;
};

function assumedLines({ assumed }: Prediction): string[] {
  const { speakers, notes } = assumed;
  return [
    `rules of MetalLB ${assumed.version} (${assumed.versionFrom})`,
    assumed.memberlist === "off"
      ? `memberlist off (${assumed.speakersFrom})`
      : `speakers: ${Array.isArray(speakers) ? speakers.join(", ") : "none"} (${assumed.speakersFrom})`,
    `--ignore-exclude-lb: ${assumed.ignoreExcludeLb ? "yes" : "no"} (${assumed.ignoreExcludeLbFrom})`,
    ...(assumed.loadBalancerClass === undefined ? [] : [`load balancer class: ${assumed.loadBalancerClass}`]),
    ...(assumed.namespace === undefined ? [] : [`MetalLB's namespace: ${assumed.namespace}`]),
    ...(Array.isArray(notes) ? (notes as readonly string[]) : []),
  ];
}

/** The candidates in order, and who is left out, by reason. */
const whyLines = ({ ip, service, order, why, interfaces }: AddressPrediction): string[] => {
  const byReason = new Map<string, string[]>();
  for (const [node, reason] of Object.entries(why))
    byReason.set(reason, [...(byReason.get(reason) ?? []), node]);
  return [
    `${ip} ${service}`,
    ...order.map((node, i) => {
      const on = interfaces[node];
      return `  ${i + 1}. ${node} on ${on === undefined || on === "all" ? "all interfaces" : on.join(", ")}`;
    }),
    ...[...byReason].map(([reason, nodes]) => `  -  ${reason}: ${nodes.join(", ")}`),
  ];
};

/** Reasons are told of one address, or of the first that nobody announces; of all in JSON. */
const shownAddresses = 5;

/**
 * Nothing in the dump to judge by is not "nobody announces": a kind of which there is not one object was most likely
 * not asked for. Every cluster has EndpointSlices, and nothing gives addresses without a pool.
 */
function missing(objects: MetalLbObjects): readonly Finding[] {
  const assigned = objects.services.some(
    ({ type, ingress }) => type === "LoadBalancer" && ingress.length > 0,
  );
  const absent = [
    ...(objects.nodes.length === 0 ? ["Nodes"] : []),
    ...(objects.services.length === 0 ? ["Services"] : []),
    ...(assigned && objects.endpointSlices.length === 0 ? ["EndpointSlices"] : []),
    ...(assigned && objects.ipAddressPools.length === 0 ? ["IPAddressPools"] : []),
  ];
  if (absent.length === 0) return [];
  return [
    {
      code: "dump-incomplete",
      severity: "unknown",
      subject: { kind: "config", name: "dump" },
      facts: { absent },
      text: text`the dump has no ${absent.join(" and no ")}, so nothing can be predicted`,
      remedy: text`${code(getDump)}`,
    },
  ];
}

function report(objects: MetalLbObjects, prediction: Prediction): Reply {
  const gaps = missing(objects);
  const certain = predictionFindings(prediction);
  // A rejected configuration is what it is, whatever else the dump left out.
  const findings =
    gaps.length > 0
      ? [...gaps, ...certain.filter(({ code: name }) => name === "metallb-configuration-invalid")]
      : certain;
  const { addresses } = prediction;
  const announced = addresses.filter(({ order }) => order.length > 0).length;
  const failed = findings.some(isFailure);
  const [only] = addresses;
  const told =
    addresses.length === 1
      ? addresses
      : addresses.filter(({ order }) => order.length === 0).slice(0, shownAddresses);
  const verdict: Reply["verdict"] =
    gaps.length > 0
      ? {
          word: failed ? "FAIL" : "UNKNOWN",
          outcome: failed ? "failed" : "unknown",
          text: ["the dump is incomplete"],
        }
      : addresses.length === 0
        ? {
            word: "INFO",
            outcome: "info",
            text: ["no Service in the dump has a LoadBalancer address, so there is nothing to predict"],
          }
        : {
            word: failed ? "FAIL" : "OK",
            outcome: failed ? "failed" : "ok",
            text:
              addresses.length === 1 && only
                ? text`${only.service} ${code(only.ip)}: ${
                    only.order[0] === undefined
                      ? "nobody will announce it"
                      : text`${code(only.order[0])} will announce it, next ${only.order[1] === undefined ? "nobody" : code(only.order[1])}`
                  }`
                : text`${announced} of ${addresses.length} addresses have an announcer`,
          };
  return {
    verdict,
    why: text`Predicted by MetalLB ${String(prediction.assumed.version)}'s rules from the dump alone; nothing was asked on the wire.`,
    findings: foldSiblings(findings),
    blocks: [
      ...(addresses.length > 0
        ? [
            {
              kind: "table" as const,
              columns: [
                { title: "address" },
                { title: "service" },
                { title: "pool" },
                { title: "announcer" },
                { title: "next" },
                { title: "left out" },
              ],
              rows: addresses.map((address) => [
                [address.ip],
                [address.service],
                [address.pool ?? "-"],
                [
                  `${address.order[0] ?? (gaps.length > 0 ? "unknown" : "nobody")}${nics(address, address.order[0])}`,
                ],
                [address.order[1] ?? "-"],
                [
                  reasons(address)
                    .map(([why, count]) => `${count} ${why}`)
                    .join(", ") || "-",
                ],
              ]),
            },
            {
              kind: "evidence" as const,
              title: "Order and reasons, node by node",
              lines: [
                ...told.flatMap(whyLines),
                ...(told.length < addresses.length
                  ? [`${addresses.length - told.length} more: --ip IP for one of them, --json for all`]
                  : []),
              ].flatMap((line) => wrapped(line, line.startsWith(" ") ? 5 : 0)),
            },
          ]
        : []),
      {
        kind: "evidence",
        title: "Taken for this prediction",
        lines: assumedLines(prediction).flatMap((line) => wrapped(line, 4)),
      },
    ],
    next: [text`What each reason means: ${code("docs/announcer.md")}`],
    actions: [],
    json: {
      assumed: prediction.assumed,
      addresses: addresses.map((address) => ({ ...address, pool: address.pool ?? null })),
    },
  };
}

/** `arpeggio announcer`: who MetalLB elects for each address of a saved cluster. Needs no cluster and no config. */
export const announcer: Command = {
  name: "announcer",
  summary: "Predict from a saved dump which node MetalLB announces each address from.",
  verbs: [
    defineVerb({
      path: [],
      usage: "--dump FILE [--ip IP] [--metallb-version V] [--memberlist a,b|off] [--ignore-exclude-lb]",
      summary: "Predict the announcer and its successors for each address in a dump.",
      examples: ["--dump dump.json", "--dump dump.json --ip 10.4.11.1 --metallb-version 0.15.3"],
      positionals: [],
      options: [
        {
          name: "dump",
          value: "FILE",
          about: `output of ${getDump.replace(" > dump.json", "")}; - reads standard input`,
        },
        { name: "ip", value: "IP", about: "only this address" },
        {
          name: "metallb-version",
          value: "V",
          about: `release whose rules apply; without it the speaker image's, else ${newestVersion}`,
        },
        {
          name: "memberlist",
          value: "a,b|off",
          about: "nodes whose speakers are alive, or off; without it from the dump's speaker pods",
        },
        { name: "ignore-exclude-lb", about: "the speakers run with --ignore-exclude-lb" },
      ],
      input: z.object({
        dump: z.string().min(1, "needs the name of a file"),
        ip: z.string().optional(),
        metallbVersion: z.string().optional(),
        memberlist: z.string().optional(),
        ignoreExcludeLb: z.literal(true).optional(),
      }),
      role: "viewer",
      effect: "none",
      slow: false,
      cluster: "none",
      doors: ["cli"],
      handle: async ({ input, deps }) => {
        const problems: string[] = [];
        const version = input.metallbVersion === undefined ? undefined : knownVersion(input.metallbVersion);
        if (input.metallbVersion !== undefined && version === undefined)
          problems.push(
            `MetalLB "${input.metallbVersion}" is not a release whose rules are known (0.9.0 to ${newestVersion}, or main)`,
          );
        const members = input.memberlist?.split(",").map((name) => name.trim());
        const memberlist: "off" | readonly string[] | undefined =
          members?.length === 1 && members[0]?.toLowerCase() === "off" ? "off" : members;
        if (memberlist !== "off" && memberlist?.includes(""))
          problems.push(
            `--memberlist takes node names separated by commas, or off; got "${input.memberlist}"`,
          );
        if (input.ip !== undefined && parseIp(input.ip) === undefined)
          problems.push(`--ip takes an IP address; got "${input.ip}"`);

        let dump: ReturnType<typeof readDump> | undefined;
        try {
          dump = readDump(await deps.readFile(input.dump));
          if (!dump.ok) problems.push(...dump.problems.map((problem) => `${input.dump}: ${problem}`));
        } catch (error) {
          if (!(error instanceof FaultError)) throw error;
          problems.push(`${error.fault.what}: ${error.fault.detail}`);
        }
        if (!dump?.ok || problems.length > 0)
          return usage(
            problems.length === 1 ? (problems[0] as string) : `${problems.length} problems with this request`,
            problems,
          );

        const options = {
          ...(version === undefined ? {} : { version }),
          ...(memberlist === undefined ? {} : { memberlist }),
          ...(input.ignoreExcludeLb === undefined ? {} : { ignoreExcludeLb: true }),
        };
        if (input.ip === undefined) return report(dump.objects, predict(dump.objects, options));
        const prediction = predict(dump.objects, { ...options, ip: input.ip });
        if (prediction.addresses.length > 0) return report(dump.objects, prediction);
        const known = [...new Set(predict(dump.objects, options).addresses.map(({ ip }) => ip))];
        return unknownAddress(input.ip, known);
      },
    }),
  ],
};
