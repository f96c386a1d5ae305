import type { ClusterPorts } from "#bot/commands/command.ts";
import { createWishes } from "#bot/doors/slack/board.ts";
import { resumeRuns } from "#bot/runs/resume-runs.ts";
import { startCertManager } from "#infra/lab/cert-manager.ts";
import { memoryTree } from "#infra/lab/memory-tree.ts";
import { appForTwo, twoPeople, twoPeopleOn } from "#infra/lab/two-people.ts";
import type { WorkingTree } from "#shared/git/working-tree.ts";
import { currentStep } from "#shared/runs/next-move.ts";
import { lastRun } from "#shared/runs/run-log.ts";
import { defaultMigration } from "#shared/site/site.ts";
import type { Twin } from "#shared/twin/twin.ts";
import { createVirtualClock } from "#shared/twin/virtual-clock.ts";
import { follow, handsOn } from "./by-hand.ts";
import { aroundLedger, aroundPorts, stepsOf } from "./every-call.ts";
import { withoutIds, worldAt } from "./left.ts";
import { mortal } from "./mortal.ts";
import { doNext, turnBack } from "./people.ts";
import { nameOfPoint } from "./points.ts";
import { patience, repository, type Story } from "./stories.ts";
import type { Death } from "./world.ts";

const never = new AbortController().signal;
const nothing = () => {};
const dayMs = 24 * 3_600_000;
/** What reached the world, in order. */
type Acts = { written: string[]; run: string[] };

/** Innermost of all: what comes here is done, whatever becomes of whoever asked for it. */
function recording(ports: ClusterPorts, acts: Acts): ClusterPorts {
  return {
    ...ports,
    write: async (write, options) => {
      const result = await ports.write(write, options);
      if (options?.dryRun !== true && result.ok) acts.written.push(withoutIds(JSON.stringify(write)));
      return result;
    },
    shell: (target, command, options) => {
      acts.run.push(withoutIds(JSON.stringify([target.name, command.argv])));
      return ports.shell(target, command, options);
    },
  };
}

/** A clone that its Application follows, with what is committed there on record. */
function followed(twin: () => Twin, acts: Acts, files: Readonly<Record<string, string>>): WorkingTree {
  const tree = memoryTree(repository.name, repository.base, files);
  return {
    ...tree,
    commit: async (branch, message, changes) => {
      const commit = await tree.commit(branch, message, changes);
      if (message.trailer.startsWith("Arpeggio-Deed"))
        acts.written.push(withoutIds(`commit ${message.trailer}`));
      await follow(twin(), tree);
      return commit;
    },
  };
}

/** From a death to the next start, less than what a dead one's lease takes to run out. */
const restartMs = 5_000;

/**
 * A story in one process on a clock that stands still: one "process" after the other. Each dies at whichever of the points
 * it meets first that none has died at; the last one lives.
 */
export async function live(story: Story, points: readonly Death[]) {
  const clock = createVirtualClock(
    Date.UTC(2026, 10, 24, 18),
    () => new Promise((resolve) => setImmediate(resolve)),
  );
  const acts: Acts = { written: [], run: [] };
  const spec = story.site();
  const made: { twin?: Twin } = {};
  const tree = story.inGit && followed(() => made.twin as Twin, acts, story.inGit(spec));
  const { twin, deps, ledger } = twoPeopleOn(
    spec,
    clock,
    (kept) => createWishes({ ledger: kept, clock, log: nothing }).board,
    (ports) =>
      recording(
        {
          ...ports,
          config: {
            ...ports.config,
            migration: {
              ...defaultMigration,
              ...patience,
              ...(tree && { repositories: [{ ...repository, path: repository.name }] }),
            },
          },
          ...(tree && { trees: new Map([[tree.name, tree]]) }),
        },
        acts,
      ),
  );
  made.twin = twin;
  const stopCertManager = startCertManager(twin.store, clock);
  const halts: string[] = [];
  const calls = new Set<string>();
  const diedAt: string[] = [];
  const look = () => lastRun(ledger, "goldentooth");

  /** One process from its start to its death or to the end of the run. */
  const oneProcess = async (deaths: readonly Death[]): Promise<string | undefined> => {
    const state = await look();
    let step = (state && currentStep(state)?.id) ?? "";
    const { around, calls: own, diedAt: died, death } = mortal(deaths, (call) => `${step}: ${call}`);
    // Another object: what a process keeps about its own ledger dies with it.
    const seen = stepsOf(aroundLedger({ ...ledger }, around), (now) => {
      step = now;
    });
    const all = {
      ...deps,
      ledger: seen,
      board: createWishes({ ledger: seen, clock, log: nothing }).board,
      clusters: new Map([...deps.clusters].map(([name, ports]) => [name, aroundPorts(ports, around)])),
    };
    const app = appForTwo(all);
    const people = {
      ...story,
      clock,
      look,
      ask: async (who: string, words: string) => {
        const person = twoPeople.find(({ name }) => name === who);
        const account = person?.slack ?? who;
        const asking = await app.ask({ door: "slack", person, account, channel: "C0PLATFORM", words });
        if (asking.kind === "job") await asking.job.run(nothing, never);
      },
      hands: handsOn(twin, tree),
      onHalt: (said: string) => void halts.push(said),
    };
    const goOn = async (): Promise<string | undefined> => {
      let ended: string | undefined;
      await turnBack(people);
      await resumeRuns(all, { signal: never, log: nothing });
      for (let turn = 0; ended === undefined && died() === undefined; turn++) {
        if (turn > 200) throw new Error(`no end at ${step}: ${halts.slice(-3).join("; ")}`);
        ended = await doNext(people);
      }
      return ended;
    };
    const going = goOn().catch((error: unknown) => {
      if (died() === undefined) throw error;
      return undefined;
    });
    const ended = await Promise.race([going, death]);
    for (const call of own) calls.add(call);
    const at = died();
    if (at === undefined) return ended ?? undefined;
    diedAt.push(at);
    return undefined;
  };

  let ended: string | undefined;
  const [first] = story.first === undefined ? [] : [story.first];
  if (first !== undefined) await clock.runUntil(oneProcess([first]), dayMs);
  diedAt.length = 0;
  for (let starts = 0; ended === undefined; starts++) {
    if (starts > points.length)
      throw new Error(`no end after ${starts} starts, the last at ${diedAt.at(-1)}`);
    const met = new Set(diedAt);
    const waiting = points.filter((point) => !met.has(nameOfPoint(point)));
    await clock.advance(restartMs);
    ended = await clock.runUntil(oneProcess(waiting), 3 * dayMs);
  }
  // Whoever publishes names has its rounds.
  await clock.advance(1_800_000);
  const left = await clock.runUntil(worldAt(twin));
  const commands = await ofDeeds(acts.run, look);
  stopCertManager();
  twin.stop();
  return { acts: [...acts.written, ...commands], halts, ended, diedAt, calls: [...calls], left };
}

/** Of all commands that were run those that are deeds of the run: their argv is in its plans. */
async function ofDeeds(
  run: readonly string[],
  look: () => ReturnType<typeof lastRun>,
): Promise<readonly string[]> {
  const state = await look();
  const deeds = new Set(
    (state?.steps ?? [])
      .flatMap(({ acts }) => acts.flatMap(({ plan }) => [...plan.deeds, ...plan.undo]))
      .flatMap((deed) =>
        deed.kind === "shell" ? [withoutIds(JSON.stringify([deed.target.name, deed.argv]))] : [],
      ),
  );
  return run.filter((command) => deeds.has(command));
}
