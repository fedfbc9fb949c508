/** The grammar of a Redis store's URL, and the switch between adapters. */
import t from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { parseRedisUrl } from "../../src/store/redis-url.ts";

const plain = { mode: "standalone", tls: false, database: 0, options: {} };
const local = { host: "127.0.0.1", port: 6379 };

const GOOD: Record<string, object> = {
  "redis://127.0.0.1": { ...plain, nodes: [local] },
  "redis://127.0.0.1:6379/": { ...plain, nodes: [local] },
  "redis://redis.internal:7000/5": { ...plain, nodes: [{ host: "redis.internal", port: 7000 }], database: 5 },
  "redis://[::1]:7000/0": { ...plain, nodes: [{ host: "::1", port: 7000 }] },
  "redis://user:p%40ss%2Fw%3Ard@127.0.0.1": { ...plain, nodes: [local], username: "user", password: "p@ss/w:rd" },
  "redis://:secret@127.0.0.1": { ...plain, nodes: [local], password: "secret" },
  "rediss://127.0.0.1?ca=%2Fetc%2Fca.pem&serverName=r.example": {
    ...plain,
    tls: true,
    nodes: [local],
    options: { ca: "/etc/ca.pem", serverName: "r.example" },
  },
  "redis+sentinel://s1,s2:7000/clinic/2?waitReplicas=1": {
    ...plain,
    mode: "sentinel",
    nodes: [
      { host: "s1", port: 26_379 },
      { host: "s2", port: 7000 },
    ],
    master: "clinic",
    database: 2,
    options: { waitReplicas: "1" },
  },
  "rediss+cluster://u:p@n1:7000,n2:7001": {
    ...plain,
    mode: "cluster",
    tls: true,
    nodes: [
      { host: "n1", port: 7000 },
      { host: "n2", port: 7001 },
    ],
    username: "u",
    password: "p",
  },
};

const BAD = [
  "redis://",
  "redis:///0",
  "redis://host:port",
  "redis://host:0",
  "redis://host:65536",
  "redis://::1",
  "redis://a,b",
  "redis://a,",
  "redis://a/x",
  "redis://a/0/1",
  "redis://a/-1",
  "redis://a?ca",
  "redis://a?unknown=1",
  "redis://a?prefix=x&prefix=y",
  "redis://a?prefix=",
  "redis://a?prefix=a}b",
  "redis://a?waitReplicas=-1",
  "redis://a?waitReplicas=two",
  "redis://a?ca=/etc/ca.pem",
  "redis://u:%zz@a",
  "redis+sentinel://s1",
  "redis+sentinel://s1/",
  "redis+cluster://a/1",
  "redis+tls://a",
  "redisx://a",
];

for (const [url, parsed] of Object.entries(GOOD)) t.strictSame(parseRedisUrl(url), parsed, url);

for (const url of BAD) t.throws(() => parseRedisUrl(url), { code: "config_invalid" }, url);

await t.test("a refusal repeats no password", async (t) => {
  try {
    parseRedisUrl("redis://user:hunter2@host:port");
    t.fail("should be refused");
  } catch (error) {
    t.notMatch(String(error), /hunter2/);
  }
});

await t.test("the switch", async (t) => {
  for (const url of ["", "sqlite:", "sqlite://x", "memcached://x", "/var/lib/x.db", "redis"]) {
    await t.rejects(openStore(url, { clock: systemClock }), { code: "config_invalid" }, url);
  }
});
