package e2e

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

const cameraPage = `<!doctype html><title>camera</title><button id=go>go</button><p id=out></p><noscript><p id=off>no scripts</p></noscript>
<script>
document.getElementById("go").addEventListener("click", async () => {
	const stream = await navigator.mediaDevices.getUserMedia({video: {width: {ideal: 4096}, height: {ideal: 2160}}});
	const video = document.createElement("video");
	video.srcObject = stream;
	await video.play();
	const canvas = document.createElement("canvas");
	canvas.width = video.videoWidth;
	canvas.height = video.videoHeight;
	const pen = canvas.getContext("2d", {willReadFrequently: true});
	pen.drawImage(video, 0, 0);
	const bright = (x, y) => pen.getImageData(x, y, 1, 1).data[1] > 200 ? "paper" : "table";
	document.getElementById("out").textContent =
		canvas.width + "x" + canvas.height + " " + bright(50, 50) + " " + bright(1000, 60);
});
</script>`

// TestBrowserKit proves that the kit does what the tests rely on: the camera
// sees the paper, scripts can be turned off, and no two people share cookies.
func TestBrowserKit(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/who" {
			name := "nobody"
			if cookie, err := r.Cookie("who"); err == nil {
				name = cookie.Value
			}
			_, _ = w.Write([]byte("you are " + name))
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "who", Value: "ann", Path: "/"})
		_, _ = w.Write([]byte(cameraPage))
	}))
	defer server.Close()
	b := openBrowser(t, payStatement)
	host := server.Listener.Addr().String()

	ann := b.open("Ann", phoneScreen, host)
	ann.visit(server.URL + "/")
	ann.click("#go")
	ann.sees("1280x720 table paper")
	ann.visit(server.URL + "/who")
	ann.sees("you are ann")

	ben := b.open("Ben", desktopScreen, host)
	ben.visit(server.URL + "/who")
	ben.sees("you are nobody")
	ben.withoutScripts()
	ben.visit(server.URL + "/")
	ben.visible("#off")
}

// TestBrowserKitWatches proves that a window that asks a stranger for
// anything, or breaks its own policy, would not go unseen.
func TestBrowserKitWatches(t *testing.T) {
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		if r.URL.Path == "/inline" {
			w.Header().Set("Content-Security-Policy", "default-src 'none'")
		}
		_, _ = w.Write([]byte(`<!doctype html><link rel=icon href="data:,"><p>here</p><script>document.title = "ran"</script>`))
		if r.URL.Path == "/stranger" {
			_, _ = w.Write([]byte(`<img src="` + elsewhere.URL + `/pixel.png">`))
		}
	}))
	defer server.Close()
	b := openBrowser(t, payStatement)
	for path, want := range map[string]string{"/stranger": elsewhere.URL + "/pixel.png", "/inline": "Content Security Policy"} {
		seen := newWatch([]string{server.Listener.Addr().String()})
		window, cancel := chromedp.NewContext(b.context, chromedp.WithNewBrowserContext(), chromedp.WithListener(seen.event))
		if err := chromedp.Do(window, chromedp.EmulateViewport(360, 740)); err != nil {
			t.Fatal(err)
		}
		go seen.console(chromedp.Console(window))
		if err := chromedp.Do(window, chromedp.Navigate(server.URL+path)); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "the watch to see "+want, stepTimeout, func() bool {
			seen.mutex.Lock()
			defer seen.mutex.Unlock()
			return strings.Contains(strings.Join(append(slices.Clone(seen.strangers), seen.said...), "\n"), want)
		})
		cancel()
	}
}

// pageServer serves one page to whoever asks, and gives its address.
func pageServer(t *testing.T, content string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(content))
	}))
	t.Cleanup(server.Close)
	return server.URL
}
