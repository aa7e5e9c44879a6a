import { element } from "./elements";

let told = false;

// tellCamera says once that the camera runs: a caseworker who is on the phone
// with the client sees it. Nothing of the picture is sent, and what becomes of
// the word is nobody's trouble here.
export function tellCamera(): void {
  const base = element("settings").dataset["base"];
  if (told || !base) return;
  told = true;
  fetch(base + "/camera", { method: "POST", keepalive: true }).catch(() => undefined);
}
