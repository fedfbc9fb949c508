/** What no shape can say of a tenant's fields, with what to write instead. */
import t from "tap";
import { SallyportError } from "../../src/core/errors.ts";
import { parseTenantInput } from "../../src/schema/tenant.ts";

const sound = { id: "a", name: "A", hosts: ["a.example"], upstreams: ["http://10.0.0.5:9000"] };

function issuesOf(fields: object) {
  try {
    parseTenantInput({ ...sound, ...fields });
    return [];
  } catch (error) {
    return error instanceof SallyportError ? error.issues : [];
  }
}

t.test("hosts are DNS names", (t) => {
  t.strictSame(parseTenantInput({ ...sound, hosts: ["localhost", "A.Example.", "1a.example"] }).hosts, [
    "localhost",
    "a.example",
    "1a.example",
  ]);
  for (const host of ["127.0.0.1", "[::1]", "[2001:db8::1]"]) {
    const hint = /^write a DNS name alone, such as clinic\.example/;
    t.match(issuesOf({ hosts: [host] }), [{ at: "/hosts/0", message: "is an IP address, not a host name", hint }]);
  }
  for (const host of ["1.2.3", "0x7f.1", "1.2.3.4.", "clinic.5"]) {
    t.match(issuesOf({ hosts: [host] }), [{ message: "is not a host name", hint: /^write a DNS name alone/ }], host);
  }
  t.match(issuesOf({ hosts: ["b\u00FCcher.example"] }), [{ hint: 'write "xn--bcher-kva.example"' }]);
  t.end();
});

t.test("an upstream has a port that something can listen on", (t) => {
  for (const upstream of ["http://10.0.0.5:0", "https://app.example:00"])
    t.match(issuesOf({ upstreams: [upstream] }), [{ at: "/upstreams/0", message: /^has port 0/ }]);
  t.end();
});

t.test("an exempt path is one path", (t) => {
  for (const path of ["/*", "/webhooks/*"]) {
    const issues = issuesOf({ policy: { exempt: [{ path, methods: ["POST"] }] } });
    t.match(issues, [{ at: "/policy/exempt/0/path", message: /paths are exact/, hint: /in full/ }]);
  }
  // A legal character of a path (RFC 3986, 3.3), and matching is exact.
  t.strictSame(issuesOf({ policy: { exempt: [{ path: "/a*b/c", methods: ["GET"] }] } }), []);
  t.end();
});
