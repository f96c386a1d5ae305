/** One incident about the same thing at a time: whoever asks again, a person or an alert, comes to the open one. */
export const aboutKey = (runbook: string, subject: string | null): string =>
  subject === null ? `run/${runbook}` : `run/${runbook}/${subject}`;
