import { type Fault, FaultError } from "../fault.ts";
import type { ReadLogs } from "../kubernetes/logs.ts";
import { pathOf } from "./kubernetes-path.ts";
import { type ApiAnswer, type KubernetesSession, readStatus } from "./kubernetes-session.ts";

function faultOf({ status, body, user }: ApiAnswer): Omit<Fault, "what"> {
  const said = readStatus(body)?.message ?? "";
  if (status === 401)
    return { kind: "denied", detail: `the cluster does not accept the credentials of ${user} (401)` };
  if (status === 403) return { kind: "denied", detail: said || `${user} may not read it (403)` };
  if (status === 404) return { kind: "not-configured", detail: said || "the server does not know it (404)" };
  const words = `the server answered ${status}${said === "" ? "" : `: ${said}`}`;
  return { kind: status === 429 || status >= 500 ? "refused" : "unreadable", detail: words };
}

/** Container logs through `pods/NAME/log`. */
export const readLogsThrough =
  (session: KubernetesSession): ReadLogs =>
  async ({ namespace, pod, container, tailLines, sinceSeconds }, signal) => {
    const what = `log of pod ${namespace}/${pod}`;
    const query = {
      tailLines: String(tailLines),
      ...(container === undefined ? {} : { container }),
      // The API takes whole seconds, and none below one.
      ...(sinceSeconds === undefined ? {} : { sinceSeconds: String(Math.max(1, Math.ceil(sinceSeconds))) }),
    };
    const answer = await session.during(signal, (call) =>
      call({ what, path: `${pathOf("pods", { namespace, name: pod })}/log`, query, accept: "*/*" }, signal),
    );
    if (answer.status !== 200) {
      const { kind, detail } = faultOf(answer);
      throw new FaultError({ kind, what, detail: answer.clean(detail) });
    }
    const lines = answer.body.split("\n");
    return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
  };
