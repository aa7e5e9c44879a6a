package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// TestCapture is everything from the shutter or the file picker to the page
// that the person looked at.
func TestCapture(t *testing.T) {
	w := openTown(t)
	for _, part := range []struct {
		name string
		walk func(*town)
	}{
		{"frame, steps and tips", frameStepsAndTips},
		{"lamp", lamp},
		{"sensor's own picture", sensorsOwnPicture},
		{"shutter to review", shutterToReview},
		{"blurred", blurredPages},
		{"dark", darkPages},
		{"same picture twice", samePictureTwice},
		{"saves data", savesData},
		{"hidden", hiddenPage},
		{"camera refused", refusedCamera},
		{"no camera", noCamera},
		{"files", awkwardFiles},
	} {
		t.Run(part.name, func(t *testing.T) { part.walk(w.on(t)) })
	}
}

// enters is somebody new with this town's camera, where photographs are taken.
func (w *town) enters(name string) *person {
	w.t.Helper()
	p := w.newPerson(name)
	p.before(countBytes)
	p.asks("Hello, may I send papers?")
	p.enters()
	return p
}

// countBytes notes how much each picture weighs that is shown.
const countBytes = `window.bytes = [];
	const make = URL.createObjectURL; URL.createObjectURL = (blob) => { bytes.push(blob.size); return make.call(URL, blob); };`

// seeing is the same town with a camera that sees something else.
func (w *town) seeing(picture *image.RGBA, err error) *town {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
	return w.with(chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", film(w.t, picture)))
}

func (w *town) with(flags ...chromedp.ExecAllocatorOption) *town {
	w.t.Helper()
	part := *w
	part.browser = openBrowserWith(w.t, flags...)
	return &part
}

// before runs a script at the beginning of each page of the window.
func (w *tab) before(script string) {
	w.t.Helper()
	w.do("add a script", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: "{" + script + "}"})
		return err
	}))
}

func (w *tab) slowDown(times float64) {
	w.t.Helper()
	w.do("slow the processor down", chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: times})
		return err
	}))
}

// picks chooses in a list as a person does: the page hears of it.
func (w *tab) picks(selector, value string) {
	w.t.Helper()
	w.evaluate("pick "+value, fmt.Sprintf(`{ const list = document.querySelector(%q); list.value = %q; list.dispatchEvent(new Event("change")); }`, selector, value))
}

func (w *tab) evaluate(what, script string) {
	w.t.Helper()
	w.do(what, chromedp.Evaluate[chromedp.Void](script+";0"))
}

func (w *tab) is(what, expression string) {
	w.t.Helper()
	if !run(w, what, chromedp.Evaluate[bool](expression)) {
		w.t.Errorf("%s: %s: it is not so: %s\n%s", w.name, what, expression, w.state())
	}
}

// frameStepsAndTips: somebody on the phone can say "do you see the big 1?",
// and the frame says what belongs into it.
func frameStepsAndTips(w *town) {
	eva := w.enters("Eva")
	eva.opensCamera()
	eva.bothLights("camera")
	if got := eva.text("#asked-name"); got != "Your paper" {
		w.t.Errorf("the frame says %q", got)
	}
	eva.is("the frame is for the eye alone", `document.querySelector(".frame").getAttribute("aria-hidden") === "true" && !document.querySelector("#asked-name").closest("[aria-hidden]")`)
	eva.is("the frame lies on the picture", `(() => { const v = document.querySelector("video").getBoundingClientRect(), f = document.querySelector(".frame").getBoundingClientRect();
		return f.left > v.left && f.right < v.right && f.top > v.top && f.bottom < v.bottom && f.width > v.width * 0.8; })()`)
	eva.is("three tips with pictures", `[...document.querySelectorAll(".tips li")].filter((tip) => tip.querySelector("svg[aria-hidden]") && tip.textContent.trim().length > 4).length === 3`)
	eva.picks("#asked", "pay-stub")
	if got := eva.text("#asked-name"); got != "Pay stub" {
		w.t.Errorf("the frame says %q", got)
	}
	if got := strings.Join(strings.Fields(eva.text("#camera-heading")), " "); got != "1 Take a photo" {
		w.t.Errorf("the first step is %q", got)
	}
	eva.presses("#shutter")
	eva.visible("#preview")
	eva.bothLights("review")
	if got := strings.Join(strings.Fields(eva.text("#review-heading")+" "+eva.text("#review h3")), " "); got != "2 Check it 3 Send it" {
		w.t.Errorf("the next steps are %q", got)
	}
	eva.is("the label came along", `document.querySelector("#label").value === "pay-stub"`)
	eva.is("nothing to say of a good picture", `document.querySelector("#advice").hidden`)
	eva.sends("pay-stub")
	eva.readsPage("page.script.received", "1")
	eva.visible("#camera") // for the next page
	eva.bothLights("next")
	eva.is("a new page has no label yet", `document.querySelector("#asked-name").textContent === "Your paper"`)
	eva.leavesCamera()
	eva.bothLights("start")
	eva.do("use a small phone", chromedp.EmulateViewport(320, 640, chromedp.EmulateMobile))
	eva.evaluate("double the letters", `document.documentElement.style.fontSize = "36px"`)
	eva.opensCamera()
	eva.is("the camera does not stick out", `[...document.querySelectorAll("#camera *")].every((part) => part.getBoundingClientRect().right <= 304.5)`)
	eva.bothLights("large-camera")
	eva.presses("#shutter")
	eva.visible("#preview")
	eva.is("the review does not stick out", `[...document.querySelectorAll("#review *")].every((part) => part.getBoundingClientRect().right <= 304.5)`)
	eva.saysThatItSeals()
}

// saysThatItSeals: a phone that takes its time over that says so on the button,
// which stays as it is.
func (p *person) saysThatItSeals() {
	p.t.Helper()
	p.evaluate("hold the worker", `window.letGo = [];
		const post = Worker.prototype.postMessage;
		Worker.prototype.postMessage = function (...all) { letGo.push(() => post.apply(this, all)); };
		window.box = () => JSON.stringify(document.getElementById("send").getBoundingClientRect());
		window.before = box()`)
	p.presses("#send")
	p.holds("the sealing", `letGo.length === 1`)
	p.is("it says so", `document.getElementById("send").innerText.trim() === document.getElementById("settings").dataset.wordLocking && box() === before`)
	p.evaluate("look at it", `document.getElementById("send").scrollIntoView()`)
	p.bothLights("locking")
	p.evaluate("let it go on", `letGo.forEach((go) => go())`)
	p.receives(2)
}

// lamp is offered where the phone has one.
func lamp(w *town) {
	without := w.enters("Olga")
	without.opensCamera()
	without.is("no lamp is offered", `document.querySelector("#torch").hidden`)

	tess := w.newPerson("Tess")
	tess.before(`const able = MediaStreamTrack.prototype.getCapabilities; window.lit = [];
		MediaStreamTrack.prototype.getCapabilities = function () { return {...able.call(this), torch: true}; };
		MediaStreamTrack.prototype.applyConstraints = async (wish) => { lit.push(wish.advanced[0].torch); };`)
	tess.asks("Hello, may I send papers?")
	tess.enters()
	tess.opensCamera()
	tess.visible("#torch")
	tess.click("#torch")
	tess.holds("the lamp to be on", `document.querySelector("#torch").getAttribute("aria-pressed") === "true" && lit.join() === "true"`)
	tess.bothLights("lamp")
	tess.click("#torch")
	tess.holds("the lamp to be off", `document.querySelector("#torch").getAttribute("aria-pressed") === "false" && lit.join() === "true,false"`)
}

// sensorsOwnPicture: where the sensor gives more than the moving picture, it
// is asked.
func sensorsOwnPicture(w *town) {
	ole := w.newPerson("Ole")
	ole.before(`window.ImageCapture = class {
		async getPhotoCapabilities() { return {imageWidth: {max: 8000}, imageHeight: {max: 6000}}; }
		takePhoto(wish) {
			window.wish = wish;
			const canvas = document.createElement("canvas");
			canvas.width = 3200; canvas.height = 2400;
			canvas.getContext("2d").fillRect(0, 0, 9, 9);
			return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
		}
	};`)
	ole.asks("Hello, may I send papers?")
	ole.enters()
	ole.shoots()
	ole.holds("the sensor's picture", `document.querySelector("#preview").naturalWidth === 2400 && document.querySelector("#preview").naturalHeight === 1800`)
	ole.is("no more is asked of the sensor than is kept", `wish.imageWidth === 3360 && wish.imageHeight === 2520`)
}

// shutterToReview on a phone four times as slow as this machine, with a close
// page from a big sensor: how long it takes, what it weighs, and that the page
// says that it works.
func shutterToReview(w *town) {
	w = w.seeing(letter(3840, 2160, 1))
	sam := w.enters("Sam")
	sam.opensCamera()
	sam.timesShutter("moving picture")

	kit := w.newPerson("Kit")
	kit.before(countBytes + `window.ImageCapture = class {
		async getPhotoCapabilities() {
			const video = document.querySelector("video"), canvas = document.createElement("canvas");
			await new Promise((resolve) => video.addEventListener("playing", resolve, {once: true}));
			canvas.width = 3360; canvas.height = 2520;
			canvas.getContext("2d").drawImage(video, 0, 0, 3360, 2520);
			this.photo = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
			window.photographed = 0;
			return {imageWidth: {max: 4000}, imageHeight: {max: 3000}};
		}
		async takePhoto() { photographed++; return this.photo; }
	};`)
	kit.asks("Hello, may I send papers?")
	kit.enters()
	kit.opensCamera()
	kit.holds("the sensor", `window.photographed === 0`)
	kit.timesShutter("sensor's picture of 8 megapixels")
	kit.is("the sensor was asked", `photographed === 3`)
}

// timesShutter takes three photographs at a quarter of the machine's speed.
func (w *tab) timesShutter(what string) {
	w.t.Helper()
	w.slowDown(4)
	w.evaluate("watch the picture", `{
		const preview = document.querySelector("#preview"), busy = document.querySelector("#busy");
		window.seen = []; window.busyShown = 0; window.bytes = [];
		new MutationObserver(() => { if (!busy.hidden) requestAnimationFrame(() => setTimeout(() => { busyShown += !busy.hidden; })); })
			.observe(busy, {attributes: true});
		document.querySelector("#shutter").addEventListener("click", () => { window.pressed = performance.now(); }, true);
		preview.addEventListener("load", () => requestAnimationFrame(() => setTimeout(() => seen.push(performance.now() - pressed))));
	}`)
	for try := range 3 {
		w.presses("#shutter")
		w.holds("the review", fmt.Sprintf(`seen.length === %d`, try+1))
		w.is("document quality", `Math.max(document.querySelector("#preview").naturalWidth, document.querySelector("#preview").naturalHeight) === 2400`)
		w.click("#retake")
		w.holds("the camera", `!document.querySelector("#shutter").disabled && !document.querySelector("#camera").hidden`)
	}
	took := run(w, "read the times", chromedp.Evaluate[[]float64](`seen`))
	sizes := run(w, "read the sizes", chromedp.Evaluate[[]int](`bytes`))
	w.t.Logf("%s: %.0f ms from shutter to review at a quarter of the speed; %d bytes", what, took, sizes)
	if load := loadAverage(); load > 3*float64(runtime.NumCPU()) {
		w.t.Logf("the machine has %.1f times as much to do as it can: the time says nothing", load/float64(runtime.NumCPU()))
	} else if slices.Min(took) > 1500 {
		w.t.Errorf("%s: the fastest took %.0f ms", what, slices.Min(took))
	}
	if slices.Max(sizes) > 900_000+3_000_000*strings.Count(what, "sensor") { // the sensor's own is among them
		w.t.Errorf("%s: a page weighs %d bytes", what, sizes)
	}
	w.is("it was said each time that it works", `busyShown === 3`)
	w.slowDown(1)
}

// loadAverage is how many processes wanted to run in the last minute; 0 where
// the system does not tell.
func loadAverage() float64 {
	told, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(told), " ")
	load, _ := strconv.ParseFloat(first, 64) // 0 for what is no number
	return load
}

// blurredPages: advice, twice; then another way, and no question any more.
func blurredPages(w *town) {
	picture, err := paper(payStatement...)
	if err != nil {
		w.t.Fatal(err)
	}
	w = w.seeing(sensed(blurred(picture, 5), 3, 1, rand.New(rand.NewPCG(1, 1))), nil)
	bea := w.enters("Bea")
	bea.shoots()
	bea.reads("page.script.blurry")
	bea.bothLights("blurry")
	for range 2 {
		bea.is("no other way yet", `document.querySelector("#own").hidden`)
		bea.click("#retake")
		bea.shoots()
	}
	bea.reads("page.script.own")
	bea.is("it does not ask again", `!document.querySelector("#advice").textContent.includes("blurry")`)
	bea.visible("#own")
	bea.reads("page.send.own-note")
	bea.is("the phone's own camera", `document.querySelector("#own-file").getAttribute("capture") === "environment"`)
	bea.bothLights("own")
	bea.sends("other") // nothing stops her
	bea.shoots()
	bea.reads("page.script.twice") // the same film
}

func darkPages(w *town) {
	picture, err := paper(payStatement...)
	if err != nil {
		w.t.Fatal(err)
	}
	w = w.seeing(sensed(picture, 3, 0.25, rand.New(rand.NewPCG(1, 1))), nil)
	dee := w.enters("Dee")
	dee.shoots()
	dee.reads("page.script.dark")
	dee.bothLights("dark")
	dee.sends("other")
}

// samePictureTwice: the picture of before is noticed, another pay stub of the
// same employer is not taken for it.
func samePictureTwice(w *town) {
	tom := w.enters("Twyla")
	stub := func(name, pay string) string {
		lines := slices.Clone(payStatement)
		lines[7] = "Net pay: " + pay
		picture, err := paper(lines...)
		if err != nil {
			w.t.Fatal(err)
		}
		var content bytes.Buffer
		if err := jpeg.Encode(&content, picture, nil); err != nil {
			w.t.Fatal(err)
		}
		return w.file(name, content.Bytes())
	}
	one, other := stub("canary-stub-one.jpg", "$1,021.34"), stub("canary-stub-two.jpg", "$1,026.84")
	tom.chooses(one)
	tom.visible("#preview")
	tom.sends("pay-stub")
	tom.chooses(other)
	tom.visible("#preview")
	tom.sends("pay-stub")
	tom.is("another stub is another page", `!document.body.textContent.includes("You already")`)
	tom.chooses(one)
	tom.visible("#preview")
	tom.reads("page.script.twice")
	tom.bothLights("twice")
	tom.sends("pay-stub") // all the same

	letter := w.file("canary-letter-twice.pdf", pdf(4<<10, "canary of a letter sent twice"))
	tom.chooses(letter)
	tom.visible("#pdf-all")
	tom.sends("other")
	tom.chooses(letter)
	tom.reads("page.script.twice")
}

func savesData(w *town) {
	w = w.seeing(letter(1080, 1920, 2)) // as a phone is held
	sid := w.newPerson("Sid")
	sid.before(`Object.defineProperty(Navigator.prototype, "connection", {value: {saveData: true, effectiveType: "4g"}});`)
	sid.asks("Hello, may I send papers?")
	sid.enters()
	sid.opensCamera()
	sid.is("the shutter is on the screen, and all of the picture", `document.querySelector("#shutter").getBoundingClientRect().bottom < innerHeight &&
		document.querySelector("video").getBoundingClientRect().height > 300`)
	sid.bothLights("portrait")
	sid.evaluate("look busy", `document.querySelector("#busy").hidden = false; document.getAnimations().forEach((a) => a.cancel())`)
	sid.bothLights("busy")
	sid.evaluate("look idle", `document.querySelector("#busy").hidden = true`)
	sid.presses("#shutter")
	sid.visible("#preview")
	sid.holds("a smaller picture", `document.querySelector("#preview").naturalHeight === 1600`)
	sid.bothLights("portrait-review")
}

// hiddenPage holds neither the camera nor a picture on the screen.
func hiddenPage(w *town) {
	hal := w.enters("Hal")
	const hide = `Object.defineProperty(document, "hidden", {value: %t, configurable: true}); document.dispatchEvent(new Event("visibilitychange"))`
	hal.opensCamera()
	hal.evaluate("hold the track", `window.track = document.querySelector("video").srcObject.getVideoTracks()[0]`)
	hal.evaluate("hide the page", fmt.Sprintf(hide, true))
	hal.is("the camera is off", `track.readyState === "ended" && !document.querySelector("video").srcObject`)
	hal.evaluate("come back", fmt.Sprintf(hide, false))
	hal.holds("the camera", `document.querySelector("video").videoWidth > 0 && !document.querySelector("#shutter").disabled`)
	hal.presses("#shutter")
	hal.visible("#preview")
	hal.evaluate("hide the page", fmt.Sprintf(hide, true))
	hal.is("the picture is off the screen", `document.querySelector("#preview").hidden && !document.querySelector("#preview").getAttribute("src")`)
	hal.evaluate("come back", fmt.Sprintf(hide, false))
	hal.visible("#preview")
	hal.sends("other")
	hal.isDone("")
}

func refusedCamera(w *town) {
	w = w.with(chromedp.Flag("use-fake-device-for-media-stream", true), chromedp.Flag("deny-permission-prompts", true))
	ron := w.enters("Ron")
	ron.click("#take")
	ron.reads("page.script.camera-refused")
	ron.visible("#own")
	ron.bothLights("refused")
}

func noCamera(w *town) {
	w = w.with(chromedp.Flag("use-fake-ui-for-media-stream", true))
	nat := w.enters("Nat")
	nat.click("#take")
	nat.reads("page.script.camera-none")
	nat.is("no camera is offered that is not there", `document.querySelector("#own").hidden`)
	nat.chooses(w.file("canary-photo-of-Nat.jpg", photograph(w, "canary camera of Nat")))
	nat.visible("#preview")
	nat.sends("other")
}

// awkwardFiles: each has plain words that say what to do.
func awkwardFiles(w *town) {
	fay := w.enters("Fay")
	for _, c := range []struct {
		name    string
		content []byte
		key     string
	}{
		{"canary-empty.jpg", nil, "errors.page-empty"},
		{"canary-program.jpg", []byte("MZ\x90\x00\x03\x00\x00\x00"), "errors.page-type"},
	} {
		fay.chooses(w.file(c.name, c.content))
		fay.reads(c.key)
		fay.sees(c.name)
		fay.is("nothing waits to be sent", `document.querySelector("#review").hidden`)
		if c.key == "errors.page-type" {
			fay.bothLights("refusals")
		}
	}
	for n, content := range [][]byte{document(1, true, false), document(1, true, true)} {
		fay.chooses(w.file(fmt.Sprintf("canary-locked-%d.pdf", n), content))
		fay.reads("page.script.pdf-locked")
		fay.is("it is the person's choice", `!document.getElementById("send").disabled && !document.getElementById("send").classList.contains("second")`)
		if n == 0 {
			fay.bothLights("locked")
		}
		fay.sends("other")
	}
	grainy, err := letter(2400, 1800, 3)
	if err != nil {
		w.t.Fatal(err)
	}
	var heavy bytes.Buffer
	if err := jpeg.Encode(&heavy, sensed(grainy, 11, 1, rand.New(rand.NewPCG(1, 1))), &jpeg.Options{Quality: 85}); err != nil {
		w.t.Fatal(err)
	}
	fay.chooses(w.file("canary-heavy.jpg", heavy.Bytes()))
	fay.holds("the heavy picture", `document.querySelector("#preview").naturalWidth === 2400`)
	lighter := run(fay.tab, "read the size", chromedp.Evaluate[int](`bytes.at(-1)`))
	w.t.Logf("a grainy page of %d bytes is sent with %d", heavy.Len(), lighter)
	if lighter > 900_000 {
		w.t.Errorf("a grainy page weighs %d bytes", lighter)
	}
	fay.sends("other")
	fay.evaluate("let no file be read", `window.read = Blob.prototype.arrayBuffer; window.letGo = [];
		Blob.prototype.arrayBuffer = function () { return new Promise((done) => letGo.push(() => done(read.call(this)))); }`)
	fay.chooses(w.file("canary-twenty.pdf", document(20, false, false)))
	fay.visible("#preparing")
	fay.bothLights("preparing")
	fay.evaluate("let it be read", `Blob.prototype.arrayBuffer = read; letGo.forEach((go) => go())`)
	fay.reads("page.send.pdf-all")
	fay.bothLights("pdf")
	fay.sends("benefit-letter")
	heic := append([]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), bytes.Repeat([]byte{7}, 2000)...)
	fay.chooses(w.file("canary-phone.heic", heic))
	fay.reads("page.send.as-is")
	fay.sends("other")
	fay.isDone("")
}

// document is a PDF of so many empty pages; encrypted in name, with its
// trailer at the end or, as newer ones, in a stream far from it.
func document(pages int, encrypted, stream bool) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count ")
	fmt.Fprintf(&b, "%d/Kids[", pages)
	for n := range pages {
		fmt.Fprintf(&b, "%d 0 R ", n+3)
	}
	b.WriteString("]>>\nendobj\n")
	for n := range pages {
		fmt.Fprintf(&b, "%d 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]>>\nendobj\n", n+3)
	}
	b.Write(bytes.Repeat([]byte("%................\n"), 400))
	lock := ""
	if encrypted {
		lock = "/Encrypt 90 0 R"
	}
	at := b.Len()
	if stream {
		fmt.Fprintf(&b, "91 0 obj\n<</Type/XRef/Root 1 0 R%s/Length 6000>>stream\n", lock)
		b.Write(bytes.Repeat([]byte{9}, 6000))
		b.WriteString("\nendstream\nendobj\n")
	} else {
		fmt.Fprintf(&b, "xref\n0 1\n0000000000 65535 f \ntrailer\n<</Root 1 0 R%s>>\n", lock)
	}
	fmt.Fprintf(&b, "startxref\n%d\n%%%%EOF\n", at)
	return b.Bytes()
}
