import { CfnElement, type Stack, Validations } from "aws-cdk-lib";
import type { IConstruct } from "constructs";

type Acknowledged = Readonly<{ where: IConstruct; rule: string; finding?: string; reason: string }>;

const logicalId = (stack: Stack, construct: IConstruct): string => {
  const element = construct.node.defaultChild;
  if (!CfnElement.isCfnElement(element)) throw new Error(`${construct.node.path} has no resource of its own`);
  return stack.resolve(stack.getLogicalId(element)) as string;
};

/** Findings of cdk-nag that stand, one by one, each with its reason; a new finding is in none of them. */
export function acknowledgeFindings(
  stack: Stack,
  at: Readonly<{
    snapshots: IConstruct;
    secrets: readonly IConstruct[];
    /** Who reads snapshots, or writes them: all of them, and nothing else in the bucket. */
    readSnapshots: readonly IConstruct[];
    applyRole: IConstruct;
    scanRole: IConstruct;
    scheduleQueue: IConstruct;
    scan: IConstruct;
  }>,
): void {
  const snapshotObjects = `[Resource::<${logicalId(stack, at.snapshots)}.Arn>/snapshots/*]`;
  const all: readonly Acknowledged[] = [
    ...at.secrets.map((where) => ({
      where,
      rule: "AwsSolutions-SMG4",
      reason:
        "Slack and ExternalDNS issue these values, not AWS: a rotation function could make none that they accept. They are changed by hand.",
    })),
    ...at.readSnapshots.map((where) => ({
      where,
      rule: "AwsSolutions-IAM5",
      finding: snapshotObjects,
      reason:
        "A snapshot is named after the hash of its content, which nobody knows before; the folder is all it opens.",
    })),
    {
      where: at.scanRole,
      rule: "AwsSolutions-IAM5",
      finding: "[Resource::*]",
      reason:
        "ListHostedZones tells names and ids of zones, no records, and takes no resource; ExternalDNS puts a name into the longest of all zones, so a scan has to know them.",
    },
    {
      where: at.applyRole,
      rule: "AwsSolutions-IAM5",
      finding: "[Resource::arn:<AWS::Partition>:route53:::change/*]",
      reason:
        "GetChange tells the state of a change, PENDING or INSYNC, whose id Route 53 makes up; it tells no records.",
    },
    {
      where: at.scheduleQueue,
      rule: "AwsSolutions-SQS3",
      reason:
        "It is the dead-letter queue of the schedule; the rule only knows those of queues and functions.",
    },
    {
      // The role that CDK makes for targets of schedules, one for the stack.
      where: stack,
      rule: "AwsSolutions-IAM5",
      finding: `[Resource::<${logicalId(stack, at.scan)}.Arn>:*]`,
      reason: "CDK lets the schedule invoke every version of scan-drift, a function that only looks.",
    },
  ];
  for (const { where, rule, finding = "", reason } of all)
    Validations.of(where).acknowledge({ id: `AwsSolutions::${rule}${finding}`, reason });
}
