/** What people find under "More message shortcuts", since slash commands do not exist inside threads. */
export const nextStep = {
  callback: "arpeggio-next-step",
  name: "Arpeggio: next step",
  about: "Runs the next step of the run this message belongs to, with your rights",
  /** What it types in the thread. */
  words: "next",
} as const;

export const shortcuts = [nextStep] as const;
