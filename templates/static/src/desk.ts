// The desk's pages: without this script they are plain pages and forms.
import { chooseForHandoff, copyLink, offerPrint } from "./desk/handoff";
import { find } from "./desk/elements";
import { keepTimes } from "./desk/times";
import { asksOfOffice } from "./desk/asks";
import { lockWhenIdle } from "./desk/idle";
import { offerPasskeys } from "./desk/passkey";
import { liveList } from "./desk/list";
import { actInPlace, sendInPlace, watchStates } from "./desk/requests";
import { Viewer } from "./desk/viewer";

// A page from the browser's back-forward cache may show papers after the
// sign-out.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

lockWhenIdle();
keepTimes();
sendInPlace();
actInPlace();
asksOfOffice();
watchStates();
offerPasskeys();
for (const field of document.querySelectorAll<HTMLInputElement>("[data-select]")) {
  field.addEventListener("focus", () => field.select());
}
liveList();
chooseForHandoff();
copyLink();
offerPrint();

const stage = document.querySelector("[data-stage]");
if (stage) new Viewer(find("[data-viewer]"));
