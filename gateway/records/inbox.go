package records

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"

	"dropslot/gateway"
)

var selectEntry = "SELECT " + qualified("b", submissionColumns) + `, c.sealed_name, COALESCE(k.at, 0),
	(SELECT COUNT(*) FROM notes n WHERE n.submission = b.id)
	FROM (SELECT ` + submissionColumns + ` FROM submissions
		WHERE office = $1 AND handled = $2 AND arrived_at > 0 AND (arrived_at, id) < ($3, $4)%s
		ORDER BY arrived_at DESC, id DESC LIMIT $5) b
	LEFT JOIN clients c ON c.office = b.office AND c.sender = b.sender
	LEFT JOIN looks k ON k.staff = $6 AND k.submission = b.id
	ORDER BY b.arrived_at DESC, b.id DESC`

func scanEntry(r scanner) (e gateway.InboxEntry, err error) {
	err = r.Scan(append(submissionFields(&e.Submission), &e.SealedName, at(&e.LookedAt), &e.Words)...)
	if len(e.Submission.SealedName) == 0 {
		e.Submission.SealedName = nil
	}
	return e, err
}

// Inbox lists submissions that something reached, newest first by the first of
// it; see the port. Each office, and each stage where only some count, walks
// one index from its place; the rows are merged.
func (s *Store) Inbox(ctx context.Context, q gateway.InboxQuery) ([]gateway.InboxEntry, error) {
	stages := []gateway.Stage{q.Stage}
	if q.Overdue != nil && q.Stage == "" {
		stages = []gateway.Stage{gateway.StageNew, gateway.StageOpen}
	}
	var lists []inboxList
	for _, office := range slices.Compact(slices.Sorted(slices.Values(q.Offices))) {
		for _, stage := range stages {
			lists = append(lists, inboxList{office, stage})
		}
	}
	return read(ctx, s, "list inbox", func(v view) ([]gateway.InboxEntry, error) {
		return merged(lists, q.Limit, newerArrival, func(l inboxList) ([]gateway.InboxEntry, error) {
			statement, args := l.query(q)
			return all(v, scanEntry, statement, args...)
		})
	})
}

// inboxList is the part of the inbox that one index holds in order.
type inboxList struct {
	office gateway.OfficeID
	stage  gateway.Stage // empty: all that is not done
}

func (l inboxList) query(q gateway.InboxQuery) (string, []any) {
	before, id := ms(q.After.ArrivedAt), string(q.After.ID)
	if q.After.ArrivedAt.IsZero() {
		before = math.MaxInt64
	}
	var more strings.Builder
	args := []any{string(l.office), bit(l.stage == gateway.StageDone), before, id, q.Limit, string(q.Viewer)}
	where := func(condition string, arg any) {
		args = append(args, arg)
		more.WriteString(" AND " + condition + strconv.Itoa(len(args)))
	}
	if q.Overdue != nil {
		since := ms(q.Overdue[l.office])
		if since < before { // its turn never begins before it arrives
			args[2], args[3] = since, ""
		}
		where("turn_at < $", since)
	}
	if q.Assigned != "" {
		more.WriteString(" AND assigned <> ''")
		where("assigned = $", string(q.Assigned))
	}
	if l.stage != "" && l.stage != gateway.StageDone {
		more.WriteString(" AND handled = 0")
		where("stage = $", string(l.stage))
	}
	return strings.Replace(selectEntry, "%s", more.String(), 1), args
}

func newerArrival(a, b gateway.InboxEntry) int {
	if order := b.Submission.ArrivedAt.Compare(a.Submission.ArrivedAt); order != 0 {
		return order
	}
	return compareText(b.Submission.ID, a.Submission.ID)
}
