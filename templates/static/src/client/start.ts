// Puts together what stands behind the camera: outbox, list, "I'm done".
import { Done } from "./done";
import { element, type Words } from "./elements";
import { Outbox } from "./outbox";
import { PageList } from "./pages";
import { decode, redraw } from "./picture";
import { Sealer } from "./seal";
import { fetchWithin, read } from "./send";
import { Shelf } from "./shelf";
import type { Status } from "./status";

// Pixels of a picture in the list: sharp on a dense screen.
const thumbnail = 160;

// What is bad news, and is shown so.
const bad = ["failed", "no-lock", "file-gone", "page-damaged", "offline", "again", "keep-open"];

export function openOutbox(words: Words, status: Status): Outbox {
  const settings = element("settings").dataset;
  const base = settings["base"] ?? "";
  const pages = new PageList(words, base);
  const sealer = new Sealer(settings["worker"] ?? "", (settings["recipients"] ?? "").split(" ").filter(Boolean));
  let leaving = false;
  let done: Done | undefined;
  const outbox = new Outbox(
    {
      base,
      left: Number(settings["left"]) || 0,
      // Not the phone's clock: a person may set that.
      now: () => performance.now(),
      browserOnly: () => settings["sealing"] === "browser-only",
      draw,
    },
    sealer,
    new Shelf(),
    {
      changed() {
        pages.draw(outbox);
        done?.changed();
      },
      say(word, item, why) {
        const page = pages.name(item, outbox);
        const said = words.say(word, { page });
        // What the server said of a page, or what the catalog says in its place.
        if (item?.state !== "needs") return status.tell(said, bad.includes(word));
        item.why = why || said; // the list shows it
        status.tell(`${page}: ${words.say("needs")}`, true);
        status.say(`${page}: ${item.why}`);
      },
      over(late) {
        leaving = true;
        // The receipt says what is there, and that the rest came too late.
        const suffix = settings["suffix"] ?? "";
        window.location.assign(late ? `${base}/receipt${suffix}${suffix ? "&" : "?"}late=1` : base + suffix);
      },
    },
  );
  done = new Done(words, status, outbox);
  void outbox.resume(pages.received());
  window.addEventListener("beforeunload", (event) => {
    if (outbox.atRisk && !leaving) event.preventDefault();
  });
  return outbox;
}

async function draw(content: Blob): Promise<Blob> {
  const picture = await decode(content);
  try {
    return await redraw(picture, thumbnail);
  } finally {
    picture.release();
  }
}

// sweep leaves nothing of a link on the phone whose receipt is shown, nor of
// others that are over: by the server's word, not by the phone's clock.
export async function sweep(path: string): Promise<void> {
  const shelf = new Shelf();
  const shown = /^\/send\/[^/]+/.exec(path)?.[0] ?? "";
  if (shown && path === `${shown}/receipt`) await shelf.wipe(shown);
  for (const base of await shelf.overdue()) {
    if (base !== shown && (await isOver(base).catch(() => false))) await shelf.wipe(base);
  }
}

async function isOver(base: string): Promise<boolean> {
  const answer = await fetchWithin(base, { headers: { Accept: "application/json" } });
  if (answer.redirected) return new URL(answer.url).pathname === `${base}/receipt`;
  const { code } = read(answer.status, answer.ok ? "" : await answer.text());
  return ["not-found", "link-expired", "link-closed"].includes(code);
}
