import "../../bot/require-node.ts";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { App, Validations } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";
import { bundleLambdas, lambdaNames } from "../bundle.ts";
import { type Deployment, loadDeployment } from "./deployment.ts";
import { arpeggioStack } from "./stack.ts";

/** Makes the app with freshly made bundles; `outdir` gets them and the templates. */
export async function makeApp(deployment: Deployment, outdir: string): Promise<App> {
  const made = await bundleLambdas(join(outdir, "bundles"));
  for (const name of lambdaNames)
    await writeFile(
      join(made[name].directory, "settings.json"),
      `${JSON.stringify(deployment.settings[name], null, 2)}\n`,
    );
  const app = new App({
    outdir: join(outdir, "cdk.out"),
    analyticsReporting: false,
    // Access logs come by a bucket policy; without it CDK falls back to ACLs.
    context: { "@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy": true },
  });
  arpeggioStack(app, {
    deployment,
    bundles: {
      "scan-drift": made["scan-drift"].directory,
      "apply-changes": made["apply-changes"].directory,
    },
  });
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}

if (import.meta.main) {
  const file = process.argv[2] ?? join(import.meta.dirname, "example.yaml");
  const outdir = join(import.meta.dirname, "../../dist/deploy");
  try {
    const app = await makeApp(await loadDeployment(file), outdir);
    const assembly = app.synth();
    process.stdout.write(
      `${assembly.stacks.map(({ stackName }) => stackName).join(", ")} in ${assembly.directory}\n`,
    );
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
