import { describe, expect, it } from "vitest";
import { createLimit } from "#shared/adapters/limit.ts";

describe("limit", () => {
  it("lets in as many as it has places, the next in order when one leaves", async () => {
    const limit = createLimit(2);
    const order: string[] = [];
    const first = await limit.take();
    await limit.take();
    const third = limit.take().then((leave) => {
      order.push("third");
      return leave;
    });
    const fourth = limit.take().then(() => order.push("fourth"));
    await Promise.resolve();
    expect(order).toEqual([]);
    first?.();
    // A second call of the same must not free a second place.
    first?.();
    const leave = await third;
    expect(order).toEqual(["third"]);
    leave?.();
    await fourth;
    expect(order).toEqual(["third", "fourth"]);
  });

  it("gives nothing to whoever aborts while waiting, and its turn to the next", async () => {
    const limit = createLimit(1);
    const leave = await limit.take();
    const abort = new AbortController();
    const second = limit.take(abort.signal);
    const third = limit.take();
    abort.abort();
    expect(await second).toBeUndefined();
    leave?.();
    expect(await third).toBeTypeOf("function");
    expect(await limit.take(AbortSignal.abort())).toBeUndefined();
  });
});
