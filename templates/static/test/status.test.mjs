import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Element, load } from "./kit.mjs";

const { Status } = await load("status.ts");

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

// heard gives all that the live region said while so many seconds went by.
function heard(region, seconds) {
  const all = [];
  for (let tenth = 0; tenth < seconds * 10; tenth++) {
    const words = region.textContent;
    if (words && words !== all.at(-1)) all.push(words);
    mock.timers.tick(100);
  }
  return all;
}

test("each thing is said, however fast they come", () => {
  const region = new Element();
  const status = new Status(region, []);
  for (const words of ["Page 1 received.", "notes.txt was not sent.", "Page 2 received."]) status.tell(words);
  assert.deepEqual(heard(region, 10), ["Page 1 received.", "notes.txt was not sent.", "Page 2 received."]);
});

test("the same words twice are said twice", () => {
  const region = new Element();
  const status = new Status(region, []);
  status.say("That did not work.");
  status.say("That did not work.");
  assert.equal(heard(region, 5).length, 2);
});

test("what only passes makes way", () => {
  const region = new Element();
  const status = new Status(region, []);
  status.say("Page 1 received.");
  status.say("Please wait.", { passing: true });
  status.say("This looks dark.");
  assert.deepEqual(heard(region, 10), ["Page 1 received.", "This looks dark."]);
});

test("the eye sees the last of it, in room that is kept", () => {
  const place = new Element();
  place.hidden = true;
  const status = new Status(new Element(), [place]);
  status.reserve(false);
  assert.ok(place.hidden);
  status.tell("Page 1 is on its way.");
  status.tell("Page 1 received.");
  assert.equal(place.querySelector(".said").textContent, "Page 1 received.");
  status.reserve(false);
  assert.ok(!place.hidden);
});

test("trouble stays before the eye until it is solved, and is heard first", () => {
  const place = new Element();
  const region = new Element();
  const status = new Status(region, [place]);
  const seen = () => place.querySelector(".said").textContent;
  status.tell("Page 3 received.");
  status.tell("Page 4 received.");
  status.tell("Page 1: Needs you", { trouble: "a" });
  status.tell("Page 2 received.");
  assert.equal(seen(), "Page 1: Needs you");
  assert.deepEqual(heard(region, 10), ["Page 3 received.", "Page 1: Needs you", "Page 4 received.", "Page 2 received."]);
  status.solve((trouble) => trouble === "a");
  assert.equal(seen(), "Page 1: Needs you");
  status.solve(() => false);
  assert.equal(seen(), "Page 2 received.");
});

test("many pages that arrive at once are one thing to hear", () => {
  const region = new Element();
  const status = new Status(region, []);
  for (let n = 1; n <= 40; n++) status.tell(`Page ${n} received.`, { together: `Received so far: ${n}` });
  assert.deepEqual(heard(region, 10), ["Page 1 received.", "Received so far: 40"]);
});
