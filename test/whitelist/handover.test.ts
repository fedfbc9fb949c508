/** Files and lines that hand a shortcut over: each is read by what reads it, and no name breaks out of its field. */
import { execFileSync } from "node:child_process";
import t from "tap";
import * as handover from "../../src/whitelist/handover.ts";

const url = "https://happyfeet.example/.sallyport/allow/eyJh.eyJq.sig-_";
const hostile = { name: 'Feet\r\nURL=https://evil.example "&<; `$(id)` %n\\n/../é', url };

t.test("Windows", async (t) => {
  const { fileName, content } = handover.windowsShortcut({ ...hostile, icon: "https://happyfeet.example/i.ico" });
  t.equal(content, `[InternetShortcut]\r\nURL=${url}\r\nIconFile=https://happyfeet.example/i.ico\r\nIconIndex=0\r\n`);
  t.match(fileName, /^Whitelist me - [^\r\n/\\"<>;%]+\.url$/);
});

t.test("macOS", async (t) => {
  const { content } = handover.macShortcut({ name: "x", url: `${url}?a=1&b=<2>` });
  t.match(content, `<string>${url}?a=1&amp;b=&lt;2&gt;</string>`);
});

t.test("Linux", async (t) => {
  const { content } = handover.linuxShortcut(hostile);
  const keys = content.split("\n").map((line) => line.split("=")[0]);
  t.strictSame(keys, ["[Desktop Entry]", "Version", "Type", "Name", "Icon", "URL", ""]);
});

t.test("every file has the one name", async (t) => {
  const made = { name: "Happy Feet Podiatry", url };
  const files = [handover.windowsShortcut(made), handover.macShortcut(made), handover.linuxShortcut(made)];
  const title = "Whitelist me - Happy Feet Podiatry";
  t.strictSame(
    files.map(({ fileName }) => fileName),
    [".url", ".webloc", ".desktop"].map((kind) => title + kind),
  );
  t.match(files[2]?.content, `\nName=${title}\n`);
  for (const { content } of handover.systemdUnits(made)) t.match(content, `\nDescription=${title}\n`);
});

t.test("a shell takes the curl line as one command of one address", async (t) => {
  const sly = "https://x.example/a'; echo hacked; '$(id)";
  const shown = execFileSync("sh", ["-c", handover.curlLine({ url: sly }).replace(/^curl/, "printf '%s\\n'")]);
  t.equal(shown.toString().trimEnd().split("\n").at(-1), sly);
  t.match(handover.cronLine({ url: `${url}%` }), /^[0-9]-59\/10 \* \* \* \* curl .*\\%' --output \/dev\/null$/);
});

t.test("systemd", async (t) => {
  const minutes = new Set(Array.from({ length: 100 }, (_, n) => handover.cronLine({ url: `${url}${n}` }).slice(0, 1)));
  t.equal(minutes.size, 10, "a clinic's devices do not all come in the same minute");
  const [service, timer] = handover.systemdUnits(hostile);
  t.match(service?.content, /^\[Unit\]\nDescription=[^\n]+\n\n\[Service\]\nType=oneshot\nExecStart=\/usr\/bin\/curl /);
  t.match(service?.content, "%%n");
  t.match(timer?.content, "OnUnitActiveSec=10min");
});
