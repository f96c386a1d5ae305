import { shellContract } from "#test/contract/shell.ts";
import { startSshLab } from "./ssh-lab.ts";

shellContract("ssh to the lab's edge", async () => {
  const lab = await startSshLab(["karstark"]);
  return {
    shell: lab.connect().shell,
    target: { kind: "node", name: "karstark" },
    linger: ["linger"],
    lingering: async () => lab.programs.lingering(),
    close: lab.close,
  };
});
