import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  foldStanding,
  messageId,
  nextDue,
  noStanding,
  noteCalled,
  theMessage,
  threadOf,
} from "#shared/board/standing.ts";
import type { Json } from "#shared/json.ts";
import type { LedgerEvent, NewEvent } from "#shared/ledger/ledger.ts";

const key = "run/R-17";
const reply = (said: string): Json => ({
  verdict: { word: "OK", outcome: "ok", text: [said] },
  findings: [],
  blocks: [],
  actions: [],
});
const put = (said: string, place?: Json): NewEvent => ({
  type: "put",
  data: { reply: reply(said), ...(place === undefined ? {} : { place }) },
});
const note = (id: string, files: Json = [], from = id): NewEvent => ({
  type: "note",
  data: { id, from, reply: reply(id), files },
});
const about = (type: string, what: string, more: Record<string, Json> = {}): NewEvent => ({
  type,
  data: { what, ...more },
});
const posted = (what: string, ts: string, more: Record<string, Json> = {}): NewEvent =>
  about("posted", what, { channel: "C1", ts, ...more });

const stream = (events: readonly NewEvent[]): LedgerEvent[] =>
  events.map((event, i) => ({ stream: `board/${key}`, version: i + 1, at: 1_000 * (i + 1), ...event }));
const fold = (...events: readonly NewEvent[]) => foldStanding(noStanding(key), stream(events));

describe("what is due", () => {
  test.each([
    ["nothing without a wish", [note("a")], true, "nothing"],
    ["the message first", [note("a"), put("1")], true, "post"],
    ["its notes once it stands", [put("1"), posted(theMessage, "5", { shows: 1 }), note("a")], true, "note"],
    [
      "an edit when a newer wish came",
      [put("1"), posted(theMessage, "5", { shows: 1 }), put("2")],
      true,
      "edit",
    ],
    [
      "an edit before notes",
      [put("1"), posted(theMessage, "5", { shows: 1 }), put("2"), note("a")],
      true,
      "edit",
    ],
    [
      "notes while the last edit is young",
      [put("1"), posted(theMessage, "5", { shows: 1 }), put("2"), note("a")],
      false,
      "note",
    ],
    [
      "an edit all the same when nothing else is",
      [put("1"), posted(theMessage, "5", { shows: 1 }), put("2")],
      false,
      "edit",
    ],
    ["nothing once it is shown", [put("1"), posted(theMessage, "5", { shows: 1 })], true, "nothing"],
    [
      "an edit of one that was found again",
      [put("1"), about("intended", theMessage), posted(theMessage, "5", { shows: 0 })],
      true,
      "edit",
    ],
    [
      "the files of a note that is posted",
      [put("1"), posted(theMessage, "5", { shows: 1 }), note("a"), posted(noteCalled("a"), "6")],
      true,
      "attach",
    ],
    [
      "nothing once a note is closed",
      [
        put("1"),
        posted(theMessage, "5", { shows: 1 }),
        note("a"),
        posted(noteCalled("a"), "6"),
        about("closed", noteCalled("a")),
      ],
      true,
      "nothing",
    ],
    [
      "the message anew when it was lost",
      [
        put("1"),
        posted(theMessage, "5", { shows: 1 }),
        { type: "lost", data: { error: "message_not_found" } },
      ],
      true,
      "post",
    ],
    [
      "the message elsewhere when its channel closed",
      [put("1"), posted(theMessage, "5", { shows: 1 }), { type: "moved", data: { to: "C2", from: "C1" } }],
      true,
      "post",
    ],
  ] as const)("%s", (_, events, mayEdit, wanted) => {
    expect(nextDue(fold(...events), mayEdit).do).toBe(wanted);
  });
});

describe("the fold", () => {
  test("keeps the first place, the latest wish, and the first posting", () => {
    const state = fold(
      put("1", { channel: "C9" }),
      put("2", { channel: "C8" }),
      posted(theMessage, "5", { shows: 2 }),
      posted(theMessage, "6"),
    );
    expect(state).toMatchObject({
      place: { channel: "C9" },
      put: { version: 2, reply: reply("2") },
      message: { posted: { ts: "5" } },
      shown: { version: 2, at: 3_000 },
    });
  });

  test("knows what may have arrived, since when, and what may be there twice", () => {
    expect(fold(put("1"), about("intended", theMessage)).message).toEqual({
      intendedAt: 2_000,
      mayRepeat: false,
    });
    expect(fold(put("1"), about("intended", theMessage), about("unsent", theMessage)).message).toEqual({
      mayRepeat: false,
    });
    expect(
      fold(put("1"), about("intended", theMessage), about("unsure", theMessage), posted(theMessage, "5"))
        .message,
    ).toEqual({
      mayRepeat: true,
      posted: { channel: "C1", ts: "5" },
    });
  });

  test("finds the thread of a message that stands in one, and another name after each loss", () => {
    const state = fold(put("1"), posted(theMessage, "5", { thread: "4" }));
    expect(threadOf(state)).toEqual({ channel: "C1", thread: "4" });
    expect(threadOf(fold(put("1")))).toBeUndefined();
    expect(messageId(state)).toBe("board/run/R-17");
    expect(messageId(fold(put("1"), { type: "lost", data: { error: "message_not_found" } }))).toBe(
      "board/run/R-17#2",
    );
  });

  test("puts files together from their pieces; those of a writing that was cut off do not mix in", () => {
    const part = (from: string, nth: number, data: string): NewEvent => ({
      type: "part",
      data: { from, nth, data },
    });
    const state = fold(
      part("first", 0, "half of it, then a ki"),
      part("second", 0, "--- a\n"),
      part("second", 0, "+++ b\n"),
      part("second", 1, "iVBORw=="),
      note(
        "n",
        [
          { name: "a.patch", form: "text" },
          { name: "a.png", form: "base64" },
        ],
        "second",
      ),
      note("n", [{ name: "again.patch", form: "text" }], "third"),
    );
    expect(state.notes).toHaveLength(1);
    expect(state.notes[0]?.files).toEqual([
      { name: "a.patch", text: "--- a\n+++ b\n" },
      { name: "a.png", text: new Uint8Array([137, 80, 78, 71]) },
    ]);
  });

  test("skips what it cannot read", () => {
    const state = fold(
      put("1"),
      { type: "put", data: { reply: 1 } },
      { type: "posted", data: null },
      { type: "later", data: {} },
    );
    expect(state).toMatchObject({ version: 4, put: { version: 1 } });
    expect(state.message.posted).toBeUndefined();
  });

  test("is the same however the stream is cut", () => {
    const event = fc.constantFrom<NewEvent>(
      put("1"),
      put("2", { channel: "C9" }),
      note("a", [{ name: "f", form: "text" }], "w"),
      note("b"),
      { type: "part", data: { from: "w", nth: 0, data: "x" } },
      about("intended", theMessage),
      about("unsent", theMessage),
      about("unsure", theMessage),
      posted(theMessage, "5", { shows: 1 }),
      about("intended", noteCalled("a")),
      posted(noteCalled("a"), "6"),
      about("uploading", noteCalled("a")),
      about("uploaded", noteCalled("a")),
      about("closed", noteCalled("a")),
      { type: "shown", data: { version: 2 } },
      { type: "lost", data: { error: "message_not_found" } },
      { type: "moved", data: { to: "C2", from: "C1" } },
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), fc.nat(30), (events, at) => {
        const all = stream(events);
        const cut = foldStanding(foldStanding(noStanding(key), all.slice(0, at)), all.slice(at));
        expect(cut).toEqual(foldStanding(noStanding(key), all));
      }),
    );
  });
});
