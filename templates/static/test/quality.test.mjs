import assert from "node:assert/strict";
import { test } from "node:test";
import { load } from "./kit.mjs";

const { measure, same, printOf, sharpEnough, brightEnough } = await load("quality.ts");
const { locked } = await load("picture.ts");

// picture is an ImageData of so many pixels with a brightness for each place.
function picture(width, height, at) {
  const data = new Uint8ClampedArray(width * height * 4);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.fill(at(x, y), (y * width + x) * 4, (y * width + x) * 4 + 4);
  }
  return { width, height, data };
}

const print = (x, y) => (x % 7 < 2 && y % 11 < 6 ? 30 : 240);

test("print is sharp, also where most of the page is empty", async () => {
  assert.ok((await measure(picture(960, 700, print))).sharpness > sharpEnough);
  const corner = picture(960, 700, (x, y) => (x < 480 && y < 180 ? print(x, y) : 240));
  assert.ok((await measure(corner)).sharpness > sharpEnough);
  const soft = picture(960, 700, (x, y) => 130 + 100 * Math.sin(x / 8) * Math.sin(y / 8));
  assert.ok((await measure(soft)).sharpness < sharpEnough);
});

test("one glint is no page", async () => {
  const glint = picture(960, 700, (x, y) => (x > 100 && x < 110 && y > 100 && y < 110 ? 255 : 90));
  assert.ok((await measure(glint)).sharpness < sharpEnough);
});

test("dark is what even the paper is", async () => {
  assert.ok((await measure(picture(300, 400, print))).brightness > brightEnough);
  assert.ok((await measure(picture(300, 400, (x, y) => print(x, y) / 4))).brightness < brightEnough);
  // White paper on a black table, a tenth of the picture.
  assert.ok((await measure(picture(300, 400, (x, y) => (y < 40 ? 240 : 10)))).brightness > brightEnough);
});

test("tiny pictures do no harm", async () => {
  for (const size of [1, 2, 3]) assert.equal((await measure(picture(size, size, () => 9))).brightness, 9);
});

test("the same picture, with a little noise, and another number on it", async () => {
  const noisy = (x, y) => print(x, y) + ((x * 7 + y * 13) % 5) - 2;
  const number = (x, y) => (x > 500 && x < 516 && y > 300 && y < 322 ? 240 : print(x, y));
  const [one, again, other] = await Promise.all([print, noisy, number].map(async (at) => (await measure(picture(960, 700, at))).print));
  assert.ok(same(one, again));
  assert.ok(!same(one, other));
  const files = await Promise.all(["a", "a", "b"].map((text) => printOf(new Blob([text]))));
  assert.ok(same(files[0], files[1]) && !same(files[0], files[2]) && !same(files[0], one));
});

test("a locked PDF says so in its trailer", async () => {
  const filler = "%".repeat(9000);
  const pdf = (trailer, tail = "") => {
    const head = `%PDF-1.7\n${filler}\n`;
    return new Blob([`${head}${trailer}\n${tail}startxref\n${head.length}\n%%EOF\n`]);
  };
  assert.ok(await locked(pdf("trailer <</Root 1 0 R/Encrypt 5 0 R>>")));
  assert.ok(await locked(pdf("9 0 obj <</Type/XRef/Encrypt 5 0 R>>stream", filler)));
  assert.ok(!(await locked(pdf("trailer <</Root 1 0 R/Title (Encrypt)/EncryptMetadata false>>"))));
  assert.ok(!(await locked(new Blob(["%PDF-1.7"]))));
});
