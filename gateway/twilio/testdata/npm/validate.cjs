// Reads requests as JSON, [{url, params, signature}], and writes for each
// whether Twilio's own library takes its signature under the token given.
"use strict";

const { validateRequest } = require("twilio");

const token = process.argv[2];
let input = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  input += chunk;
});
process.stdin.on("end", () => {
  const answers = JSON.parse(input).map((r) => validateRequest(token, r.signature, r.url, r.params));
  process.stdout.write(JSON.stringify(answers));
});
