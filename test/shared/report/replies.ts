import type { Finding } from "#shared/finding.ts";
import type { Reply } from "#shared/reply.ts";
import { code, person, text } from "#shared/text.ts";

const finding = (
  severity: Finding["severity"],
  name: string,
  words: Finding["text"],
  remedy?: Finding["text"],
): Finding => ({
  code: "example",
  severity,
  subject: { kind: "node", name },
  facts: {},
  text: words,
  ...(remedy !== undefined && { remedy }),
});

const nothing = { findings: [], blocks: [], actions: [] } as const;

/** The messages that the snapshots show. Names and addresses are those of the example site. */
export const replies = {
  conflict: {
    cluster: "goldentooth",
    verdict: {
      word: "CONFLICT",
      outcome: "failed",
      text: text`httpbin 10.4.11.1 · two MACs answer, both on karstark`,
    },
    why: text`eth0 is right. ${code("wlan0")} answers too: caches will flap between them.`,
    findings: [
      finding(
        "error",
        "karstark",
        text`eth0 and wlan0 are both up in 10.4.0.0/20`,
        text`${code("/nodes fix karstark wifi-active")}`,
      ),
    ],
    blocks: [
      {
        kind: "evidence",
        title: "seen from ops-host (lan-wired), 3 broadcasts, 2.1 s",
        lines: [
          "dc:a6:32:0a:1b:0b  karstark eth0    3 replies",
          "dc:a6:32:0a:1b:0c  karstark wlan0   3 replies",
        ],
      },
      {
        kind: "table",
        columns: [{ title: "source" }, { title: "says" }, { title: "remark" }],
        rows: [
          [["wire"], ["karstark"], ["2 MACs, one node: dual-homed, not split brain"]],
          [["status"], ["karstark"], ["ServiceL2Status, 0.15: may be stale after failover"]],
          [["event"], ["karstark"], ["14:02:11 UTC"]],
          [["prediction"], ["karstark"], ["next if it dies: bettley"]],
        ],
      },
    ],
    next: [text`${code("/nodes check karstark")}`, text`Fix: ${code("/nodes fix karstark wifi-active")}`],
    actions: [{ id: "probe-again", label: "Probe again", value: "R-17" }],
  },
  ok: {
    ...nothing,
    cluster: "goldentooth",
    verdict: {
      word: "OK",
      outcome: "ok",
      text: text`httpbin 10.4.11.1 · bettley eth0 answers, as predicted (next: cargyll)`,
    },
    why: text`Seen from ops-host (lan-wired), 3 broadcasts, 2.0 s.`,
  },
  unknown: {
    ...nothing,
    verdict: {
      word: "UNKNOWN",
      outcome: "unknown",
      text: text`no vantage outside the cluster is configured, so reachability cannot be judged.`,
    },
    next: [text`Add one under ${code("vantages:")} (docs/vantages.md)`],
  },
  usage: {
    ...nothing,
    cluster: "goldentooth",
    verdict: {
      word: "",
      outcome: "usage",
      text: text`No service "htpbin" on goldentooth. Nearest: ${code("httpbin 10.4.11.1")}. All: ${code("/arping all")}`,
    },
  },
  denied: {
    ...nothing,
    cluster: "goldentooth",
    verdict: {
      word: "Not allowed",
      outcome: "denied",
      text: text`${code("/migrate next")} on goldentooth needs operator. ${person({ name: "operator", slack: "U0OPER" })} and ${person({ name: "platform", slack: "S0PLATFORM" })} can, or ask in #platform.`,
    },
  },
  busy: {
    ...nothing,
    cluster: "goldentooth",
    verdict: {
      word: "Busy",
      outcome: "busy",
      text: text`R-0194 (bgp-to-l2, ${person({ name: "operator" })}) holds goldentooth since 13:58 UTC.`,
    },
    why: text`Reading still works; changes wait.`,
  },
  nodes: {
    ...nothing,
    cluster: "goldentooth",
    verdict: { word: "FAIL", outcome: "failed", text: text`7 of 13 nodes need you · 6 pass all 31 checks` },
    findings: [
      finding("info", "bettley", text`runs a kernel that is one patch behind`),
      finding("unknown", "dalt", text`no answer to SSH in 5 s`),
      finding("error", "karstark", text`eth0 and wlan0 both up in 10.4.0.0/20; Calico chose wlan0`),
      finding("critical", "lipps", text`answers for addresses it does not announce`),
      ...["norcross", "oakheart", "payne", "royce"].map((name) =>
        finding("warning", name, text`arp_ignore is 0`, text`set it to 1`),
      ),
    ],
  },
  fortyRows: {
    ...nothing,
    cluster: "goldentooth",
    verdict: { word: "OK", outcome: "ok", text: text`40 of 40 addresses answered by whom we predicted` },
    blocks: [
      {
        kind: "table",
        title: "Addresses",
        columns: [{ title: "address" }, { title: "answered by" }, { title: "ms", align: "right" }],
        rows: Array.from({ length: 40 }, (_, i) => [
          [code(`10.4.11.${i + 1}`)],
          i === 3 ? [] : [`node-${i % 13}`],
          [`${(i * 7) % 31}`],
        ]),
      },
    ],
  },
  hostile: {
    ...nothing,
    cluster: "goldentooth",
    verdict: {
      word: "UNKNOWN",
      outcome: "unknown",
      text: text`<!channel> \`\`\` & <@U0ROOT> \u001b[2J\u202egpj.exe`,
    },
    why: text`the host said ${code("```<!here>\n\u0000*bold* _x_")} and ${{ link: "javascript:alert(1)", text: "<click|me>" }}`,
    blocks: [
      {
        kind: "evidence",
        title: "<!everyone>\u0007",
        lines: ["```\r", "a\tb <!subteam^S1>", "\u009b31mred"],
      },
    ],
  },
  migration: {
    ...nothing,
    cluster: "goldentooth",
    verdict: {
      word: "Step 5 of 7",
      outcome: "running",
      text: text`bgp-to-l2 waits for ${person({ name: "approver", slack: "U0APPR" })} until 14:30 UTC`,
    },
    why: text`Nothing is withdrawn yet. Way back: open until step 6.`,
    blocks: [
      {
        kind: "steps",
        steps: [
          { title: "Survey", state: "done", note: text`0:09, 14 findings, none blocks` },
          { title: "Snapshot", state: "skipped", note: text`taken at 13:40 UTC` },
          { title: "Node interfaces", state: "failed", note: text`wlan0 is still up on lipps` },
          { title: "Prove from outside", state: "unknown", note: text`ops-host did not answer` },
          {
            title: "Canary: echo 10.4.15.9",
            state: "waiting",
            note: text`will withdraw BGP for this one address`,
          },
          { title: "Withdraw the rest", state: "running" },
          { title: "Clean up", state: "pending" },
        ],
      },
    ],
    actions: [
      {
        id: "approve",
        label: "Approve and run",
        value: "R-0194/5/7c1e",
        style: "primary",
        confirm: "Withdraws BGP for echo 10.4.15.9 on goldentooth.",
      },
      { id: "hold", label: "Hold", value: "R-0194/5/7c1e" },
      { id: "abort", label: "Abort", value: "R-0194/5/7c1e", style: "danger" },
    ],
  },
} as const satisfies Record<string, Reply>;
