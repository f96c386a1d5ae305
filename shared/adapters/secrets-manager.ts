import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import { FaultError } from "../fault.ts";
import { awsFault } from "./aws-fault.ts";
import type { AwsCredentials } from "./route53.ts";

export type SecretsOptions = Readonly<{
  region: string;
  /** Left out: what AWS_ENDPOINT_URL_SECRETS_MANAGER, AWS_ENDPOINT_URL or the region say. */
  endpoint?: string;
  /** Left out: the SDK's chain. */
  credentials?: AwsCredentials;
  /** Longest wait for one answer, milliseconds. */
  requestMs?: number;
}>;

/** Reads one secret by name or ARN, as text without blanks around it. Throws FaultError, which never has it in it. */
export async function readSecretText(options: SecretsOptions, id: string): Promise<string> {
  const client = new SecretsManagerClient({
    region: options.region,
    ...(options.endpoint !== undefined && { endpoint: options.endpoint }),
    ...(options.credentials && { credentials: options.credentials }),
    maxAttempts: 4,
    requestHandler: {
      connectionTimeout: 5_000,
      requestTimeout: options.requestMs ?? 10_000,
      throwOnRequestTimeout: true,
    },
  });
  const what = `secret ${id}`;
  try {
    const { SecretString } = await client.send(new GetSecretValueCommand({ SecretId: id }));
    const text = SecretString?.trim() ?? "";
    if (text === "") throw new FaultError({ kind: "not-configured", what, detail: "it is empty" });
    return text;
  } catch (error) {
    throw awsFault(error, what);
  } finally {
    client.destroy();
  }
}
