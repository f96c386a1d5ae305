import { readMasterFileName } from "../../dns/answer.ts";
import type { Fqdn } from "../../dns/fqdn.ts";
import { parseIp } from "../../metallb/ip.ts";
import type { DnsOutcome, DnsQuestion } from "../dns-message.ts";
import { type DigDisplay, digVersion, messageSize, messageText } from "./dig-text.ts";
import type { Program, ProgramContext } from "./program.ts";

const types = ["A", "AAAA", "CAA", "CNAME", "DNSKEY", "DS", "MX", "NS", "PTR", "SOA", "SRV", "TXT"];

type Request = {
  server: string | undefined;
  name: string;
  type: string;
  recursive: boolean;
  checkingDisabled: boolean;
  tcp: boolean;
  tries: number;
  seconds: number;
  cmd: boolean;
  display: DigDisplay;
};

type Parsed = Readonly<{ request: Request }> | Readonly<{ fault: string; code: number }>;

const sections = ["comments", "question", "answer", "authority", "additional", "stats"] as const;

/** Options that change nothing the model answers. */
const indifferent =
  /^(no)?(cookie|adflag|ad|dnssec|do|nsid|bufsize|ttlid|ttlunits|idnin|idnout|search|defname|ignore|fail|keepopen|besteffort|aaflag|aaonly|qr|class|multiline|split|rrcomments|showsearch|badcookie|subnet)(=.*)?$/;

function option(request: Request, word: string): string | undefined {
  const [, no, key = "", value] = /^(no)?([a-z0-9]+)(?:=(.*))?$/.exec(word) ?? [];
  const on = no === undefined;
  const { display } = request;
  const known = sections.find((name) => name === key || (key === "auth" && name === "authority"));
  if (known !== undefined) display[known] = on;
  else if (key === "all") for (const name of sections) display[name] = on;
  else if (key === "cmd") request.cmd = on;
  else if (key === "short") display.short = on;
  else if (key === "edns") display.edns = on;
  else if (["recurse", "rec", "rdflag"].includes(key)) request.recursive = on;
  else if (["cdflag", "cd"].includes(key)) request.checkingDisabled = on;
  else if (["tcp", "vc"].includes(key)) request.tcp = on;
  else if (["time", "timeout"].includes(key)) request.seconds = Math.max(1, Number(value ?? 5));
  else if (key === "tries") request.tries = Math.max(1, Number(value ?? 3));
  else if (key === "retry") request.tries = Math.max(1, Number(value ?? 2) + 1);
  else if (!indifferent.test(word)) return `Invalid option: +${word}`;
  return undefined;
}

const reversed = (ip: string): string => `${ip.split(".").reverse().join(".")}.in-addr.arpa`;

function parse(args: readonly string[]): Parsed {
  const request: Request = {
    server: undefined,
    name: ".",
    type: "A",
    recursive: true,
    checkingDisabled: false,
    tcp: false,
    tries: 3,
    seconds: 5,
    cmd: true,
    display: {
      comments: true,
      question: true,
      answer: true,
      authority: true,
      additional: true,
      stats: true,
      short: false,
      edns: true,
    },
  };
  let named = false;
  let showsCommand = true;
  for (let i = 0; i < args.length; i++) {
    const word = args[i] ?? "";
    if (word.startsWith("@")) request.server = word.slice(1);
    else if (word.startsWith("+")) {
      const fault = option(request, word.slice(1));
      if (fault !== undefined)
        return { fault: `${fault}\nUsage:  dig [@global-server] [domain] [q-type]\n`, code: 1 };
      // `+cmd` is asked when the name comes; `+all` and `+short` speak of it wherever they stand.
      if (word === "+short" || word === "+noall") request.cmd = showsCommand = false;
      else if (word === "+all") request.cmd = showsCommand = true;
      else if (!named) showsCommand = request.cmd;
    } else if (word === "-x") {
      request.name = reversed(args[++i] ?? "");
      request.type = "PTR";
      named = true;
    } else if (word === "-t") request.type = (args[++i] ?? "").toUpperCase();
    else if (word === "-q") {
      request.name = args[++i] ?? "";
      named = true;
    } else if (["-p", "-b", "-c", "-k", "-y"].includes(word)) i++;
    else if (/^-[46mru]$/.test(word)) continue;
    else if (word.startsWith("-"))
      return { fault: `Invalid option: ${word}\nUsage:  dig [@global-server] [domain] [q-type]\n`, code: 1 };
    else if (types.includes(word.toUpperCase())) request.type = word.toUpperCase();
    else if (word.toUpperCase() === "IN") continue;
    else {
      request.name = word;
      named = true;
    }
  }
  return { request: { ...request, cmd: showsCommand } };
}

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `Mon Nov 23 03:45:38 UTC 2026`, as `date` has it in the C locale. */
function dateText(ms: number): string {
  const date = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");
  return `${days[date.getUTCDay()]} ${months[date.getUTCMonth()]} ${two(date.getUTCDate())} ${time} UTC ${date.getUTCFullYear()}`;
}

async function askServers(
  context: ProgramContext,
  request: Request,
  servers: readonly string[],
  question: DnsQuestion,
): Promise<Readonly<{ outcome: DnsOutcome; server: string }> | undefined> {
  for (let attempt = 0; attempt < request.tries; attempt++)
    for (const server of servers) {
      const outcome = context.dns.ask(server, question);
      if (typeof outcome === "object") return { outcome, server };
      if (outcome === "timed-out") await context.clock.sleep(request.seconds * 1_000, context.signal);
      if (context.signal.aborted) return undefined;
      const why = outcome === "timed-out" ? "timed out" : "connection refused";
      context.out(`;; communications error to ${server}#53: ${why}\n`);
    }
  return { outcome: "timed-out", server: servers[0] ?? "" };
}

/** The program of BIND 9.18 as far as its output can be asked for by the catalogue; `+trace` and zone transfers are not. */
export const dig: Program = async (args, context) => {
  const parsed = parse(args);
  if ("fault" in parsed) {
    context.err(parsed.fault);
    return parsed.code;
  }
  const { request } = parsed;
  const { display } = request;
  let servers = context.dns.resolvers;
  if (request.server !== undefined) {
    const ip =
      parseIp(request.server) === undefined ? context.dns.hostAddress(request.server) : request.server;
    if (ip === undefined) {
      context.err(`dig: couldn't get address for '${request.server}': not found\n`);
      return 10;
    }
    servers = [ip];
  }
  const name =
    request.name === "." ? ({ ok: true, fqdn: "." as Fqdn } as const) : readMasterFileName(request.name);
  if (!name.ok) {
    context.err(`dig: '${request.name}' is not a legal name\n`);
    return 10;
  }
  const question: DnsQuestion = {
    name: name.fqdn,
    type: request.type,
    recursive: request.recursive,
    checkingDisabled: request.checkingDisabled,
  };
  const greeting = () => {
    if (!request.cmd) return;
    context.out(`\n; <<>> DiG ${digVersion} <<>> ${args.join(" ")}\n`);
    if (request.server !== undefined) context.out("; (1 server found)\n");
    context.out(";; global options: +cmd\n");
  };
  const asked = await askServers(context, request, servers, question);
  if (asked === undefined) return 143;
  if (typeof asked.outcome !== "object") {
    greeting();
    context.out(";; no servers could be reached\n");
    return 9;
  }
  greeting();
  const id = context.dns.nextId();
  context.out(messageText(id, question, asked.outcome, display));
  if (display.stats && !display.short) {
    context.out(`;; Query time: ${request.tcp ? 4 : 2} msec\n`);
    context.out(
      `;; SERVER: ${asked.server}#53(${request.server ?? asked.server}) (${request.tcp ? "TCP" : "UDP"})\n`,
    );
    context.out(`;; WHEN: ${dateText(context.clock.now())}\n`);
    context.out(`;; MSG SIZE  rcvd: ${messageSize(question, asked.outcome)}\n\n`);
  }
  return 0;
};
