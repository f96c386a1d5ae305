/** How far back logs are read, seconds: the member list probes every member many times in that. */
export const logWindowSeconds = 600;
