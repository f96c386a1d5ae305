import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

/** Runs a script with its arguments and prints, as the last line, every module that was loaded for it. */
const [script = "", ...args] = process.argv.slice(2);
const loaded: string[] = [];
registerHooks({
  load: (url, context, next) => {
    loaded.push(url);
    return next(url, context);
  },
});
process.argv.splice(1, process.argv.length, script, ...args);
await import(pathToFileURL(script).href);
process.stdout.write(`${JSON.stringify(loaded)}\n`);
