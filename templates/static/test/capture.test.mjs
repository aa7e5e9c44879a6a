import assert from "node:assert/strict";
import { test } from "node:test";
import { load, network, page, settle } from "./kit.mjs";

const { Capture, openOutbox } = await load("capture.ts");
const { Status, Words } = await load("elements.ts");

const letter = (name) => new File([`%PDF-1.7 ${name}`], name);
const notes = (name) => new File(["just words"], name);

// open shows the page, with pages there already, and gives what a person does.
async function open(pages = 0) {
  const browser = page();
  for (let n = 0; n < pages; n++) browser.get("list").append(browser.get("row"));
  const words = new Words(browser.get("settings"));
  const status = new Status(browser.get("status"));
  new Capture(words, status, openOutbox(words, status));
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
    pages: () => browser.get("list").children.length,
  };
}

test("a refused file is named, the others are not lost", async () => {
  const wires = network([201, { stored: true }]);
  const person = await open();
  await person.choose(notes("notes.txt"), letter("one.pdf"), new File([], "empty.jpg"), letter("two.pdf"));
  assert.ok(person.shows("review"), "the second file waits to be sent");
  assert.match(person.said(), /^not-sent\[notes\.txtpage-type/);

  await person.press("send");
  assert.ok(person.shows("review"), "the last file waits to be sent");
  assert.match(person.said(), /^received.* not-sent\[empty\.jpgpage-empty/);
  await person.press("send");
  assert.deepEqual([person.shows("start"), person.pages()], [true, 2]);
  const sent = await Promise.all(wires.posts.map((form) => form.get("page").text()));
  assert.deepEqual(sent, ["%PDF-1.7 one.pdf", "%PDF-1.7 two.pdf"]);
});

test("nothing but refused files", async () => {
  const person = await open();
  await person.choose(notes("a.txt"), new File([`%PDF-1.7${"x".repeat(1000)}`], "big.pdf"));
  assert.ok(person.shows("start") && !person.shows("review"));
  assert.match(person.said(), /not-sent\[a\.txtpage-type.*not-sent\[big\.pdfpage-too-big/);
});

// "I'm done", which the words speak of, is not on the screen of the review.
for (const code of ["too-many-pages", "link-full"]) {
  test(`${code}: the words stand where "I'm done" is`, async () => {
    network([422, { code, message: "Tap “I'm done”." }]);
    const person = await open(1);
    await person.choose(letter("one.pdf"), letter("two.pdf"));
    await person.press("send");
    assert.deepEqual([person.shows("start"), person.shows("pages"), person.shows("review")], [true, true, false]);
    assert.equal(person.said(), "Tap “I'm done”.");
  });
}

test("any other refusal leaves the page where it can be sent again", async () => {
  network([410, { code: "page-removed", message: "You removed this page." }], [201, { stored: true }]);
  const person = await open();
  await person.choose(letter("one.pdf"));
  await person.press("send");
  assert.ok(person.shows("review"));
  await person.press("send");
  assert.deepEqual([person.shows("start"), person.pages()], [true, 1]);
});
