/** What tells one record set of a zone from every other. */
export type RecordId = Readonly<{ name: string; type: string; setIdentifier?: string | undefined }>;

/** Key of a record set within one zone; names are in their stored form. */
export const idKey = ({ name, type, setIdentifier }: RecordId): string =>
  `${name} ${type} ${setIdentifier ?? ""}`;
