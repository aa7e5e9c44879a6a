package web

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"dropslot/gateway"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"
)

// DeskCookie names the session's cookie. The prefix makes browsers refuse it
// from plain http, from another host of the domain, and for a lesser path.
const DeskCookie = "__Host-desk"

// How long a request waits for the session store before it says so.
const sessionStoreTimeout = 2 * time.Second

// What a session holds. It is written at the sign-in and never again: a
// request that is still under way while its person signs out cannot bring
// the session back by saving it.
const (
	sessionStaff = "staff"   // gateway.StaffID as string
	sessionStamp = "stamp"   // of the password it was opened with
	sessionSince = "since"   // time of the sign-in, Unix milliseconds
	sessionID    = "session" // gateway.SessionID as string; empty until the second factor
	sessionStep  = "step"    // gateway.SignInStep as string: what is still to be done
	sessionNext  = "next"    // where the sign-in leads; while a step is to be done
)

// stepTime is how long somebody whose password was right has for the second
// factor, or to set one up.
const stepTime = 15 * time.Minute

var sessionTokenPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// SessionStore keeps sessions, and what waits for a browser's answer.
type SessionStore interface {
	scs.CtxStore
	// TakeCtx gives an entry and removes it: of two who ask at once, one gets it.
	TakeCtx(ctx context.Context, token string) (b []byte, found bool, err error)
}

// deskSessions keeps who is signed in. The time of the last act stands in an
// entry of its own beside the session.
type deskSessions struct {
	manager     *scs.SessionManager
	store       SessionStore
	now         func() time.Time
	idle, total time.Duration
}

func newDeskSessions(store SessionStore, now func() time.Time, idle, total time.Duration) *deskSessions {
	m := scs.New()
	m.Store = timedStore{store}
	m.Lifetime = total
	m.HashTokenInStore = true
	m.Cookie = scs.SessionCookie{
		Name: DeskCookie, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode,
		Persist: false, // gone when the browser is closed
	}
	return &deskSessions{manager: m, store: timedStore{store}, now: now, idle: idle, total: total}
}

// deskSession is one request's view of its session.
type deskSession struct {
	ctx     context.Context // carries scs's data
	token   string          // empty if the browser brought none
	staff   gateway.StaffID // empty if nobody is signed in
	account gateway.StaffID // whose session it is: signed in, locked, or on the way in
	id      gateway.SessionID
	stamp   string
	step    gateway.SignInStep // what is still to be done; the account is not signed in
	next    string             // with step
	locked  bool               // idle for too long; the account's password opens it again
	since   time.Time
	left    time.Duration // until the session ends if nothing is done
}

// load finds the session of a request. One that is over counts as none.
func (s *deskSessions) load(r *http.Request) (deskSession, error) {
	var token string
	if cookie, err := r.Cookie(DeskCookie); err == nil && sessionTokenPattern.MatchString(cookie.Value) {
		token = cookie.Value
	}
	ctx, err := s.manager.Load(r.Context(), token)
	if err != nil {
		return deskSession{}, gateway.NewError(gateway.CodeUnavailable, err)
	}
	found := deskSession{ctx: ctx, token: token}
	staff := gateway.StaffID(s.manager.GetString(ctx, sessionStaff))
	if staff == "" {
		return found, nil
	}
	found.since = time.UnixMilli(s.manager.GetInt64(ctx, sessionSince))
	found.step = gateway.SignInStep(s.manager.GetString(ctx, sessionStep))
	if found.step != gateway.StepNone {
		if found.left = found.since.Add(stepTime).Sub(s.now()); found.left <= 0 {
			return deskSession{ctx: ctx, token: token}, nil
		}
		found.next = s.manager.GetString(ctx, sessionNext)
	}
	found.account, found.stamp = staff, s.manager.GetString(ctx, sessionStamp)
	found.id = gateway.SessionID(s.manager.GetString(ctx, sessionID))
	if found.step != gateway.StepNone {
		return found, nil
	}
	return s.alive(found)
}

// alive tells a session in use from a locked one and from one that is over.
func (s *deskSessions) alive(found deskSession) (deskSession, error) {
	left := found.since.Add(s.total).Sub(s.now())
	if left <= 0 {
		return deskSession{ctx: found.ctx, token: found.token}, nil
	}
	seen, err := s.seen(found.ctx, found.token)
	if err != nil {
		return deskSession{}, gateway.NewError(gateway.CodeUnavailable, err)
	}
	if found.left = min(left, seen.Add(s.idle).Sub(s.now())); found.left > 0 {
		found.staff = found.account
	} else {
		found.locked = true
	}
	return found, nil
}

// touch notes that the person did something. It is called for a session that
// load found alive, and a session that ends meanwhile stays ended: the entry
// is worth nothing without it.
func (s *deskSessions) touch(ctx context.Context, session *deskSession) error {
	if err := s.saw(ctx, session.token); err != nil {
		return err
	}
	session.left = min(session.since.Add(s.total).Sub(s.now()), s.idle)
	return nil
}

func (s *deskSessions) saw(ctx context.Context, token string) error {
	now := s.now()
	err := s.store.CommitCtx(ctx, seenKey(token), strconv.AppendInt(nil, now.UnixMilli(), 10), now.Add(s.idle))
	if err != nil {
		return gateway.NewError(gateway.CodeUnavailable, err)
	}
	return nil
}

// seen gives the time of the last act; zero when the store has forgotten it.
func (s *deskSessions) seen(ctx context.Context, token string) (time.Time, error) {
	text, found, err := s.store.FindCtx(ctx, seenKey(token))
	if err != nil || !found {
		return time.Time{}, err
	}
	at, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	return time.UnixMilli(at), nil
}

// seenKey names the entry of the last act. Like scs's own keys it holds a
// hash, so that who reads the store finds no token.
func seenKey(token string) string {
	sum := sha256.Sum256([]byte("seen:" + token))
	return "seen." + base64.RawURLEncoding.EncodeToString(sum[:])
}

// start takes the staff member a step further under a new token: after the
// password, after the second factor, after the lock screen. Whatever token the
// browser brought is dead afterwards, so that one planted there is worth nothing.
func (s *deskSessions) start(c echo.Context, old deskSession, staff gateway.Staff, now deskSession) error {
	ctx := old.ctx
	if err := s.manager.Clear(ctx); err != nil {
		return gateway.NewError(gateway.CodeUnavailable, err)
	}
	if err := s.manager.RenewToken(ctx); err != nil {
		return gateway.NewError(gateway.CodeUnavailable, err)
	}
	s.manager.Put(ctx, sessionStaff, string(staff.ID))
	s.manager.Put(ctx, sessionStamp, stampOf(staff))
	s.manager.Put(ctx, sessionSince, now.since.UnixMilli())
	s.manager.Put(ctx, sessionID, string(now.id))
	if now.step != gateway.StepNone {
		s.manager.Put(ctx, sessionStep, string(now.step))
		s.manager.Put(ctx, sessionNext, now.next)
	}
	token, expiry, err := s.manager.Commit(ctx)
	if err != nil {
		return gateway.NewError(gateway.CodeUnavailable, err)
	}
	if err := s.saw(ctx, token); err != nil {
		return err
	}
	s.cookie(ctx, c, token, expiry)
	return nil
}

// stampOf ties a session to the password it was opened with and to the
// account's epoch: a new password or a reset ends every session of the account.
func stampOf(staff gateway.Staff) string {
	sum := sha256.Sum256([]byte("stamp:" + strconv.FormatInt(staff.Epoch, 10) + ":" + staff.PasswordHash))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// sightOf changes with what an account may see: its roles, and whatever ends
// its sessions. A page that was on the screen before is not theirs to see again.
func sightOf(staff gateway.Staff) string {
	sum := sha256.Sum256([]byte("sight:" + string(staff.ID) + ":" + strconv.FormatInt(staff.Epoch, 10) + ":" + staff.Roles.String()))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// takeBack removes the cookie from the browser.
func (s *deskSessions) takeBack(c echo.Context) {
	http.SetCookie(c.Response(), &http.Cookie{
		Name: DeskCookie, Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode, MaxAge: -1,
	})
}

// end destroys the session and takes the cookie back.
func (s *deskSessions) end(c echo.Context, old deskSession) error {
	s.cookie(old.ctx, c, "", time.Time{})
	if old.token == "" {
		return nil
	}
	if err := s.manager.Destroy(old.ctx); err != nil {
		return gateway.NewError(gateway.CodeUnavailable, err)
	}
	if err := s.store.DeleteCtx(old.ctx, seenKey(old.token)); err != nil {
		return gateway.NewError(gateway.CodeUnavailable, err)
	}
	return nil
}

func (s *deskSessions) cookie(ctx context.Context, c echo.Context, token string, expiry time.Time) {
	s.manager.WriteSessionCookie(ctx, c.Response(), token, expiry)
	c.Response().Header().Set(echo.HeaderCacheControl, "no-store") // scs added a weaker one
}

// timedStore gives up on a store that does not answer.
type timedStore struct{ SessionStore }

func (t timedStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, sessionStoreTimeout)
	defer cancel()
	return t.SessionStore.FindCtx(ctx, token)
}

func (t timedStore) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, sessionStoreTimeout)
	defer cancel()
	return t.SessionStore.CommitCtx(ctx, token, b, expiry)
}

func (t timedStore) DeleteCtx(ctx context.Context, token string) error {
	ctx, cancel := context.WithTimeout(ctx, sessionStoreTimeout)
	defer cancel()
	return t.SessionStore.DeleteCtx(ctx, token)
}

func (t timedStore) TakeCtx(ctx context.Context, token string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, sessionStoreTimeout)
	defer cancel()
	return t.SessionStore.TakeCtx(ctx, token)
}
