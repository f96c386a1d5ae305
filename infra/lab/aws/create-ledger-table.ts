import { CreateTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { ledgerTable } from "#shared/ledger/dynamodb-table.ts";

/** Makes the ledger's table as infra/cdk does, except for what DynamoDB on a laptop does not know (TTL, backups). */
export async function createLedgerTable(
  options: Readonly<{ endpoint: string; region: string; table: string }>,
): Promise<void> {
  const client = new DynamoDBClient({
    region: options.region,
    endpoint: options.endpoint,
    credentials: { accessKeyId: "lab", secretAccessKey: "lab" },
  });
  const { partitionKey, sortKey } = ledgerTable;
  try {
    await client.send(
      new CreateTableCommand({
        TableName: options.table,
        BillingMode: "PAY_PER_REQUEST",
        KeySchema: [
          { AttributeName: partitionKey, KeyType: "HASH" },
          { AttributeName: sortKey, KeyType: "RANGE" },
        ],
        AttributeDefinitions: [
          { AttributeName: partitionKey, AttributeType: "S" },
          { AttributeName: sortKey, AttributeType: "S" },
        ],
      }),
    );
  } finally {
    client.destroy();
  }
}
