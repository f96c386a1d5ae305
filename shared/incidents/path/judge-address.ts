import { announcedByBgp } from "../../arp/surroundings.ts";
import { isFault } from "../../fault.ts";
import { contains, parseAddresses, parseIp } from "../../metallb/ip.ts";
import type { AddressPrediction } from "../../metallb/prediction.ts";
import { reasons as whyNot } from "../../metallb/prediction-findings.ts";
import { serviceKey } from "../../metallb/resources.ts";
import { whyNotWords } from "../../metallb/why-not-words.ts";
import { code, type Text, text } from "../../text.ts";
import type { Link } from "../link.ts";
import { holds, skipped, unseen } from "../make-link.ts";
import { reachedFrom } from "./clients.ts";
import type { PathEvidence } from "./evidence.ts";
import { noService } from "./no-service.ts";
import { fails, type Judged, only, type Reason } from "./reason.ts";

const api = "Kubernetes API";
const heads = {
  address: { id: "address", title: "The Service has the address", from: api },
  pool: { id: "pool", title: "A pool holds the address", from: api },
  advertisement: { id: "advertisement", title: "An advertisement selects the pool", from: api },
  predicted: { id: "announcer-predicted", title: "A node may announce it", from: "prediction" },
} as const;

/** What MetalLB is predicted to do with the address of the Service. */
export function predictionOf({ subject, surroundings }: PathEvidence): AddressPrediction | undefined {
  if (isFault(surroundings.prediction) || subject.ip === undefined) return undefined;
  return surroundings.prediction.addresses.find(
    ({ ip, service }) => ip === subject.ip && (subject.service === undefined || service === subject.service),
  );
}

/** The newest refusal of MetalLB's controller to give the Service an address. */
function refusal({ subject, surroundings }: PathEvidence): string | undefined {
  const events = surroundings.objects.events.filter(
    ({ object, reason }) => object === subject.service && reason === "AllocationFailed",
  );
  return events.toSorted((a, b) => Date.parse(b.time ?? "") - Date.parse(a.time ?? ""))[0]?.message;
}

function addressLink(evidence: PathEvidence): Judged {
  const { subject, surroundings, service } = evidence;
  const head = heads.address;
  const denied = surroundings.faults.get("services");
  if (denied !== undefined) return only(unseen(head, denied));
  if (subject.service === undefined) return noService(evidence, head);
  const about = { kind: "service", name: subject.service } as const;
  const object = surroundings.objects.services.find((each) => serviceKey(each) === subject.service);
  if (object === undefined) {
    const because = text`${code(subject.service)} is wanted by name, and there is no such Service`;
    return fails(head, because, [
      {
        code: "service-missing",
        link: "address",
        certain: true,
        subject: about,
        text: because,
        next: [text`What was deleted or renamed: ${code("/arpeggio changes")}`],
      },
    ]);
  }
  if (
    subject.ip !== undefined &&
    object.ingress.some(({ ip }) => ip !== undefined && parseIp(ip)?.text === subject.ip)
  )
    return only(
      holds(
        head,
        text`${code(subject.service)} has ${code(subject.ip)}${service?.deleting ? ", and is being deleted" : ""}`,
      ),
    );
  const foreign = (object.loadBalancerClass ?? "") !== (surroundings.loadBalancerClass ?? "");
  if (foreign)
    return only(
      unseen(head, {
        kind: "not-modelled",
        what: subject.service,
        detail: `its class ${object.loadBalancerClass ?? "none"} is another controller's than MetalLB's`,
      }),
    );
  const said = refusal(evidence);
  const because = text`${code(subject.service)} has no address${said === undefined ? "" : `: ${said}`}`;
  const base = { link: "address", subject: about } as const;
  const reasons: readonly [Reason, ...Reason[]] =
    said !== undefined
      ? [
          {
            ...base,
            code: "address-not-allocated",
            certain: true,
            text: text`MetalLB cannot give ${code(subject.service)} an address: ${said}`,
            next: [text`Pools and who may use them: ${code("kubectl get ipaddresspools -A -o yaml")}`],
          },
        ]
      : [
          {
            ...base,
            code: "controller-silent",
            certain: false,
            text: text`MetalLB's controller does not run, or has not seen ${code(subject.service)} yet`,
            next: [text`${code("kubectl get pods -A -l app.kubernetes.io/component=controller")}`],
          },
          {
            ...base,
            code: "no-pool-gives-one",
            certain: false,
            text: text`no pool may give ${code(subject.service)} an address (autoAssign, serviceAllocation), or all are taken`,
            next: [text`${code(`kubectl describe service ${object.name} -n ${object.namespace}`)}`],
          },
        ];
  return fails(head, because, reasons);
}

function poolLink(evidence: PathEvidence, prediction: AddressPrediction | undefined): Judged {
  const { subject, surroundings } = evidence;
  const head = heads.pool;
  const { ip } = subject;
  if (ip === undefined) return only(skipped(head, text`there is no address`));
  const denied = surroundings.faults.get("ipaddresspools");
  if (denied !== undefined) return only(unseen(head, denied));
  const address = parseIp(ip);
  const pools = surroundings.objects.ipAddressPools;
  const holding = pools.filter(({ addresses }) =>
    addresses.some((entry) => {
      const parsed = parseAddresses(entry);
      return (
        address !== undefined && !("error" in parsed) && parsed.some((range) => contains(range, address))
      );
    }),
  );
  const [pool] = holding;
  if (pool !== undefined) return only(holds(head, text`${pool.name} (${pool.addresses.join(", ")})`));
  const because = text`none of ${pools.length} pools holds ${code(ip)}`;
  if (subject.service === undefined) return only(skipped(head, because));
  return fails(head, because, [
    {
      code: "address-in-no-pool",
      link: "pool",
      certain: true,
      subject: { kind: "address", name: ip },
      text: text`no pool holds ${code(ip)}, so no speaker announces it: the pool was changed or deleted after the address was given`,
      next: [
        text`Who changed the pools: ${code("/arpeggio changes")}`,
        text`${code("kubectl get ipaddresspools -A -o yaml")}`,
      ],
      facts: { pools: pools.map(({ name }) => name), prediction: prediction?.pool ?? null },
    },
  ]);
}

const byPool: ReadonlySet<string> = new Set([
  "pool-not-advertised",
  "no-advertisement-selects-service",
  "shared-ip-with-service-selector",
]);

function advertisementLink(evidence: PathEvidence, prediction: AddressPrediction | undefined): Judged {
  const { subject, surroundings } = evidence;
  const head = heads.advertisement;
  if (subject.service === undefined || subject.ip === undefined)
    return only(skipped(head, text`no Service has an address here`));
  if (isFault(surroundings.prediction)) return only(unseen(head, surroundings.prediction));
  if (prediction === undefined)
    return only(skipped(head, text`there is nothing to predict for ${code(subject.ip)}`));
  const { configError, pool } = prediction;
  const base = { link: "advertisement", certain: true } as const;
  if (configError !== undefined) {
    const because = text`MetalLB rejects its whole configuration: ${configError}`;
    return fails(head, because, [
      {
        ...base,
        code: "metallb-configuration-invalid",
        subject: { kind: "config", name: "metallb" },
        text: text`${because}. Speakers keep the last good one until they restart, then announce nothing`,
        next: [text`Correct that object: ${code("kubectl get configurationstates -A")} names it`],
      },
    ]);
  }
  const why = [...new Set(Object.values(prediction.why))];
  const named = surroundings.objects.l2Advertisements.map(({ name }) => name);
  const silent = prediction.order.length === 0 ? why.find((each) => byPool.has(each)) : undefined;
  if (silent === undefined)
    return only(
      pool === undefined
        ? skipped(head, text`no pool holds the address`)
        : holds(head, text`${pool} is selected by an L2Advertisement (${named.join(", ")})`),
    );
  const bgp = announcedByBgp(surroundings, pool);
  const about = { kind: "pool", name: pool ?? "unknown" } as const;
  const reached = reachedFrom(evidence);
  if (silent === "pool-not-advertised" && bgp === true && reached.length > 0)
    return only(
      holds(
        head,
        text`only BGP announces pool ${pool ?? ""}, and ${reached.join(", ")} reaches the address by it`,
      ),
    );
  const text_: Text =
    silent !== "pool-not-advertised"
      ? text`${whyNotWords(silent)} (advertisements: ${named.join(", ") || "none"})`
      : bgp === true
        ? text`only a BGPAdvertisement selects pool ${code(pool ?? "")}: nobody answers ARP for it`
        : text`no L2Advertisement selects pool ${code(pool ?? "")} (there ${named.length === 1 ? "is" : "are"} ${named.join(", ") || "none"}), so nobody announces ${code(subject.ip)}`;
  return fails(head, text_, [
    {
      ...base,
      code:
        silent !== "pool-not-advertised"
          ? "service-not-selected"
          : bgp === true
            ? "only-bgp"
            : "no-l2-advertisement",
      subject: about,
      text: text_,
      next: [
        bgp === true
          ? text`If BGP is meant, look at its sessions; if layer 2 is: ${code("/migrate plan bgp-to-l2")}`
          : text`Who removed or narrowed it: ${code("/arpeggio changes")}; then create an L2Advertisement for the pool at its source`,
        text`${code("kubectl get l2advertisements -A -o yaml")}`,
      ],
    },
  ]);
}

function predictedLink(
  evidence: PathEvidence,
  prediction: AddressPrediction | undefined,
  others: readonly Link[],
): Judged {
  const { subject, surroundings } = evidence;
  const head = heads.predicted;
  if (subject.service === undefined || subject.ip === undefined)
    return only(skipped(head, text`no Service has an address here`));
  if (isFault(surroundings.prediction)) return only(unseen(head, surroundings.prediction));
  if (prediction === undefined)
    return only(skipped(head, text`there is nothing to predict for ${code(subject.ip)}`));
  const [leader, next] = prediction.order;
  if (leader !== undefined)
    return only(
      holds(head, text`${leader} is elected (next: ${next ?? "nobody"})`, {
        evidence: { title: "order of election", lines: prediction.order },
        findings:
          next === undefined
            ? [
                {
                  code: "no-successor",
                  severity: "info",
                  subject: { kind: "address", name: subject.ip },
                  facts: {},
                  text: text`no other node could take over ${code(subject.ip)}`,
                },
              ]
            : [],
      }),
    );
  if (others.some(({ id, outcome }) => id === "advertisement" && outcome === "passed"))
    if (Object.values(prediction.why).includes("pool-not-advertised"))
      return only(skipped(head, text`the address is announced by BGP, which elects nobody`));
  const why = whyNot(prediction);
  const words = why
    .map(([each, nodes]) => `${whyNotWords(each)} (${nodes} ${nodes === 1 ? "node" : "nodes"})`)
    .join("; ");
  const because = text`no node may announce ${code(subject.ip)}: ${words || "there is no node"}`;
  const [main] = why;
  return fails(head, because, [
    {
      code: `announcer-${main?.[0] ?? "no-node"}`,
      link: "announcer-predicted",
      certain: true,
      subject: { kind: "address", name: subject.ip },
      text: because,
      facts: { why: Object.fromEntries(why) },
      next: [
        nextFor(main?.[0], subject.service),
        text`Who would announce what: ${code(`/arping ${subject.word}`)}`,
      ],
    },
  ]);
}

function nextFor(why: string | undefined, service: string): Text {
  const [namespace, name] = service.split("/");
  switch (why) {
    case "no-servable-endpoint":
    case "no-local-endpoint":
      return text`Look at its pods: ${code(`kubectl -n ${namespace} get endpointslices -l kubernetes.io/service-name=${name}`)}`;
    case "exclude-label":
      return text`Who set the label: ${code("kubectl get nodes -L node.kubernetes.io/exclude-from-external-load-balancers")}`;
    case "network-unavailable":
      return text`The network plugin says so: ${code("kubectl get nodes -o wide")}, and its pods`;
    case "not-a-speaker":
      return text`${code("kubectl get pods -A -o wide -l app.kubernetes.io/component=speaker")}`;
    default:
      return text`Nodes and what rules them out: ${code("/nodes check")}`;
  }
}

/** The four links from a Service to the node that MetalLB elects. */
export function judgeAddress(evidence: PathEvidence): readonly Judged[] {
  const prediction = predictionOf(evidence);
  const advertisement = advertisementLink(evidence, prediction);
  return [
    addressLink(evidence),
    poolLink(evidence, prediction),
    advertisement,
    predictedLink(evidence, prediction, [advertisement.link]),
  ];
}
