package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"dropslot/gateway"
	"dropslot/gateway/paper"
	"dropslot/gateway/sftp"
	"dropslot/gateway/sftp/sftptest"
)

// partnership is a rig whose office hands papers over to a real sshd behind a
// proxy that breaks connections.
type partnership struct {
	*rig
	server     *sftptest.Server
	proxy      *sftptest.Proxy
	deliveries *gateway.Deliveries
	submission gateway.SubmissionID
	pages      []gateway.PageID
}

func newPartnership(t *testing.T, rule gateway.DeliveryRule, sealTo ...string) *partnership {
	t.Helper()
	p := &partnership{rig: newRig(t), server: sftptest.Start(t)}
	p.proxy = sftptest.NewProxy(t, p.server.Address)
	courier, err := sftp.New(sftp.Config{
		Address: p.proxy.Address, User: p.server.User, HostKey: p.server.HostKey, Key: p.server.Key, SealTo: sealTo,
	})
	if err != nil {
		t.Fatal(err)
	}
	office := p.directory.Offices[demoOffice]
	rule.Partner, rule.Sealed = "State eligibility", len(sealTo) > 0
	office.Delivery = &rule
	p.directory.Offices[demoOffice] = office
	p.deliveries = &gateway.Deliveries{
		Handoff: &gateway.Handoff{Desk: p.desk, Records: p.records, Binder: paper.NewBinder(), AskName: func(a string) string { return a }},
		Records: p.records, Sealer: p.sealer, Couriers: map[gateway.OfficeID]gateway.Courier{demoOffice: courier}, Log: p.log,
	}
	s, b := p.session(client)
	for i, plain := range [][]byte{picture(t, 20), heicPhoto(t)} {
		page, err := p.send(s, "page-000000000000000"+string(rune('1'+i)), p.sealed(plain))
		if err != nil {
			t.Fatal(err)
		}
		p.pages = append(p.pages, page.ID)
		p.wait(time.Second) // the order of the pages is that of their arrival
	}
	if _, err := p.uploads.Finish(t.Context(), p.resume(s.Submission.ID, b), gateway.Name{}); err != nil {
		t.Fatal(err)
	}
	p.submission = s.Submission.ID
	return p
}

// heicPhoto is a page that cannot be part of a PDF.
func heicPhoto(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "gateway", "testdata", "pictures", "page.heic"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func (p *partnership) ask(pages ...gateway.PageID) gateway.DeliveryID {
	p.t.Helper()
	id, err := gateway.NewID(p.now(), rand.Reader)
	if err == nil {
		err = p.deliveries.Ask(p.t.Context(), staffOf(demoOffice), p.submission, gateway.DeliveryID(id), pages)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return gateway.DeliveryID(id)
}

// told counts audit rows.
func (p *partnership) told(condition string, args ...any) (n int) {
	p.t.Helper()
	db, _ := p.records.Queue()
	if err := db.QueryRowContext(p.t.Context(), "SELECT COUNT(*) FROM audit WHERE "+condition, args...).Scan(&n); err != nil {
		p.t.Fatal(err)
	}
	return n
}

func (p *partnership) run() {
	p.t.Helper()
	for _, office := range p.deliveries.Offices() {
		if err := p.deliveries.Run(p.t.Context(), office); err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *partnership) state(id gateway.DeliveryID) gateway.HandDelivery {
	p.t.Helper()
	all, err := p.records.Deliveries(p.t.Context(), p.submission)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, d := range all {
		if d.ID == id {
			return d
		}
	}
	p.t.Fatalf("no delivery %s", id)
	return gateway.HandDelivery{}
}

// arrived lists what lies at the partner, below the folder that paths begin at.
func (p *partnership) arrived() map[string][]byte {
	p.t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(p.server.Folder, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(p.server.Folder, path)
		files[name] = content
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return files
}

func (p *partnership) submissionState() gateway.Submission {
	p.t.Helper()
	s, _, err := p.records.Submission(p.t.Context(), []gateway.OfficeID{demoOffice}, p.submission)
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

const pdfPath = "in/{office}/{case}-{date}"

func TestPapersAreDeliveredAndCountAsDone(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: pdfPath, Form: gateway.DeliverPDF})
	id := p.ask(p.pages...)
	p.run()
	d := p.state(id)
	if d.State != gateway.HandDelivered || d.Files != 2 || d.DeliveredAt.IsZero() {
		t.Fatalf("%s %s, try %d", d.State, d.Fault, d.Tries)
	}
	base := "in/" + string(demoOffice) + "/" + p.submission.Reference() + "-" + p.now().In(p.directory.Offices[demoOffice].Location).Format(time.DateOnly) + "-" + string(id[18:])
	files := p.arrived()
	if !bytes.HasPrefix(files[base+".pdf"], []byte("%PDF-1.7")) || !bytes.Equal(files[base+"-02-pay-stub.heic"], heicPhoto(t)) || len(files) != 2 {
		t.Errorf("there lies %v, want %s.pdf and -02-pay-stub.heic", slices.Sorted(keysOf(files)), base)
	}
	// The receipt tells what lies there, and is sealed.
	plain, size, err := p.opener.Open(demoOffice, bytes.NewReader(d.Sealed), int64(len(d.Sealed)))
	if err != nil {
		t.Fatal(err)
	}
	var noted []gateway.HandedFile
	if err := json.NewDecoder(io.NewSectionReader(plain, 0, size)).Decode(&noted); err != nil {
		t.Fatal(err)
	}
	for _, file := range noted {
		sum := sha256.Sum256(files[file.Path])
		if file.SHA256 != hex.EncodeToString(sum[:]) || file.Bytes != int64(len(files[file.Path])) {
			t.Errorf("the receipt says %+v", file)
		}
	}
	if s := p.submissionState(); s.State != gateway.SubmissionHandled || s.HandledAs != gateway.HandledExported || !s.HandledAt.Equal(d.DeliveredAt) {
		t.Errorf("the submission is %s as %q at %v", s.State, s.HandledAs, s.HandledAt)
	}
	if p.told("action = 'delivery.tried' AND outcome = 'done'") != 1 || p.told("action = 'page.exported' AND reason = $1", "delivery:"+string(id)) != 2 {
		t.Error("the trail does not tell of it")
	}
}

func keysOf(m map[string][]byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func TestSomePagesAreNotTheWholeSubmission(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "{reference}", Form: gateway.DeliverOriginals})
	p.ask(p.pages[0])
	p.run()
	if s := p.submissionState(); s.State != gateway.SubmissionReceived {
		t.Errorf("the submission is %s", s.State)
	}
	for name := range p.arrived() {
		if !strings.HasSuffix(name, "-01-pay-stub.png") {
			t.Errorf("there lies %s", name)
		}
	}
}

func TestWhatIsSealedToThePartnerLiesThereSealed(t *testing.T) {
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	p := newPartnership(t, gateway.DeliveryRule{Path: "{reference}", Form: gateway.DeliverOriginals}, identity.Recipient().String())
	p.ask(p.pages...)
	p.run()
	files := p.arrived()
	if len(files) != 2 {
		t.Fatalf("%d files", len(files))
	}
	for name, content := range files {
		plain, err := age.Decrypt(bytes.NewReader(content), identity)
		if err != nil || !strings.HasSuffix(name, ".age") {
			t.Fatalf("%s: %v", name, err)
		}
		if opened, err := io.ReadAll(plain); err != nil || strings.HasSuffix(name, ".png.age") && !bytes.Equal(opened, picture(t, 20)) {
			t.Errorf("%s holds something else: %v", name, err)
		}
	}
}

// The connection breaks at every step, in both directions. Whatever the broken
// try did, after the next one each file lies there exactly once and whole.
func TestABrokenConnectionNeitherLosesNorDoubles(t *testing.T) {
	stride := int64(1)
	if raceDetector {
		stride = 7 // every step is broken at full size
	}
	for _, sealed := range []bool{false, true} {
		var to []string
		if sealed {
			identity, err := age.GenerateX25519Identity()
			if err != nil {
				t.Fatal(err)
			}
			to = append(to, identity.Recipient().String())
		}
		p := newPartnership(t, gateway.DeliveryRule{Path: "in/{reference}", Form: gateway.DeliverOriginals}, to...)
		before := 0
		for direction := range 2 {
			for step := int64(0); ; step += stride {
				if step > 200 {
					t.Fatal("no end of steps")
				}
				id := p.ask(p.pages...)
				if direction == 0 {
					p.proxy.BreakAfter(step, -1)
				} else {
					p.proxy.BreakAfter(-1, step)
				}
				p.run()
				first := p.state(id)
				p.proxy.Heal()
				p.wait(time.Minute)
				p.run()
				if d := p.state(id); d.State != gateway.HandDelivered {
					t.Fatalf("direction %d, broken at step %d: %s %s", direction, step, d.State, d.Fault)
				}
				own := 0
				for name, content := range p.arrived() {
					if strings.Contains(name, ".part") {
						t.Errorf("direction %d, step %d: %s was left", direction, step, name)
					}
					if !strings.Contains(name, string(id[18:])) {
						continue
					}
					own++
					if strings.HasSuffix(name, ".png") && !bytes.Equal(content, picture(t, 20)) {
						t.Errorf("direction %d, step %d: %s is not whole", direction, step, name)
					}
				}
				if own != 2 {
					t.Fatalf("direction %d, step %d: %d files", direction, step, own)
				}
				if first.State == gateway.HandDelivered { // nothing broke any more
					before += int(step)
					break
				}
				if first.Fault != gateway.CodePartnerDown {
					t.Errorf("direction %d, step %d: the fault is %q", direction, step, first.Fault)
				}
			}
		}
		if before < 20 {
			t.Errorf("only %d steps were broken", before)
		}
	}
}

// hurried leaves the first page out of every second PDF, as a machine does that
// has no time to draw a client's PDF.
type hurried struct {
	gateway.Binder
	times int
}

func (h *hurried) Prepare(ctx context.Context, b gateway.Binding) (gateway.PDF, error) {
	if h.times++; h.times%2 == 0 {
		b.Sheets[0].Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("no picture")), nil }
	}
	return h.Binder.Prepare(ctx, b)
}

// The PDF of a later try holds what that of the first did, or nothing is sent.
func TestATriesPDFDoesNotLoseAPageThatTheFirstOneHad(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "{reference}", Form: gateway.DeliverPDF})
	p.deliveries.Handoff.Binder = &hurried{Binder: paper.NewBinder()}
	id := p.ask(p.pages...)
	p.proxy.BreakAfter(14, -1) // while the PDF is on its way
	p.run()
	p.proxy.Heal()
	p.wait(time.Minute)
	p.run()
	if d := p.state(id); d.State != gateway.HandWaiting || d.Fault != gateway.CodeUnavailable {
		t.Fatalf("%s %s, there lies %v", d.State, d.Fault, slices.Sorted(keysOf(p.arrived())))
	}
	p.wait(2 * time.Minute)
	p.run()
	if d := p.state(id); d.State != gateway.HandDelivered || len(p.arrived()) != 2 {
		t.Errorf("%s %s, there lies %v", d.State, d.Fault, slices.Sorted(keysOf(p.arrived())))
	}
}

// dying loses what it should store, as a process that dies there does.
type dying struct {
	gateway.DeliveryRecords
	dead bool
}

var errDied = errors.New("the process died")

func (d *dying) FinishDelivery(ctx context.Context, one gateway.HandDelivery, audit ...gateway.AuditEntry) error {
	if d.dead {
		return errDied
	}
	return d.DeliveryRecords.FinishDelivery(ctx, one, audit...)
}

func TestAfterACrashBeforeTheReceiptNothingIsSentTwice(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "{reference}", Form: gateway.DeliverPDF})
	mortal := &dying{p.records, true}
	p.deliveries.Records = mortal
	id := p.ask(p.pages...)
	if err := p.deliveries.Run(t.Context(), demoOffice); !errors.Is(err, errDied) {
		t.Fatalf("%v", err)
	}
	inodes := map[string]os.FileInfo{}
	for name := range p.arrived() {
		info, err := os.Stat(filepath.Join(p.server.Folder, name))
		if err != nil {
			t.Fatal(err)
		}
		inodes[name] = info
	}
	mortal.dead = false
	p.run()
	if d := p.state(id); d.State != gateway.HandWaiting {
		t.Fatalf("taken before the lease was over: %s", d.State)
	}
	p.wait(15 * time.Minute)
	p.run()
	if d := p.state(id); d.State != gateway.HandDelivered || d.Tries != 2 {
		t.Fatalf("%s %s, try %d", d.State, d.Fault, d.Tries)
	}
	for name := range p.arrived() {
		info, err := os.Stat(filepath.Join(p.server.Folder, name))
		if err != nil || inodes[name] == nil || !os.SameFile(info, inodes[name]) {
			t.Errorf("%s was sent again", name)
		}
	}
}

func TestWhatLiesAtThePartnerIsNotOverwritten(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "{reference}", Form: gateway.DeliverOriginals})
	id := p.ask(p.pages[0])
	name := filepath.Join(p.server.Folder, p.submission.Reference()+"-"+string(id[18:])+"-01-pay-stub.png")
	if err := os.WriteFile(name, []byte("somebody's"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run()
	if d := p.state(id); d.State != gateway.HandDead || d.Fault != gateway.CodeNameTaken {
		t.Errorf("%s %s", d.State, d.Fault)
	}
	if content, err := os.ReadFile(name); err != nil || string(content) != "somebody's" {
		t.Error("it was overwritten")
	}
	// It is in the operator's list; once the way is free, a retry delivers it.
	if listed := p.listJobs(false); !strings.Contains(listed, "delivery:"+string(id)) || !strings.Contains(listed, "name-taken") {
		t.Errorf("dropslot jobs lists\n%s", listed)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := p.deliveries.Retry(t.Context(), staffOf(demoOffice), p.submission, id); err != nil {
		t.Fatal(err)
	}
	p.run()
	if d := p.state(id); d.State != gateway.HandDelivered {
		t.Errorf("%s %s", d.State, d.Fault)
	}
}

func TestADeliveryIsTriedAgainEverLater(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "{reference}", Form: gateway.DeliverPDF})
	p.proxy.BreakAfter(0, 0)
	id := p.ask(p.pages...)
	var pauses []time.Duration
	for d := p.state(id); d.State == gateway.HandWaiting; d = p.state(id) {
		p.run()
		next := p.state(id)
		if next.State == gateway.HandWaiting {
			pauses = append(pauses, next.DueAt.Sub(p.now()))
			p.wait(next.DueAt.Sub(p.now()))
		}
		if len(pauses) > 60 {
			t.Fatal("it is tried for ever")
		}
	}
	if pauses[0] != 30*time.Second || !slices.IsSorted(pauses) || pauses[len(pauses)-1] != 24*time.Hour {
		t.Errorf("the pauses are %v", pauses)
	}
	if d := p.state(id); d.State != gateway.HandDead || d.Fault != gateway.CodePartnerDown {
		t.Errorf("%s %s", d.State, d.Fault)
	}
	if p.submissionState().State != gateway.SubmissionReceived {
		t.Error("the papers count as done")
	}
}

func TestTheSameFormTwiceIsOneDelivery(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "{reference}", Form: gateway.DeliverPDF})
	id := p.ask(p.pages...)
	if err := p.deliveries.Ask(t.Context(), staffOf(demoOffice), p.submission, id, p.pages); err != nil {
		t.Errorf("the same form: %v", err)
	}
	other, err := gateway.NewID(p.now(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.deliveries.Ask(t.Context(), staffOf(demoOffice), p.submission, gateway.DeliveryID(other), p.pages); !gateway.Is(err, gateway.CodeSendTwice) {
		t.Errorf("another one beside it: %v", err)
	}
	if err := p.deliveries.Ask(t.Context(), staffOf("elsewhere"), p.submission, gateway.DeliveryID(other), p.pages); !gateway.Is(err, gateway.CodeNotFound) {
		t.Errorf("somebody of another office: %v", err)
	}
}

func TestAnInfectedPageIsNotDelivered(t *testing.T) {
	p := newPartnership(t, gateway.DeliveryRule{Path: "{reference}", Form: gateway.DeliverOriginals})
	p.desk.Scanner = refusing{gateway.NewError(gateway.CodeInfected, nil)}
	id := p.ask(p.pages...)
	p.run()
	if d := p.state(id); d.Fault != gateway.CodeInfected || len(p.arrived()) != 0 {
		t.Errorf("%s, there lie %d files", d.Fault, len(p.arrived()))
	}
	if p.told("action = 'page.scanned' AND outcome = 'denied' AND reason = 'infected' AND actor = 'role:desk'") != 1 {
		t.Error("the trail does not tell of it")
	}
}

type refusing struct{ err error }

func (r refusing) Scan(context.Context, io.Reader) error { return r.err }

func TestPathsAreMadeOfWhatIsHarmless(t *testing.T) {
	for number, want := range map[string]string{
		"A-12345": "in/north/A-12345", "../../etc/passwd": "in/north/etc-passwd", "": "in/north/K7M2Q", "12 34/5": "in/north/12-34-5",
		"..": "in/north/K7M2Q", "{date}": "in/north/date", "née\x00 \n": "in/north/n-e",
	} {
		got := gateway.DeliveryPath("in/{office}/{case}", gateway.PathWords{Office: "north", Reference: "K7M2Q", Case: number, Date: "2026-11-03"})
		if got != want {
			t.Errorf("%q: %q, want %q", number, got, want)
		}
	}
}
