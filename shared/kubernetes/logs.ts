/** Which lines of which container. */
export type LogRequest = Readonly<{
  namespace: string;
  pod: string;
  /** Left out: the pod's only container; a pod with several is then refused by the API. */
  container?: string;
  /** At most this many of the newest lines. */
  tailLines: number;
  sinceSeconds?: number;
}>;

/** Lines as the container wrote them, oldest first, without the API's own timestamps. Throws FaultError. */
export type ReadLogs = (request: LogRequest, signal?: AbortSignal) => Promise<readonly string[]>;
