// Posting one page, once.
import type { Sealed } from "./seal";

export interface Parcel {
  key: string; // the same through every try
  again?: boolean; // it was tried before
  label: string;
  plain?: Blob | undefined;
  sealed?: Sealed | undefined; // without it the server seals
}

// Line is a request on its way: when it last moved, and how to end it.
export interface Line {
  moved: number; // ms
  cut(): void;
}

export interface Answer {
  status: number; // 0: no answer
  stored: boolean; // our server's own word; nothing else counts as received
  code: string;
  message: string;
}

// Silence for this long counts as a broken connection, and longer for a page
// that may lie whole in the phone's and the mast's buffers: from there it
// drains at the speed of the line.
const patience = 60_000; // milliseconds
const slow = 5; // bytes a millisecond: 40 kbit/s
// The server gives up below this; a page that failed before may be on such a line.
const slowest = 2;

export function post(url: string, parcel: Parcel, progress: (share: number) => void, opened: (line: Line) => void): Promise<Answer> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const content = parcel.sealed?.content ?? parcel.plain ?? new Blob();
    const line = { moved: Date.now(), cut: () => request.abort() };
    let timer = 0;
    const alive = () => {
      line.moved = Date.now();
      clearTimeout(timer);
      timer = window.setTimeout(line.cut, patience + content.size / (parcel.again ? slowest : slow));
    };
    const end = (answer: Answer) => {
      clearTimeout(timer);
      resolve(answer);
    };
    request.upload.onprogress = (event) => {
      alive();
      if (event.lengthComputable && event.total) progress(event.loaded / event.total);
    };
    request.onload = () => end(read(request.status, request.responseText));
    request.onerror = request.onabort = () => end({ status: 0, stored: false, code: "", message: "" });
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    alive();
    opened(line);
    if (parcel.sealed) {
      request.setRequestHeader("Content-Type", "application/vnd.age");
      request.setRequestHeader("Content-Digest", `sha-256=:${parcel.sealed.digest}:`);
      request.setRequestHeader("Page-Id", parcel.key);
      request.setRequestHeader("Page-Label", parcel.label);
      request.send(content);
      return;
    }
    const form = new FormData();
    form.append("key", parcel.key);
    form.append("label", parcel.label);
    form.append("page", content, "page");
    request.send(form);
  });
}

// read takes an answer for what it says. What is not our server's has no code:
// a page of a proxy, the login of a network, or where a redirect led to.
export function read(status: number, text: string): Answer {
  let stored = false;
  let code = "";
  let message = "";
  try {
    const body = JSON.parse(text) as { stored?: unknown; code?: unknown; message?: unknown };
    stored = status === 201 && body.stored === true;
    if (typeof body.code === "string") code = body.code;
    if (typeof body.message === "string") message = body.message;
  } catch {
    // no JSON
  }
  return { status, stored, code, message };
}

// Answers after which the same request may well be taken a moment later.
const passing = new Set([0, 408, 425, 429, 500, 502, 503, 504]);

export function isBusy(status: number): boolean {
  return passing.has(status);
}

// mayPass tells whether to ask again: the server was not reached, or is busy,
// or somebody else answered for it.
export function mayPass(answer: Answer): boolean {
  if (isBusy(answer.status)) return true;
  return !answer.code && answer.status !== 413; // a proxy's "too big" stays so
}

// Codes of a session that takes nothing more, neither pages nor words.
export const ended = ["link-expired", "link-closed"];

// ask puts a short question; an answer that did not come has status 0.
export async function ask(url: string, request: RequestInit): Promise<Answer> {
  try {
    const answer = await fetchWithin(url, { ...request, headers: { Accept: "application/json" } });
    return read(answer.status, await answer.text());
  } catch {
    return { status: 0, stored: false, code: "", message: "" };
  }
}

// Pauses after the first and later failures, in ms; the last again and again.
const pauses = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000];
export function pauseAfter(failures: number): number {
  return pauses[Math.min(failures, pauses.length - 1)] ?? 0;
}

// untilOnline waits for the pause after so many failures, or for the signal.
export function untilOnline(failures: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, pauseAfter(failures));
    const go = () => {
      clearTimeout(timer);
      resolve();
    };
    window.addEventListener("online", go, { once: true });
  });
}

// newKey gives a Page-Id: 26 characters, 156 bits.
export function newKey(): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return Array.from(crypto.getRandomValues(new Uint8Array(26)), (byte) => letters[byte & 63]).join("");
}

// Silence of a short question for this long counts as a broken connection.
const fetchPatience = 30_000; // milliseconds

export async function fetchWithin(url: string, request: RequestInit = {}): Promise<Response> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), fetchPatience);
  try {
    return await fetch(url, { ...request, signal: patience.signal });
  } finally {
    clearTimeout(timer);
  }
}
