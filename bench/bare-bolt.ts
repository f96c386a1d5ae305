import bolt from "@slack/bolt";

/** The least a Bolt app can do: verify the signature and acknowledge. What the product's answers are measured against. */
const app = new bolt.App({
  signingSecret: process.env.SLACK_SIGNING_SECRET as string,
  token: process.env.SLACK_BOT_TOKEN as string,
  botId: "B0BARE",
  botUserId: "U0BARE",
  convoStore: false as never,
  clientOptions: { slackApiUrl: process.env.SLACK_API_URL as string },
});
app.command(/.*/, async ({ ack }) => {
  await ack("ok");
});
await app.start({ port: Number(process.env.PORT), host: "127.0.0.1" });
process.stdout.write("ready\n");
