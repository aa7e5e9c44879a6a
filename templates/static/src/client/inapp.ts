// Browsers inside other apps often give no camera, and their cookies are not
// those of the phone's own browser: before the link is opened one can still
// leave them.

// FBAN and the like: Facebook, Messenger, Instagram, WhatsApp, Line, TikTok,
// Snapchat, WeChat; "wv" is any other app's view on Android.
const names = /\b(FBAN|FBAV|FB_IAB|FBIOS|Instagram|WhatsApp|Line|MicroMessenger|Snapchat|musical_ly|BytedanceWebview)\b|; wv\)/;

// Apps on iPhones leave out the name of the browser.
const iPhone = /\((iPhone|iPad|iPod)\b/;

export function insideAnApp(agent: string): boolean {
  return names.test(agent) || (iPhone.test(agent) && !/\bSafari\//.test(agent));
}

// hintInApp shows what a link's page says about it.
export function hintInApp(): void {
  const hint = document.getElementById("in-app");
  if (hint) hint.hidden = !insideAnApp(navigator.userAgent);
}
