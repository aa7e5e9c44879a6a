import { find, problemIn, showProblem } from "./elements";
import type { Problem } from "./elements";

// What the server sends is JSON of WebAuthn, with bytes as base64url. The
// browsers' own readers of that form are younger than passkeys are.
interface Ceremony {
  options: { publicKey: Record<string, unknown> };
  state: string;
}

interface Described {
  id: string;
  [more: string]: unknown;
}

export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const raw = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
}

export function textOf(bytes: ArrayBuffer): string {
  let raw = "";
  for (const byte of new Uint8Array(bytes)) raw += String.fromCharCode(byte);
  return btoa(raw).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

const described = (list: unknown) =>
  ((list as Described[] | undefined) ?? []).map((one) => ({ ...one, id: bytesOf(one.id) }));

function creation(key: Record<string, unknown>): PublicKeyCredentialCreationOptions {
  const user = key["user"] as Described;
  return {
    ...key,
    challenge: bytesOf(key["challenge"] as string),
    user: { ...user, id: bytesOf(user.id) },
    excludeCredentials: described(key["excludeCredentials"]),
  } as unknown as PublicKeyCredentialCreationOptions;
}

function request(key: Record<string, unknown>): PublicKeyCredentialRequestOptions {
  return {
    ...key,
    challenge: bytesOf(key["challenge"] as string),
    allowCredentials: described(key["allowCredentials"]),
  } as unknown as PublicKeyCredentialRequestOptions;
}

// answerOf writes what the authenticator said, as the server reads it.
function answerOf(made: PublicKeyCredential): string {
  const from = made.response;
  const response: Record<string, unknown> = { clientDataJSON: textOf(from.clientDataJSON) };
  if (from instanceof AuthenticatorAttestationResponse) {
    response["attestationObject"] = textOf(from.attestationObject);
    response["transports"] = from.getTransports?.() ?? [];
  } else if (from instanceof AuthenticatorAssertionResponse) {
    response["authenticatorData"] = textOf(from.authenticatorData);
    response["signature"] = textOf(from.signature);
    if (from.userHandle) response["userHandle"] = textOf(from.userHandle);
  }
  return JSON.stringify({ id: made.id, rawId: textOf(made.rawId), type: made.type, response, clientExtensionResults: {} });
}

// post sends a form and reads JSON. A session that ended is told like any
// other problem: on these pages there may be none yet.
async function post<T>(url: string, fields: Record<string, string>): Promise<T | Problem> {
  try {
    const response = await fetch(url, {
      method: "POST", body: new URLSearchParams(fields), cache: "no-store", redirect: "error",
      headers: { Accept: "application/json" },
    });
    return response.ok ? ((await response.json()) as T) : await problemIn(response);
  } catch {
    return { title: "No connection", text: "Dropslot does not answer. Check your network and try again." };
  }
}

const failed = (answer: unknown): answer is Problem => typeof (answer as Problem).title === "string";

const givenUp: Problem = {
  title: "No passkey was used",
  text: "The browser ended it, or it took too long. Try again, or take another way.",
};

// useAPasskey signs in, or opens a locked screen, and gives where to go on.
export async function useAPasskey(next: string): Promise<{ next: string; seconds?: number } | Problem> {
  const ceremony = await post<Ceremony>("/login/options", {});
  if (failed(ceremony)) return ceremony;
  let made: Credential | null = null;
  try {
    made = await navigator.credentials.get({ publicKey: request(ceremony.options.publicKey) });
  } catch {
    return givenUp;
  }
  if (!(made instanceof PublicKeyCredential)) return givenUp;
  return await post("/login/passkey", { state: ceremony.state, answer: answerOf(made), next });
}

// addAPasskey sends the account that the page is for, too: in another tab the
// browser may have come to another one.
async function addAPasskey(
  options: string, finish: string, login: string, password: string,
): Promise<{ next: string } | Problem> {
  const ceremony = await post<Ceremony>(options, { login, password });
  if (failed(ceremony)) return ceremony;
  let made: Credential | null = null;
  try {
    made = await navigator.credentials.create({ publicKey: creation(ceremony.options.publicKey) });
  } catch {
    return givenUp;
  }
  if (!(made instanceof PublicKeyCredential)) return givenUp;
  return await post(finish, { login, state: ceremony.state, answer: answerOf(made) });
}

// Browsers bind passkeys to a name: at a bare address there are none.
export const passkeysWork = () =>
  typeof window.PublicKeyCredential === "function" && !/^[\d.]+$|^\[/.test(window.location.hostname);

// offerPasskeys shows what a page offers beside its form, and lets it work.
export function offerPasskeys(): void {
  if (!passkeysWork()) return;
  for (const box of document.querySelectorAll<HTMLElement>("[data-passkey-use]")) {
    work(box, () => useAPasskey(box.dataset["passkeyUse"] || "/"));
  }
  for (const box of document.querySelectorAll<HTMLElement>("[data-passkey-add]")) {
    const password = box.querySelector<HTMLInputElement>("[data-passkey-password]");
    const { options = "", finish = "", account = "" } = box.dataset;
    work(box, () => addAPasskey(options, finish, account, password?.value ?? ""));
  }
}

function work(box: HTMLElement, act: () => Promise<{ next: string } | Problem>): void {
  const button = find<HTMLButtonElement>("button", box);
  const problem = find("[data-passkey-problem]", box);
  box.hidden = false;
  box.addEventListener("submit", (event) => {
    event.preventDefault();
    button.click();
  });
  button.addEventListener("click", async () => {
    button.disabled = true;
    problem.hidden = true;
    const answer = await act();
    if (!failed(answer)) {
      window.location.assign(answer.next);
      return;
    }
    button.disabled = false;
    showProblem(problem, answer);
  });
}

export { failed, post };
