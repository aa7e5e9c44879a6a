// The client's pages: without this script they are plain forms.
import { Capture } from "./client/capture";
import { Status, Words } from "./client/elements";
import { openOutbox, sweep } from "./client/start";

// A page from the browser's back-forward cache may tell of a link or of pages
// that are no longer so.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

const settings = document.getElementById("settings");
const region = document.getElementById("status");
if (settings && region) {
  const words = new Words(settings);
  const status = new Status(region);
  new Capture(words, status, openOutbox(words, status));
  if (region.textContent) region.focus();
}
sweep(window.location.pathname);
