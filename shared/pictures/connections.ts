import { type Felt, feltText } from "../migration/clients.ts";
import type { Picture } from "./picture.ts";
import { clockOf, type Lane, secondsOf, timeLanes } from "./time-lanes.ts";

export type WatchedAddress = Readonly<{ ip: string; service: string; felt: Felt }>;

/** More lanes than this are not readable on a phone; the worst are drawn. */
const mostLanes = 8;

/** Times between the gaps: new connections opened there. */
function bars({ from, to, gaps }: Felt): Lane["bars"] {
  const out: { from: number; to: number }[] = [];
  let since = from;
  for (const gap of gaps) {
    if (gap.from > since) out.push({ from: since, to: gap.from });
    since = gap.to;
  }
  return since < to ? [...out, { from: since, to }] : out;
}

const longest = ({ gaps }: Felt): number => Math.max(0, ...gaps.map(({ ms }) => ms));

/** What a client that comes new felt at each address while something was done, longest gap first. */
export function connectionsPicture(
  cluster: string,
  title: string,
  verdict: string,
  watched: readonly [WatchedAddress, ...WatchedAddress[]],
): Picture {
  const worst = watched.toSorted((a, b) => longest(b.felt) - longest(a.felt));
  const drawn = worst.slice(0, mostLanes);
  const all = watched.map(({ felt }) => felt);
  const from = Math.min(...all.map((felt) => felt.from));
  const to = Math.max(...all.map((felt) => felt.to));
  const resolutionMs = Math.max(...all.map((felt) => felt.resolutionMs));
  const seconds = (ms: number): string => secondsOf(ms, resolutionMs);
  const left = worst.length - drawn.length;
  return {
    title: `${cluster}: connections during ${title}`,
    alt: `${[
      `${title}: ${verdict}. On ${cluster}, from ${clockOf(from)}, ${seconds(to - from)}, one sample each ${seconds(resolutionMs)}`,
      ...drawn.map(({ ip, service, felt }) => `${service} ${ip}: ${feltText(felt)}`),
      ...(left > 0 ? [`${left} more addresses, none with a longer gap`] : []),
    ].join(". ")}.`,
    svg: timeLanes({
      cluster,
      title,
      verdict,
      from,
      to,
      resolutionMs,
      lanes: drawn.map(({ ip, service, felt }) => ({
        name: `${service} ${ip}`,
        bars: bars(felt),
        gaps: felt.gaps,
        ticks: [],
      })),
      moments: [],
      legend: [
        ...drawn.flatMap(({ service, felt }) =>
          felt.gaps.map((gap) => ({
            words: `${service}: no new connection from ${seconds(gap.from - from)} for ${seconds(gap.ms)}, ± ${seconds(felt.resolutionMs)}${gap.open ? ", and still none" : ""}`,
            bad: true,
          })),
        ),
        ...(drawn.every(({ felt }) => felt.gaps.length === 0)
          ? [
              {
                words: `No connection failed. A gap shorter than ${seconds(resolutionMs)} would not be seen.`,
                bad: false,
              },
            ]
          : []),
        ...(left > 0 ? [{ words: `${left} more addresses, none with a longer gap`, bad: false }] : []),
      ],
    }),
  };
}
