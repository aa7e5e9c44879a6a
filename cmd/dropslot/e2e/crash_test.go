package e2e

import (
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestCrashOfThePhonesBrowser kills a phone's browser with kill -9, every
// process of it at once, while reviewed pages wait behind a line that carries
// nothing. Started again on the same profile it finds them and they arrive; and
// what the profile held meanwhile was sealed.
//
// The system outlives the browser here. That the bytes are through to the disk
// is what the shelf asks of IndexedDB ("strict"), which no test can see.
func TestCrashOfThePhonesBrowser(t *testing.T) {
	w := openTown(t)
	picture := paperFilm(t, payStatement)
	profile := filepath.Join(t.TempDir(), "profile")
	line := newWeakLine(t, w.public)
	const words = "canary words of a letter that waits on a phone"
	letter := w.file("canary-name-of-a-letter-that-waits.pdf", pdf(64<<10, words))

	phone := openBrowserWith(t, onProfile(profile, picture)...)
	kim := w.onProfileOf(phone, "Kim")
	kim.asks("Hello, may I send papers?")
	kim.through(line)
	kim.before(`window.blobs = []; const make = URL.createObjectURL; URL.createObjectURL = (blob) => { blobs.push(blob); return make.call(URL, blob); };`)
	kim.enters()
	line.hold()
	kim.takes("pay-stub")
	jpeg := kim.shownPicture()
	kim.chooses(letter)
	kim.visible("#review")
	kim.presses("#send")
	waitFor(t, "two pages to wait", stepTimeout, func() bool { return kim.listed() == 2 && kim.onPhone().Parcels == 2 })
	// A browser writes its cookies down within half a minute.
	waitFor(t, "the cookie to be on the disk", stepTimeout, func() bool { return len(whereIn(t, profile, "__Host-b")) > 0 })
	at := kim.location()

	crash(t, profile)
	pieces := piecesOf(t, jpeg)
	for _, canary := range append(pieces, words) {
		if found := whereIn(t, profile, canary); len(found) > 0 {
			t.Errorf("the phone keeps what was not sealed in %s", found)
		}
	}
	if found := whereIn(t, profile, "age-encryption.org/v1"); len(found) == 0 {
		t.Fatal("the profile holds no sealed page, so nothing was searched")
	}
	if n := len(line.arrived()); n != 0 {
		t.Fatalf("%d pages arrived before the crash", n)
	}

	line.release()
	again := openBrowserWith(t, onProfile(profile, picture)...)
	kim = w.onProfileOf(again, "Kim, after the crash")
	kim.through(line)
	kim.visit(at)
	kim.receives(2)
	once(t, line, 2)
	kim.keepsNothing()
	kim.isDone("")
	kim.reads("page.receipt.pages", "count", "2")
	if n := len(w.sealedPagesOf(kim.submission())); n != 2 {
		t.Errorf("the vault has %d pages, want 2", n)
	}
	kim.provesSearchOf(profile, jpeg, pieces)
}

// onProfile is a browser that keeps everything in the folder.
func onProfile(folder, picture string) []chromedp.ExecAllocatorOption {
	return []chromedp.ExecAllocatorOption{
		chromedp.UserDataDir(folder),
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", picture),
	}
}

// onProfileOf is a person in the browser's own profile, not in a private window.
func (w *town) onProfileOf(b *browser, name string) *person {
	w.t.Helper()
	window := b.window(name, phoneScreen, []string{w.public}, chromedp.WithNewWindow(true))
	return &person{tab: window, town: w, phone: w.newPhone(), language: "en"}
}

// shownPicture gives the bytes of the last picture of a page that was shown.
func (p *person) shownPicture() []byte {
	p.t.Helper()
	text := run(p.tab, "read the picture", chromedp.Evaluate[string](`(async () => {
		const pictures = blobs.filter((blob) => blob.type === "image/jpeg").sort((a, b) => b.size - a.size);
		const bytes = new Uint8Array(await pictures[0].arrayBuffer());
		let text = "";
		for (const byte of bytes) text += String.fromCharCode(byte);
		return btoa(text);
	})()`, chromedp.EvalAwaitPromise))
	content, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(content) < 10_000 {
		p.t.Fatalf("a picture of %d bytes: %v", len(content), err)
	}
	return content
}

// piecesOf gives pieces of a picture that are in nothing else: of the empty
// table there is one like the other.
func piecesOf(t *testing.T, jpeg []byte) (pieces []string) {
	t.Helper()
	for at := len(jpeg) / 4; at+32 < len(jpeg) && len(pieces) < 8; at += 500 {
		different := map[byte]bool{}
		for _, b := range jpeg[at:][:32] {
			different[b] = true
		}
		if len(different) > 24 {
			pieces = append(pieces, string(jpeg[at:][:32]))
		}
	}
	if len(pieces) < 4 {
		t.Fatalf("only %d pieces of the picture can be told from others", len(pieces))
	}
	return pieces
}

// provesSearchOf puts the plain picture where the sealed ones were, and wants
// it found.
func (p *person) provesSearchOf(profile string, jpeg []byte, pieces []string) {
	p.t.Helper()
	p.do("keep a plain picture", chromedp.Evaluate[chromedp.Void](`new Promise((resolve, reject) => {
		const asked = indexedDB.open("dropslot");
		asked.onsuccess = () => {
			const change = asked.result.transaction("contents", "readwrite", {durability: "strict"});
			const bytes = Uint8Array.from(atob("`+base64.StdEncoding.EncodeToString(jpeg)+`"), (letter) => letter.charCodeAt(0));
			change.objectStore("contents").put(bytes.buffer, "plain");
			change.oncomplete = () => resolve();
			change.onabort = () => reject(change.error);
		};
	})`, chromedp.EvalAwaitPromise))
	for _, piece := range pieces {
		if len(whereIn(p.t, profile, piece)) == 0 {
			p.t.Error("a plain picture in IndexedDB was not found")
		}
	}
}

// crash ends every process of the browser of this profile at once, as an empty
// battery does.
func crash(t *testing.T, profile string) {
	t.Helper()
	pids := processesOf(t, profile)
	if len(pids) < 3 {
		t.Fatalf("the browser has only %d processes", len(pids))
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL) // one may have ended with its parent
	}
	waitFor(t, "the browser to be dead", stepTimeout, func() bool { return len(processesOf(t, profile)) == 0 })
}

// processesOf finds the processes that were started for a profile, and theirs.
func processesOf(t *testing.T, profile string) (pids []int) {
	t.Helper()
	parents := map[int]int{}
	ours := map[int]bool{}
	folders, _ := filepath.Glob("/proc/[0-9]*")
	for _, folder := range folders {
		pid, _ := strconv.Atoi(filepath.Base(folder))
		stat, err := os.ReadFile(filepath.Join(folder, "stat"))
		_, after, found := strings.Cut(string(stat), ") ") // state, parent
		if fields := strings.Fields(after); err == nil && found && len(fields) > 1 && fields[0] != "Z" {
			parents[pid], _ = strconv.Atoi(fields[1])
			command, _ := os.ReadFile(filepath.Join(folder, "cmdline"))
			ours[pid] = strings.Contains(string(command), "--user-data-dir="+profile+"\x00")
		}
	}
	for pid := range parents {
		for up := pid; up > 1; up = parents[up] {
			if ours[up] {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}

// whereIn names the files of a folder that contain the words.
func whereIn(t *testing.T, folder, words string) (found []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return ignoreGone(err)
		}
		content, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(content), words) {
			found = append(found, strings.TrimPrefix(path, folder))
		}
		return ignoreGone(err)
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
