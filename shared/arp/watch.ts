import type { Fault } from "../fault.ts";
import { FaultError } from "../fault.ts";
import { arpingHabetsFast, arpingIputils } from "../probes/arping.ts";
import { readArping } from "../probes/arping-output.ts";
import type { OutputLine, ShellOutput } from "../probes/shell.ts";
import { readArpFrame, tcpdumpArp } from "../probes/tcpdump-arp.ts";
import type { FrameBudget } from "./frame-budget.ts";
import type { ArpPorts } from "./surroundings.ts";
import type { Sighting, Timeline } from "./timeline.ts";
import { foldTimeline } from "./timeline.ts";
import type { ReadyVantage } from "./vantage.ts";
import { machineOf } from "./vantage.ts";

export type Watch = Readonly<{
  timeline: Timeline;
  /** Where the times come from: the capture on the vantage, or the moments its arping's lines reached us. */
  recorder: "tcpdump" | "arping";
  /** Why there was no capture, where there was none. */
  captureFault?: Fault;
  /** Requests sent a second. */
  rate: number;
  /** Requests seen or counted. */
  frames: number | undefined;
}>;

/** How long a capture may take until it listens, before the watch goes on without it. */
const listenMs = 3_000;

/**
 * Watches one address for a while. A capture on the vantage records, arping only stimulates: ten requests a second
 * where the installed program can do that, else one. Throws FaultError when the vantage could not send.
 */
export async function watchAddress(
  ports: ArpPorts,
  budget: FrameBudget,
  ready: ReadyVantage,
  ip: string,
  durationMs: number,
  options: Readonly<{ onWait?: () => void; onSighting?: (sighting: Sighting) => void }> = {},
): Promise<Watch> {
  const fast = ready.identity.program === "habets";
  const rate = fast ? 10 : 1;
  const probe = fast ? arpingHabetsFast : arpingIputils;
  const target = { kind: "vantage", name: ready.vantage.name } as const;
  const resolutionMs = 1000 / rate;

  return budget.run(
    machineOf(ready.vantage),
    rate,
    async () => {
      const captured: Sighting[] = [];
      const answered: Sighting[] = [];
      let requests = 0;
      let listening = false;
      let heard: () => void = () => {};
      const listens = new Promise<void>((resolve) => {
        heard = resolve;
      });
      const stop = new AbortController();
      const ending = ports.signal ? AbortSignal.any([ports.signal, stop.signal]) : stop.signal;

      const onFrame = ({ text, stream }: OutputLine): void => {
        if (stream === "stderr") {
          if (/^(?:tcpdump: )?listening on /.test(text)) {
            listening = true;
            heard();
          }
          return;
        }
        const frame = readArpFrame(text);
        if (frame === undefined) return;
        if (frame.op === "request" && frame.targetIp === ip && !frame.gratuitous) requests++;
        if (frame.senderIp !== ip) return;
        const sighting: Sighting = {
          at: frame.at,
          kind: frame.gratuitous ? "gratuitous" : "reply",
          mac: frame.senderMac,
        };
        captured.push(sighting);
        options.onSighting?.(sighting);
      };
      let captureFault: Fault | undefined;
      const capture = ports
        .shell(target, tcpdumpArp.argv(ready.nic.name, durationMs / 1000 + 10), {
          signal: ending,
          onLine: onFrame,
        })
        .then(
          (output: ShellOutput) => {
            if (!listening) captureFault = faultOf(() => tcpdumpArp.read(output));
            else if (!ending.aborted)
              captureFault = {
                kind: "truncated",
                what: "tcpdump",
                detail: "the capture ended before the watch",
              };
          },
          (error: unknown) => {
            if (!(error instanceof FaultError)) throw error;
            captureFault = error.fault;
          },
        )
        .finally(heard);
      capture.catch(() => {});
      await Promise.race([listens, ports.clock.sleep(listenMs, ending)]);

      const from = ports.clock.now();
      try {
        const output = await ports.shell(
          target,
          probe.argv(ready.nic.name, ip, Math.max(1, Math.round((durationMs / 1000) * rate))),
          {
            ...(ports.signal ? { signal: ports.signal } : {}),
            onLine: ({ text, at, stream }) => {
              if (stream !== "stdout") return;
              const reading = readArping([{ text, at }]);
              if (!reading.ok) return;
              for (const { mac } of reading.output.replies) answered.push({ at, kind: "reply", mac });
            },
          },
        );
        const sent = countSent(output, probe.read);
        // The last answers are on their way through the capture's pipe.
        await ports.clock.sleep(300, ending);
        stop.abort();
        await capture;
        // A capture that broke off would make its end look like silence.
        const recorder = listening && captureFault === undefined ? "tcpdump" : "arping";
        const capturing = recorder === "tcpdump";
        // The capture's times are the vantage's clock; its span starts with what it saw, not with our clock.
        const offset = clockOffset(captured, answered);
        const timeline = foldTimeline(capturing ? captured : answered, {
          from: capturing ? from + offset : from,
          to: (capturing ? offset : 0) + output.endedAt,
          resolutionMs,
          sawGratuitous: capturing,
        });
        return {
          timeline,
          recorder,
          ...(capturing || captureFault === undefined ? {} : { captureFault }),
          rate,
          frames: sent ?? (capturing ? requests : undefined),
        };
      } finally {
        stop.abort();
      }
    },
    { signal: ports.signal, onWait: options.onWait },
  );
}

const faultOf = (read: () => unknown): Fault => {
  try {
    read();
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
  return { kind: "unreadable", what: "tcpdump", detail: "never said that it was listening" };
};

/** Requests sent according to the summary; a watch that was stopped has none. Throws when nothing could be sent. */
function countSent(
  output: ShellOutput,
  read: (output: ShellOutput) => Readonly<{ sent?: number }>,
): number | undefined {
  try {
    return read(output).sent;
  } catch (error) {
    const stopped = output.exitCode === null && output.stdout.trim() !== "";
    if (error instanceof FaultError && (stopped || error.fault.kind === "truncated")) return undefined;
    throw error;
  }
}

/** How far the vantage's clock is from ours, from the first answer that both saw; 0 when there is none. */
function clockOffset(captured: readonly Sighting[], answered: readonly Sighting[]): number {
  const theirs = captured.find(({ kind }) => kind === "reply");
  const ours = answered[0];
  return theirs && ours ? theirs.at - ours.at : 0;
}
