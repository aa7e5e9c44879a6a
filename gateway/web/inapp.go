package web

import "regexp"

// Browsers inside other apps often give no camera, and their cookies are not
// those of the phone's own browser: before the link is opened one can still
// leave them. FBAN and the like: Facebook, Messenger, Instagram, WhatsApp, Line,
// TikTok, Snapchat, WeChat; "wv" is any other app's view on Android.
var appNames = regexp.MustCompile(`\b(FBAN|FBAV|FB_IAB|FBIOS|Instagram|WhatsApp|Line|MicroMessenger|Snapchat|musical_ly|BytedanceWebview)\b|; wv\)`)

// Apps on iPhones leave out the name of the browser.
var (
	iPhone = regexp.MustCompile(`\((iPhone|iPad|iPod)\b`)
	safari = regexp.MustCompile(`\bSafari/`)
)

// insideAnApp tells from a User-Agent whether the browser is another app's.
func insideAnApp(agent string) bool {
	return appNames.MatchString(agent) || iPhone.MatchString(agent) && !safari.MatchString(agent)
}
