import { Lock, secondsLeft } from "./lock";

// Reading is use as well: while a person moves about on a page, the session
// is kept at most this often.
const keepEvery = 60_000;

// lockWhenIdle locks the screen when the session is idle for too long, so that
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
  const lock = new Lock((left) => {
    kept = Date.now();
    wait(left);
  });
  const go = (left: number | undefined) => {
    if (lock.locked) return;
    if (left === undefined) lock.close();
    else wait(left);
  };
  // Another tab may have kept the session alive.
  const check = async () => go(await secondsLeft());
  const use = async () => {
    if (lock.locked || Date.now() - kept < keepEvery) return;
    kept = Date.now();
    go(await secondsLeft({ method: "POST" }));
  };

  for (const name of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
    window.addEventListener(name, () => void use(), { passive: true });
  }
  // Timers sleep with the machine: look at once when the page is seen again.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible" && !lock.locked) void check();
  });
  wait(seconds);
}
