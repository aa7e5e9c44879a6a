// Puts together what stands behind the camera: outbox, list, "I'm done".
import { Done } from "./done";
import { element, type Words } from "./elements";
import { Lacks } from "./lacks";
import { Outbox } from "./outbox";
import { PageList } from "./pages";
import { decode, redraw } from "./picture";
import { Sealer } from "./seal";
import { fetchWithin, read } from "./send";
import { Shelf } from "./shelf";
import type { Status } from "./status";

// Pixels of a picture in the list: sharp on a dense screen.
const thumbnail = 160;

// News of the line, which is bad news.
const line = ["offline", "again"];

export function openOutbox(words: Words, status: Status): Outbox {
  const settings = element("settings").dataset;
  const base = settings["base"] ?? "";
  const pages = new PageList(words, base);
  const sealer = new Sealer(settings["worker"] ?? "", (settings["recipients"] ?? "").split(" ").filter(Boolean));
  let leaving = false;
  let done: Done | undefined;
  // The receipt says what is there, and that the rest came too late.
  const over = (late: boolean) => {
    leaving = true;
    const suffix = settings["suffix"] ?? "";
    window.location.assign(late ? `${base}/receipt${suffix}${suffix ? "&" : "?"}late=1` : base + suffix);
  };
  const changed = () => {
    status.solve((trouble) => stillSo(trouble, outbox, lacks));
    done?.changed();
  };
  const lacks = new Lacks(words, status, { changed, over });
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
        for (const { key, told } of outbox.items) lacks.arrived(key, told);
        changed();
      },
      say(word, item, why) {
        const page = pages.name(item, outbox);
        const said = words.say(word, { page });
        if (line.includes(word)) return status.tell(said, { trouble: "line" });
        if (word === "on-way") return status.tell(said, { passing: true });
        if (word === "received") return status.tell(said, { together: words.say("received-count", { count: outbox.arrivals }) });
        if (word === "keep-open" && item) return status.tell(said, { trouble: item.key });
        if (item?.state !== "needs") return status.tell(said);
        // What the server said of a page, or what the catalog says in its place.
        item.why = why || said; // the list shows it
        status.tell(`${page}: ${words.say("needs")}`, { trouble: item.key });
        status.say(`${page}: ${item.why}`, { trouble: item.key });
      },
      over,
    },
  );
  done = new Done(words, status, outbox, lacks);
  const received = pages.received();
  for (const { key, label } of received) lacks.knows(key, label);
  void outbox.resume(received);
  window.addEventListener("beforeunload", (event) => {
    if ((outbox.atRisk || !lacks.settled) && !leaving) event.preventDefault();
  });
  return outbox;
}

// stillSo tells whether something is wrong as it was: with the line, with what
// a person lacks, or with the page of a key.
function stillSo(trouble: string, outbox: Outbox, lacks: Lacks): boolean {
  if (trouble === "end") return true; // the page goes when that is solved
  if (trouble === "lack") return !lacks.settled;
  if (trouble === "line") return outbox.poor;
  const item = outbox.items.find(({ key }) => key === trouble);
  if (!item || item.gone) return false;
  return item.state === "needs" || (!item.kept && item.state !== "received");
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
  // A session that is over may go on with the very next tap here: a new link of
  // the same person leads to the same submission, which takes what waits.
  if (path.startsWith("/c/")) return;
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
