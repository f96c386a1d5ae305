// One of two processes that race for every version of one stream. Arguments: file, own name, events to win.
import { openSqliteLedger } from "#shared/adapters/ledger-sqlite.ts";

const [file = "", name = "", wanted = "0"] = process.argv.slice(2);
const ledger = await openSqliteLedger({ file, now: Date.now });
const won: number[] = [];
let version = 0;
while (won.length < Number(wanted)) {
  const appended = await ledger.append("run/race", version, { type: "won", data: { name, nth: won.length } });
  if (appended.ok) won.push(appended.version);
  version = appended.version;
}
await ledger.close();
process.stdout.write(JSON.stringify(won));
