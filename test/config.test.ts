/** The configuration: defaults, overrides, and every mistake at once with its place and a hint. */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t, { type Test } from "tap";
import { addSecretKey, completeSecrets, ensureAdminKey, ensureSecretKeys } from "../src/config/key-files.ts";
import { configJsonSchema, type Loaded, loadConfig } from "../src/config.ts";
import { type Issue, SallyportError } from "../src/core/errors.ts";

const KEY = "k".repeat(32);
const SEAL = Buffer.alloc(32, 7).toString("base64");

function load(t: Test, yaml: string, env: Record<string, string> = {}): Loaded {
  const base = t.testdir({ "sallyport.yaml": yaml });
  return loadConfig({ file: "sallyport.yaml", env, base });
}

function refusal(act: () => unknown): SallyportError {
  try {
    act();
  } catch (error) {
    if (error instanceof SallyportError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

function issues(t: Test, yaml: string, env: Record<string, string> = {}): readonly Issue[] {
  const error = refusal(() => load(t, yaml, env));
  t.equal(error.code, "config_invalid");
  return error.issues;
}

t.test("without a file the defaults hold", async (t) => {
  const base = t.testdir({});
  const { config, secrets, file } = loadConfig({ env: {}, base });
  t.equal(file, undefined);
  t.strictSame(secrets, {});
  t.equal(config.dataDir, join(base, "data"));
  t.equal(config.store.url, `sqlite:${join(base, "data/sallyport.db")}`);
  t.strictSame(config.edge.listen, [{ host: "127.0.0.1", port: 8080, proxyProtocol: false }]);
  t.strictSame(config.admin, { host: "127.0.0.1", port: 8081, allowCleartext: false });
  t.strictSame(config.staleness, { allowlistSeconds: 900, sessionSeconds: 30 });
  t.strictSame(config.edge.trustedProxies, []);
  t.equal(config.edge.limits.headerBytes, 32_768);
  t.equal(config.edge.timeouts.tunnelIdleSeconds, 3600);
  t.ok(config.edge.workers >= 1, "auto is one per processor");
  t.throws(() => Object.assign(config.edge.limits, { headerCount: 0 }), TypeError, "it is immutable");
});

t.test("a file that is named must be there; the default one need not", async (t) => {
  const base = t.testdir({ config: { "sallyport.yaml": "log: { level: warn }" } });
  t.equal(loadConfig({ env: {}, base }).config.log.level, "warn");
  t.match(refusal(() => loadConfig({ file: "absent.yaml", env: {}, base })).issues, [
    { at: join(base, "absent.yaml") },
  ]);
  t.match(refusal(() => loadConfig({ env: { SALLYPORT_CONFIG: "absent.yaml" }, base })).issues, [
    { at: join(base, "absent.yaml") },
  ]);
});

t.test("the shipped file is what the defaults are", async (t) => {
  const base = t.testdir({});
  const shipped = loadConfig({ file: new URL("../config/sallyport.yaml", import.meta.url).pathname, env: {}, base });
  t.strictSame(shipped.config, loadConfig({ env: {}, base }).config);
});

t.test("durations, sizes, listeners and tenants are read as written", async (t) => {
  const { config } = load(
    t,
    `edge:
  listen:
    - 127.0.0.1:80
    - { address: "[::1]:443", tls: { cert: a.pem, key: /k.pem }, proxyProtocol: true }
  workers: 0
  trustedProxies: [10.0.0.0/24, "::1"]
  drain: 2m
  limits: { headerSize: 64KiB, targetSize: 2048 }
  timeouts: { connect: 3s, tunnelIdle: 12h }
tenants:
  - { id: a, name: A, hosts: [A.Example], upstreams: ["http://127.0.0.1:9000"], policy: { session: { idle: 30m } } }
`,
  );
  const [plain, secure] = config.edge.listen;
  t.strictSame(plain, { host: "127.0.0.1", port: 80, proxyProtocol: false });
  t.match(secure, { host: "::1", port: 443, proxyProtocol: true, tls: [{ cert: /^\/.*\/a\.pem$/, key: "/k.pem" }] });
  t.strictSame(config.edge.trustedProxies, ["10.0.0.0/24", "::1/128"]);
  t.equal(config.edge.drainSeconds, 120);
  t.match(config.edge.limits, { headerBytes: 65_536, targetBytes: 2048 });
  t.match(config.edge.timeouts, { connectSeconds: 3, tunnelIdleSeconds: 43_200 });
  t.match(config.tenants, [
    { id: "a", hosts: ["a.example"], policy: { network: "enforce", session: { idleSeconds: 1800 } } },
  ]);
});

t.test("the environment wins over the file", async (t) => {
  const { config, secrets } = load(t, "edge: { listen: 127.0.0.1:1, workers: 3 }\nlog: { level: warn }", {
    SALLYPORT_DATA_DIR: "/srv/data",
    SALLYPORT_STORE_URL: "redis://:pw@127.0.0.1:6379/0",
    SALLYPORT_EDGE_LISTEN: "0.0.0.0:8443",
    SALLYPORT_ADMIN_LISTEN: "127.0.0.1:9999",
    SALLYPORT_WORKERS: "5",
    SALLYPORT_LOG_LEVEL: "debug",
    SALLYPORT_ADMIN_KEY: KEY,
    SALLYPORT_SECRET_KEY: SEAL,
  });
  t.match(config, { dataDir: "/srv/data", store: { url: "redis://:pw@127.0.0.1:6379/0" }, log: { level: "debug" } });
  t.match(config.edge, { listen: [{ host: "0.0.0.0", port: 8443 }], workers: 5 });
  t.match(config.admin, { host: "127.0.0.1", port: 9999 });
  t.equal(secrets.adminKey, KEY);
  t.equal(secrets.secretKey?.byteLength, 32);
  t.notMatch(JSON.stringify(config), KEY, "no secret is in the configuration");
  t.equal(load(t, "log: { level: warn }", { SALLYPORT_LOG_LEVEL: "" }).config.log.level, "warn", "empty is unset");
});

t.test("secrets may come from files, but not from both", async (t) => {
  const files = t.testdir({ admin: `${KEY}\n`, seal: SEAL, store: "redis://127.0.0.1:6379/3\n" });
  const env = {
    SALLYPORT_ADMIN_KEY_FILE: join(files, "admin"),
    SALLYPORT_SECRET_KEY_FILE: join(files, "seal"),
    SALLYPORT_STORE_URL_FILE: join(files, "store"),
  };
  const { config, secrets } = loadConfig({ env, base: files });
  t.equal(secrets.adminKey, KEY);
  t.equal(secrets.secretKey?.byteLength, 32);
  t.equal(config.store.url, "redis://127.0.0.1:6379/3");
  const both = refusal(() => loadConfig({ env: { ...env, SALLYPORT_ADMIN_KEY: KEY }, base: files }));
  t.match(both.issues, [{ at: "SALLYPORT_ADMIN_KEY_FILE", message: /beside SALLYPORT_ADMIN_KEY/ }]);
  const absent = refusal(() => loadConfig({ env: { SALLYPORT_ADMIN_KEY_FILE: "/absent" }, base: files }));
  t.match(absent.issues, [{ at: "SALLYPORT_ADMIN_KEY_FILE", message: /cannot be read/ }]);
});

t.test("mail and text messages, with what others know us by from the environment alone", async (t) => {
  const { config } = load(
    t,
    `mail: { transport: smtp, from: gate@operator.example, smtp: { host: mail.example, user: gate } }
sms: { provider: twilio, accountSid: AC${"0".repeat(32)}, from: "+447700900123", countries: ["+44", "!+441534"] }`,
    { SALLYPORT_SMTP_PASSWORD: "smtp password", SALLYPORT_TWILIO_AUTH_TOKEN: "twilio token" },
  );
  t.match(config.mail, { transport: "smtp", smtp: { port: 587, auth: { user: "gate", pass: "smtp password" } } });
  t.match(config.sms, { provider: "twilio", twilio: { authToken: "twilio token", timeoutMs: 10_000 } });
  t.strictSame(config.sms.limits, { countries: ["+44", "!+441534"], dailyPerTenant: 300 });
  const file = load(t, "mail: { transport: file, from: gate@operator.example }").config;
  t.match(file.mail, { folder: join(file.dataDir, "mail") });
  t.match(
    issues(t, "mail: { transport: smtp, smtp: { host: m, user: gate, password: x } }\nsms: { provider: twilio }"),
    [
      { at: /mail\.smtp\.password/, message: /not a key/ },
      { at: /mail\.from/, message: /missing/ },
      { at: /sms\.accountSid/, message: /missing/ },
      { at: /sms\.provider/, hint: /SALLYPORT_TWILIO_AUTH_TOKEN/ },
      { at: /sms\.from/ },
    ],
  );
});

t.test("links in mail lead to where browsers come in", async (t) => {
  const publicUrl = (yaml: string) => load(t, yaml).config.publicUrl;
  t.equal(publicUrl(""), "http://{host}:8080");
  t.equal(publicUrl("edge: { listen: 0.0.0.0:80 }"), "http://{host}");
  const tls = "tls: { cert: a.pem, key: a.pem }";
  t.equal(publicUrl(`edge: { listen: ["0.0.0.0:80", { address: "0.0.0.0:443", ${tls} }] }`), "https://{host}");
  t.equal(publicUrl(`edge: { listen: [{ address: "0.0.0.0:8443", ${tls} }] }`), "https://{host}:8443");
  t.equal(publicUrl("edge: { trustedProxies: [10.0.0.1] }"), "https://{host}");
  t.equal(publicUrl('publicUrl: "https://{host}:8443"'), "https://{host}:8443");
  t.match(issues(t, "publicUrl: https://gate.example"), [{ at: /publicUrl/, message: /\{host\}/ }]);
});

t.test("every mistake is told at once, with file, line, column, key and a hint", async (t) => {
  const yaml = `trustedProxies: []
edge:
  listen: localhost:8080
  workers: "2"
  timeots: {}
  trustedProxies: [0.0.0.0/0, "::/0", 10.0.0.1/8, 128.0.0.0/1, "8000::/7"]
  limits: { headerSize: 32kb, connection: 3 }
admin: { listen: 0.0.0.0:8081 }
store:
tenants:
  - { id: Happy, name: H, host: [a.example] }
  - { id: a, name: H, hosts: [a.example], upstreams: ["http://127.0.0.1:9000"], policy: { network: enforced } }
  - { id: b, name: H, hosts: [b.example], upstreams: ["ftp://127.0.0.1:9000"] }
  - { id: c, name: H, hosts: [c.example], upstreams: ["http://127.0.0.1:9000"] }
  - { id: d, name: H, hosts: [C.example], upstreams: ["http://127.0.0.1:9000"] }
`;
  const found = issues(t, yaml, { SALLYPORT_LOG_LEVEL: "loud", SALLYPORT_ADMIN_KY: "x", SALLYPORT_ADMIN_KEY: "short" });
  const expected: [RegExp, RegExp, RegExp?][] = [
    [/:1:1 trustedProxies$/, /not a key/, /edge\.trustedProxies/],
    [/:3:3 edge\.listen$/, /numeric address/, /127\.0\.0\.1:8080/],
    [/:4:3 edge\.workers$/, /auto or a whole number/],
    [/:5:3 edge\.timeots$/, /not a key/, /edge\.timeouts/],
    [/:6:20 edge\.trustedProxies\[0\]$/, /parts of the internet/],
    [/:6:31 edge\.trustedProxies\[1\]$/, /parts of the internet/],
    [/:6:39 edge\.trustedProxies\[2\]$/, /10\.0\.0\.0\/8/],
    [/:6:51 edge\.trustedProxies\[3\]$/, /parts of the internet/],
    [/:6:64 edge\.trustedProxies\[4\]$/, /parts of the internet/],
    [/:7:13 edge\.limits\.headerSize$/, /a size such as/],
    [/:7:31 edge\.limits\.connection$/, /not a key/, /edge\.limits\.connections/],
    [/:8:10 admin\.listen$/, /cleartext/, /allowCleartext/],
    [/:9:1 store$/, /map of keys/],
    [/:11:7 tenants\[0\]\.id$/, /lower-case/],
    [/:11:27 tenants\[0\]\.host$/, /not a key/, /hosts/],
    [/:11:5 tenants\[0\]$/, /lacks "hosts", "upstreams"/],
    [/:12:\d+ tenants\[1\]\.policy\.network$/, /one of enforce/],
    [/:13:\d+ tenants\[2\]\.upstreams\[0\]$/, /origin/],
    [/:15:\d+ tenants\[4\]$/, /repeats the host c\.example, which tenants\[3\] has/],
    [/^SALLYPORT_LOG_LEVEL$/, /one of trace/],
    [/^SALLYPORT_ADMIN_KY$/, /not a variable/, /SALLYPORT_ADMIN_KEY/],
    [/^SALLYPORT_ADMIN_KEY$/, /32 characters/],
  ];
  for (const [at, message, hint] of expected) {
    const match = found.find((issue) => at.test(issue.at));
    t.match(match?.message, message, `${at}`);
    if (hint !== undefined) t.match(match?.hint, hint, `${at} hints`);
  }
  t.equal(found.length, expected.length, "and nothing else");
});

t.test("what is wrong in a list's item hides nothing else that is wrong in it", async (t) => {
  const yaml = `edge:
  listen:
    - { address: nowhere, proxyProtocol: maybe }
    - { tls: { cert: 5 } }
    - { address: 127.0.0.1:80, tls: [{ cert: a }], port: 3 }
    - 127.0.0.1:80
admin: { tls: { cert: 5, key: k } }
tenants:
  - { id: good-id, name: G, hosts: ["a b"], upstreams: ["ftp://x"], policy: { network: maybe } }
  - { id: good-id, hosts: [5, "c d", c.example], upstreams: [], limits: { linkUses: { default: 9, max: 3 } } }
  - { id: e, name: E, hosts: [C.example], upstreams: ["http://127.0.0.1:9000"], polcy: {}, policy: { factors: [sms], exempt: [{ path: /.sallyport/x }, 3], webSocketOrigins: [4, here] } }
  - 7
`;
  const found = issues(t, yaml);
  const places = [
    "admin.tls.cert",
    "edge.listen[0].address",
    "edge.listen[0].proxyProtocol",
    "edge.listen[1]",
    "edge.listen[1].tls.cert",
    "edge.listen[1].tls",
    "edge.listen[2].port",
    "edge.listen[2].tls[0]",
    "edge.listen[3]",
    "tenants[0].hosts[0]",
    "tenants[0].policy.network",
    "tenants[0].upstreams[0]",
    "tenants[1]",
    "tenants[1].hosts[0]",
    "tenants[1].hosts[1]",
    "tenants[1].limits.linkUses.default",
    "tenants[1].upstreams",
    "tenants[2]",
    "tenants[2].polcy",
    "tenants[2].policy.exempt[0]",
    "tenants[2].policy.exempt[0].path",
    "tenants[2].policy.exempt[1]",
    "tenants[2].policy.factors",
    "tenants[2].policy.webSocketOrigins[0]",
    "tenants[2].policy.webSocketOrigins[1]",
    "tenants[3]",
  ];
  const told = found.map(({ at }) => at.replace(/^.* /, ""));
  t.strictSame(new Set(told), new Set(places));
  t.equal(told.length, places.length + 1, "one lacks its name and repeats an id");
});

t.test("broken YAML is told with its place", async (t) => {
  t.match(issues(t, "edge:\n  listen: [\n"), [{ at: /sallyport\.yaml:\d+:\d+$/ }]);
  t.match(issues(t, "edge: {}\nedge: {}\n"), [{ at: /:2:1$/, message: /unique/ }]);
  t.match(issues(t, "- a\n"), [{ message: /map of keys/ }]);
  t.match(issues(t, "dataDir: !secret x\n"), [{ message: /tag/ }]);
});

t.test("single rules", async (t) => {
  const refused: [string, RegExp][] = [
    ["store: { url: 'postgres://x' }", /sqlite:/],
    ["edge: { listen: [127.0.0.1:80, 127.0.0.1:80] }", /repeats/],
    ["edge: { listen: [] }", /or a list/],
    ["edge: { listen: 127.0.0.1:65536 }", /numeric address/],
    ["edge: { listen: 010.0.0.1:80 }", /numeric address/],
    ["edge: { workers: -1 }", /auto or/],
    ["edge: { workers: 1.5 }", /auto or/],
    ["edge: { timeouts: { connect: 5 minutes } }", /duration/],
    ["edge: { timeouts: { connect: 0 } }", /from 1s/],
    ["edge: { limits: { headerSize: 2MiB } }", /from 1KiB to 1MiB/],
    ["staleness: { session: 1h }", /from 1s to 300s/],
    ["staleness: { allowlist: 2d }", /from 10s/],
    ["log: { level: verbose }", /one of trace/],
    ["admin: { allowCleartext: yes }", /true or false/],
    ["__proto__: { x: 1 }", /not a key/],
  ];
  for (const [yaml, message] of refused) t.match(issues(t, yaml), [{ message }], yaml);
  t.match(issues(t, "", { SALLYPORT_STORE_URL: "redis://:hunter2@h" }), [
    { at: "SALLYPORT_SECRET_KEY", message: /shared/ },
  ]);
  t.notMatch(JSON.stringify(issues(t, "", { SALLYPORT_STORE_URL: "mysql://:hunter2@h" })), /hunter2/);
  t.notMatch(JSON.stringify(issues(t, "", { SALLYPORT_SECRET_KEY: "hunter2" })), /hunter2/);
  t.equal(load(t, "admin: { listen: 0.0.0.0:1, allowCleartext: true }").config.admin.host, "0.0.0.0");
  t.equal(load(t, "admin: { listen: 0.0.0.0:1, tls: { cert: a, key: b } }").config.admin.host, "0.0.0.0");
});

t.test("several secret keys have commas between, the primary first", async (t) => {
  const [one, two] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const text = one.toString("base64");
  const { secrets } = load(t, "", { SALLYPORT_SECRET_KEY: `${two.toString("base64")}, ${text}\n` });
  t.match(secrets, { secretKey: two, olderSecretKeys: [one] });
  const bad = [",", `${text},`, text.slice(4), `${text}AAAA`, one.toString("hex"), `${text.slice(0, -2)}*=`];
  for (const refused of bad)
    t.match(issues(t, "", { SALLYPORT_SECRET_KEY: refused }), [{ at: "SALLYPORT_SECRET_KEY", hint: /openssl rand/ }]);
});

t.test("keys are made once, for their owner only", async (t) => {
  const dir = join(t.testdir({}), "data");
  const { config } = loadConfig({ env: { SALLYPORT_DATA_DIR: dir }, base: "/" });
  const first = completeSecrets(config, {});
  t.strictSame(completeSecrets(config, {}), first, "they stay");
  t.ok(first.adminKey.length >= 32);
  t.equal(statSync(join(dir, "admin.key")).mode & 0o777, 0o600);
  t.equal(statSync(join(dir, "secret.key")).mode & 0o777, 0o600);
  t.equal(statSync(dir).mode & 0o777, 0o700);
  t.equal(completeSecrets(config, { adminKey: KEY }).adminKey, KEY, "a given one wins");

  t.equal(addSecretKey(dir), 2);
  const rotated = ensureSecretKeys(dir);
  t.strictSame(rotated.olderSecretKeys, [first.secretKey]);
  t.notSame(rotated.secretKey, first.secretKey);
  t.equal(statSync(join(dir, "secret.key")).mode & 0o777, 0o600);

  chmodSync(join(dir, "admin.key"), 0o644);
  t.match(refusal(() => ensureAdminKey(dir)).issues, [{ message: /read by others/, hint: /chmod 600/ }]);
  writeFileSync(join(dir, "secret.key"), "nonsense\n");
  t.match(refusal(() => ensureSecretKeys(dir)).issues, [{ message: /32 bytes/ }]);
});

t.test("what listens has a place of its own", (t) => {
  const shared = "127.0.0.1:9000";
  const found = issues(t, `edge: { listen: "${shared}", healthListen: "${shared}" }\nadmin: { listen: "${shared}" }`);
  t.match(found, [
    { at: /edge\.healthListen$/, message: /127\.0\.0\.1:9000, as edge\.listen/ },
    { at: /admin\.listen$/, message: /as edge\.healthListen/ },
  ]);
  load(t, `edge: { listen: "127.0.0.1:0", healthListen: "127.0.0.1:0" }\nadmin: { listen: "127.0.0.1:0" }`);
  t.end();
});

t.test("no new sealing key is made beside a store that was sealed with another", async (t) => {
  const dir = t.testdir({ "sallyport.db": "" });
  const { config } = loadConfig({ env: { SALLYPORT_DATA_DIR: dir }, base: "/" });
  const [issue] = refusal(() => completeSecrets(config, {})).issues ?? [];
  t.match(issue, { at: join(dir, "secret.key"), message: /not there/, hint: /own sealing key/ });
  t.notOk(existsSync(join(dir, "secret.key")));
  const secretKey = Buffer.alloc(32);
  t.strictSame(completeSecrets(config, { secretKey }).secretKey, secretKey);
});

t.test("config/schema.json is what the code says", async (t) => {
  const shipped = readFileSync(new URL("../config/schema.json", import.meta.url), "utf8");
  t.equal(shipped, configJsonSchema(), "npm run schema writes it");
});
