import { writeFile } from "node:fs/promises";
import { stringify } from "yaml";

/** Writes a kubeconfig with one context, named after the cluster, that only its owner may read. */
export async function writeKubeconfig({
  url,
  caPem,
  token,
  cluster,
  file,
}: Readonly<{ url: string; caPem: string; token: string; cluster: string; file: string }>): Promise<void> {
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [
      {
        name: cluster,
        cluster: { server: url, "certificate-authority-data": Buffer.from(caPem).toString("base64") },
      },
    ],
    users: [{ name: cluster, user: { token } }],
    contexts: [{ name: cluster, context: { cluster, user: cluster } }],
    "current-context": cluster,
  };
  await writeFile(file, stringify(config), { mode: 0o600 });
}
