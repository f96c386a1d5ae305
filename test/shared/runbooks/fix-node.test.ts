import { describe, expect, it } from "vitest";
import { FaultError } from "#shared/fault.ts";
import { migrations } from "#shared/runbooks/all.ts";
import { fixNode } from "#shared/runbooks/fix-node.ts";
import { advance } from "#shared/runs/advance.ts";
import { comeBack, skip } from "#shared/runs/people.ts";
import { plain } from "#shared/text.ts";
import type { SiteSpec } from "#shared/twin/site-spec.ts";
import {
  addObject,
  calicoUses,
  onMachine,
  patchObject,
  wifiOn,
  withFaults,
} from "#shared/twin/sites/faults.ts";
import { healthy } from "#shared/twin/sites/healthy.ts";
import { runOnTwin, signal } from "../steps/run-on-twin.ts";

const wifi = wifiOn("dalt", "10.4.1.30/20");
const site = (...faults: Parameters<typeof withFaults>[1][]): SiteSpec =>
  withFaults(healthy(), wifi, ...faults);
const begin = (
  options: Parameters<typeof runOnTwin>[3] = {},
  spec: SiteSpec = site(),
  check = "wired-and-wifi",
) => runOnTwin(spec, fixNode, { node: "dalt", check }, options);
type World = ReturnType<typeof begin>;

/** What is asked on the node itself, past everything that may be broken in between. */
async function onNode({ twin, on }: World, ...argv: readonly string[]): Promise<string> {
  let out = "";
  await on(
    twin.run("dalt", argv, {
      signal: new AbortController().signal,
      write: (_, text) => {
        out += text;
      },
    }),
  );
  return out;
}
const radio = async (at: World): Promise<string> =>
  (await onNode(at, "cat", "/sys/class/net/wlan0/operstate")).trim();
const marks = async (at: World): Promise<string> =>
  (await onNode(at, "find", "/var/lib", "-maxdepth", "1", "-name", "arpeggio-R-7*"))
    .split("\n")
    .filter(Boolean)
    .map((path) => path.slice("/var/lib/arpeggio-R-7".length) || "marked")
    .sort()
    .join(" ");
const said = async (at: World): Promise<string> => (await at.steps()).join("\n");

describe("fix-node", () => {
  it("is a runbook that arms, changes, confirms and looks", () => {
    expect(migrations).toContain(fixNode);
    expect(fixNode.steps.map(({ id }) => id)).toEqual([
      "fix-node-survey",
      "fix-node-change",
      "fix-node-confirm",
      "fix-node-verify",
    ]);
  });

  it("asks first, arms before it changes, and keeps what a new session by cable confirms", async () => {
    const at = begin();
    expect((await at.start()).stopped).toBe("person");
    const plan = (await at.state()).steps[1]?.planned?.plan;
    expect(plan?.deeds.map(({ id }) => id)).toEqual(["mark", "arm", "change"]);
    expect(plan?.undo.map(({ id }) => id)).toEqual(["take-back"]);
    expect(await radio(at)).toBe("up");
    expect(await marks(at)).toBe("");
    await at.approve();
    expect((await at.go()).stopped).toBe("ended");
    expect(await said(at)).toMatch(
      /fix-node-change done: changed; a new SSH session to 10\.4\.\S+ works by cable/,
    );
    expect(await said(at)).toMatch(/fix-node-verify done: wired-and-wifi passes on dalt/);
    expect(await radio(at)).toBe("down");
    expect(await marks(at)).toBe(".changed .kept .once");
    await at.clock.advance(600_000);
    expect(await radio(at)).toBe("down");
  });

  it("is taken back by the node when no new session comes up by cable, and says so", async () => {
    const at: World = begin({
      around: (ports) => ({
        ...ports,
        shell: (target, command, options) =>
          options?.via === undefined
            ? ports.shell(target, command, options)
            : Promise.reject(
                new FaultError({ kind: "unreachable", what: "ssh to dalt", detail: "no route" }),
              ),
      }),
    });
    await at.start();
    await at.approve();
    const { state } = await at.go();
    expect(state.halted).toMatchObject({ step: "fix-node-change", code: "not-proven" });
    expect(plain(state.halted?.because ?? [])).toMatch(
      /no new SSH session to 10\.4\.\S+: .*no route.*The node has taken the change back by itself/,
    );
    expect(await radio(at)).toBe("up");
    expect(await marks(at)).toBe(".changed .once .reverted .undone");
  });

  it("is taken back when the node is not Ready afterwards", async () => {
    const at: World = begin({
      around: (ports, twin) => ({
        ...ports,
        shell: async (target, command, options) => {
          const node = twin.store.get("nodes", undefined, "dalt");
          if (command.argv[0] === "setsid" && node !== undefined)
            twin.store.update("nodes", {
              ...node,
              status: { ...(node.status as object), conditions: [{ type: "Ready", status: "False" }] },
            } as typeof node);
          return ports.shell(target, command, options);
        },
      }),
    });
    await at.start();
    await at.approve();
    const { state } = await at.go();
    expect(plain(state.halted?.because ?? [])).toMatch(
      /dalt is not Ready\. The node has taken the change back/,
    );
    expect(await radio(at)).toBe("up");
  });

  const dies = (when: "setsid" | "systemd-run", answered: boolean) => {
    const state = { down: false };
    let died = false;
    const at: World = begin({
      killed: () => state.down,
      around: (ports) => ({
        ...ports,
        shell: async (target, command, options) => {
          if (state.down) throw new Error("killed");
          const output = await ports.shell(target, command, options);
          if (command.argv[0] === when && !died) {
            state.down = died = true;
            if (!answered) throw new Error("killed");
          }
          return output;
        },
      }),
    });
    return { at, state };
  };

  it.each([
    ["between arming and changing", "systemd-run", false],
    ["after arming", "systemd-run", true],
    ["while it changes", "setsid", false],
    ["between changing and confirming", "setsid", true],
  ] as const)("a bot that dies %s leaves a node that is as before, and knows it", async (_, when, answered) => {
    const { at, state } = dies(when, answered);
    await at.start();
    await at.approve();
    await expect(at.go()).rejects.toThrow("killed");
    await at.clock.advance(600_000);
    state.down = false;
    expect(await radio(at)).toBe("up");
    const changed = (await marks(at)).includes(".once");
    expect(changed).toBe(when === "setsid");
    const { state: now } = await at.go();
    expect(plain(now.halted?.because ?? [])).toMatch(
      changed ? /taken the change back by itself/ : /nothing was changed/,
    );
    expect(await radio(at)).toBe("up");
  });

  it("goes on where the bot died, as long as the timer has not come", async () => {
    const { at, state } = dies("setsid", true);
    await at.start();
    await at.approve();
    await expect(at.go()).rejects.toThrow("killed");
    // The dead process had the lease for a while.
    await at.clock.advance(60_000);
    state.down = false;
    expect((await at.go()).stopped).toBe("ended");
    expect(await radio(at)).toBe("down");
    expect(await marks(at)).toBe(".changed .kept .once");
  });

  it("goes back when the check fails all the same, after it was confirmed", async () => {
    let looks = 0;
    const at: World = begin({
      around: (ports) => ({
        ...ports,
        // The last look finds the node away: the run stands there, and somebody wants it as it was.
        shell: (target, command, options) =>
          command.argv[0] === "mv" && ++looks > 0
            ? ports.shell(target, command, options)
            : looks > 0 && command.argv[0] === "sh"
              ? Promise.reject(
                  new FaultError({ kind: "unreachable", what: "ssh to dalt", detail: "no route" }),
                )
              : ports.shell(target, command, options),
      }),
    });
    await at.start();
    await at.approve();
    expect((await at.go()).state.halted?.step).toBe("fix-node-verify");
    expect(await radio(at)).toBe("down");
    expect(await comeBack(at.runner, "R-7", "olive", undefined)).toMatchObject({ ok: true });
    expect((await at.go()).state.ended?.how).toBe("went-back");
    expect(await radio(at)).toBe("up");
    expect(await marks(at)).toBe(".changed .once .reverted .undone");
  });

  const noRoute = () =>
    Promise.reject(new FaultError({ kind: "unreachable", what: "ssh to dalt", detail: "no route" }));

  it("does not call the way back off of a change that nobody has seen to be good", async () => {
    let looks = 0;
    const at: World = begin({
      around: (ports) => ({
        ...ports,
        shell: async (target, command, options) => {
          if (options?.via === undefined) return ports.shell(target, command, options);
          // While the first process still looks, somebody leaves the step out, and another process goes on.
          if (++looks === 3) {
            const wish = { by: "olive", step: "fix-node-change", reason: "impatient" };
            for (const force of [false, true])
              if ((await at.state()).steps[1]?.status === "running")
                await skip(at.runner, "R-7", { ...wish, force });
            await advance(at.runner, "R-7", { by: "olive", signal });
          }
          return noRoute();
        },
      }),
    });
    await at.start();
    await at.approve();
    await at.go();
    await at.clock.advance(600_000);
    const { halted, steps } = await at.state();
    expect(steps[1]?.status).toBe("skipped");
    expect([halted?.step, halted?.findings.map(({ code }) => code)]).toEqual([
      "fix-node-confirm",
      ["change-not-proven"],
    ]);
    expect(await radio(at)).toBe("up");
    expect(await marks(at)).toBe(".changed .once .reverted .undone");
  });

  it("looks again just before it calls the way back off", async () => {
    const at: World = begin({
      around: (ports) => ({
        ...ports,
        // Cut off as soon as it was written down that the change is good.
        shell: async (target, command, options) =>
          options?.via !== undefined && (await at.state()).steps[1]?.status === "done"
            ? noRoute()
            : ports.shell(target, command, options),
      }),
    });
    await at.start();
    await at.approve();
    expect((await at.go()).state.halted?.step).toBe("fix-node-confirm");
    await at.clock.advance(600_000);
    expect(await radio(at)).toBe("up");
    expect(await marks(at)).toBe(".changed .once .reverted .undone");
  });

  it("says in its plan what a restart of the node means", async () => {
    const at = begin();
    await at.start();
    const plan = (await at.state()).steps[1]?.planned?.plan;
    expect(plan?.prediction.map(plain).join("\n")).toMatch(/A restart of dalt in between ends that timer/);
  });

  it.each([
    [
      "InternalIP",
      patchObject("nodes", "dalt", { status: { addresses: [{ type: "InternalIP", address: "10.4.1.30" }] } }),
    ],
    ["Calico's address", calicoUses("dalt", "10.4.1.30/20")],
    [
      "names 10.4.1.30 in a URL",
      addObject(
        "pods",
        { name: "etcd-dalt", namespace: "kube-system" },
        { spec: { containers: [{ name: "etcd", args: ["--listen-client-urls=https://10.4.1.30:2379"] }] } },
      ),
    ],
  ] as const)("is refused where %s is on the interface", async (words, fault) => {
    const at = begin({}, site(fault));
    const { state } = await at.start();
    expect(state.halted?.findings.map(({ code }) => code)).toContain("fix-refused");
    expect(state.halted?.findings.map(({ text }) => plain(text)).join("\n")).toContain(words);
    expect(await marks(at)).toBe("");
  });

  it("is refused where nothing is wrong, no command cures it, nothing can wait, or the name was used", async () => {
    const codes = async (at: World) => (await at.start()).state.halted?.findings.map(({ code }) => code);
    expect(await codes(begin({}, healthy()))).toEqual(["fix-not-needed"]);
    expect(await codes(begin({}, site(), "mtu-differs"))).toEqual(["fix-by-hand"]);
    const bare = begin({}, site(onMachine("dalt", { missingTools: ["systemd-run", "setsid"] })));
    expect(await codes(bare)).toEqual(["could-not-look"]);
    const used = begin();
    await onNode(used, "touch", "/var/lib/arpeggio-R-7.kept");
    expect(await codes(used)).toEqual(["fix-of-this-name"]);
    // What a run of a longer number left behind says nothing of this one.
    const longer = begin();
    await onNode(longer, "touch", "/var/lib/arpeggio-R-70.kept");
    expect(await codes(longer)).toBeUndefined();
  });
});
