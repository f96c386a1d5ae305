/** Does something after a while on the model's clock. Returns the way to call it off. */
export type Schedule = (ms: number, act: () => void) => () => void;
