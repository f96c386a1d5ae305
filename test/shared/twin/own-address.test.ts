import { expect, test } from "vitest";
import { patchObject, withFaults } from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { twinOf } from "./twin-fixture.ts";

const onNodeAddress = () =>
  withFaults(
    healthy(),
    patchObject("services", "httpbin", { status: { loadBalancer: { ingress: [{ ip: "10.4.0.13" }] } } }),
  );

test.each([
  ["a port of the Service is the Service's", "10.4.0.13", 80, "succeeded"],
  ["another port of a node's own address is the node's", "10.4.0.13", 22, "succeeded"],
  ["another port of an address that no machine has answers nothing", "10.4.11.2", 22, "timed out"],
] as const)("%s", async (_, ip, port, said) => {
  const { twin, run } = twinOf(onNodeAddress());
  const { stderr } = await run("ops-host", `nc -z -v -w 1 ${ip} ${port}`);
  twin.stop();
  expect(stderr).toContain(said);
});
