import assert from "node:assert/strict";
import { test } from "node:test";
import { load, page, settle } from "./kit.mjs";

const { Capture } = await load("capture.ts");
const { Words } = await load("elements.ts");
const { Status } = await load("status.ts");

const letter = (name) => new File([`%PDF-1.7 ${name}`], name);
const notes = (name) => new File(["just words"], name);

// open shows the page and gives what a person does; what is sent goes into
// the outbox.
async function open(settings = {}) {
  const browser = page();
  Object.assign(browser.get("settings").dataset, settings);
  browser.get("preparing").hidden = true;
  const outbox = { drafts: [], count: 0, pending: 0, warm() {}, drafted() {}, has: () => false, prints: [], add: async (draft, print) => void (outbox.drafts.push(draft), outbox.prints.push(print)) };
  // A hash is made elsewhere, and takes as long as it takes.
  const prepared = async () => {
    do await settle();
    while (!browser.get("preparing").hidden);
  };
  const status = new Status(browser.get("live"), []);
  new Capture(new Words(browser.get("settings")), status, outbox);
  return {
    status,
    outbox,
    async choose(...files) {
      browser.get("file").files = files;
      browser.get("file").fire("change");
      await prepared();
    },
    async press(id) {
      browser.get(id).fire("click");
      await prepared();
    },
    refused: () => browser.get("refusals").textContent,
    sees: (id) => (browser.get(id).hidden ? "" : browser.get(id).textContent),
    shows: (id) => !browser.get(id).hidden,
    drafting: () => outbox.drafting(),
    sent: () => Promise.all(outbox.drafts.map((draft) => draft.content.text())),
  };
}

test("a refused file is named, the others are not lost", async () => {
  const person = await open();
  await person.choose(notes("notes.txt"), letter("one.pdf"), new File([], "empty.jpg"), letter("two.pdf"));
  assert.ok(person.shows("review"), "the second file waits to be sent");
  assert.match(person.refused(), /^not-sent\[notes\.txtpage-type[^\n]*$/);

  await person.press("send");
  assert.ok(person.shows("review"), "the last file waits to be sent");
  await person.press("send");
  assert.ok(person.shows("start"));
  // Both refusals are still there, each in its own line.
  assert.match(person.sees("refusals"), /^not-sent\[notes\.txtpage-type.*\nnot-sent\[empty\.jpgpage-empty.*$/);
  assert.deepEqual(await person.sent(), ["%PDF-1.7 one.pdf", "%PDF-1.7 two.pdf"]);
  await person.choose(letter("three.pdf"));
  assert.equal(person.sees("refusals"), "", "a new choice begins anew");
});

test("nothing but refused files", async () => {
  const person = await open();
  await person.choose(notes("a.txt"), new File([`%PDF-1.7${"x".repeat(1000)}`], "big.pdf"));
  assert.ok(person.shows("start") && !person.shows("review") && !person.shows("preparing"));
  assert.match(person.sees("refusals"), /not-sent\[a\.txtpage-type.*\nnot-sent\[big\.pdfpage-too-big/);
});

test("advice has its own place, which news does not take", async () => {
  const person = await open();
  await person.choose(letter("one.pdf"));
  assert.equal(person.sees("advice"), "");
  await person.press("send");
  await person.choose(letter("one.pdf"));
  assert.match(person.sees("advice"), /^twice/);
  person.status.tell("Page 1 received.");
  assert.match(person.sees("advice"), /^twice/);
});

test("nothing else ends the session while a page is looked at", async () => {
  const person = await open();
  await person.choose(letter("one.pdf"));
  assert.ok(!person.shows("overview"), "\"I'm done\" is there");
  await person.press("send");
  assert.ok(person.shows("overview"));
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
  assert.match(person.refused(), /^not-sent\[gone\.pdfpage-damaged/);
  await person.press("send");
  assert.deepEqual(await person.sent(), ["%PDF-1.7 two.pdf"]);
});

test("a page that could not be put into the list stays before the eyes, with a word", async () => {
  const person = await open();
  const { add } = person.outbox;
  person.outbox.add = () => Promise.reject(new Error("nobody thought of it"));
  await person.choose(letter("one.pdf"));
  await person.press("send");
  assert.ok(person.shows("review") && person.drafting());
  assert.match(person.sees("advice"), /^unavailable/);
  person.outbox.add = add;
  await person.press("send");
  assert.deepEqual(await person.sent(), ["%PDF-1.7 one.pdf"]);
});

test("a page that was taken back is not one that was sent", async () => {
  const person = await open();
  await person.choose(letter("one.pdf"));
  await person.press("send");
  person.outbox.prints = []; // it was removed
  await person.choose(letter("one.pdf"));
  assert.equal(person.sees("advice"), "");
});

test("a PDF with a password is the person's to send", async () => {
  const person = await open();
  await person.choose(new File(["%PDF-1.7 trailer <</Root 1 0 R/Encrypt 5 0 R>>"], "bill.pdf"));
  assert.match(person.sees("advice"), /^pdf-locked/);
  await person.press("send");
  assert.equal((await person.sent()).length, 1);
});

test("without a camera in the browser, the phone's own is offered wherever pages are added", async () => {
  const person = await open({ inApp: "1" });
  assert.ok(person.shows("own"));
  assert.match(person.sees("fault"), /^in-app/);
  await person.choose(letter("one.pdf"));
  assert.ok(!person.shows("own"), "one page at a time");
  await person.press("send");
  assert.ok(person.shows("own"));
});
