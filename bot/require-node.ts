/** Imported first by every entry point: an older Node would fail later, somewhere else, with a riddle. */
const major = Number(process.versions.node.split(".")[0]);
if (major < 24) {
  process.stderr.write(
    `Arpeggio needs Node 24 or newer; this is ${process.versions.node}. Use the npm scripts, which bring Node 24 themselves.\n`,
  );
  process.exit(2);
}
