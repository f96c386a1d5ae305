import type { Attachment, Board } from "#shared/board/board.ts";
import type { Reply } from "#shared/reply.ts";

/** What a console shows of a thing: its standing message, or something added below it. */
export type BoardNews =
  | Readonly<{ kind: "message"; key: string; reply: Reply; before: Reply | undefined }>
  | Readonly<{ kind: "note"; key: string; reply: Reply; files: readonly Attachment[] }>;

export type ConsoleBoard = Board &
  Readonly<{
    /** Takes what came before there was anybody to show it to, and everything after. */
    watch: (hear: (news: BoardNews) => void) => void;
  }>;

/** A board for one terminal: nothing is kept beyond the process, because the screen is the channel. */
export function createConsoleBoard(): ConsoleBoard {
  const latest = new Map<string, Reply>();
  const noted = new Set<string>();
  const early: BoardNews[] = [];
  let hear = (news: BoardNews): void => void early.push(news);

  return {
    notesAre: "on this screen",
    put: async (key, reply) => {
      const before = latest.get(key);
      latest.set(key, reply);
      hear({ kind: "message", key, reply, before });
    },
    note: async (key, id, reply, files = []) => {
      const name = `${key}\n${id}`;
      if (noted.has(name)) return;
      noted.add(name);
      hear({ kind: "note", key, reply, files });
    },
    keyOf: async () => undefined,
    watch: (next) => {
      hear = next;
      for (const news of early.splice(0)) next(news);
    },
  };
}

/**
 * Only what tells how far the thing is; the rest is asked for (`/migrate status`) or comes as a note. How far a step is
 * that is still at work changes too often for lines that stay.
 */
export const compact = (reply: Reply): Reply => ({
  ...reply,
  findings: [],
  blocks: reply.blocks.flatMap((block) =>
    block.kind === "steps"
      ? [
          {
            kind: "steps" as const,
            steps: block.steps.map(({ note, ...step }) =>
              step.state === "running" || note === undefined ? step : { ...step, note },
            ),
          },
        ]
      : [],
  ),
});

/** Blocks and findings that were not in the message before. */
const fresh = (reply: Reply, before: Reply): Pick<Reply, "blocks" | "findings"> => {
  const known = new Set([...before.blocks, ...before.findings].map((each) => JSON.stringify(each)));
  const isNew = (each: unknown): boolean => !known.has(JSON.stringify(each));
  return { blocks: reply.blocks.filter(isNew), findings: reply.findings.filter(isNew) };
};

/**
 * What the screen shows of a standing message. Nobody approves a plan for a zone that was not on the screen, and a
 * report says which records it is about: both come whole the first time, and later with what is new in them. What is
 * new in a report's table comes as a note.
 */
export function onScreen(key: string, reply: Reply, before: Reply | undefined): Reply {
  if (!/^(plan|drift)\//.test(key) || reply.verdict.outcome === "running") return compact(reply);
  if (before === undefined) return reply;
  const { blocks, findings } = fresh(reply, before);
  const kept = key.startsWith("plan/") ? blocks : blocks.filter(({ kind }) => kind === "prose");
  return { ...reply, findings, blocks: kept };
}

/** Wrapped lines with what they belong to: the verdict, a paragraph, a step. */
function parts(lines: readonly string[]): readonly string[] {
  const found: string[] = [];
  lines.forEach((line, i) => {
    const before = lines[i - 1] ?? "";
    const isHanging = found.length === 1 ? /^ {2}\S/.test(line) : /^ {11,}\S/.test(line);
    const isProse = found.length > 1 && /^\S/.test(line) && /^\S/.test(before);
    if (i > 0 && line.trim() !== "" && before.trim() !== "" && (isHanging || isProse))
      found.push(`${found.pop() ?? ""}\n${line}`);
    else found.push(line);
  });
  return found;
}

/**
 * The lines of a message that changed, in their order: its verdict always, then what was not there before. A state
 * that is no passing one comes whole, so that whoever looks up sees all of it.
 */
export function changedLines(
  lines: readonly string[],
  before: readonly string[] | undefined,
  isPassing: boolean,
): readonly string[] {
  if (before === undefined || !isPassing) return before?.join("\n") === lines.join("\n") ? [] : lines;
  const old = new Set(parts(before));
  const [verdict = "", ...others] = parts(lines);
  const fresh = others.filter((part) => part.trim() !== "" && !old.has(part));
  return fresh.length === 0 && old.has(verdict)
    ? []
    : [verdict, ...fresh].flatMap((part) => part.split("\n"));
}
