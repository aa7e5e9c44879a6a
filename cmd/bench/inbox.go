package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	_ "modernc.org/sqlite" // the driver that the records use

	"dropslot/gateway"
	"dropslot/gateway/records"
)

// A caseworker sees one office or several; the rows are spread over all.
var (
	inboxOffices = []gateway.OfficeID{"east", "north", "west"}
	oneOffice    = inboxOffices[:1]
)

const (
	inboxPage    = 50
	inboxLooks   = 400 // pages looked at in one round
	firstArrival = 1_700_000_000_000
	arrivalPause = 60_000 // milliseconds between two submissions
)

// fill makes submissions as the records would hold them, one in ten handled.
const fill = `
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < $1)
INSERT INTO submissions (id, office, number, sender, phone, language, state, unfinished, opened_at, arrived_at,
	last_page_at, finished_at, pages, bytes, sealed_name, handled, handled_at, handled_by, handled_as, handled_note, archived_at)
SELECT printf('%026d', i), CASE i % 3 WHEN 0 THEN 'east' WHEN 1 THEN 'north' ELSE 'west' END, '+15551230100',
	randomblob(16), randomblob(60), 'en', CASE i % 10 WHEN 0 THEN 'handled' ELSE 'received' END, 0,
	$2 + i * $3, $2 + i * $3, $2 + i * $3, $2 + i * $3, 3, 9000000, x'', i % 10 = 0, 0, '', '', '', 1
FROM n`

// inboxStore is records with as many submissions.
func inboxStore(ctx context.Context, folder string, rows int) (*records.Store, error) {
	name := filepath.Join(folder, fmt.Sprintf("inbox-%d.db", rows))
	store, err := records.Open(ctx, "sqlite:"+name, records.Options{AuditKey: make([]byte, 32)})
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, fill, rows, firstArrival, arrivalPause); err != nil {
		return nil, fmt.Errorf("make %d submissions: %w", rows, err)
	}
	return store, nil
}

// inbox measures one page of the caseworkers' list, at its start and anywhere
// in it, with few and with many submissions in turns.
func inbox(ctx context.Context, h *house, o options, out io.Writer) error {
	stores := make([]*records.Store, len(o.inboxRows))
	for i, rows := range o.inboxRows {
		store, err := inboxStore(ctx, h.folder, rows)
		if err != nil {
			return err
		}
		defer store.Close()
		stores[i] = store
	}
	table := newTable(out)
	defer table.Flush()
	fmt.Fprintln(table, "inbox: offices\tplace\trows\tp50 ms\tp99 ms\tratio\taim\t")
	for _, offices := range [][]gateway.OfficeID{oneOffice, inboxOffices} {
		for _, part := range []inboxPart{{}, {deep: true}, {stage: gateway.StageNew}} {
			looks := make([][]time.Duration, len(stores))
			for range o.rounds {
				for i, store := range stores {
					took, err := look(ctx, store, offices, o.inboxRows[i], part)
					if err != nil {
						return err
					}
					looks[i] = append(looks[i], took...)
				}
			}
			printLooks(table, len(offices), part, o.inboxRows, looks)
		}
	}
	return nil
}

// inboxPart is what of the inbox is looked at.
type inboxPart struct {
	deep  bool
	stage gateway.Stage // empty: all that is not done
}

func (p inboxPart) String() string {
	switch {
	case p.deep:
		return "anywhere"
	case p.stage != "":
		return "start, " + string(p.stage)
	}
	return "start"
}

func printLooks(table io.Writer, offices int, part inboxPart, rows []int, looks [][]time.Duration) {
	var first time.Duration
	for i, took := range looks {
		slices.Sort(took)
		middle := percentile(took, 50)
		if i == 0 {
			first = middle
		}
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\t%.2f\t%s\t\n", offices, part, rows[i],
			ms(middle), ms(percentile(took, 99)), float64(middle)/float64(first), "1.5")
	}
}

func look(ctx context.Context, store *records.Store, offices []gateway.OfficeID, rows int, part inboxPart) ([]time.Duration, error) {
	var took []time.Duration
	for range inboxLooks {
		var cursor gateway.Cursor
		if part.deep {
			n := inboxPage*10 + rand.IntN(rows-inboxPage*10)
			cursor = gateway.Cursor{
				ArrivedAt: time.UnixMilli(firstArrival + int64(n)*arrivalPause),
				ID:        gateway.SubmissionID(fmt.Sprintf("%026d", n)),
			}
		}
		began := time.Now()
		page, err := store.Inbox(ctx, gateway.InboxQuery{Offices: offices, Stage: part.stage, Viewer: "bench", After: cursor, Limit: inboxPage})
		if err != nil {
			return nil, err
		}
		if len(page) != inboxPage {
			return nil, fmt.Errorf("a page of %d submissions", len(page))
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}
