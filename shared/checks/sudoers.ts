import { placeholders } from "../node-network/fix-commands.ts";
import type { Answer } from "../probes/answer.ts";
import { limitSeconds } from "../probes/evidence-script.ts";
import type { AnyProbe } from "../probes/probe.ts";
import type { ShellCommand } from "../probes/shell.ts";

/** What may stand in place of an argument of the sample; sudoers takes POSIX extended regular expressions. */
function patternFor(argument: unknown): string {
  if (typeof argument === "number") return "[0-9]+(\\.[0-9]+)?";
  if (/^[0-9A-Fa-f:]*[.:][0-9A-Fa-f.:]*$/.test(String(argument))) return "[0-9A-Fa-f.:]+";
  return "[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,14}";
}

/** The same kind of argument with another value, so that the words made of it show themselves by changing. */
function another(argument: unknown): unknown {
  if (typeof argument === "number") return argument + 1;
  return String(argument).replace(/[0-9](?=[^0-9]*$)/, (digit) => (digit === "2" ? "3" : "2"));
}

const escaped = (word: string): string => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Arguments as one regular expression: words of the sample as they are, words made of an argument as its pattern. */
function argumentsPattern(probe: AnyProbe): string {
  const words: string[] = probe.sampleCommand().argv.slice(1).map(escaped);
  probe.sample.forEach((argument, i) => {
    const changed = probe.command(probe.sample.map((each, at) => (at === i ? another(each) : each)));
    changed.argv.slice(1).forEach((word, at) => {
      if (escaped(word) !== words[at] && word !== probe.sampleCommand().argv[at + 1])
        words[at] = patternFor(argument);
    });
  });
  return `^${words.join(" ")}$`;
}

/** Where distributions put programs; sudo compares whole paths. */
const places = (program: string): readonly string[] => [`/usr/bin/${program}`, `/usr/sbin/${program}`];

/**
 * The sudoers file that lets one account run exactly the privileged commands of the catalogue, and nothing else. Made
 * from the catalogue, so that it cannot drift from what is run. Arguments are regular expressions, which sudo
 * understands since 1.9.10 (sudoers(5)); an older one takes them for plain text, which matches nothing. `visits` are the
 * commands that a visit to a node runs.
 */
export function sudoersFile(
  probes: readonly AnyProbe[],
  visits: readonly ShellCommand[],
  user: string,
  changes: readonly ShellCommand[] = [],
): string {
  const single = probes
    .filter((probe) => probe.sampleCommand().privileged)
    .map((probe) => {
      const pattern = argumentsPattern(probe);
      const commands = places(probe.sampleCommand().argv[0]).map((path) =>
        pattern === "^$" ? `${path} ""` : `${path} ${pattern}`,
      );
      return `# ${probe.id}: ${probe.about}\n${user} ALL=(root) NOPASSWD: ${commands.join(", ")}`;
    });
  const visiting = visits
    .filter(({ privileged }) => privileged)
    .map((command) => `${user} ALL=(root) NOPASSWD: ${visitRule(command)}`);
  const changing =
    changes.length === 0
      ? []
      : [
          `# Changes of \`nodes fix --apply\`, and their ways back\n${changes.map((command) => `${user} ALL=(root) NOPASSWD: ${changeRule(command)}`).join("\n")}`,
        ];
  const rules = [...single, ...visiting, ...changing];
  return `# What Arpeggio may do as root on a node or a vantage. Made by: arpeggio sudoers --user ${user}
# Needs sudo 1.9.10 or newer. Check it before it counts: visudo -c -f FILE
# Then: install -m 0440 -o root -g root FILE /etc/sudoers.d/arpeggio     Way back: remove that file.

${rules.join("\n\n")}
`;
}

/** Programs of a change: scripts in words that are fixed but for names of runs, interfaces and files. */
function changeRule({ argv: [program, ...args] }: ShellCommand): string {
  const path = program.startsWith("/") ? program : `/usr/bin/${program}`;
  const pattern = Object.entries(placeholders).reduce(
    (text, [word, allowed]) => text.replaceAll(word, allowed),
    escaped(args.join(" ")),
  );
  return `${path} ^${pattern}$`;
}

/** The rule for a privileged command of a visit, which the script starts under timeout(1). */
const visitRule = (command: ShellCommand): string =>
  `/usr/bin/timeout ^${["-k", "1", String(limitSeconds(command)), ...command.argv].map(escaped).join(" ")}$`;

/** A right that sudo refused on a visit is told with the rule that the sudoers file lacks. */
export function tellMissingRule<E>(answer: Answer<E>, commands: readonly ShellCommand[]): Answer<E> {
  const command = commands.find(({ privileged }) => privileged);
  if (answer.ok || answer.fault.kind !== "missing-privilege" || command === undefined) return answer;
  const detail = `${answer.fault.detail}; the sudoers file lacks: NOPASSWD: ${visitRule(command)}`;
  return { ok: false, fault: { ...answer.fault, detail } };
}
