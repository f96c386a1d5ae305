import type { PathEvidence } from "#shared/incidents/path/evidence.ts";
import { gatherPath } from "#shared/incidents/path/gather.ts";
import { ask, type World } from "../on-twin.ts";

/** Everything that a look at a model site brings back; cases replace the part that they are about. */
export async function evidenceAbout(word: string, world: World = {}): Promise<PathEvidence> {
  let gathered: PathEvidence | undefined;
  await ask(
    {
      id: "gather",
      title: "gather",
      summary: [],
      codes: [],
      steps: [{ kind: "diagnose", id: "gather", title: "gather" }],
      diagnose: async (ports, about, options) => {
        const evidence = await gatherPath(ports, about, options);
        if (!("noSuch" in evidence)) gathered = evidence;
        return { noSuch: [], next: [] };
      },
    },
    word,
    world,
  );
  if (gathered === undefined) throw new Error(`${word} means nothing`);
  return gathered;
}
