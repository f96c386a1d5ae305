/** A request as the services of the lab see it. */
export type AwsRequest = Readonly<{
  method: string;
  /** Still with its percent escapes. */
  path: string;
  query: URLSearchParams;
  headers: Readonly<Record<string, string | undefined>>;
  body: Buffer;
}>;

export type AwsAnswer =
  | Readonly<{
      status: number;
      headers?: Readonly<Record<string, string>>;
      body?: string | Buffer;
    }>
  /** The connection is cut: the caller never learns what was done. */
  | "no answer";
