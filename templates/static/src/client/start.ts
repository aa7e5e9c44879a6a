// Puts together what stands behind the camera: outbox, list, "I'm done".
import { Done } from "./done";
import { element, type Status, type Words } from "./elements";
import { Outbox } from "./outbox";
import { PageList } from "./pages";
import { decode, redraw } from "./picture";
import { Sealer } from "./seal";
import { Shelf } from "./shelf";

// Pixels of a picture in the list: sharp on a dense screen.
const thumbnail = 160;

// What is bad news, and is shown so.
const bad = ["failed", "no-lock", "page-damaged", "offline", "again", "keep-open"];

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
        if (item?.state === "needs") item.why = why || said;
        status.say(item?.state === "needs" ? `${page}: ${item.why}` : said, bad.includes(word));
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

// sweep leaves nothing of a link on the phone whose receipt is shown.
export function sweep(path: string): void {
  const ended = /^(\/send\/[^/]+)\/receipt/.exec(path);
  if (ended?.[1]) void new Shelf().wipe(ended[1]);
}
