import type { ClusterPorts } from "#bot/commands/command.ts";
import { FaultError } from "#shared/fault.ts";
import type { Reply } from "#shared/reply.ts";
import { renderTerminal } from "#shared/report/terminal.ts";
import { plain } from "#shared/text.ts";
import { sites } from "#shared/twin/sites/all.ts";
import { setBgpMode } from "./lab/set-bgp-mode.ts";
import { type Story, tellStory, type Who } from "./lab/story.ts";

const began = Date.UTC(2026, 10, 24, 18);

const fence = (text: string): string => `\`\`\`\n${text.trimEnd()}\n\`\`\``;
const drawn = (reply: Reply): string => fence(renderTerminal(reply, { columns: 100, colour: false }));
const line = ({ verdict }: Reply): string => `- ${verdict.word}: ${plain(verdict.text)}`;

/** A vantage that can be unplugged. */
function pluggable(vantage: string) {
  const plug = { isIn: true };
  const around = (ports: ClusterPorts): ClusterPorts => ({
    ...ports,
    shell: (target, command, options) =>
      !plug.isIn && target.name === vantage
        ? Promise.reject(
            new FaultError({ kind: "unreachable", what: `ssh to ${vantage}`, detail: "no route to host" }),
          )
        : ports.shell(target, command, options),
  });
  return { around, plug };
}

type Page = Readonly<{
  parts: string[];
  story: Story;
  /** Somebody does something; then the run's message as it stands, and what came into the thread. */
  press: (who: Who, label: string, said?: string) => Promise<void>;
  type: (who: Who, words: string, said?: string) => Promise<void>;
  /** The message, and the thread's news: one whole when its verdict begins so, of the others their verdicts. */
  stand: (whole?: RegExp) => Promise<void>;
}>;

function pageOf(story: Story): Page {
  const parts: string[] = [];
  const did = async (what: string, doing: Promise<Reply>, said: string | undefined): Promise<void> => {
    parts.push(said === undefined ? what : `${what} ${said}`);
    const reply = await doing;
    // An answer that says no more than the message does is not told twice.
    const isMessage = plain(reply.verdict.text) === plain(story.message().verdict.text);
    if (!isMessage) parts.push(drawn(reply));
  };
  return {
    parts,
    story,
    press: (who, label, said) => did(`**@${who}** presses **${label}**.`, story.press(who, label), said),
    type: (who, words, said) => did(`**@${who}** types \`/${words}\`.`, story.type(who, words), said),
    stand: async (whole) => {
      await story.wait();
      const news = story.thread();
      parts.push("The message of the run now:", drawn(story.message()));
      const shown = whole === undefined ? [] : news.filter((note) => whole.test(line(note)));
      const others = news.filter((note) => !shown.includes(note));
      if (others.length > 0) parts.push("Came into its thread:", others.map(line).join("\n"));
      for (const note of shown) parts.push("And, whole:", drawn(note));
    },
  };
}

const siteOf = (name: string) => {
  const make = sites[name];
  if (make === undefined) throw new Error(`there is no site ${name}`);
  return make();
};
const site = "goldentooth-bgp-0.16";

async function there(): Promise<readonly string[]> {
  const client = pluggable("guest-client");
  const page = pageOf(await tellStory(siteOf(site), began, client.around));
  const { parts, story, press, type, stand } = page;
  parts.push(
    "## What it would do",
    "**@operator** types `/migrate plan bgp-to-l2`. Nothing is begun by that.",
  );
  parts.push(drawn(await story.type("operator", "migrate plan bgp-to-l2")));

  parts.push(
    "## Start",
    "**@operator** types `/migrate start bgp-to-l2`. It looks, plans, and stops before the first act.",
  );
  await story.type("operator", "migrate start bgp-to-l2");
  await stand(/step 5, .*: plan/);

  parts.push(
    "## One's own approval",
    "Both hold the role approver. Who asked is not a second person all the same.",
  );
  await press("operator", "Approve and run");

  parts.push("## First approval: layer 2 beside BGP");
  await press("approver", "Approve and run");
  await stand(/PROVEN: step 6/);

  parts.push(
    "## Second approval, and a halt: one address goes first",
    "The vantage behind the router loses its network just then. What cannot be seen is not proven, so the run stops before anything else loses BGP.",
  );
  client.plug.isIn = false;
  await press("approver", "Approve and run");
  await stand();
  parts.push("Somebody plugs it in again.");
  client.plug.isIn = true;
  const retry = story.message().actions.find(({ label }) => label.startsWith("Retry"))?.label ?? "";
  await press("operator", retry);
  await stand(/PROVEN: step 8/);
  parts.push("## Third approval: BGP is withdrawn while a probe from outside runs");
  await press("approver", "Approve and run");
  await stand(/step 9/);

  parts.push("## Fourth and fifth approval: what belongs to BGP");
  await press("approver", "Approve and run");
  await stand();
  await press("approver", "Approve and run");
  await stand();

  parts.push(
    "## A person's part, and the final verification",
    "**@operator** applies the Helm values, the speakers roll, and then:",
  );
  setBgpMode(story.twin, "native");
  await type("operator", 'migrate done --said "applied the values with the chart in use"');
  await stand(/PROVEN: step 17/);
  parts.push(drawn(await story.type("operator", `migrate history ${(await story.run()).id}`)));
  story.twin.stop();
  return parts;
}

async function back(): Promise<readonly string[]> {
  const page = pageOf(await tellStory(siteOf(site), began + 86_400_000));
  const { parts, story, type, stand } = page;
  parts.push(
    "## Another run, and all the way back",
    "The same site the next day, as if the first run had not been. **@operator** starts, **@approver** approves three times: layer 2 stands, one address went first, BGP is withdrawn.",
  );
  await story.type("operator", "migrate start bgp-to-l2");
  for (let approval = 1; approval <= 3; approval++) {
    await story.press("approver", "Approve and run");
    await story.wait();
  }
  story.thread();
  parts.push(drawn(story.message()));
  parts.push(
    "Going back needs no second person: it leads to what was there before, and the snapshot says what that was.",
  );
  await type("operator", "migrate rollback");
  await stand();
  const { ok } = story.twin.reach("guest-client", "10.4.11.1");
  parts.push(`A client behind the router ${ok ? "reaches" : "does not reach"} 10.4.11.1.`);
  story.twin.stop();
  return parts;
}

/** `docs/walkthrough.md`: one run with two people from plan to final verification, and another taken back. */
export async function walkthrough(): Promise<string> {
  const head = [
    "<!-- Made by npm run generate. Edit infra/walkthrough.ts instead. -->",
    "# Walkthrough: from BGP to layer 2 with two people",
    "What two people type, press and read while MetalLB moves from BGP to layer 2 on the model of a home lab with thirteen nodes (`npm start -- --scenario goldentooth-bgp-0.16`). Slack shows the same messages with buttons and tables; here they are as a terminal draws them. Times are the model's. How runs work in general: [migrations](migrations.md); who may do what: [rights](rights.md).",
  ];
  return `${[...head, ...(await there()), ...(await back())].join("\n\n")}\n`;
}
