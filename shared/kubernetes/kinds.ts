/** The kinds we read, by the plural names that `kubectl` and the API use; see `pluralOf` for the one exception. */
export const resourceKinds = {
  namespaces: { group: "", version: "v1", kind: "Namespace", namespaced: false },
  nodes: { group: "", version: "v1", kind: "Node", namespaced: false },
  pods: { group: "", version: "v1", kind: "Pod", namespaced: true },
  services: { group: "", version: "v1", kind: "Service", namespaced: true },
  configmaps: { group: "", version: "v1", kind: "ConfigMap", namespaced: true },
  events: { group: "", version: "v1", kind: "Event", namespaced: true },
  endpointslices: { group: "discovery.k8s.io", version: "v1", kind: "EndpointSlice", namespaced: true },
  daemonsets: { group: "apps", version: "v1", kind: "DaemonSet", namespaced: true },
  deployments: { group: "apps", version: "v1", kind: "Deployment", namespaced: true },
  ipaddresspools: { group: "metallb.io", version: "v1beta1", kind: "IPAddressPool", namespaced: true },
  l2advertisements: { group: "metallb.io", version: "v1beta1", kind: "L2Advertisement", namespaced: true },
  bgpadvertisements: { group: "metallb.io", version: "v1beta1", kind: "BGPAdvertisement", namespaced: true },
  bgppeers: { group: "metallb.io", version: "v1beta2", kind: "BGPPeer", namespaced: true },
  bfdprofiles: { group: "metallb.io", version: "v1beta1", kind: "BFDProfile", namespaced: true },
  communities: { group: "metallb.io", version: "v1beta1", kind: "Community", namespaced: true },
  servicel2statuses: { group: "metallb.io", version: "v1beta1", kind: "ServiceL2Status", namespaced: true },
  servicebgpstatuses: { group: "metallb.io", version: "v1beta1", kind: "ServiceBGPStatus", namespaced: true },
  configurationstates: {
    group: "metallb.io",
    version: "v1beta1",
    kind: "ConfigurationState",
    namespaced: true,
  },
  applications: { group: "argoproj.io", version: "v1alpha1", kind: "Application", namespaced: true },
  kustomizations: {
    group: "kustomize.toolkit.fluxcd.io",
    version: "v1",
    kind: "Kustomization",
    namespaced: true,
  },
  validatingwebhookconfigurations: {
    group: "admissionregistration.k8s.io",
    version: "v1",
    kind: "ValidatingWebhookConfiguration",
    namespaced: false,
  },
  ingresses: { group: "networking.k8s.io", version: "v1", kind: "Ingress", namespaced: true },
  gateways: { group: "gateway.networking.k8s.io", version: "v1", kind: "Gateway", namespaced: true },
  httproutes: { group: "gateway.networking.k8s.io", version: "v1", kind: "HTTPRoute", namespaced: true },
  dnsendpoints: { group: "externaldns.k8s.io", version: "v1alpha1", kind: "DNSEndpoint", namespaced: true },
  certificates: { group: "cert-manager.io", version: "v1", kind: "Certificate", namespaced: true },
  issuers: { group: "cert-manager.io", version: "v1", kind: "Issuer", namespaced: true },
  clusterissuers: { group: "cert-manager.io", version: "v1", kind: "ClusterIssuer", namespaced: false },
  helmreleases: { group: "helm.toolkit.fluxcd.io", version: "v2", kind: "HelmRelease", namespaced: true },
  // Calico's own storage, which is there whether or not its aggregated API server is.
  bgpconfigurations: {
    group: "crd.projectcalico.org",
    version: "v1",
    kind: "BGPConfiguration",
    namespaced: false,
  },
  calicobgppeers: { group: "crd.projectcalico.org", version: "v1", kind: "BGPPeer", namespaced: false },
  felixconfigurations: {
    group: "crd.projectcalico.org",
    version: "v1",
    kind: "FelixConfiguration",
    namespaced: false,
  },
  ippools: { group: "crd.projectcalico.org", version: "v1", kind: "IPPool", namespaced: false },
} as const;

export type ResourceKind = keyof typeof resourceKinds;

/** The name of a kind in paths and rules: Calico's BGPPeers are `bgppeers` too, of another group than MetalLB's. */
export const pluralOf = (kind: ResourceKind): string => (kind === "calicobgppeers" ? "bgppeers" : kind);

/** Kinds of Argo CD and Flux: most clusters have one of the two or neither, and lack nothing by that. */
export const gitOpsKinds = [
  "applications",
  "kustomizations",
  "helmreleases",
] as const satisfies ResourceKind[];

/** Kinds of Calico, which other clusters do not have. */
export const calicoKinds = [
  "bgpconfigurations",
  "calicobgppeers",
  "felixconfigurations",
  "ippools",
] as const satisfies ResourceKind[];

/**
 * Kinds that a cluster may lack and be whole: those of other projects than Kubernetes and MetalLB, and the status kinds that
 * MetalLB has since 0.14 (ServiceL2Status), 0.15 (ServiceBGPStatus) and 0.16 (ConfigurationState).
 */
export const isOptionalKind = (kind: ResourceKind): boolean => {
  const { group } = resourceKinds[kind];
  if (group === "metallb.io")
    return ["servicel2statuses", "servicebgpstatuses", "configurationstates"].includes(kind);
  const isBuiltIn =
    !group.includes(".") || /^(discovery|networking|admissionregistration)\.k8s\.io$/.test(group);
  return !isBuiltIn;
};
