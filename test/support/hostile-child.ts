/** A child process in an attacker's hand: it says to its supervisor whatever might make that stumble. */
const messages: unknown[] = [
  null,
  5,
  "listening",
  [],
  { type: "listening" },
  { type: "listening", addresses: "x" },
  { type: "failed" },
  { type: "failed", message: {}, issues: 5 },
  { type: "failed", message: "no", issues: [null, 5, { at: 1 }] },
  { type: "declared" },
  { type: "constructor" },
  { type: "listening", addresses: ["127.0.0.1:1", { toString: "no" }].slice(0, 1) },
];

// It stays until it is killed.
process.on("message", () => {
  for (const message of messages) process.send?.(message);
});
