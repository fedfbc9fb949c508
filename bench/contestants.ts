/** Who is compared, and the job that each must do before it is timed. */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { caddyForwardAuth } from "./contestants/caddy.ts";
import { upstreamDirect } from "./contestants/direct.ts";
import { haproxyAcl } from "./contestants/haproxy.ts";
import { bareHttpProxy } from "./contestants/http-proxy.ts";
import { nginxAuthRequest, nginxAuthRequestCached, nginxGeo, nginxLua } from "./contestants/nginx.ts";
import { sallyportBoth, sallyportForwardOnly, sallyportLocation, sallyportSizes } from "./contestants/sallyport.ts";
import { tcpRelay } from "./contestants/tcp-relay.ts";
import { ALLOWED_ADDRESS, BLOCKED_ADDRESS, type Contestant, HOST, type Running, type Scenario } from "./job.ts";

export const CONTESTANTS: readonly Contestant[] = [
  upstreamDirect,
  sallyportBoth,
  sallyportLocation,
  sallyportForwardOnly,
  nginxGeo,
  nginxAuthRequest,
  nginxAuthRequestCached,
  nginxLua,
  haproxyAcl,
  caddyForwardAuth,
  bareHttpProxy,
  tcpRelay,
  ...sallyportSizes,
];
/** Take part only where a workload names them. */
const SPECIALISTS: readonly Contestant[] = [tcpRelay, ...sallyportSizes];

/** Whether a contestant is in a workload: those that it names, or all but the specialists. */
export function takesPart(contestant: Contestant, only: readonly string[] | undefined): boolean {
  return only === undefined ? !SPECIALISTS.includes(contestant) : only.includes(contestant.name);
}

/** @throws when it admits whom it should not, or the reverse */
export async function checkTheJob(contestant: Contestant, scenario: Scenario, running: Running): Promise<void> {
  const cookie = running.cookies?.[0];
  const admitted = await statusOf(scenario, ALLOWED_ADDRESS, cookie);
  if (admitted !== 200) throw new Error(`${contestant.name} answers ${admitted} to whom it should admit`);
  if (contestant.doors === "none") return;
  const blocked = await statusOf(scenario, BLOCKED_ADDRESS, cookie);
  if (blocked < 400) throw new Error(`${contestant.name} answers ${blocked} to an address that is on no list`);
  if (contestant.doors === "location") return;
  const strangers = [undefined, cookie?.replace(/.$/, (last) => (last === "A" ? "B" : "A"))];
  for (const stranger of strangers) {
    const answer = await statusOf(scenario, ALLOWED_ADDRESS, stranger);
    if (answer < 300) throw new Error(`${contestant.name} answers ${answer} without a session`);
  }
}

function statusOf(scenario: Scenario, localAddress: string, cookie: string | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { host: HOST, ...(cookie === undefined ? {} : { cookie }) };
    const place = { host: "127.0.0.1", port: scenario.port, path: "/256", localAddress, headers, agent: false };
    const tls = { servername: HOST, rejectUnauthorized: false };
    const asked = scenario.tls === undefined ? requestHttp(place) : requestHttps({ ...place, ...tls });
    asked.once("response", (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once("error", reject);
    asked.end();
  });
}
