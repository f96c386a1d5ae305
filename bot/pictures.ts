import { FaultError } from "#shared/fault.ts";
import type { Diagnosis } from "#shared/incidents/diagnosis.ts";
import { conclusionHead } from "#shared/incidents/incident-reply.ts";
import { pathPicture } from "#shared/pictures/path.ts";
import type { DrawPng, Picture } from "#shared/pictures/picture.ts";
import type { Reply } from "#shared/reply.ts";
import { plain } from "#shared/text.ts";

/** The answer with a picture of it below, where pictures can be drawn; a picture that failed is said, and nothing else is lost. */
export async function withPicture(
  draw: DrawPng | undefined,
  reply: Reply,
  picture: () => Picture,
): Promise<Reply> {
  if (draw === undefined) return reply;
  const { title, alt, svg } = picture();
  try {
    const png = await draw(svg);
    return { ...reply, blocks: [...reply.blocks, { kind: "image", title, alt, png }] };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    const said = `${title} could not be drawn (${error.fault.detail}). In words: ${alt}`;
    return { ...reply, blocks: [...reply.blocks, { kind: "prose", text: [said] }] };
  }
}

/** A path of one link is no picture. */
const fewestLinks = 2;

/** An answer about a diagnosis with the path drawn below it. */
export const withPathPicture = (
  draw: DrawPng | undefined,
  reply: Reply,
  diagnosis: Diagnosis,
  cluster: string,
): Promise<Reply> =>
  diagnosis.links.length < fewestLinks
    ? Promise.resolve(reply)
    : withPicture(draw, reply, () =>
        pathPicture(
          diagnosis,
          `${reply.verdict.word}: ${plain(conclusionHead(diagnosis.conclusion).text)}`,
          cluster,
        ),
      );

/** Puts a picture where people can open it, and says where that is. Throws FaultError. */
export type SavePicture = (name: string, png: Uint8Array) => Promise<string>;

/** File systems take names of 255 bytes; a DNS name alone may have 253. */
const longestName = 200;

const slug = (title: string): string =>
  title
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, "-")
    .slice(0, longestName)
    .replaceAll(/^-|-$/g, "");

/** For a terminal, which shows no pictures: each becomes a file, and its block names it. */
export async function keepPictures(save: SavePicture | undefined, reply: Reply): Promise<Reply> {
  if (save === undefined || reply.blocks.every(({ kind }) => kind !== "image")) return reply;
  const blocks = await Promise.all(
    reply.blocks.map(async (block) => {
      if (block.kind !== "image") return block;
      try {
        return { ...block, file: await save(`${slug(block.title)}.png`, block.png) };
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        return { ...block, alt: `${block.alt} (not saved: ${error.fault.detail})` };
      }
    }),
  );
  return { ...reply, blocks };
}
