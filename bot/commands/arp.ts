import * as z from "zod";
import type { MacOwners, OutputVerdict } from "#shared/arp/read-output.ts";
import { judgeOutput } from "#shared/arp/read-output.ts";
import { verdictOutcome, verdictWord } from "#shared/arp/verdict-codes.ts";
import { wrapped } from "#shared/arp/verdict-reply.ts";
import { FaultError } from "#shared/fault.ts";
import { readNics } from "#shared/probes/ip-addr.ts";
import type { Reply } from "#shared/reply.ts";
import { code, text } from "#shared/text.ts";
import type { Command, Context, Deps } from "./command.ts";
import { defineVerb } from "./command.ts";

type Owner = Readonly<{ node: string; nic: string }>;

const mac = z
  .string()
  .regex(/^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i, "must be a MAC address such as dc:a6:32:0a:1b:0b")
  .transform((value) => value.toLowerCase().replaceAll("-", ":"));

const macFile = z.record(z.string().min(1), z.record(z.string().min(1), mac));

const asOwners = (entries: readonly (readonly [string, Owner])[]): MacOwners => {
  const owners = new Map<string, Owner[]>();
  for (const [address, owner] of entries) {
    const known = owners.get(address) ?? [];
    // A bridge and its port, a bond and its members share a MAC: the first of a node stands for it.
    if (!known.some(({ node }) => node === owner.node)) owners.set(address, [...known, owner]);
  }
  return owners;
};

const unreadable = (what: string, detail: string): FaultError =>
  new FaultError({ kind: "unreadable", what, detail });

function parseJson(content: string, what: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    throw unreadable(what, `not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** `{node: {nic: mac}}`, or a directory with one `ip -j link` output a node, named after it. Throws FaultError. */
async function readMacs(deps: Deps, path: string): Promise<MacOwners> {
  const names = await deps.readDirectory(path);
  if (names === undefined) {
    const parsed = macFile.safeParse(parseJson(await deps.readFile(path), path));
    if (!parsed.success)
      throw unreadable(
        path,
        `expected {"node": {"nic": "mac"}}: ${parsed.error.issues.map((issue) => `${issue.path.join(".") || "file"} ${issue.message}`).join("; ")}`,
      );
    return asOwners(
      Object.entries(parsed.data).flatMap(([node, nics]) =>
        Object.entries(nics).map(([nic, address]) => [address, { node, nic }] as const),
      ),
    );
  }
  const files = names.filter((name) => !name.startsWith(".")).toSorted();
  if (files.length === 0)
    throw unreadable(path, "an empty directory; expected one `ip -j link` output a node");
  const problems: string[] = [];
  const entries = await Promise.all(
    files.map(async (name) => {
      const node = name.replace(/\.[^.]*$/, "");
      const file = `${path.replace(/\/$/, "")}/${name}`;
      try {
        const nics = readNics(parseJson(await deps.readFile(file), name), name);
        // Interfaces that lead somewhere first, so that a bond stands for its members.
        return nics
          .toSorted(
            (a, b) => Number(a.master !== undefined) - Number(b.master !== undefined) || a.index - b.index,
          )
          .flatMap(({ name: nic, mac: own, permanentMac }) =>
            [own, permanentMac].flatMap((address) =>
              address === undefined ? [] : [[address, { node, nic }] as const],
            ),
          );
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        problems.push(`${name}: ${error.fault.detail}`);
        return [];
      }
    }),
  );
  if (problems.length > 0) throw unreadable(path, problems.join("; "));
  return asOwners(entries.flat());
}

function outputReply(judged: OutputVerdict): Reply {
  const { verdict } = judged;
  // One answer with nothing to compare it to is all that was asked for here.
  const outcome = verdict === "answered" ? "info" : verdictOutcome(verdict);
  return {
    verdict: {
      word: verdict === "answered" ? "ANSWERED" : verdictWord[verdict],
      outcome,
      text: [judged.why],
    },
    findings: [],
    blocks: [
      ...(judged.macs.length === 0
        ? []
        : [
            {
              kind: "evidence" as const,
              title: `${judged.program ?? "unknown program"}, ${judged.sent ?? "?"} sent, ${judged.received ?? "?"} received`,
              lines: judged.macs.map(({ mac: address, node, nic }) =>
                `${address}  ${node === undefined ? "" : `${node} ${nic}`}`.trimEnd(),
              ),
            },
          ]),
      ...(judged.caveats.length === 0
        ? []
        : [
            {
              kind: "evidence" as const,
              title: "",
              lines: judged.caveats.flatMap((each) => wrapped(`note: ${each}`, 6)),
            },
          ]),
    ],
    ...(verdict === "could-not-look"
      ? { next: [text`Paste the whole output of ${code("arping -b -c 3 -I NIC IP")}, errors included.`] }
      : {}),
    actions: [],
    json: {
      program: judged.program ?? null,
      replies: judged.replies.map(({ mac: address, ms, kind }) => ({
        mac: address,
        ...(ms === undefined ? {} : { ms }),
        kind,
      })),
      macs: judged.macs.map((each) => ({ ...each })),
      sent: judged.sent ?? null,
      received: judged.received ?? null,
      verdict,
    },
  };
}

/** An unreadable file is a usage fault (exit 2), as everywhere; unreadable output of arping is a verdict. */
const fileReply = (error: FaultError): Reply => ({
  verdict: {
    word: "Not understood",
    outcome: "usage",
    text: [`${error.fault.what}: ${error.fault.detail}.`],
  },
  findings: [],
  blocks: [],
  actions: [],
  json: { error: { kind: error.fault.kind, what: error.fault.what, detail: error.fault.detail } },
});

type ReadInput = Readonly<{
  file: string;
  macs?: string | undefined;
  expect?: Readonly<{ node: string; nic?: string }> | undefined;
}>;

async function handleRead({ input, deps }: Context<ReadInput>): Promise<Reply> {
  try {
    const [content, owners] = await Promise.all([
      deps.readFile(input.file),
      input.macs === undefined ? undefined : readMacs(deps, input.macs),
    ]);
    return outputReply(
      judgeOutput(content, {
        ...(owners === undefined ? {} : { owners }),
        ...(input.expect === undefined ? {} : { expect: input.expect }),
      }),
    );
  } catch (error) {
    if (error instanceof FaultError) return fileReply(error);
    throw error;
  }
}

export const arp: Command = {
  name: "arp",
  summary: "Reads what arping printed, whichever of the two programs it was.",
  verbs: [
    defineVerb({
      path: ["read"],
      usage: "[FILE] [--macs FILE|DIRECTORY] [--expect NODE[/NIC]]",
      summary: "Who answered, from pasted arping output (a file or standard input).",
      examples: ["arping.txt --macs nodes.json --expect bettley/eth0", "-"],
      positionals: ["file"],
      options: [
        {
          name: "macs",
          value: "FILE",
          about: 'JSON {"node": {"nic": "mac"}}, or a directory of `ip -j link` outputs',
        },
        { name: "expect", value: "NODE[/NIC]", about: "who should have answered" },
      ],
      input: z.object({
        file: z.string().default("-"),
        macs: z.string().optional(),
        expect: z
          .string()
          .regex(/^[^/\s]+(\/[^/\s]+)?$/, "must be NODE or NODE/NIC")
          .transform((value) => {
            const [node = "", nic] = value.split("/");
            return nic === undefined ? { node } : { node, nic };
          })
          .optional(),
      }),
      role: "viewer",
      effect: "none",
      slow: false,
      cluster: "none",
      doors: ["cli"],
      handle: handleRead,
    }),
  ],
};
