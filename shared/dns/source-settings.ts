import type { Cidr } from "../metallb/ip.ts";
import { defaultPrefix } from "./annotations.ts";
import type { Labelled } from "./label-selector.ts";
import type { Release } from "./release.ts";

type Matches = (labels: Labelled) => boolean;

/** The flags that decide what the sources yield, as one running ExternalDNS has them. */
export type SourceSettings = Readonly<{
  release: Release;
  annotationPrefix: string;
  /** `--source`; `undefined` is every kind of the dump that is modelled here. */
  sources: readonly string[] | undefined;
  /** Empty is every namespace. */
  namespace: string;
  labelFilter: Matches;
  annotationFilter: Matches;
  serviceTypes: readonly string[];
  publishInternal: boolean;
  ignoreHostnameAnnotation: boolean;
  ingressClasses: readonly string[];
  ignoreIngressTls: boolean;
  ignoreIngressRules: boolean;
  gatewayName: string;
  gatewayNamespace: string;
  gatewayLabels: Matches;
  defaultTargets: readonly string[];
  forceDefaultTargets: boolean;
  targetNets: readonly Cidr[];
  excludedTargetNets: readonly Cidr[];
  /** Seconds for endpoints without a TTL of their own; 0 is none. */
  minTtl: number;
  preferAlias: boolean;
}>;

const everything: Matches = () => true;

/** What a release does without any flag. */
export const defaultSourceSettings = (release: Release): SourceSettings => ({
  release,
  annotationPrefix: defaultPrefix(release),
  sources: undefined,
  namespace: "",
  labelFilter: everything,
  annotationFilter: everything,
  serviceTypes: [],
  publishInternal: false,
  ignoreHostnameAnnotation: false,
  ingressClasses: [],
  ignoreIngressTls: false,
  ignoreIngressRules: false,
  gatewayName: "",
  gatewayNamespace: "",
  gatewayLabels: everything,
  defaultTargets: [],
  forceDefaultTargets: false,
  targetNets: [],
  excludedTargetNets: [],
  minTtl: 0,
  preferAlias: false,
});
