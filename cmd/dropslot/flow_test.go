package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"dropslot/config"
	"dropslot/gateway"
	"dropslot/gateway/paper"
	"dropslot/gateway/records"
	"dropslot/gateway/records/recordstest"
	"dropslot/gateway/seal"
	"dropslot/linkstore"
	"dropslot/linkstore/linkstoretest"
)

// rig is every part on SQLite, a local vault and an embedded Redis, with the
// flows on a clock that the test moves.
type rig struct {
	*parts
	t        *testing.T
	opener   *seal.Opener
	lock     sync.Mutex
	at       time.Time
	inbound  *gateway.Inbound
	claims   *gateway.Claims
	uploads  *gateway.Uploads
	desk     *gateway.Desk
	house    *gateway.House
	messages atomic.Int64
}

func newRig(t *testing.T) *rig {
	t.Helper()
	address, stop, err := linkstore.StartEmbedded()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return newRigOn(t, address)
}

// newRigOn is newRig on a Redis of its own.
func newRigOn(t *testing.T, address string) *rig {
	t.Helper()
	free, err := freeLoopback()
	if err != nil {
		t.Fatal(err)
	}
	place := &demoPlace{
		dir: t.TempDir(), phone: free, intake: "127.0.0.1:0", desk: "127.0.0.1:0", ops: "127.0.0.1:0", twilio: free,
		intakeURL: "https://docs.example.gov", deskURL: "http://127.0.0.1:1", authToken: "0123456789abcdef",
	}
	keys, err := rigKeys()
	if err != nil {
		t.Fatal(err)
	}
	c, err := place.configure(keys, address)
	if err != nil {
		t.Fatal(err)
	}
	readyRecords(t, c)
	return openRig(t, c)
}

// readyRecords puts empty records where a configuration wants them, a copy of
// what was made once: a schema takes long to make under the race detector.
func readyRecords(t *testing.T, c *config.Config) {
	t.Helper()
	path, ok := strings.CutPrefix(c.Records.URL.Reveal(), "sqlite:")
	if !ok {
		t.Fatal("the records are not SQLite's")
	}
	recordstest.WriteSQLite(t, path, func(url string) error {
		s, err := records.Open(context.Background(), url, records.Options{AuditKey: make([]byte, 32)})
		if err != nil {
			return err
		}
		return s.Close()
	})
}

// rigKeys are made once: a passphrase costs a second by design.
var rigKeys = sync.OnceValues(newDemoKeys)

// openRig opens the parts of a configuration, as a process that starts would.
func openRig(t *testing.T, c *config.Config) *rig {
	t.Helper()
	r := &rig{t: t, at: time.Now().Truncate(time.Second)} // Redis has a clock of its own
	var err error
	if r.parts, err = openParts(t.Context(), c, slog.New(slog.DiscardHandler), false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.close() })
	if err := r.openRedis(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys, err := rigKeys()
	if err != nil {
		t.Fatal(err)
	}
	r.opener = seal.NewOpener(map[gateway.OfficeID][]seal.Identity{demoOffice: {keys.identity}})
	r.archive.Now = r.now
	r.budget.Now = r.now
	r.inbound = &gateway.Inbound{
		Directory: r.directory, Limits: r.limits, Records: r.records, Links: r.links, Phones: r.phones,
		Mint: gateway.NewTokenMint(r.key), Wording: r.wording, Budget: r.budget, WordsKey: r.key.Subkey(gateway.SubkeyWords), PublicURL: c.PublicURL, Now: r.now, Random: rand.Reader,
	}
	r.claims = &gateway.Claims{
		Directory: r.directory, Limits: r.limits, Records: r.records, Links: r.links, Archive: r.archive, Now: r.now, Random: rand.Reader,
	}
	r.uploads = &gateway.Uploads{
		Directory: r.directory, Limits: r.limits, Records: r.records, Links: r.links, Vault: r.vault, Sealer: r.sealer,
		Archive: r.archive, Words: r.words, SameKey: r.key.Subkey(gateway.SubkeyPages), Now: r.now, Random: rand.Reader, Log: r.log,
	}
	r.desk = &gateway.Desk{
		Shrinker:  paper.NewShrinker(),
		Directory: r.directory, Limits: r.limits, Records: r.records, Audit: r.records, Vault: r.vault, Opener: r.opener,
		Phones: r.phones, Now: r.now,
	}
	r.house = &gateway.House{
		Limits: r.limits, Records: r.records, Audit: r.records, Vault: r.vault, Archive: r.archive, Now: r.now,
	}
	return r
}

func (r *rig) now() time.Time {
	r.lock.Lock()
	defer r.lock.Unlock()
	return r.at
}

// spendFreely lifts the ceilings that bound what texts cost.
func (r *rig) spendFreely() {
	r.budget.Limits.NumberPerHour = 1_000_000
	for id, office := range r.directory.Offices {
		office.DailySegments = 1_000_000
		r.directory.Offices[id] = office
	}
}

func (r *rig) wait(d time.Duration) {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.at = r.at.Add(d)
}

// message makes a message of its own from a phone.
func (r *rig) message(phone, words string, media int) gateway.Message {
	r.t.Helper()
	from, err := gateway.ParsePhone(phone)
	if err != nil {
		r.t.Fatal(err)
	}
	return gateway.Message{
		AccountSID: demoAccount, MessageSID: fmt.Sprintf("SM%032x", r.messages.Add(1)), To: demoNumber,
		From: from, Sender: gateway.SenderPhone, Country: "US", Words: words, MediaCount: media,
	}
}

// receive hands a text in, again where the machine was too busy, as Twilio
// does.
func (r *rig) receive(m gateway.Message) gateway.Answer {
	r.t.Helper()
	a, err := r.inbound.Receive(r.t.Context(), m)
	for range 3 {
		if !gateway.Is(err, gateway.CodeUnavailable) {
			break
		}
		a, err = r.inbound.Receive(r.t.Context(), m)
	}
	if err != nil {
		r.t.Fatalf("receive: %v", err)
	}
	return a
}

// token finds the token in an answer's words.
func (r *rig) token(a gateway.Answer) gateway.Token {
	r.t.Helper()
	_, rest, found := strings.Cut(a.Body, r.config.PublicURL+"/c/")
	if !found {
		r.t.Fatalf("no link in the answer %q (%s)", a.Body, a.Reason)
	}
	token, err := gateway.ParseToken(rest[:gateway.TokenLength])
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

func newBrowser(t *testing.T) gateway.Browser {
	t.Helper()
	b, err := gateway.NewBrowser(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// session texts, claims and gives the session of a new client.
func (r *rig) session(phone string) (gateway.Session, gateway.Browser) {
	r.t.Helper()
	b := newBrowser(r.t)
	view, err := r.claims.Claim(r.t.Context(), r.token(r.receive(r.message(phone, "hi", 0))), b)
	if err != nil {
		r.t.Fatalf("claim: %v", err)
	}
	return r.resume(view.Submission, b), b
}

func (r *rig) resume(id gateway.SubmissionID, b gateway.Browser) gateway.Session {
	r.t.Helper()
	s, _, err := r.uploads.Session(r.t.Context(), id, b)
	if err != nil {
		r.t.Fatalf("session: %v", err)
	}
	return s
}

// picture gives a PNG of its own.
func picture(t *testing.T, shade uint8) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 64, 64))
	for i := range img.Pix {
		img.Pix[i] = shade + uint8(i%7)
	}
	img.SetGray(3, 3, color.Gray{Y: shade})
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func (r *rig) sealed(plain []byte) []byte {
	r.t.Helper()
	var sealed bytes.Buffer
	w, err := r.sealer.Seal(demoOffice, &sealed)
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		r.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		r.t.Fatal(err)
	}
	return sealed.Bytes()
}

func (r *rig) send(s gateway.Session, key string, sealed []byte) (gateway.Page, error) {
	return r.uploads.AcceptSealed(r.t.Context(), s, gateway.SealedPage{
		Key: gateway.PageKey(key), Label: "pay-stub", Digest: sha256.Sum256(sealed), Length: int64(len(sealed)), Body: bytes.NewReader(sealed),
	})
}

const client = "+13125550142"

func TestTheSameMessageAgainGetsTheIdenticalLink(t *testing.T) {
	r := newRig(t)
	m := r.message(client, "hola, necesito ayuda", 0)
	first := r.receive(m)
	if first.Body == "" {
		t.Fatal("no answer")
	}
	for name, before := range map[string]func(){
		"at once":        func() {},
		"after FLUSHALL": func() { r.redis.FlushAll(t.Context()) },
		"nine minutes":   func() { r.wait(9 * time.Minute) },
	} {
		before()
		if again := r.receive(m); again.Body != first.Body || !again.Again {
			t.Errorf("%s: got %q, want the same answer again", name, again.Body)
		}
	}
	if _, err := r.claims.Claim(t.Context(), r.token(first), newBrowser(t)); err != nil {
		t.Fatal(err)
	}
	if again := r.receive(m); again.Body != "" {
		t.Error("a claimed link was sent again")
	}
}

func TestAnAnswerIsOneRoundTripToRedisAndSilenceNone(t *testing.T) {
	r := newRig(t)
	trips := &countTrips{}
	r.redis.AddHook(trips)
	r.receive(r.message(client, "hi", 0))
	if got := trips.count.Swap(0); got != 1 {
		t.Errorf("an answer took %d round trips, want 1", got)
	}
	r.receive(r.message(client, "hello?", 0))
	if got := trips.count.Load(); got != 0 {
		t.Errorf("silence took %d round trips, want none", got)
	}
}

type countTrips struct{ count atomic.Int64 }

func (c *countTrips) DialHook(next redis.DialHook) redis.DialHook { return next }
func (c *countTrips) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error { c.count.Add(1); return next(ctx, cmd) }
}
func (c *countTrips) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error { c.count.Add(1); return next(ctx, cmds) }
}

func TestWhenRedisIsDownTheAnswerFailsWithinTwoSecondsAndTheRetryIsWhole(t *testing.T) {
	r := newRig(t)
	dead, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = dead.Close() }()
	client, err := linkstore.Open(t.Context(), linkstore.Options{URL: "redis://" + dead.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	m := r.message("+13125550142", "hi", 0)
	broken := *r.inbound
	broken.Links = linkstore.NewLinks(client)
	for try := 1; ; try++ { // what a busy machine delayed once is not late a third time
		started := time.Now()
		if _, err := broken.Receive(t.Context(), m); err == nil || gateway.CodeOf(err) != gateway.CodeUnavailable {
			t.Fatalf("got %v, want %s", err, gateway.CodeUnavailable)
		}
		took := time.Since(started)
		if took <= 2*time.Second {
			break
		}
		if try == 3 {
			t.Fatalf("it took %v", took)
		}
		m = r.message("+13125550142", "hi", 0)
	}
	if again := r.receive(m); again.Body == "" {
		t.Error("Twilio's retry got no answer")
	}
}

func TestANewerLinkSupersedesOnlyAnUnclaimedOneAndJoinsALiveSession(t *testing.T) {
	r := newRig(t)
	old := r.token(r.receive(r.message(client, "hi", 0)))
	r.wait(2 * time.Minute)
	newer := r.token(r.receive(r.message(client, "where is it", 0)))
	b := newBrowser(t)
	if view, err := r.claims.Claim(t.Context(), old, b); !gateway.Is(err, gateway.CodeLinkSuperseded) || view.Office.ID != demoOffice {
		t.Errorf("the old link: got %v", err)
	}
	first, err := r.claims.Claim(t.Context(), newer, b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.send(r.resume(first.Submission, b), "page-0000000000000001", r.sealed(picture(t, 10))); err != nil {
		t.Fatal(err)
	}
	r.wait(2 * time.Minute)
	third := r.token(r.receive(r.message(client, "again please", 0)))
	other := newBrowser(t)
	second, err := r.claims.Claim(t.Context(), third, other)
	if err != nil {
		t.Fatal(err)
	}
	if second.Submission != first.Submission {
		t.Error("the new link opened another submission beside a live one")
	}
	if s := r.resume(first.Submission, b); s.Link.StateAt(r.now()) != gateway.LinkClaimed || len(s.Pages) != 1 {
		t.Error("the first session was killed by the second link")
	}
}

func TestTwoBrowsersAndTheSameOneTwice(t *testing.T) {
	r := newRig(t)
	token := r.token(r.receive(r.message(client, "hi", 0)))
	mine, other := newBrowser(t), newBrowser(t)
	first, err := r.claims.Claim(t.Context(), token, mine)
	if err != nil {
		t.Fatal(err)
	}
	for _, forget := range []bool{false, true} {
		if forget {
			r.redis.FlushAll(t.Context())
		}
		if again, err := r.claims.Claim(t.Context(), token, mine); err != nil || again.Submission != first.Submission {
			t.Errorf("forgotten=%v: the same browser got %v", forget, err)
		}
		if _, err := r.claims.Claim(t.Context(), token, other); !gateway.Is(err, gateway.CodeLinkTaken) {
			t.Errorf("forgotten=%v: another browser got %v", forget, err)
		}
	}
	if _, _, err := r.uploads.Session(t.Context(), first.Submission, other); !gateway.Is(err, gateway.CodeNotFound) {
		t.Errorf("another browser sees the submission: %v", err)
	}
}

// The claim reached Redis and the process died before the SQL row: nobody used
// it, so that the same browser gets the link, or whichever the person opens next.
func TestAClaimThatDiedBetweenRedisAndSQLKeepsNobodyOut(t *testing.T) {
	r := newRig(t)
	mine := newBrowser(t)
	for name, next := range map[string]gateway.Browser{"the same browser": mine, "another browser": newBrowser(t)} {
		token := r.token(r.receive(r.message(client, "hi "+name, 0)))
		if _, err := r.links.Claim(t.Context(), token.Hash(), mine.Hash(), r.now()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if view, err := r.claims.Claim(t.Context(), token, next); err != nil || !view.Mine {
				t.Errorf("%s got %v", name, err)
			}
		}
		if _, err := r.claims.Claim(t.Context(), token, newBrowser(t)); !gateway.Is(err, gateway.CodeLinkTaken) {
			t.Errorf("after %s, a third got %v", name, err)
		}
		r.wait(2 * time.Minute)
	}
}

// countingVault counts the objects that are begun.
type countingVault struct {
	gateway.Vault
	begun int
}

func (v *countingVault) Create(ctx context.Context, name gateway.BlobName) (gateway.BlobWriter, error) {
	v.begun++
	return v.Vault.Create(ctx, name)
}

// A claim that is repeated, because its answer was lost or by somebody who only
// wants the disk to work, leaves the header as it is.
func TestARepeatedClaimWritesNothing(t *testing.T) {
	r := newRig(t)
	disk := &countingVault{Vault: r.archive.Vault}
	r.archive.Vault = disk
	s, b := r.session(client)
	if disk.begun != 1 {
		t.Fatalf("the claim began %d objects", disk.begun)
	}
	w := &town{rig: r}
	rows, token := w.count("audit"), r.mintOf(s.Link)
	for range 20 {
		if _, err := r.claims.Claim(t.Context(), token, b); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.count("audit") - rows; disk.begun != 1 || n != 0 {
		t.Errorf("%d objects and %d audit rows after 20 more", disk.begun-1, n)
	}
}

// mintOf gives the token of a link.
func (r *rig) mintOf(l gateway.Link) gateway.Token {
	return gateway.NewTokenMint(r.key).Token(l.ID, l.Nonce)
}

// Redis lost a claim in a failover, took the next browser's for the first, and
// the process died before SQL could teach it: whoever has the link in SQL keeps it.
func TestAClaimThatRedisGaveAwayAfterAFailoverStaysWithItsOwner(t *testing.T) {
	r := newRig(t)
	token := r.token(r.receive(r.message(client, "hi", 0)))
	issued, err := r.records.LinkByHash(t.Context(), token.Hash())
	if err != nil {
		t.Fatal(err)
	}
	mine, other := newBrowser(t), newBrowser(t)
	if _, err := r.claims.Claim(t.Context(), token, mine); err != nil {
		t.Fatal(err)
	}
	if err := r.links.Put(t.Context(), issued.Entry(r.limits.LinkKnown)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.links.Claim(t.Context(), token.Hash(), other.Hash(), r.now()); err != nil {
		t.Fatal(err)
	}
	if view, err := r.claims.Claim(t.Context(), token, mine); err != nil || !view.Mine {
		t.Errorf("its owner got %v", err)
	}
	if known, err := r.links.Resume(t.Context(), token.Hash()); err != nil || !known.Browser.Equal(mine.Hash()) {
		t.Errorf("Redis still gives it to the other browser (%v)", err)
	}
	if _, err := r.claims.Claim(t.Context(), token, other); !gateway.Is(err, gateway.CodeLinkTaken) {
		t.Errorf("the other browser got %v", err)
	}
}

// Who can write to Redis maps a token of their own onto a stranger's link: the
// token opens nothing but its own link.
func TestRedisDoesNotChooseWhichLinkATokenOpens(t *testing.T) {
	r := newRig(t)
	mine := r.token(r.receive(r.message(client, "hi", 0)))
	stranger := r.token(r.receive(r.message("+13125550143", "hi", 0)))
	theirs, err := r.records.LinkByHash(t.Context(), stranger.Hash())
	if err != nil {
		t.Fatal(err)
	}
	forged := theirs.Entry(r.limits.LinkKnown)
	forged.Hash = mine.Hash()
	if err := r.links.Put(t.Context(), forged); err != nil {
		t.Fatal(err)
	}
	if _, err := r.claims.Claim(t.Context(), mine, newBrowser(t)); err != nil {
		t.Errorf("its own link: %v", err)
	}
	if after, err := r.records.LinkByHash(t.Context(), stranger.Hash()); err != nil || after.State != gateway.LinkIssued {
		t.Errorf("the stranger's link is %s, %v", after.State, err)
	}
}

func TestALinkExpiresToTheSecond(t *testing.T) {
	r := newRig(t)
	early := r.token(r.receive(r.message(client, "hi", 0)))
	late := r.token(r.receive(r.message("+13125550143", "hi", 0)))
	r.wait(4*time.Hour - time.Second)
	if _, err := r.claims.Claim(t.Context(), early, newBrowser(t)); err != nil {
		t.Errorf("a second before the end: %v", err)
	}
	r.wait(2 * time.Second)
	if view, err := r.claims.Claim(t.Context(), late, newBrowser(t)); !gateway.Is(err, gateway.CodeLinkExpired) || view.Number != demoNumber {
		t.Errorf("a second after the end: %v", err)
	}
}

func TestARacedClaimHasExactlyOneWinnerAlsoWithFlushAllInTheMiddle(t *testing.T) {
	r := newRigOn(t, linkstoretest.StartRedis(t).Addr)
	r.spendFreely()
	links, racers := 2000, 50
	if testing.Short() || raceDetector {
		links = 100
	}
	tokens := make([]gateway.Token, links)
	for i := range tokens {
		tokens[i] = r.token(r.receive(r.message(fmt.Sprintf("+1312%07d", 2000000+i), "hi", 0)))
	}
	var next, failed atomic.Int64
	winners := make([]atomic.Int64, links)
	var all sync.WaitGroup
	for range racers {
		all.Go(func() {
			for range links {
				b, err := gateway.NewBrowser(rand.Reader)
				if err != nil {
					failed.Add(1)
					return
				}
				n := next.Add(1) - 1
				if n == int64(links*racers/2) {
					r.redis.FlushAll(context.WithoutCancel(t.Context()))
				}
				i := int(n) / racers
				view, err := r.claims.Claim(t.Context(), tokens[i], b)
				for err != nil && gateway.CodeOf(err) == gateway.CodeUnavailable { // a slow machine: the person tries again
					view, err = r.claims.Claim(t.Context(), tokens[i], b)
				}
				switch {
				case err == nil && view.Mine:
					winners[i].Add(1)
				case !gateway.Is(err, gateway.CodeLinkTaken):
					failed.Add(1)
				}
			}
		})
	}
	all.Wait()
	if failed.Load() > 0 {
		t.Errorf("%d claims failed in another way", failed.Load())
	}
	wrong := 0
	for i := range winners {
		if winners[i].Load() != 1 {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d links have not exactly one winner", wrong)
	}
	for i := range tokens {
		if err := r.oneClaim(tokens[i]); err != nil {
			t.Fatal(err)
		}
	}
}

// oneClaim asks SQL: the link is claimed, by one browser.
func (r *rig) oneClaim(token gateway.Token) error {
	link, err := r.records.LinkByHash(r.t.Context(), token.Hash())
	if err == nil && (link.State != gateway.LinkClaimed || link.Browser.IsZero()) {
		err = errors.New("a raced link is not claimed")
	}
	return err
}
