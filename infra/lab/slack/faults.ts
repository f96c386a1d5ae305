/** What a test orders to go wrong with the next calls of a method. */
export type Order = Readonly<
  | { kind: "fail"; status: 429 | 500 | 503; retryAfter: number }
  | { kind: "slow"; ms: number }
  | { kind: "drop" }
>;

export type FailNext = Readonly<{
  status: 429 | 500 | 503;
  /** Seconds, for a 429; default 1. */
  retryAfter?: number;
  times?: number;
}>;

export type Faults = Readonly<{
  add: (method: string, order: Order, times?: number) => void;
  take: (method: string) => Order | undefined;
  clear: () => void;
}>;

/** Orders are used up first in, first out, per method. */
export function faultOrders(): Faults {
  const orders = new Map<string, Order[]>();
  return {
    add: (method, order, times = 1) => {
      orders.set(method, [...(orders.get(method) ?? []), ...Array.from({ length: times }, () => order)]);
    },
    take: (method) => orders.get(method)?.shift(),
    clear: () => orders.clear(),
  };
}
