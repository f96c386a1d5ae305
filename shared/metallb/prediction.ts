/**
 * What MetalLB should do, as the announcer command prints it and as every judgement reads it.
 * `why` names, for each node that is no candidate, the first rule that ruled it out.
 */
export type AddressPrediction = Readonly<{
  ip: string;
  /** `namespace/name`. */
  service: string;
  pool: string | undefined;
  /** Candidates, announcer first, successor second. Empty with `configError`. */
  order: readonly string[];
  why: Readonly<Record<string, string>>;
  /** Per node in `order`: the NIC names its responders are limited to, or all. */
  interfaces: Readonly<Record<string, readonly string[] | "all">>;
  configError?: string;
}>;

export type Prediction = Readonly<{
  assumed: Readonly<Record<string, string | boolean | readonly string[]>>;
  addresses: readonly AddressPrediction[];
}>;
