// An OpenID Connect provider for tests: oidc-provider with a page on which
// whoever types a name is that person. Its one argument is JSON: see
// gateway/sso/ssotest.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import Provider from "oidc-provider";

const { issuer, listen, clients, people, inToken } = JSON.parse(process.argv[2]);

// The file is read at each sign-in: groups change while the provider runs.
const person = (name) => JSON.parse(readFileSync(people, "utf8"))[name];

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });

const provider = new Provider(issuer, {
  clients: clients.map(({ id, secret, redirect }) => ({ client_id: id, client_secret: secret, redirect_uris: [redirect] })),
  jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", kid: "one" }] },
  claims: { openid: ["sub", "acr", "amr"], profile: ["preferred_username"], email: ["email"], groups: ["groups"] },
  acrValues: ["two-factor"],
  conformIdTokenClaims: !inToken,
  cookies: { keys: ["of a test"] },
  features: { devInteractions: { enabled: false } },
  ttl: { IdToken: 3600, Session: 3600, Interaction: 600, Grant: 3600, AccessToken: 600, AuthorizationCode: 60 },
  findAccount: (_, id) => {
    const { name, email, groups } = person(id);
    return { accountId: id, claims: () => ({ sub: id, preferred_username: name, email, groups }) };
  },
  loadExistingGrant: async ({ oidc }) => {
    const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
    grant.addOIDCScope("openid profile email groups");
    await grant.save();
    return grant;
  },
});

const page = `<!doctype html><html lang="en"><meta charset="utf-8"><title>The organization</title><link rel="icon" href="data:,">
<main><h1>The organization</h1><form method="post"><label for="who">Who are you?</label> <input id="who" name="who">
<button id="in">Sign in</button> <button id="never" name="never" value="1">No</button></form></main></html>`;

async function interact(request, response) {
  if (request.method !== "POST") {
    response.setHeader("Content-Type", "text/html; charset=utf-8");
    response.end(page);
    return;
  }
  const form = new URLSearchParams(await text(request));
  const who = person(form.get("who"));
  const result = form.get("never") || !who
    ? { error: "access_denied" }
    : { login: { accountId: form.get("who"), acr: who.acr, amr: who.amr } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const answer = provider.callback();
createServer((request, response) => {
  if (!request.url.startsWith("/interaction/")) {
    answer(request, response);
    return;
  }
  interact(request, response).catch((fault) => {
    response.statusCode = 500;
    response.end(String(fault));
  });
}).listen(Number(listen.split(":")[1]), listen.split(":")[0], () => console.log("listening"));
