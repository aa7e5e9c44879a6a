package records

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"dropslot/gateway"
	"dropslot/gateway/records/recordstest"
)

// benchBoth runs a benchmark on SQLite and on Postgres. Postgres commits to
// disk only with DROPSLOT_POSTGRES_FSYNC=on.
func benchBoth(b *testing.B, bench func(b *testing.B, w *world)) {
	b.Run("sqlite", func(b *testing.B) { bench(b, openWorld(b, readySQLite(b))) })
	b.Run("postgres", func(b *testing.B) { bench(b, openWorld(b, recordstest.Postgres(b))) })
}

// callers runs b.N calls by n goroutines.
func callers(b *testing.B, n int, call func(i int) error) {
	b.Helper()
	b.ResetTimer()
	var next atomic.Int64
	var done sync.WaitGroup
	for range n {
		done.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= int64(b.N) {
					return
				}
				if err := call(int(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	done.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

func BenchmarkReceiveText(b *testing.B) {
	for _, n := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("callers=", n), func(b *testing.B) {
			benchBoth(b, func(b *testing.B, w *world) {
				texts := make([]gateway.Text, b.N)
				links := make([]gateway.Link, b.N)
				for i := range texts {
					// Identifiers grow with time, as they do in life.
					at := noon.Add(time.Duration(i) * time.Millisecond)
					texts[i] = newText(b, north, phone(north, i))
					links[i] = newLink(b, north, texts[i].Sender, noon)
					texts[i].ID, links[i].ID = gateway.TextID(newIDAt(b, at)), gateway.LinkID(newIDAt(b, at))
					links[i].Submission = gateway.SubmissionID(newIDAt(b, at))
				}
				callers(b, n, func(i int) error {
					_, _, err := w.ReceiveText(b.Context(), texts[i], answerWith(links[i]))
					return err
				})
			})
		})
	}
}

func BenchmarkSavePage(b *testing.B) {
	for _, n := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("callers=", n), func(b *testing.B) {
			benchBoth(b, func(b *testing.B, w *world) {
				limits := gateway.DefaultLimits()
				limits.LinkPages, limits.LinkBytes = b.N+1, int64(b.N+1)*1000
				var sessions []gateway.Link
				for i := range 64 {
					sessions = append(sessions, w.session(north, i))
				}
				callers(b, n, func(i int) error {
					_, _, err := w.SavePage(b.Context(), newPage(b, sessions[i%64], noon), limits, entry(gateway.ActionPageReceived, "page:1"))
					return err
				})
			})
		})
	}
}

func BenchmarkInbox(b *testing.B) {
	for _, rows := range []int{10_000, 1_000_000} {
		if rows > 10_000 && testing.Short() {
			continue
		}
		b.Run(fmt.Sprint("rows=", rows), func(b *testing.B) {
			benchBoth(b, func(b *testing.B, w *world) {
				fillInbox(w, rows)
				cursor := gateway.Cursor{ArrivedAt: timeOf(int64(rows / 2)), ID: "0"}
				callers(b, 1, func(i int) error {
					after := gateway.Cursor{}
					if i%2 == 0 {
						after = cursor
					}
					list, err := w.Inbox(b.Context(), gateway.InboxQuery{Offices: []gateway.OfficeID{north}, After: after, Viewer: "s", Limit: 50})
					if err == nil && len(list) != 50 {
						err = os.ErrInvalid
					}
					return err
				})
			})
		})
	}
}

// fillInbox makes submissions of two offices, a tenth of them handled.
func fillInbox(w *world, rows int) {
	w.raw(fmt.Sprintf(`INSERT INTO submissions (%s, handled, archived_at)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		SELECT 'id' || i, CASE WHEN i %% 2 = 0 THEN 'north' ELSE 'south' END, '+15551230100', %[3]s, %[3]s, 'en',
		CASE WHEN i %% 10 = 0 THEN 'handled' ELSE 'received' END, 0, i, i, i, i, 1, 1000, %[3]s, 0, '', '', '',
		0, '', '', 0, CASE WHEN i %% 10 = 0 THEN 1 ELSE 0 END, 0 FROM n`, openedColumns, rows, w.emptyBytes()))
	w.raw("ANALYZE")
}

func (w *world) emptyBytes() string {
	if w.dialect.ordered() {
		return "''::bytea"
	}
	return "x''"
}
