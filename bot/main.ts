import "./require-node.ts";

// Loaded only once the version is known to be right: what follows imports modules that an older Node does not have.
await import("./serve.ts");
