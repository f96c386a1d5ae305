import * as z from "zod";
import { quoteWords } from "../quote-words.ts";
import type { Action } from "./action.ts";

const askedEvent = z.object({ words: z.array(z.string()).min(1) });

/** Asks the same command again as the person who pressed; the job's id finds the words in the ledger. */
export const again: Action = {
  id: "again",
  press: async ({ pressed, deps }) => {
    const [first] = (await deps.ledger?.read(`asked/${pressed.value}`)) ?? [];
    const asked = askedEvent.safeParse(first?.data);
    if (!asked.success) {
      return {
        reply: {
          verdict: {
            word: "Not understood",
            outcome: "usage",
            text: [`the ledger does not know ${pressed.value}.`],
          },
          findings: [],
          blocks: [],
          next: [["Type the command again for a fresh answer."]],
          actions: [],
        },
      };
    }
    return { words: quoteWords(asked.data.words) };
  },
};
