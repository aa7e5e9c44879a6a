package gateway

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// ledger is the records' part of budgets, in memory.
type ledger struct {
	mutex   sync.Mutex
	granted map[string]int
	asked   int
	fail    error
}

func (l *ledger) Grant(_ context.Context, scope string, begins time.Time, n, most int) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.asked++
	if l.fail != nil {
		return 0, l.fail
	}
	key := scope + begins.UTC().String()
	more := max(0, min(n, most-l.granted[key]))
	if n < 0 {
		more = n
	}
	l.granted[key] += more
	return more, nil
}

func budgetOf(t *testing.T, l *ledger, daily int, now *time.Time) *Budget {
	t.Helper()
	place, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	limits := DefaultLimits()
	limits.NumberPerHour = 500
	return &Budget{
		Directory: NewDirectory([]Office{{ID: "north", Location: place, DailySegments: daily}}, nil, nil),
		Limits:    limits, Records: l, Now: func() time.Time { return *now },
	}
}

// However many processes and senders there are, a day costs no more than its
// ceiling.
func TestTenThousandSendersStayWithinTheCeiling(t *testing.T) {
	now := noon
	l := &ledger{granted: map[string]int{}}
	taken := 0
	var all sync.WaitGroup
	var mutex sync.Mutex
	for range 4 {
		b := budgetOf(t, l, 300, &now)
		all.Go(func() {
			for range 2500 {
				got, err := b.Take(t.Context(), "north", "+15551230100", 2)
				if err != nil {
					t.Error(err)
				}
				if got.OK {
					mutex.Lock()
					taken += 2
					mutex.Unlock()
				}
			}
		})
	}
	all.Wait()
	if taken > 300 || taken < 300-4*2 {
		t.Errorf("%d segments of 300", taken)
	}
	if l.asked > 200 {
		t.Errorf("the records were asked %d times", l.asked)
	}
}

func TestTheNextDayBeginsAtTheOfficesMidnight(t *testing.T) {
	now := time.Date(2026, 3, 2, 5, 59, 0, 0, time.UTC) // 23:59 in Chicago
	b := budgetOf(t, &ledger{granted: map[string]int{}}, 1, &now)
	take := func() bool {
		got, err := b.Take(t.Context(), "north", "+15551230100", 1)
		if err != nil {
			t.Fatal(err)
		}
		if !got.OK && !got.Renews.Equal(time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)) {
			t.Errorf("renews at %v", got.Renews)
		}
		return got.OK
	}
	if !take() || take() {
		t.Fatal("one text, and then none")
	}
	if now = now.Add(time.Minute); !take() {
		t.Error("the new day has nothing to spend")
	}
}

func TestOneNumberSendsSoManyAnHour(t *testing.T) {
	now := noon
	b := budgetOf(t, &ledger{granted: map[string]int{}}, 100_000, &now)
	sent := 0
	for range 700 {
		if got, _ := b.Take(t.Context(), "north", "+15551230100", 1); got.OK {
			sent++
		}
	}
	if sent != 500 {
		t.Errorf("%d texts in an hour", sent)
	}
	if got, _ := b.Take(t.Context(), "north", "+15551230101", 1); !got.OK {
		t.Error("the other number may send")
	}
	if now = now.Add(time.Hour); true {
		if got, _ := b.Take(t.Context(), "north", "+15551230100", 1); !got.OK {
			t.Error("not in the next hour either")
		}
	}
}

func TestWhatIsGivenBackIsSpentOnce(t *testing.T) {
	now := noon
	b := budgetOf(t, &ledger{granted: map[string]int{}}, 3, &now)
	for range 50 {
		got, _ := b.Take(t.Context(), "north", "+15551230100", 2)
		if !got.OK {
			t.Fatal("nothing was spent yet")
		}
		b.GiveBack(got, 2, 1)
	}
	first, _ := b.Take(t.Context(), "north", "+15551230100", 2)
	second, _ := b.Take(t.Context(), "north", "+15551230100", 2)
	if !first.OK || second.OK {
		t.Errorf("got %v and %v of three segments", first.OK, second.OK)
	}
}

func TestAProcessThatStopsReturnsItsBlocks(t *testing.T) {
	now := noon
	l := &ledger{granted: map[string]int{}}
	for range 200 {
		b := budgetOf(t, l, 100, &now)
		if got, err := b.Take(t.Context(), "north", "+15551230100", 1); !got.OK || err != nil {
			if l.granted[OfficeScope("north")+Midnight(now, b.Directory.Offices["north"].Location).UTC().String()] != 100 {
				t.Fatalf("refused below the ceiling: %v, %v", l.granted, err)
			}
			return
		}
		if err := b.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Error("two hundred texts of one hundred")
}

func TestABudgetThatCannotBeAskedIsNoPermission(t *testing.T) {
	now := noon
	b := budgetOf(t, &ledger{granted: map[string]int{}, fail: errors.New("out of reach")}, 10, &now)
	if got, err := b.Take(t.Context(), "north", "+15551230100", 1); got.OK || err == nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// A text is refused by the records after midnight: the new day has not been
// granted what it gives back.
func TestWhatIsGivenBackLateIsSpentByNobody(t *testing.T) {
	now := noon
	l := &ledger{granted: map[string]int{}}
	b := budgetOf(t, l, 3, &now)
	b.Limits.NumberPerHour = 1
	old, err := b.Take(t.Context(), "north", "+15551230100", 3)
	if err != nil || !old.OK {
		t.Fatal(old, err)
	}
	now = now.AddDate(0, 0, 1)
	if today, err := b.Take(t.Context(), "north", "+15551230100", 3); err != nil || !today.OK {
		t.Fatal(today, err)
	}
	b.GiveBack(old, 3, 1)
	if more, err := b.Take(t.Context(), "north", "+15551230100", 1); err != nil || more.OK {
		t.Errorf("spent twice: %v, %v", more, err)
	}
}

// hanging is a database that does not answer.
type hanging struct{ asked chan struct{} }

func (h hanging) Grant(ctx context.Context, _ string, _ time.Time, _, _ int) (int, error) {
	h.asked <- struct{}{}
	<-ctx.Done()
	return 0, ctx.Err()
}

func TestADatabaseThatHangsHoldsNobodyBeyondTheirTime(t *testing.T) {
	now := noon
	b := budgetOf(t, nil, 300, &now)
	h := hanging{make(chan struct{}, 1)}
	b.Records = h
	first := make(chan error)
	go func() {
		_, err := b.Take(context.WithoutCancel(t.Context()), "north", "+15551230100", 1)
		first <- err
	}()
	<-h.asked
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Take(gone, "north", "+15551230100", 1); !errors.Is(err, context.Canceled) {
		t.Errorf("whoever went away still waits: %v", err)
	}
	if err := <-first; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("without a deadline of its own: %v", err)
	}
}
