import type { RunProgram } from "#shared/twin/program.ts";

/** A few programs that behave as their namesakes do, for the SSH edge alone. `lingering` counts those that stay. */
export function fakePrograms(): { run: RunProgram; lingering: () => number; ran: [string, ...string[]][] } {
  let lingering = 0;
  const ran: [string, ...string[]][] = [];
  const run: RunProgram = async (machine, argv, io) => {
    ran.push([machine, ...argv]);
    const [program, ...args] = argv;
    switch (program) {
      case "printf": {
        const [format = "", ...words] = args;
        if (format !== "%s\\n" && format !== "%s") throw new Error("a format the fake does not know");
        io.write(
          "stdout",
          words.map((word) => format.replace("\\n", "\n").replace("%s", () => word)).join(""),
        );
        return { exitCode: 0 };
      }
      case "hostname":
        io.write("stdout", `${machine}\n`);
        return { exitCode: 0 };
      case "cat":
      case "true":
        return { exitCode: 0 };
      case "false":
        return { exitCode: 1 };
      case "expr":
        io.write("stderr", "expr: syntax error: missing argument after '+'\n");
        return { exitCode: 2 };
      case "seq": {
        const [from, to] = args.map(Number) as [number, number];
        let chunk = "";
        for (let n = from; n <= to && !io.signal.aborted; n += 1) {
          chunk += `${n}\n`;
          if (chunk.length > 16_384 || n === to) {
            io.write("stdout", chunk);
            chunk = "";
            await new Promise((resolve) => setImmediate(resolve));
          }
        }
        return { exitCode: 0 };
      }
      case "linger":
        lingering += 1;
        io.write("stdout", "first\n");
        await new Promise<void>((resolve) => {
          if (io.signal.aborted) resolve();
          else io.signal.addEventListener("abort", () => resolve(), { once: true });
        });
        lingering -= 1;
        return { exitCode: 143 };
      default:
        io.write("stderr", `sh: 1: ${program}: not found\n`);
        return { exitCode: 127 };
    }
  };
  return { run, lingering: () => lingering, ran };
}
