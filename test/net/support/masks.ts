/** What two runs of the same command never have in common, and nothing else. */
export type Mask = Readonly<{ about: string; pattern: RegExp; instead: string }>;

/**
 * Everything that is not compared, each with its reason. What is masked keeps its place and its form: a time that is
 * missing, or that is printed in another unit of another form, still differs.
 */
export const masks: readonly Mask[] = [
  {
    about: "round trip of one answer, iputils: how long it took",
    pattern: /(?<= {2})\d+\.\d{3}ms$/gm,
    instead: "<time>",
  },
  {
    about: "round trip of one answer, Habets: its unit follows from how long it took",
    pattern: /(?<=time=)\d+\.\d{3} (?:usec|msec|sec)$/gm,
    instead: "<time>",
  },
  {
    about: "round trips summed up, Habets",
    pattern: /(?<=^rtt min\/avg\/max\/std-dev = )(?:\d+\.\d{3}\/){3}\d+\.\d{3}(?= ms$)/gm,
    instead: "<times>",
  },
  {
    about: "when tcpdump saw a frame, by the clock of its machine",
    pattern: /^\d{10}\.\d{6}(?= )/gm,
    instead: "<when>",
  },
  {
    about: "id of the user who asks for a route: given out when the account was made; root stays 0",
    pattern: /(?<="uid":)[1-9]\d*/g,
    instead: '"<user>"',
  },
  {
    about: "host keys are made anew for each run",
    pattern: /(?<=SHA256:)[A-Za-z0-9+/]{43}/g,
    instead: "<fingerprint>",
  },
  {
    about: "directory of the run that holds its known_hosts",
    pattern: /\/\S+(?=\/known_hosts\b)/g,
    instead: "<directory>",
  },
  {
    about: "EEXIST: the model's kernel 6.1 answers with its text, newer kernels in words of their own",
    pattern: /^(?:Error: ipv4: Address already assigned\.|RTNETLINK answers: File exists)$/gm,
    instead: "<address is there already>",
  },
  {
    about: "EADDRNOTAVAIL: likewise",
    pattern: /^(?:Error: ipv4: Address not found\.|RTNETLINK answers: Cannot assign requested address)$/gm,
    instead: "<address is not there>",
  },
];

export const masked = (text: string): string =>
  masks.reduce((left, { pattern, instead }) => left.replace(pattern, instead), text);
