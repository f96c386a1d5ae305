import { parseOptions } from "./options.ts";
import type { Program } from "./program.ts";

/** OpenBSD's netcat as Debian has it: `-z -v -w SECONDS HOST PORT`, TCP only. */
export const nc: Program = async (args, context) => {
  const { values, operands, fault } = parseOptions(args, "zvw:n");
  const [host, port] = operands;
  if (fault !== undefined || host === undefined || port === undefined) {
    context.err(
      `${fault === undefined ? "" : `nc: ${fault}\n`}usage: nc [-46CDdFhklNnrStUuvZz] [destination] [port]\n`,
    );
    return 1;
  }
  const answer = context.connect(host, Number(port));
  const failed = (why: string): number => {
    if (values.has("v")) context.err(`nc: connect to ${host} port ${port} (tcp) failed: ${why}\n`);
    return 1;
  };
  if (answer === "refused") return failed("Connection refused");
  if (answer === "no-route") return failed("Network is unreachable");
  if (answer === "silence") {
    await context.clock.sleep(Number(values.get("w") ?? 127) * 1_000, context.signal);
    return context.signal.aborted ? 143 : failed("Connection timed out");
  }
  if (values.has("v")) context.err(`Connection to ${host} ${port} port [tcp/*] succeeded!\n`);
  return 0;
};
