/** What is wrong with a body is said of the value that is wrong, in the words of its own schema. */
import t from "tap";
import { EntryChangeSchema } from "../../src/schema/entry.ts";
import { Shape } from "../../src/schema/issues.ts";
import { TenantDeclarationSchema } from "../../src/schema/tenant.ts";
import { UserChangeSchema } from "../../src/schema/user.ts";

const user = new Shape(UserChangeSchema);
const entry = new Shape(EntryChangeSchema);
const tenant = new Shape(TenantDeclarationSchema);

t.test("a field's own words, not those of the object around it", (t) => {
  t.strictSame(user.issues({ role: "admin" }), [{ at: "/role", message: "must be owner or user" }]);
  t.strictSame(user.issues({ role: 1, email: 2 }).length, 2);
  const nested = {
    policy: { session: { idle: [] } },
    id: "a",
    name: "A",
    hosts: ["a.example"],
    upstreams: ["http://b:1"],
  };
  t.match(tenant.issues(nested), [{ at: "/policy/session/idle", message: /^must be a duration/ }]);
  t.end();
});

t.test("a union's words, not those of one of its branches; a list's for its items", (t) => {
  t.strictSame(user.issues({ name: 5 }), [{ at: "/name", message: "must be 1 to 60 characters, or null" }]);
  t.match(entry.issues({ expiresAt: 5 }), [{ at: "/expiresAt", message: /, or null$/ }]);
  const given = { id: "a", name: "A", hosts: [5], upstreams: ["http://b:1"] };
  t.strictSame(tenant.issues(given), [{ at: "/hosts/0", message: "must be a list of one or more host names" }]);
  t.end();
});

t.test("an empty change says what there is to change", (t) => {
  t.match(user.issues({}), [{ at: "/", message: /with email, name, role or state$/ }]);
  t.match(entry.issues({}), [{ at: "/", message: /with label, expiresAt or ttlSeconds$/ }]);
  t.end();
});
