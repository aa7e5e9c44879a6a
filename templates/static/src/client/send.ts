// Posting one page until the server says that it has it.
import type { Sealed } from "./seal";

export interface Parcel {
  key: string; // the same through every try
  label: string;
  plain: Blob;
  sealed: Sealed | undefined; // undefined: the server seals
}

export interface Report {
  progress(share: number): void; // 0 to 1
  trouble(kind: "offline" | "again"): void;
}

export type Outcome = { ok: true } | { ok: false; code: string; message: string };

// Silence on the line for this long counts as a broken connection.
const stallPatience = 75_000; // milliseconds
// Phones are wrong at times about having no network: after this long a try is
// made all the same.
const offlinePatience = 20_000; // milliseconds
// Pauses before the second and later tries.
const pauses = [1_000, 2_000, 4_000, 8_000, 15_000];

// Answers after which the same bytes may well be taken a moment later.
const passing = new Set([0, 408, 425, 429, 500, 502, 503, 504]);

interface Answer {
  status: number; // 0: no answer
  stored: boolean; // our server's own word; nothing else counts as received
  code: string;
  message: string;
}

export async function send(url: string, parcel: Parcel, report: Report): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    await online(report);
    const answer = await post(url, parcel, report);
    if (answer.status === 201 && answer.stored) return { ok: true };
    if (answer.code === "page-seal" && parcel.sealed) {
      parcel.sealed = undefined; // the office changed its keys while the page was open
      continue;
    }
    // A friendly answer that does not say "stored" is not our server's, or not
    // to this request: a login page of the network, or where a redirect led to.
    const strange = answer.status >= 200 && answer.status < 300;
    const worthwhile = strange || passing.has(answer.status) || answer.code === "page-digest";
    const pause = pauses[attempt];
    if (!worthwhile || pause === undefined) {
      return { ok: false, code: answer.code, message: answer.message };
    }
    if (navigator.onLine) report.trouble("again");
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

// online waits until the phone says that it has a network, but not for ever.
function online(report: Report): Promise<void> {
  if (navigator.onLine) return Promise.resolve();
  report.trouble("offline");
  return new Promise((resolve) => {
    const go = () => {
      clearTimeout(timer);
      window.removeEventListener("online", go);
      resolve();
    };
    const timer = setTimeout(go, offlinePatience);
    window.addEventListener("online", go);
  });
}

function post(url: string, parcel: Parcel, report: Report): Promise<Answer> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const silence = { status: 0, stored: false, code: "", message: "" };
    let timer = 0;
    const alive = () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => request.abort(), stallPatience);
    };
    const end = (answer: Answer) => {
      clearTimeout(timer);
      resolve(answer);
    };
    request.upload.onprogress = (event) => {
      alive();
      if (event.lengthComputable && event.total) report.progress(event.loaded / event.total);
    };
    request.onload = () => end(read(request));
    request.onerror = request.onabort = () => end(silence);
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    alive();
    if (parcel.sealed) {
      request.setRequestHeader("Content-Type", "application/vnd.age");
      request.setRequestHeader("Content-Digest", `sha-256=:${parcel.sealed.digest}:`);
      request.setRequestHeader("Page-Id", parcel.key);
      request.setRequestHeader("Page-Label", parcel.label);
      request.send(parcel.sealed.content);
      return;
    }
    const form = new FormData();
    form.append("key", parcel.key);
    form.append("label", parcel.label);
    form.append("page", parcel.plain, "page");
    request.send(form);
  });
}

function read(request: XMLHttpRequest): Answer {
  let stored = false;
  let code = "";
  let message = "";
  try {
    const body = JSON.parse(request.responseText) as { stored?: unknown; code?: unknown; message?: unknown };
    stored = body.stored === true;
    if (typeof body.code === "string") code = body.code;
    if (typeof body.message === "string") message = body.message;
  } catch {
    // A proxy in between may answer with a page of its own.
  }
  return { status: request.status, stored, code, message };
}

// newKey gives a Page-Id: 26 characters, 156 bits.
export function newKey(): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return Array.from(crypto.getRandomValues(new Uint8Array(26)), (byte) => letters[byte & 63]).join("");
}
