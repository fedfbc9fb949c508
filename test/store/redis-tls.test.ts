/** The Redis adapter over TLS: the certificate is verified, and a client's own is shown. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import t, { type Test } from "tap";
import { systemClock } from "../../src/core/clock.ts";
import { openStore } from "../../src/store/open.ts";
import { program } from "../support/programs.ts";
import { freePort, startRedis } from "../support/redis.ts";

function makeCertificate(openssl: string, folder: string, name: string, subjectAltName: string) {
  const [cert, key] = [join(folder, `${name}.pem`), join(folder, `${name}.key`)];
  const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${subjectAltName}`];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  execFileSync(openssl, ["req", ...kind, ...subject, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert, key };
}

/** Answers how a commit ends. */
async function outcome(t: Test, url: string): Promise<string> {
  const store = await openStore(url, { clock: systemClock });
  t.teardown(() => store.close());
  return store.commit({ writes: [{ kind: "entry", id: "a", value: 1 }] }).then(
    () => "committed",
    (error: Error) => error.message,
  );
}

await t.test("TLS", async (t) => {
  const openssl = program(t, "openssl");
  if (openssl === undefined) return;
  const folder = t.testdir();
  const server = makeCertificate(openssl, folder, "redis", "IP:127.0.0.1");
  const named = makeCertificate(openssl, folder, "named", "DNS:redis.clinic.example");
  const client = makeCertificate(openssl, folder, "client", "DNS:client");
  const port = await freePort();
  const start = (own: { cert: string; key: string }, tlsPort: number, clients: string) =>
    startRedis(t, [
      ...["--port", "0", "--tls-port", String(tlsPort), "--tls-auth-clients", clients],
      ...["--tls-cert-file", own.cert, "--tls-key-file", own.key, "--tls-ca-cert-file", client.cert],
    ]);
  if ((await start(server, port, "yes")) === undefined) return;
  const [ca, cert, key] = [server.cert, client.cert, client.key].map(encodeURIComponent);
  const url = `rediss://127.0.0.1:${port}`;
  t.equal(await outcome(t, `${url}?ca=${ca}&cert=${cert}&key=${key}`), "committed");
  t.match(await outcome(t, `${url}?cert=${cert}&key=${key}`), /self-signed/, "an unknown authority");
  t.not(await outcome(t, `${url}?ca=${ca}`), "committed", "no certificate of the client's");
  t.not(await outcome(t, `redis://127.0.0.1:${port}`), "committed", "no TLS");

  const namedPort = await freePort();
  await start(named, namedPort, "no");
  const namedUrl = `rediss://127.0.0.1:${namedPort}?ca=${encodeURIComponent(named.cert)}`;
  t.match(await outcome(t, namedUrl), /does not match certificate/, "another name");
  t.equal(await outcome(t, `${namedUrl}&serverName=redis.clinic.example`), "committed");
  await t.rejects(openStore("rediss://127.0.0.1?ca=/absent.pem", { clock: systemClock }), { code: "config_invalid" });
});
