import type { ResourceKind } from "#shared/kubernetes/kinds.ts";
import type { KubeObject } from "#shared/kubernetes/read.ts";
import { type FieldError, invalidValue } from "#shared/kubernetes/refusals.ts";

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const fields = (value: unknown): Fields => (isObject(value) ? value : {});
const list = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.map(fields) : []);

const missing = (field: string): FieldError => ({
  field,
  reason: "FieldValueRequired",
  message: "Required value",
});

const serviceTypes = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];

function serviceErrors({ spec }: KubeObject): readonly FieldError[] {
  const { type, ports: given, clusterIP } = fields(spec);
  if (!serviceTypes.includes(String(type)))
    return [
      {
        field: "spec.type",
        reason: "FieldValueNotSupported",
        message: `Unsupported value: ${JSON.stringify(type)}: supported values: ${serviceTypes.map((each) => `"${each}"`).join(", ")}`,
      },
    ];
  const ports = list(given);
  if (ports.length === 0 && type !== "ExternalName" && clusterIP !== "None") return [missing("spec.ports")];
  const outside = (port: unknown): boolean => typeof port === "number" && (port < 1 || port > 65_535);
  return ports.flatMap((port, i) => [
    ...(ports.length > 1 && !port.name ? [missing(`spec.ports[${i}].name`)] : []),
    ...(["port", "targetPort"] as const).flatMap((name) =>
      outside(port[name])
        ? [invalidValue(`spec.ports[${i}].${name}`, port[name], "must be between 1 and 65535, inclusive")]
        : [],
    ),
  ]);
}

function workloadErrors({ spec }: KubeObject): readonly FieldError[] {
  const { selector, template } = fields(spec);
  const { matchLabels, matchExpressions } = fields(selector);
  const labels = fields(fields(fields(template).metadata).labels);
  const wanted = Object.entries(fields(matchLabels));
  const isNone = wanted.length === 0 && list(matchExpressions).length === 0;
  const matches = !isNone && wanted.every(([key, value]) => labels[key] === value);
  return [
    ...(isNone ? [missing("spec.selector")] : []),
    ...(matches
      ? []
      : [
          invalidValue(
            "spec.template.metadata.labels",
            labels,
            "`selector` does not match template `labels`",
          ),
        ]),
    ...(list(fields(fields(template).spec).containers).length === 0
      ? [missing("spec.template.spec.containers")]
      : []),
  ];
}

/**
 * What the API server refuses about Services, Deployments and DaemonSets beyond their metadata, in its words (seen of
 * kube-apiserver 1.34). The commonest mistakes only; a real one knows many more.
 */
export function builtInErrors(kind: ResourceKind, object: KubeObject): readonly FieldError[] {
  if (kind === "services") return serviceErrors(object);
  return kind === "deployments" || kind === "daemonsets" ? workloadErrors(object) : [];
}
