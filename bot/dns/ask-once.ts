/** Whoever asks for a plan that is being asked for waits for the same answer: the function runs once at a time for it. */
export function askOnce<T>(ask: (plan: string) => Promise<T>): (plan: string) => Promise<T> {
  const open = new Map<string, Promise<T>>();
  return (plan) => {
    const there = open.get(plan);
    if (there !== undefined) return there;
    const asking = ask(plan).finally(() => open.delete(plan));
    open.set(plan, asking);
    return asking;
  };
}
