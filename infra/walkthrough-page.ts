import { drawn } from "./lab/slack/drawing.ts";
import type { Message } from "./lab/slack/message.ts";
import type { SlackStory, Who } from "./lab/slack-story.ts";

const columns = 96;
const fence = (text: string): string => `\`\`\`\n${text.trimEnd()}\n\`\`\``;

/** Told by the run's message too, or only where a file is. */
const passedOver = /^(• (PLAN|WAITS|APPROVED|FILE) |[✗?] STOPPED |\[file: )/;

export type Excerpt = Readonly<{
  /** Whose first line is so. */
  of: RegExp;
  /** Of its blocks those that hold this, each with the table it is the title of; all when left out. */
  part?: RegExp;
  /** Most rows of a table. */
  rows?: number;
}>;

export type Page = Readonly<{
  parts: readonly string[];
  say: (...paragraphs: readonly string[]) => void;
  /** Somebody acts in Slack. `then` is put behind the sentence that says so. */
  types: (who: Who, words: string, then?: string) => Promise<void>;
  mentions: (who: Who, words: string, then?: string) => Promise<void>;
  presses: (who: Who, label: string, then?: string) => Promise<void>;
  /** The run's message as it stands: with every step, or without. */
  message: (cards: "with-steps" | "without-steps") => void;
  /** What came into the thread since the last time, a line each; of some a part, in the order they came. */
  thread: (...excerpts: readonly Excerpt[]) => void;
  /** What somebody was told beside the run's message since the last time, up to a line when one is given. */
  told: (until?: RegExp) => void;
  /** A file of the thread, whole. */
  file: (name: RegExp) => void;
  /** The run's message as somebody sees it who has not looked since. */
  keepOldView: () => void;
  pressesOldView: (who: Who, label: string) => Promise<void>;
}>;

export function pageOf(story: SlackStory): Page {
  const parts: string[] = [];
  let old: Message | undefined;
  const draw = (text: string, rows: number, cards: boolean): string =>
    fence(drawn(text, { columns, rows, cards }));
  const firstLine = (message: Message): string => story.read(message).split("\n")[0] ?? "";
  const did = async (sentence: string, then: string | undefined, doing: Promise<void>): Promise<void> => {
    parts.push(then === undefined ? sentence : `${sentence} ${then}`);
    await doing;
  };
  const excerptOf = (message: Message, { part, rows = 4 }: Excerpt): string => {
    const texts = message.blocks.map((block) => story.read({ ...message, blocks: [block], files: [] }));
    const isAsked = (i: number): boolean => part === undefined || part.test(texts[i] ?? "");
    const blocks = message.blocks.filter(
      (_, i) => i === 0 || isAsked(i) || (isAsked(i - 1) && / \| /.test(texts[i] ?? "")),
    );
    return draw(story.read({ ...message, blocks, files: [] }), rows, true);
  };
  return {
    parts,
    say: (...paragraphs) => void parts.push(...paragraphs),
    types: (who, words, then) => did(`**@${who}** types \`/${words}\`.`, then, story.type(who, words)),
    mentions: (who, words, then) =>
      did(`**@${who}** writes \`@arpeggio ${words}\` into the thread.`, then, story.mention(who, words)),
    presses: (who, label, then) => did(`**@${who}** presses **${label}**.`, then, story.press(who, label)),
    message: (cards) => {
      parts.push(draw(story.read(story.message()), 4, cards === "with-steps"));
    },
    thread: (...excerpts) => {
      const news = story.thread();
      const whole = new Map<Message, Excerpt>();
      for (const excerpt of excerpts) {
        const found = news.findLast((message) => excerpt.of.test(firstLine(message)));
        if (found === undefined)
          throw new Error(`nothing like ${excerpt.of} in the thread:\n${news.map(firstLine).join("\n")}`);
        whole.set(found, excerpt);
      }
      let lines: string[] = [];
      const flush = (): void => {
        if (lines.length > 0) parts.push(lines.join("\n"));
        lines = [];
      };
      for (const message of news) {
        const line = firstLine(message);
        const excerpt = whole.get(message);
        if (excerpt !== undefined) {
          flush();
          parts.push(excerptOf(message, excerpt));
        } else if (!passedOver.test(line) && !excerpts.some(({ of }) => of.test(line))) {
          const item = `- ${line.replace(/^[•✓✗?] /, "")}`;
          if (!lines.includes(item)) lines.push(item);
        }
      }
      flush();
    },
    told: (until) => {
      const news = story.said().filter((message) => !/^(…|• WAITS)/.test(firstLine(message)));
      if (news.length === 0) throw new Error("nobody was told anything");
      for (const message of news) {
        const lines = story.read(message).split("\n");
        const end = until === undefined ? -1 : lines.findIndex((line) => until.test(line));
        parts.push(draw((end < 0 ? lines : lines.slice(0, end)).join("\n"), 4, true));
      }
    },
    file: (name) => {
      const found = story.workspace.files().findLast((each) => name.test(each.name));
      if (found?.bytes === undefined) throw new Error(`no file like ${name} in Slack`);
      parts.push(`\`\`\`diff\n${new TextDecoder().decode(found.bytes).trimEnd()}\n\`\`\``);
    },
    keepOldView: () => {
      old = story.message();
    },
    pressesOldView: (who, label) => story.press(who, label, old),
  };
}
