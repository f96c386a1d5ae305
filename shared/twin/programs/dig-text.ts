import { masterFileName } from "../../dns/answer.ts";
import type { Fqdn } from "../../dns/fqdn.ts";
import type { DnsQuestion, DnsRecord, DnsResponse } from "../dns-message.ts";

export type DigDisplay = {
  comments: boolean;
  question: boolean;
  answer: boolean;
  authority: boolean;
  additional: boolean;
  stats: boolean;
  short: boolean;
  edns: boolean;
};

export const digVersion = "9.18.49-1~deb12u3-Debian";

const tab = 8;

/** Tabs to a column and blanks to the rest, one blank where the column is passed already (lib/dns/masterdump.c, indent). */
function reach(from: number, to: number): Readonly<{ text: string; column: number }> {
  const column = from >= to ? from + 1 : to;
  const tabs = Math.floor(column / tab) - Math.floor(from / tab);
  return {
    text: tabs > 0 ? "\t".repeat(tabs) + " ".repeat(column % tab) : " ".repeat(column - from),
    column,
  };
}

/** Fields at their columns: names are as long as they are. */
function aligned(fields: readonly string[], columns: readonly number[]): string {
  let line = fields[0] ?? "";
  let at = line.length;
  fields.slice(1).forEach((field, i) => {
    const gap = reach(at, columns[i] ?? at);
    line += gap.text + field;
    at = gap.column + field.length;
  });
  return line;
}

const shownName = (name: Fqdn): string => ((name as string) === "." ? "." : masterFileName(name));

export const recordLine = ({ name, ttl, type, value }: DnsRecord): string =>
  aligned([shownName(name), String(ttl), "IN", type, value], [24, 32, 40, 48]);

const questionLine = ({ name, type }: DnsQuestion): string =>
  `;${aligned([shownName(name), "IN", type], [32, 40])}`;

const section = (title: string, lines: readonly string[], display: DigDisplay): string =>
  lines.length === 0
    ? ""
    : `${display.comments ? `;; ${title} SECTION:\n` : ""}${lines.join("\n")}\n${display.comments ? "\n" : ""}`;

/** Everything of a message but the lines about the query itself. */
export function messageText(
  id: number,
  question: DnsQuestion,
  response: DnsResponse,
  display: DigDisplay,
): string {
  const { status, answer, authority, additional } = response;
  if (display.short) return answer.map(({ value }) => `${value}\n`).join("");
  let out = "";
  if (display.comments) {
    const flags = [
      "qr",
      ...(response.authoritative ? ["aa"] : []),
      ...(question.recursive ? ["rd"] : []),
      ...(response.recursionAvailable ? ["ra"] : []),
      ...(question.checkingDisabled && response.recursionAvailable ? ["cd"] : []),
    ];
    const extra = additional.length + (display.edns ? 1 : 0);
    out += `;; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: ${status}, id: ${id}\n`;
    out += `;; flags: ${flags.join(" ")}; QUERY: 1, ANSWER: ${answer.length}, AUTHORITY: ${authority.length}, ADDITIONAL: ${extra}\n`;
    if (question.recursive && !response.recursionAvailable)
      out += ";; WARNING: recursion requested but not available\n";
    out += "\n";
    if (display.edns) {
      out += ";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: 1232\n";
      if (response.extendedError !== undefined) out += `; EDE: ${response.extendedError}\n`;
    }
  }
  if (display.question)
    out += `${display.comments ? ";; QUESTION SECTION:\n" : ""}${questionLine(question)}\n${display.comments ? "\n" : ""}`;
  if (display.answer) out += section("ANSWER", answer.map(recordLine), display);
  if (display.authority) out += section("AUTHORITY", authority.map(recordLine), display);
  if (display.additional) out += section("ADDITIONAL", additional.map(recordLine), display);
  return out;
}

/** Bytes on the wire, with the question's name compressed wherever it comes again; close, not exact. */
export function messageSize(question: DnsQuestion, { answer, authority, additional }: DnsResponse): number {
  const seen = new Set<string>([question.name]);
  const name = (text: string): number => {
    if (seen.has(text)) return 2;
    seen.add(text);
    return text.length + 2;
  };
  const data = ({ type, value }: DnsRecord): number =>
    type === "A" ? 4 : type === "AAAA" ? 16 : type === "TXT" ? value.length - 1 : value.length + 1;
  const records = [...answer, ...authority, ...additional];
  return (
    12 +
    question.name.length +
    6 +
    11 +
    records.reduce((sum, record) => sum + name(record.name) + 10 + data(record), 0)
  );
}
