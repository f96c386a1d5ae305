import { parseOptions } from "./options.ts";
import type { Program } from "./program.ts";

/** `ping` of iputils for one echo request with a limited time to live: `-n -c 1 -W SECONDS -t TTL ADDRESS`. */
export const ping: Program = async (args, context) => {
  const { values, operands, fault } = parseOptions(args, "nqc:W:w:t:I:s:i:");
  const address = operands[0];
  if (fault !== undefined || address === undefined) {
    context.err(
      fault === undefined
        ? "ping: usage error: Destination address required\n"
        : `ping: ${fault}\n\nUsage\n  ping [options] <destination>\n`,
    );
    return fault === undefined ? 1 : 2;
  }
  const answer = context.echo(address, Number(values.get("t") ?? 64));
  if (answer.kind === "no-route") {
    context.err("ping: connect: Network is unreachable\n");
    return 2;
  }
  context.out(`PING ${address} (${address}) 56(84) bytes of data.\n`);
  const lost = (errors: string): number => {
    context.out(
      `\n--- ${address} ping statistics ---\n1 packets transmitted, 0 received, ${errors}100% packet loss, time 0ms\n\n`,
    );
    return 1;
  };
  if (answer.kind === "answer") {
    context.out(`64 bytes from ${address}: icmp_seq=1 ttl=${answer.ttl} time=0.268 ms\n`);
    const whole = "rtt min/avg/max/mdev = 0.268/0.268/0.268/0.000 ms";
    context.out(
      `\n--- ${address} ping statistics ---\n1 packets transmitted, 1 received, 0% packet loss, time 0ms\n${whole}\n`,
    );
    return 0;
  }
  if (answer.kind === "silence") {
    await context.clock.sleep(Number(values.get("W") ?? 10) * 1_000, context.signal);
    return context.signal.aborted ? 143 : lost("");
  }
  context.out(`From ${answer.from} icmp_seq=1 ${answer.because}\n`);
  return lost("+1 errors, ");
};
