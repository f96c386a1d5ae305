import "../../bot/require-node.ts";

// With a config this is the bot itself; without one it is the built-in lab with a console in front.
if (process.env.ARPEGGIO_CONFIG) await import("../../bot/main.ts");
else await import("./try-it.ts");
