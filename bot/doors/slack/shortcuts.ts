/** What people find under "More message shortcuts", since slash commands do not exist inside threads. */
export const nextStep = {
  callback: "arpeggio-next-step",
  name: "Arpeggio: next step",
  about: "Runs the next step of the run or incident this message belongs to, with your rights",
  /** What it types in the thread. */
  words: "next",
} as const;

/** On any message: what it says goes into the timeline of the incident in whose thread it is, with its author. */
export const addToTimeline = {
  callback: "arpeggio-add-to-timeline",
  name: "Add to timeline",
  about: "Puts this message into the timeline of the open incident, with its author and time",
} as const;

export const shortcuts = [nextStep, addToTimeline] as const;
