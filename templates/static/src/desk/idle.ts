import { ask, isProblem, leave } from "./elements";

// Reading is use as well: while a person moves about on a page, the session
// is kept at most this often.
const keepEvery = 60_000;

// lockWhenIdle leads to the sign-in page when the session is over, so that
// papers do not stay on a screen nobody sits at. The server decides; this
// clears the screen.
export function lockWhenIdle(): void {
  const seconds = Number(document.body.dataset["idle"]);
  if (!seconds) return;
  let timer = 0;
  let kept = Date.now();

  const wait = (left: number) => {
    window.clearTimeout(timer);
    timer = window.setTimeout(check, (left + 1) * 1000);
  };
  // Another tab may have kept the session alive.
  const check = async () => {
    const answer = await ask("/session", { headers: { Accept: "application/json" } });
    if (isProblem(answer)) {
      leave();
      return;
    }
    wait(((await answer.json()) as { seconds: number }).seconds);
  };
  const use = async () => {
    if (Date.now() - kept < keepEvery) return;
    kept = Date.now();
    const answer = await ask("/session", { method: "POST", headers: { Accept: "application/json" } });
    if (!isProblem(answer)) wait(((await answer.json()) as { seconds: number }).seconds);
  };

  for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
    window.addEventListener(name, () => void use(), { passive: true });
  }
  // Timers sleep with the machine: look at once when the page is seen again.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") void check();
  });
  wait(seconds);
}
