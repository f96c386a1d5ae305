import { FaultError } from "../fault.ts";
import type { ArpingProgram } from "./arping-identify.ts";
import type { ArpingOutput } from "./arping-output.ts";
import { readArping } from "./arping-output.ts";
import { checkedAddress, checkedNic } from "./checked-argument.ts";
import { commandFailure } from "./command-failure.ts";
import type { Probe } from "./probe.ts";
import type { ShellOutput } from "./shell.ts";

export type ArpingArgs = readonly [nic: string, ip: string, count: number];

/**
 * Evidence of one complete run. The exit code is not looked at: the iputils program of 2019 to 2024 exits 1 on a
 * duplicate answer, the other one exits 0 on silence when told to look for duplicates.
 */
function read(program: ArpingProgram, output: ShellOutput): ArpingOutput {
  const stdout = output.lines.filter((line) => line.stream === "stdout");
  const reading = readArping(
    stdout.length > 0 ? stdout : output.stdout.split("\n").map((text) => ({ text })),
  );
  const failure = commandFailure(output, "arping");
  if (!reading.ok) {
    if (failure) throw new FaultError(failure);
    if (output.stdout.trim() === "") {
      const complaint = readArping(output.stderr.split("\n").map((text) => ({ text })));
      throw new FaultError(complaint.ok ? reading.fault : complaint.fault);
    }
    throw new FaultError(reading.fault);
  }
  if (reading.output.incomplete !== undefined)
    throw new FaultError(failure ?? { kind: "truncated", what: "arping", detail: reading.output.incomplete });
  if (reading.output.program !== program)
    throw new FaultError({
      kind: "unreadable",
      what: "arping",
      detail: `expected the ${program} program, the ${reading.output.program} program answered`,
    });
  return reading.output;
}

const budgetMs = (count: number, intervalMs: number): number => Math.ceil(count * intervalMs) + 6_000;

/**
 * iputils: `-b` keeps broadcasting, without it only the first probe is one. No `-f`, which stops at the first answer,
 * and no `-w`, with which `-c` would count answers and a second responder would end the run early.
 */
export const arpingIputils: Probe<ArpingArgs, ArpingOutput> = {
  id: "arping-iputils",
  tool: "arping",
  about: "every machine that answers ARP for an address (iputils program)",
  sample: ["eth0", "10.4.11.1", 3],
  argv: (nic, ip, count) => ({
    argv: ["arping", "-b", "-c", String(count), "-I", checkedNic(nic), checkedAddress(ip)],
    privileged: true,
    timeoutMs: budgetMs(count, 1_000),
  }),
  read: (output) => read("iputils", output),
};

/** By Thomas Habets: always broadcasts. `-d` would add nothing but an exit code that lies about silence. */
export const arpingHabets: Probe<ArpingArgs, ArpingOutput> = {
  id: "arping-habets",
  tool: "arping",
  about: "every machine that answers ARP for an address (program by Thomas Habets)",
  sample: ["eth0", "10.4.11.1", 3],
  argv: (nic, ip, count) => ({
    argv: ["arping", "-c", String(count), "-i", checkedNic(nic), checkedAddress(ip)],
    privileged: true,
    timeoutMs: budgetMs(count, 1_000),
  }),
  read: (output) => read("habets", output),
};

/** Ten requests a second, which only this program can do: `-W` takes fractions of a second. */
export const arpingHabetsFast: Probe<ArpingArgs, ArpingOutput> = {
  id: "arping-habets-fast",
  tool: "arping",
  about: "as arping-habets, ten requests a second, for watching an address change hands",
  sample: ["eth0", "10.4.11.1", 600],
  argv: (nic, ip, count) => ({
    argv: ["arping", "-W", "0.1", "-c", String(count), "-i", checkedNic(nic), checkedAddress(ip)],
    privileged: true,
    timeoutMs: budgetMs(count, 100),
  }),
  read: (output) => read("habets", output),
};

/** The probe that speaks the installed program's flags. */
export const arpingFor = (program: ArpingProgram): Probe<ArpingArgs, ArpingOutput> =>
  program === "iputils" ? arpingIputils : arpingHabets;
