import { checks } from "../checks/all.ts";
import { FaultError } from "../fault.ts";
import { type Finding, isFailure } from "../finding.ts";
import type { Json } from "../json.ts";
import { predictionFindings } from "../metallb/prediction-findings.ts";
import { accepting } from "../migration/accepted.ts";
import { servedAddresses } from "../migration/addresses.ts";
import { clientVantage, opensNow } from "../migration/clients.ts";
import { configurationErrors } from "../migration/configuration-state.ts";
import { couldNotLook, defineStep, finding, verified } from "../migration/define-step.ts";
import { inputsOf } from "../migration/inputs.ts";
import { viewMetalLb } from "../migration/metallb-view.ts";
import { seeRouter } from "../migration/router-seen.ts";
import { runChecks } from "../migration/run-checks.ts";
import { announcersSeen, lookOnTheWire } from "../migration/wire.ts";
import { nameList } from "../name-list.ts";
import { code, text } from "../text.ts";
import { noDeeds, type StepContext } from "./step.ts";
import { surveyed } from "./survey.ts";

async function clients(context: StepContext, findings: Finding[]): Promise<Json> {
  const vantage = clientVantage(context.ports.config);
  const view = await viewMetalLb(context);
  if (vantage === undefined) {
    findings.push(
      finding(
        "no-vantage-behind-router",
        "unknown",
        { kind: "cluster", name: context.run.cluster },
        text`no vantage behind the router is configured: whether clients there are served is not known`,
      ),
    );
    return null;
  }
  const opened: string[] = [];
  for (const { ip, port, service } of servedAddresses(view)) {
    if (port === undefined) continue;
    try {
      if (await opensNow(context.ports, vantage.name, { ip, port }, context.signal)) opened.push(ip);
      else
        findings.push(
          finding(
            "address-lost",
            "error",
            { kind: "address", name: ip },
            text`${ip} (${service}) opens no connection from ${vantage.name} behind the router`,
          ),
        );
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      findings.push(couldNotLook(error.fault, { kind: "vantage", name: vantage.name }));
    }
  }
  return opened;
}

const leftText = (titles: readonly string[]): string =>
  titles.length === 0 ? "nothing of BGP is left" : `of BGP there still is, as accepted: ${nameList(titles)}`;

export const finalVerification = defineStep({
  id: "final-verification",
  kind: "check",
  title: "Final verification",
  proof: text`that nothing the migration could have left behind is open`,
  reversibleWhile: text`nothing is changed`,
  ready: async () => [],
  plan: async () => ({
    ...noDeeds,
    prediction: [
      text`every check passes, every address answers on the wire and behind the router, and nothing of BGP is left`,
    ],
    predicted: null,
  }),
  verify: async (context) => {
    const view = await viewMetalLb(context);
    const checked = await runChecks(context, checks);
    const wire = await lookOnTheWire(context);
    const router = await seeRouter(
      context,
      view,
      announcersSeen(wire.results),
      view.own.bgp.length === 0,
    ).catch((error: unknown) => {
      if (!(error instanceof FaultError)) throw error;
      return {
        judgement: { kind: "unseen" as const, because: error.fault.detail },
        findings: [],
        blocks: [],
        paths: [],
      };
    });
    const left = surveyed(view).filter(
      ({ kind }) => kind !== "ipaddresspools" && kind !== "l2advertisements",
    );
    const findings: Finding[] = [
      ...checked.findings,
      ...wire.findings,
      ...router.findings,
      ...configurationErrors(view),
      ...predictionFindings(view.prediction).filter(isFailure),
      ...left.map(({ title }) =>
        finding("bgp-left", "warning", { kind: "config", name: title }, text`${title} is still there`, {
          remedy: text`Remove it by a run of ${code("bgp-to-l2")} that leaves out none of its steps, or accept it: ${code("--accept bgp-left")}`,
        }),
      ),
    ];
    const opened = await clients(context, findings);
    const { judgement } = router;
    if (judgement.kind === "open" || judgement.kind === "unseen")
      findings.push(
        finding(
          "router-not-seen",
          "info",
          { kind: "config", name: "router" },
          text`what the router does was said, not seen: ${judgement.because}`,
        ),
      );
    const told = accepting(inputsOf(context.run.inputs).accept, findings);
    const open = told.filter(isFailure);
    const unseen = told.filter(({ severity }) => severity === "unknown");
    const notes: Json = {
      checks: checked.passed,
      addresses: wire.results.length,
      opened,
      left: left.map(({ title }) => title),
      router: judgement.kind,
      open: open.map((each) => `${each.code} ${each.subject.name}`),
    };
    const more = {
      findings: told,
      results: checked.results,
      blocks: [...wire.blocks, ...router.blocks],
      notes,
    };
    if (open.length > 0)
      return verified(
        "failed",
        text`${open.length} ${open.length === 1 ? "finding is" : "findings are"} open: ${[...new Set(open.map((each) => each.code))].slice(0, 5).join(", ")}`,
        more,
      );
    if (unseen.length > 0)
      return verified("unknown", text`${unseen.length} things could not be looked at`, more);
    return verified(
      "passed",
      text`${checked.passed} checks passed, ${wire.results.length} addresses answer on the wire, ${leftText(left.map(({ title }) => title))}${judgement.kind === "on-link" ? "" : "; the router was not seen"}`,
      more,
    );
  },
});
