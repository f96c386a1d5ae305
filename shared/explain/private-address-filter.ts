import { negativeSoa } from "../dns/answer.ts";
import { isPrivateAddress } from "../dns/private-addresses.ts";
import { code, join, text } from "../text.ts";
import { type Diagnosis, no, unlooked } from "./diagnosis.ts";
import { agreed, answersOf, dataOf } from "./evidence.ts";

/** The site's resolver takes private addresses out of answers from outside (protection against DNS rebinding). */
export const privateAddressFilter: Diagnosis = {
  id: "private-address-filter",
  number: 12,
  sentence: "the site's resolver filters private addresses out of the answer",
  needs: ["P3", "P5", "P6"],
  judge: (evidence) => {
    const { authoritative, site, siteTxt } = evidence;
    const publicData = evidence.public.ok
      ? answersOf(evidence.public.value).flatMap((answer) => dataOf(answer, evidence.type))
      : [];
    const right = agreed(evidence) ?? publicData;
    if (right.length === 0) return unlooked(authoritative) ?? no;
    if (!right.some(isPrivateAddress)) return no;
    if (!site.ok) return unlooked(site) ?? no;
    const stripped = answersOf(site.value).filter((answer) => {
      if (answer.rcode !== "NOERROR") return false;
      const data = dataOf(answer, evidence.type);
      if (data.some((each) => each === "0.0.0.0" || each === "::")) return true;
      const kept = right.filter((each) => !isPrivateAddress(each));
      return (
        negativeSoa(answer) === undefined &&
        data.length === kept.length &&
        data.every((each) => kept.includes(each))
      );
    });
    const [first] = stripped;
    if (first === undefined) return no;
    const blocked = first.extendedErrors.includes(15) ? " and calls it blocked" : "";
    const because = text`${code(first.server)} answers NOERROR without ${join(right.filter(isPrivateAddress).map(code), ", ")} and without the SOA that a true "nothing there" carries${blocked}`;
    const remedy = text`exempt the domain on the resolver (dnsmasq ${code("rebind-domain-ok")}, OpenWrt ${code("rebind_domain")}, Unbound ${code("private-domain")})`;
    const contrast =
      siteTxt.ok &&
      answersOf(siteTxt.value).some(
        (answer) => answer.server === first.server && dataOf(answer, "TXT").length > 0,
      );
    return contrast
      ? { certainty: "certain", because: [...because, "; a TXT of the same zone comes through"], remedy }
      : {
          certainty: "possible",
          because,
          test: text`ask ${code(first.server)} for a TXT of the same zone: it comes through if only addresses are filtered`,
          remedy,
        };
  },
};
