import assert from "node:assert/strict";
import { test } from "node:test";
import { load, page, settle } from "./kit.mjs";

const { Capture } = await load("capture.ts");
const { Status, Words } = await load("elements.ts");

const letter = (name) => new File([`%PDF-1.7 ${name}`], name);
const notes = (name) => new File(["just words"], name);

// open shows the page and gives what a person does; what is sent goes into
// the outbox.
async function open() {
  const browser = page();
  const outbox = { drafts: [], count: 0, warm() {}, drafted() {}, add: async (draft) => void outbox.drafts.push(draft) };
  new Capture(new Words(browser.get("settings")), new Status(browser.get("status")), outbox);
  return {
    async choose(...files) {
      browser.get("file").files = files;
      browser.get("file").fire("change");
      await settle();
    },
    async press(id) {
      browser.get(id).fire("click");
      await settle();
    },
    said: () => browser.get("status").textContent.trim(),
    shows: (id) => !browser.get(id).hidden,
    drafting: () => outbox.drafting(),
    sent: () => Promise.all(outbox.drafts.map((draft) => draft.content.text())),
  };
}

test("a refused file is named, the others are not lost", async () => {
  const person = await open();
  await person.choose(notes("notes.txt"), letter("one.pdf"), new File([], "empty.jpg"), letter("two.pdf"));
  assert.ok(person.shows("review"), "the second file waits to be sent");
  assert.match(person.said(), /^not-sent\[notes\.txtpage-type/);

  await person.press("send");
  assert.ok(person.shows("review"), "the last file waits to be sent");
  assert.match(person.said(), /not-sent\[empty\.jpgpage-empty/);
  await person.press("send");
  assert.ok(person.shows("start"));
  assert.deepEqual(await person.sent(), ["%PDF-1.7 one.pdf", "%PDF-1.7 two.pdf"]);
});

test("nothing but refused files", async () => {
  const person = await open();
  await person.choose(notes("a.txt"), new File([`%PDF-1.7${"x".repeat(1000)}`], "big.pdf"));
  assert.ok(person.shows("start") && !person.shows("review"));
  assert.match(person.said(), /not-sent\[a\.txtpage-type.*not-sent\[big\.pdfpage-too-big/);
});

test("I'm done waits for what is being looked at", async () => {
  const person = await open();
  assert.ok(!person.drafting());
  await person.choose(letter("one.pdf"), letter("two.pdf"));
  assert.ok(person.drafting(), "a file is looked at");
  await person.press("send");
  assert.ok(person.drafting(), "another one waits");
  await person.press("send");
  assert.ok(!person.drafting());
});

test("a file that cannot be read is refused, the others are not lost", async () => {
  const person = await open();
  const gone = letter("gone.pdf");
  gone.arrayBuffer = () => Promise.reject(new DOMException("gone", "NotReadableError"));
  await person.choose(gone, letter("two.pdf"));
  assert.match(person.said(), /^not-sent\[gone\.pdfpage-damaged/);
  await person.press("send");
  assert.deepEqual(await person.sent(), ["%PDF-1.7 two.pdf"]);
});
