import * as z from "zod";
import { expectSuccess, readJson, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

/** An entry of the kernel's neighbour table: what the node believes, not what is true. */
export type NeighbourEntry = Readonly<{
  address: string;
  nic: string;
  /** Lower case; absent while it is unresolved. */
  mac?: string;
  /** `REACHABLE`, `STALE`, `FAILED`, `PERMANENT`, ... */
  states: readonly string[];
}>;

const schema = z.array(
  z.object({
    dst: z.string().min(1),
    dev: z.string().min(1),
    lladdr: z.string().optional(),
    state: z.array(z.string()).default([]),
  }),
);

export const nodeNeighbours: Probe<readonly [], readonly NeighbourEntry[]> = {
  id: "ip-neigh",
  tool: "ip",
  about: "the neighbour table: which MAC the node has for which address",
  sample: [],
  argv: () => ({ argv: ["ip", "-j", "neigh", "show"], privileged: false, timeoutMs: 5_000 }),
  read: (output) => {
    expectSuccess(output, "ip");
    const parsed = schema.safeParse(readJson(output, "ip"));
    if (!parsed.success) {
      const issue = parsed.error.issues[0];
      throw unreadable("ip neigh", `not a list of neighbours: ${issue?.path.join(".")} ${issue?.message}`);
    }
    return parsed.data.map(({ dst, dev, lladdr, state }) => ({
      address: dst,
      nic: dev,
      ...(lladdr === undefined ? {} : { mac: lladdr.toLowerCase() }),
      states: state,
    }));
  },
};
