// The client's pages: without this script they are plain forms.
import { Capture } from "./client/capture";
import { Words } from "./client/elements";
import { openOutbox, sweep } from "./client/start";
import { Status } from "./client/status";

// A page from the browser's back-forward cache may tell of a link or of pages
// that are no longer so.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

const settings = document.getElementById("settings");
const live = document.getElementById("live");
if (settings && live) {
  const words = new Words(settings);
  const status = new Status(live, document.querySelectorAll<HTMLElement>(".news"));
  new Capture(words, status, openOutbox(words, status));
  const notice = document.getElementById("status"); // what became of a plain form
  if (notice?.textContent) notice.focus();
}
void sweep(window.location.pathname);
