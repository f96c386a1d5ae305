type Id = Readonly<{ name: string; type: string; setIdentifier?: string | undefined }>;

/** Key of a record set within one zone; names are in their stored form. */
export const idKey = ({ name, type, setIdentifier }: Id): string => `${name} ${type} ${setIdentifier ?? ""}`;
