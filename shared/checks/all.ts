import type { Check } from "./check.ts";
import { lanNic } from "./lan-nic.ts";
import { wiredAndWifi } from "./wired-and-wifi.ts";

/** Every check, in the order people read them: the likeliest cause of trouble first. */
export const checks: readonly Check[] = [wiredAndWifi, lanNic];
