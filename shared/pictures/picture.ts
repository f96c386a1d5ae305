/** A drawing that needs no font of the machine it is shown on once it is a PNG. */
export type Picture = Readonly<{
  title: string;
  /** Says in words all that the picture says; people who see no pictures read it instead. */
  alt: string;
  svg: string;
}>;

/** Makes a PNG of an SVG. Throws FaultError when it cannot: the message then goes without the picture. */
export type DrawPng = (svg: string) => Promise<Uint8Array>;
