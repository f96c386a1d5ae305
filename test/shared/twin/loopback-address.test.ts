import { describe, expect, test } from "vitest";
import { ipAddr } from "#shared/probes/ip-addr.ts";
import { namespaceSite } from "./namespace-site.ts";
import { macsIn, twinOf } from "./twin-fixture.ts";

const address = "10.4.11.77";
const add = `ip addr add ${address}/32 dev lo`;

describe("an address on lo", () => {
  test("is answered for on every NIC", async () => {
    const { run } = twinOf(namespaceSite());
    expect(macsIn((await run("ops-host", `arping -b -c 1 -I eth0 ${address}`)).stdout)).toEqual([]);
    await run("karstark", add);
    expect(macsIn((await run("ops-host", `arping -b -c 1 -I eth0 ${address}`)).stdout).toSorted()).toEqual([
      "dc:a6:32:0a:1b:0b",
      "dc:a6:32:0a:1b:0c",
    ]);
  });

  test("is answered for on the NICs that arp_ignore leaves", async () => {
    const { run } = twinOf(namespaceSite());
    await run("karstark", add);
    await run("karstark", "sysctl -qw net.ipv4.conf.eth0.arp_ignore=8");
    expect(macsIn((await run("ops-host", `arping -b -c 1 -I eth0 ${address}`)).stdout)).toEqual([
      "dc:a6:32:0a:1b:0c",
    ]);
  });

  test("is listed between 127.0.0.1 and ::1, and is the machine's own", async () => {
    const { run } = twinOf(namespaceSite());
    await run("karstark", add);
    const [lo] = ipAddr.read(await run("karstark", "ip -j -d addr show"));
    expect(lo?.addresses.map((each) => `${each.address}/${each.prefixLength}`)).toEqual([
      "127.0.0.1/8",
      `${address}/32`,
      "::1/128",
    ]);
    expect(JSON.parse((await run("karstark", `ip -j route get ${address}`)).stdout)).toMatchObject([
      { type: "local", dev: "lo", prefsrc: address },
    ]);
  });

  test("is gone when it was deleted", async () => {
    const { run } = twinOf(namespaceSite());
    await run("karstark", add);
    expect((await run("karstark", `ip addr del ${address}/32 dev lo`)).exitCode).toBe(0);
    expect(macsIn((await run("ops-host", `arping -b -c 1 -I eth0 ${address}`)).stdout)).toEqual([]);
  });

  test.each([
    ["add", 2, "RTNETLINK answers: File exists\n"],
    ["replace", 0, ""],
  ])("%s where it is already", async (action, exitCode, stderr) => {
    const { run } = twinOf(namespaceSite());
    await run("karstark", add);
    expect(await run("karstark", `ip addr ${action} ${address}/32 dev lo`)).toMatchObject({
      exitCode,
      stderr,
    });
  });

  test.each([
    [`ip addr del ${address}/32 dev lo`, 2, "RTNETLINK answers: Cannot assign requested address\n"],
    [`ip addr add ${address}/32 dev eth9`, 1, 'Cannot find device "eth9"\n'],
    [`ip addr add ${address}/32`, 1, 'Not enough information: "dev" argument is required.\n'],
    [`ip addr add ${address}/32 dev eth0`, 2, "RTNETLINK answers: Operation not supported\n"],
    ["ip addr add nonsense dev lo", 1, 'Error: any valid prefix is expected rather than "nonsense".\n'],
  ])("%s is refused", async (line, exitCode, stderr) => {
    const { run } = twinOf(namespaceSite());
    expect(await run("karstark", line)).toMatchObject({ exitCode, stdout: "", stderr });
  });

  test("takes the rights to change it", async () => {
    const { run, twin } = twinOf(namespaceSite());
    twin.dropPrivilege("karstark");
    expect((await run("karstark", add)).stderr).toBe("RTNETLINK answers: Operation not permitted\n");
    expect((await run("karstark", "sysctl -w net.ipv4.ip_forward=1")).stderr).toBe(
      'sysctl: permission denied on key "net.ipv4.ip_forward"\n',
    );
    expect((await run("karstark", "sysctl -n net.ipv4.ip_forward")).stdout).toBe("0\n");
  });
});

describe("sysctl", () => {
  test.each([
    ["sysctl -w net.ipv4.ip_forward=1", "net.ipv4.ip_forward = 1\n"],
    ["sysctl -qw net.ipv4.ip_forward=1", ""],
    ["sysctl net.ipv4.ip_forward=1", "net.ipv4.ip_forward = 1\n"],
  ])("%s sets what is asked for later", async (line, stdout) => {
    const { run } = twinOf(namespaceSite());
    expect(await run("bettley", line)).toMatchObject({ exitCode: 0, stdout });
    expect((await run("bettley", "sysctl -n net.ipv4.ip_forward")).stdout).toBe("1\n");
  });
});
