/** Users and sessions by command line, against a running gate. */
import t from "tap";
import { sallyport } from "../support/command-line.ts";
import { Gate } from "../support/gate.ts";

const CLINIC = { id: "clinic", name: "Clinic", hosts: ["clinic.example"], upstreams: ["http://127.0.0.1:9"] };

t.test("a receptionist's account", async (t) => {
  const gate = new Gate(t, { settings: { edge: { workers: 0 }, tenants: [CLINIC] } });
  const { admin } = await gate.ready();
  const human = (...args: string[]) => sallyport([...args, "--config", gate.file, "--url", admin], gate.dir);
  const [ann, ANN] = ["ann@clinic.example", "Ann@Clinic.Example"];

  t.match(await human("user", "list", "clinic"), { code: 0, stdout: /no users yet/ });
  t.match(await human("user", "create", "clinic", ANN, "--name", "Ann", "--role", "owner"), {
    code: 0,
    stdout: /email +ann@clinic\.example\n(.*\n)*signIn +not possible: no-password/,
  });
  t.match(await human("user", "create", "clinic", ann), { code: 1, stderr: /another user/ });
  t.match(await human("user", "list", "clinic"), { stdout: /usr_\w+ +ann@clinic\.example +owner +invited/ });
  const json = JSON.parse((await human("user", "get", "clinic", ANN, "--json")).stdout);
  t.match(json, { email: ann, factors: [], signIn: { reasons: ["no-password"] } });
  t.match(await human("user", "get", "clinic", json.id), { code: 0, stdout: /role +owner/ }, "by id too");
  t.match(await human("user", "get", "clinic", "eve@clinic.example"), { code: 1, stderr: /has no user eve/ });

  t.match(await human("user", "invite", "clinic", ann), {
    stdout: /^http:\/\/clinic\.example\/\.sallyport\/invite\/[\w-]{43}\nGood once, until .* No mail is set up/,
  });
  t.match(await human("user", "disable", "clinic", ann), { code: 0, stdout: /state +disabled/ });
  t.match(await human("explain", "clinic", "127.0.0.1", "--user", ann), {
    stdout: /person +ann@.*cannot sign in: disabled/,
  });
  t.match(await human("user", "enable", "clinic", ann), { code: 0, stdout: /state +invited/ });
  t.match(await human("user", "unlock", "clinic", ann), { code: 0, stdout: /state +invited/ });
  t.match(await human("user", "reset-factors", "clinic", ann), { code: 0, stdout: /factors +none/ });
  t.match(await human("session", "list", "clinic"), { code: 0, stdout: /nobody is signed in/ });
  t.match(await human("session", "list", "clinic", ann), { code: 0, stdout: /nobody is signed in/ });
  t.match(await human("session", "end", "clinic", ann), { code: 0, stdout: /signed ann@clinic\.example out/ });
  t.match(await human("session", "end", "clinic", `ses_${"A".repeat(20)}`), { code: 1, stderr: /no such session/ });
  t.match(await human("user", "delete", "clinic", ann), { code: 0, stdout: /deleted/ });
  t.match(await human("user", "list", "clinic"), { stdout: /no users yet/ });
});
