import {
  type DnsFlag,
  type DnsReply,
  masterFileName,
  type Question,
  type ResourceRecord,
  readMasterFileName,
} from "../dns/answer.ts";
import type { Fqdn } from "../dns/fqdn.ts";
import { FaultError } from "../fault.ts";
import { checkedAddress } from "./checked-argument.ts";
import { commandFailure, firstLine, unreadable } from "./command-failure.ts";
import type { Probe } from "./probe.ts";

const flags: readonly DnsFlag[] = ["aa", "tc", "rd", "ra", "ad", "cd"];

/** Types whose data is a name: compared in lower case and without the dot. */
const nameTypes = new Set(["NS", "CNAME", "PTR", "DNAME"]);

const plainName = (text: string): Fqdn => {
  const read = readMasterFileName(text);
  if (!read.ok) throw unreadable("dig", `${firstLine(text)} is no name`);
  return read.fqdn;
};

function recordOf(line: string): ResourceRecord {
  const match = /^(\S+)\s+(\d+)\s+IN\s+([A-Z0-9]+)\s+(.+)$/.exec(line);
  if (!match) throw unreadable("dig", `not a record: ${firstLine(line)}`);
  const [, name = "", ttl = "", type = "", data = ""] = match;
  return {
    name: plainName(name),
    ttl: Number(ttl),
    type,
    data: nameTypes.has(type) ? plainName(data) : data,
  };
}

type Section = "answer" | "authority" | "additional";

const sectionOf = (line: string): Section | undefined =>
  (["answer", "authority", "additional"] as const).find(
    (each) => line === `;; ${each.toUpperCase()} SECTION:`,
  );

function readAnswer(stdout: string): DnsReply {
  const header =
    /^;; ->>HEADER<<- opcode: QUERY, status: ([A-Z0-9]+), id: \d+\n;; flags:([a-z ]*); QUERY: \d+, ANSWER: (\d+), AUTHORITY: (\d+), ADDITIONAL: (\d+)$/m.exec(
      stdout,
    );
  if (!header) throw unreadable("dig", firstLine(stdout) || "printed nothing");
  const [, rcode = "", set = "", ...counts] = header;
  const sections: Record<Section, ResourceRecord[]> = { answer: [], authority: [], additional: [] };
  const extendedErrors: number[] = [];
  let hasOpt = false;
  let section: Section | undefined;
  for (const line of stdout.slice(header.index).split("\n")) {
    const extended = /^; EDE: (\d+)/.exec(line)?.[1];
    if (extended !== undefined) extendedErrors.push(Number(extended));
    if (line.startsWith(";; OPT PSEUDOSECTION")) hasOpt = true;
    if (line.startsWith(";;")) section = sectionOf(line);
    else if (section !== undefined && line.trim() !== "" && !line.startsWith(";"))
      sections[section].push(recordOf(line));
  }
  const [answers = 0, authorities = 0, additionals = 0] = counts.map(Number);
  // What the header counts must be there, or the output was cut; it always ends in an empty line.
  if (
    !stdout.endsWith("\n\n") ||
    sections.answer.length !== answers ||
    sections.authority.length !== authorities ||
    sections.additional.length + (hasOpt ? 1 : 0) !== additionals
  )
    throw new FaultError({ kind: "truncated", what: "dig", detail: "fewer records than its header counts" });
  const words = set.trim().split(/\s+/);
  return {
    kind: "answer",
    rcode,
    flags: flags.filter((flag) => words.includes(flag)),
    ...sections,
    extendedErrors,
  };
}

/** Silence of a server, in the words of dig 9.18. */
function silence(stdout: string): DnsReply | undefined {
  if (!/^;; no servers could be reached$/m.test(stdout)) return undefined;
  if (/connection refused/.test(stdout)) return { kind: "silence", because: "refused" };
  if (/timed out/.test(stdout)) return { kind: "silence", because: "timed-out" };
  return { kind: "silence", because: "unreachable" };
}

/** `dig @SERVER NAME TYPE`: one question to one server, from where the probe runs. The server is an address. */
export const dig: Probe<readonly [server: string, question: Question], DnsReply> = {
  id: "dig",
  tool: "dig",
  about: "one DNS question to one server",
  sample: ["10.4.0.1", { name: "httpbin.goldentooth.net" as Fqdn, type: "A", recurse: true }],
  argv: (server, { name, type, recurse, checkingDisabled }) => {
    if (!/^[A-Z][A-Z0-9]{0,9}$/.test(type)) throw unreadable("record type", JSON.stringify(type));
    return {
      argv: [
        "dig",
        "+noall",
        "+comments",
        "+question",
        "+answer",
        "+authority",
        "+additional",
        "+time=2",
        "+tries=2",
        recurse ? "+recurse" : "+norecurse",
        checkingDisabled === true ? "+cdflag" : "+nocdflag",
        `@${checkedAddress(server)}`,
        "-q",
        masterFileName(name),
        "-t",
        type,
      ],
      privileged: false,
      timeoutMs: 12_000,
    };
  },
  read: (output) => {
    const silent = output.exitCode === 9 ? silence(output.stdout) : undefined;
    if (silent) return silent;
    const fault = commandFailure(output, "dig");
    if (fault) throw new FaultError(fault);
    if (output.exitCode !== 0)
      throw unreadable(
        "dig",
        firstLine(output.stderr) || firstLine(output.stdout) || `exit code ${output.exitCode}`,
      );
    return readAnswer(output.stdout);
  },
};
