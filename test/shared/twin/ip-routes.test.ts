import { expect, test } from "vitest";
import { namespaceSite } from "./namespace-site.ts";
import { twinOf } from "./twin-fixture.ts";

const list = "ip -j -d route show table all type unicast";
const linkLocals = (stdout: string) =>
  (JSON.parse(stdout) as { dst: string; dev: string; flags: string[] }[])
    .filter(({ dst }) => dst === "fe80::/64")
    .map(({ dev, flags }) => [dev, flags]);

test("every NIC that is up has the route of its IPv6 link-local address", async () => {
  const { run, twin } = twinOf(namespaceSite());
  expect(linkLocals((await run("karstark", list)).stdout)).toEqual([
    ["eth0", []],
    ["wlan0", []],
  ]);
  twin.setLink("karstark", "wlan0", { up: false });
  expect(linkLocals((await run("karstark", list)).stdout)).toEqual([["eth0", []]]);
});

test.each([
  "ip -j -4 -d route show table all type unicast",
  "ip -j route show",
])("%s shows none of them", async (line) => {
  const { run } = twinOf(namespaceSite());
  expect(linkLocals((await run("karstark", line)).stdout)).toEqual([]);
});
