import { nodeTools } from "../probes/node-tools.ts";
import { code, join, text } from "../text.ts";
import { defineCheck, found, judged } from "./check.ts";

/** What to install for it on Debian and its kin. */
const packages: Readonly<Record<(typeof nodeTools)[number], string>> = {
  arping: "iputils-arping",
  tcpdump: "tcpdump",
  ip: "iproute2",
  timeout: "coreutils",
  nc: "netcat-openbsd",
};

/** Only a node that serves as a vantage needs these. */
const forVantages: readonly string[] = ["arping", "tcpdump"];

export const toolsMissing = defineCheck({
  id: "tools-missing",
  about: "node",
  title: "The programs that probes call are installed",
  codes: ["tools-missing"],
  page: {
    why: `What cannot be looked at stays unknown, and unknown stops a migration at its gates. Better to learn that a
program is missing on a quiet day than during an outage.`,
    looks: `Checks of this node read UNKNOWN with "not found". \`/arping\` cannot use the node as a vantage.`,
    fix: `Install the named packages, for instance \`apt install iputils-arping tcpdump netcat-openbsd\`. Either of
the two programs called arping will do. Nothing runs by itself afterwards; removing the packages is the way back.`,
  },
  common: "lack programs that probes call",
  needs: ["tools"],
  reads: [],
  judge: ({ node, tools }) => {
    const missing = nodeTools.filter((tool) => !tools.has(tool));
    if (missing.length === 0) return judged([]);
    return judged([
      found({
        code: "tools-missing",
        severity: missing.every((tool) => forVantages.includes(tool)) ? "info" : "warning",
        node,
        facts: { missing, packages: missing.map((tool) => packages[tool]) },
        text: text`not installed: ${join([...missing], ", ")}`,
        remedy: text`${code(`apt install ${missing.map((tool) => packages[tool]).join(" ")}`)}`,
      }),
    ]);
  },
});
