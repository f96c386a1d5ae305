import type { Machine } from "../machine.ts";
import { arpingHabets } from "./arping-habets.ts";
import { arpingIputils } from "./arping-iputils.ts";
import { curl } from "./curl.ts";
import { dig } from "./dig.ts";
import { mkdir, mv, printf, rm, setsid, systemdRun, test, touch } from "./files.ts";
import { find } from "./find.ts";
import { grep } from "./grep.ts";
import { ip } from "./ip.ts";
import { nc } from "./nc.ts";
import { nmcli, rfkill, systemctl } from "./network-managers.ts";
import { ping } from "./ping.ts";
import type { Program } from "./program.ts";
import { sh } from "./sh.ts";
import { cat, hostname, printenv, succeed, sysctl, uname } from "./system.ts";
import { tcpdump } from "./tcpdump.ts";
import { sleep, sudo, timeout, which } from "./wrappers.ts";

const programs: Readonly<Record<string, Program>> = {
  cat,
  curl,
  dig,
  find,
  grep,
  hostname,
  ip,
  mkdir,
  mv,
  nc,
  nmcli,
  ping,
  printenv,
  printf,
  rfkill,
  rm,
  setsid,
  sh,
  sleep,
  sudo,
  sysctl,
  systemctl,
  "systemd-run": systemdRun,
  tcpdump,
  test,
  timeout,
  touch,
  true: succeed,
  uname,
  which,
};

/** The program a name stands for on a machine, undefined when it is not installed there. */
export function programNamed(machine: Machine, name: string): Program | undefined {
  const base = name.slice(name.lastIndexOf("/") + 1);
  if (machine.missingTools.has(base)) return undefined;
  if (base === "arping") return machine.arping === "habets" ? arpingHabets : arpingIputils;
  return Object.hasOwn(programs, base) ? programs[base] : undefined;
}
