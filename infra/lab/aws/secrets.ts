import type { AwsAnswer, AwsRequest } from "./answer.ts";

/** GetSecretValue of Secrets Manager, by name or by the ARN that ends in it. */
export function secretsAnswer(request: AwsRequest, secrets: Readonly<Record<string, string>>): AwsAnswer {
  const headers = { "content-type": "application/x-amz-json-1.1" };
  const { SecretId: id } = JSON.parse(request.body.toString("utf8")) as { SecretId?: string };
  const name = Object.keys(secrets).find((each) => id === each || id?.endsWith(`:secret:${each}`));
  return name === undefined
    ? {
        status: 400,
        headers,
        body: JSON.stringify({
          __type: "ResourceNotFoundException",
          message: "Secrets Manager can't find the specified secret.",
        }),
      }
    : { status: 200, headers, body: JSON.stringify({ Name: name, SecretString: secrets[name] }) };
}
