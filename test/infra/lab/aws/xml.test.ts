import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { child, type Element, type Node, readXml, textOf, writeXml } from "#infra/lab/aws/xml.ts";

const name = fc.stringMatching(/^[A-Z][A-Za-z]{0,8}$/);
const text = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
  .filter((each) => each.isWellFormed() && !/[\0-\x08\x0b\x0c\x0e-\x1f]/.test(each));

const { node } = fc.letrec<{ node: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.tuple(name, text),
    fc.tuple(name, fc.array(tie("node"), { maxLength: 3 })),
  ) as fc.Arbitrary<Node>,
}));

const asRead = ([named, content]: Node): Element =>
  typeof content === "object"
    ? { name: named, text: "", children: content.map(asRead) }
    : { name: named, text: String(content), children: [] };

describe("XML of the lab", () => {
  it("is read as it was written", () => {
    fc.assert(
      fc.property(fc.array(node, { maxLength: 4 }), (content) => {
        const read = readXml(writeXml("Root", "urn:x", content));
        expect(read).toMatchObject({ name: "Root", children: content.map(asRead) });
      }),
    );
  });

  it("is read as clients write it", () => {
    const read = readXml(
      '<?xml version="1.0"?>\n<A xmlns="urn:x"><!-- c --><B/><C a="1">x &amp; &#233;<![CDATA[<y>]]></C></A>',
    );
    expect(textOf(read, "C")).toBe("x & é<y>");
    expect(child(read, "B")).toEqual({ name: "B", text: "", children: [] });
    expect(child(read, "D")).toBeUndefined();
  });

  it.each(["", "text", "<a>", "</a>", "<a></b>", "<a/><b/>", "<a>&lt;", "<a"])("refuses %j", (document) => {
    expect(readXml(document)).toBeUndefined();
  });

  it("leaves out what is not there", () => {
    expect(
      writeXml("R", "u", [
        ["A", undefined],
        ["B", false],
        ["C", 0],
      ]),
    ).toContain("<B>false</B><C>0</C></R>");
  });
});
