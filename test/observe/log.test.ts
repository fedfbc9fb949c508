/** The log shows no secret, however it is spelt. */
import t from "tap";
import { createLog } from "../../src/observe/log.ts";
import { redactUrl } from "../../src/observe/redact-url.ts";

const ROWS: readonly [string, string][] = [
  ["/.sallyport/allow/abc.def.ghi", "/.sallyport/allow/[hidden]"],
  ["/.sallyport/invite/abc?x=1", "/.sallyport/invite/[hidden]?x=[hidden]"],
  ["/.sallyport/reset/abc/def", "/.sallyport/reset/[hidden]"],
  ["/%2esallyport/allow/abc", "/.sallyport/allow/[hidden]"],
  ["/.sallyport%2fallow%2fabc", "/.sallyport/allow/[hidden]"],
  ["//.SALLYPORT//allow//abc", "//.SALLYPORT//allow//[hidden]"],
  ["/.sallyport/sign-in", "/.sallyport/sign-in"],
  ["/.sallyport/assets/style.css", "/.sallyport/assets/style.css"],
  ["/v1/tenants/a/explain?ip=192.0.2.1&user=ann", "/v1/tenants/a/explain?ip=192.0.2.1&user=[hidden]"],
  ["/x?secret", "/x?[hidden]"],
];

for (const [url, shown] of ROWS) t.equal(redactUrl(url), shown, url);

t.test("fields and requests", async (t) => {
  const lines: string[] = [];
  const log = createLog("info", { process: "test" }, { write: (line) => void lines.push(line) });
  const headers = { authorization: "Bearer s3cret", cookie: "sid=s3cret" };
  log.info({ req: { id: 1, method: "GET", url: "/.sallyport/allow/s3cret", ip: "192.0.2.1", headers } }, "request");
  log.info({ headers, input: { password: "s3cret", body: { token: "s3cret" } }, adminKey: "s3cret" }, "fields");
  log.error({ err: new Error("outer", { cause: new Error("inner") }), url: "/.sallyport/reset/s3cret" }, "fault");
  t.equal(lines.length, 3);
  t.notMatch(lines.join(""), "s3cret");
  t.match(JSON.parse(lines[0] ?? ""), {
    process: "test",
    level: "info",
    req: { address: "192.0.2.1" },
    msg: "request",
  });
  t.match(JSON.parse(lines[2] ?? ""), { err: { message: /outer/, cause: { message: "inner" } } });
});
