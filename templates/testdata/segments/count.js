// Reads a JSON list of texts from stdin and writes, for each, its encoding and
// its number of segments as the npm package counts them.
const { SegmentedMessage } = require("sms-segments-calculator");
const { readFileSync } = require("node:fs");

const texts = JSON.parse(readFileSync(0, "utf8"));
const counts = texts.map((text) => {
  const message = new SegmentedMessage(text);
  return { encoding: message.encodingName, count: message.segmentsCount };
});
process.stdout.write(JSON.stringify(counts));
