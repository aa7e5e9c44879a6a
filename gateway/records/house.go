package records

import (
	"context"
	"time"

	"dropslot/gateway"
)

// mayBring is true of a link that may still bring a page to submission b: its
// deadline, the earlier of idle_at and ends_at, is after $1.
const mayBring = `EXISTS (SELECT 1 FROM links l
	WHERE l.submission = b.id AND l.state = 'claimed' AND l.idle_at > $1 AND l.ends_at > $1)`

// ExpireSubmissions ends open submissions whose sessions are all over; see
// the port. Links that nobody claimed do not keep a submission open: whoever
// claims one later begins a fresh submission. Those that something reached come first.
func (s *Store) ExpireSubmissions(ctx context.Context, at time.Time, grace time.Duration, limit int, audit func(gateway.Submission) gateway.AuditEntry) ([]gateway.Submission, error) {
	return write(ctx, s, "expire submissions", "", func(x *tx) (ended []gateway.Submission, err error) {
		over := ms(at.Add(-grace))
		due, err := all(x, scanText[gateway.SubmissionID], `SELECT b.id FROM submissions b
			WHERE b.state = 'open' AND NOT `+mayBring+`
			ORDER BY CASE WHEN b.arrived_at > 0 THEN 0 ELSE 1 END, b.id LIMIT $2`, over, limit)
		if err != nil {
			return nil, err
		}
		for _, id := range due {
			submission, changed, err := x.expire(id, at, over)
			if err != nil {
				return nil, err
			}
			if !changed {
				continue
			}
			if err := x.append(audit(submission)); err != nil {
				return nil, err
			}
			if submission.Reached() {
				ended = append(ended, submission)
			}
		}
		return ended, x.changed(officesOf(ended)...)
	})
}

// expire locks first and looks at the links again under the lock: a page may
// have been saved since they were listed.
func (x *tx) expire(id gateway.SubmissionID, at time.Time, over int64) (gateway.Submission, bool, error) {
	if _, err := x.lockSubmission(id); err != nil {
		return gateway.Submission{}, false, err
	}
	return first(x, scanSubmission, `UPDATE submissions AS b SET finished_at = $3, archived_at = 0,
		state = CASE WHEN arrived_at > 0 THEN 'received' ELSE 'empty' END,
		unfinished = CASE WHEN arrived_at > 0 THEN 1 ELSE 0 END
		WHERE b.id = $2 AND b.state = 'open' AND NOT `+mayBring+`
		RETURNING `+submissionColumns, over, string(id), ms(at))
}

// SubmissionPages gives a submission with the pages that were sent to it and
// count, in the client's order.
func (s *Store) SubmissionPages(ctx context.Context, id gateway.SubmissionID) (gateway.Submission, []gateway.Page, error) {
	session, err := snapshot(ctx, s, "list pages", func(v view) (found gateway.Session, err error) {
		found.Submission, found.Pages, err = withPages(only(submissionByID(v, id)))(v, sentHere)
		if err == nil {
			found.Submission.Remarks, err = all(v, scanRemark, selectRemarks+"submission = $1 ORDER BY at, id", string(id))
		}
		return found, err
	})
	return session.Submission, session.Pages, err
}

// Unarchived gives ended submissions that something reached and whose manifest is not
// in the vault yet, by identifier, those after the given one.
func (s *Store) Unarchived(ctx context.Context, after gateway.SubmissionID, limit int) ([]gateway.Submission, error) {
	return read(ctx, s, "list unarchived submissions", func(v view) ([]gateway.Submission, error) {
		return all(v, scanSubmission, "SELECT "+submissionColumns+` FROM submissions
			WHERE archived_at = 0 AND state <> 'open' AND (arrived_at > 0 OR revision > 0) AND id > $1 ORDER BY id LIMIT $2`, string(after), limit)
	})
}

// MarkArchived notes that the manifest is in the vault, unless the submission
// changed since it was read: then it is archived once more.
func (s *Store) MarkArchived(ctx context.Context, as gateway.Submission, at time.Time) error {
	_, err := write(ctx, s, "mark archived", "", func(x *tx) (struct{}, error) {
		_, err := x.exec(`UPDATE submissions SET archived_at = $2
			WHERE id = $1 AND state <> 'open' AND pages = $3 AND finished_at = $4 AND last_page_at = $5 AND revision = $6`,
			string(as.ID), ms(at), as.Pages, ms(as.FinishedAt), ms(as.LastPageAt), as.Revision)
		return struct{}{}, err
	})
	return err
}

// KnownBlobs tells for each name whether it may be swept. A name that a page
// of any submission carries is never called an orphan.
func (s *Store) KnownBlobs(ctx context.Context, submission gateway.SubmissionID, names []gateway.BlobName) (map[gateway.BlobName]gateway.BlobStanding, error) {
	return read(ctx, s, "look up blobs", func(v view) (map[gateway.BlobName]gateway.BlobStanding, error) {
		standings := make(map[gateway.BlobName]gateway.BlobStanding, len(names))
		// No lock is needed: a page's row follows its blob within minutes, and
		// the sweep asks about blobs that are a day old.
		_, known, err := submissionByID(v, submission)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			removed, found, err := first(v, scanInt, "SELECT removed_at FROM pages WHERE blob = $1", string(name))
			switch {
			case err != nil:
				return nil, err
			case found && removed != 0:
				standings[name] = gateway.BlobRemoved
			case found:
				standings[name] = gateway.BlobCounts
			case known:
				standings[name] = gateway.BlobOrphan
			default:
				standings[name] = gateway.BlobUnknown
			}
		}
		return standings, nil
	})
}

func scanInt(r scanner) (n int64, err error) {
	err = r.Scan(&n)
	return n, err
}

// RestoreSubmission puts back what the vault told of a submission; see the
// port. The counts of a submission follow from its pages. Audit entries are
// written only if something was put back.
func (s *Store) RestoreSubmission(
	ctx context.Context, submission gateway.Submission, pages []gateway.Page, hold *gateway.Hold, audit ...gateway.AuditEntry,
) (int, bool, error) {
	type outcome struct {
		pages int
		held  bool
	}
	got, err := write(ctx, s, "restore submission", "", func(x *tx) (outcome, error) {
		if erased, err := x.tombstoned(submission.ID); err != nil || erased {
			return outcome{}, err
		}
		created, err := x.putSubmission(submission)
		if err != nil {
			return outcome{}, err
		}
		var got outcome
		if got.pages, err = x.putPages(submission, pages); err != nil {
			return outcome{}, err
		}
		if got.held, err = x.putHold(hold); err != nil {
			return outcome{}, err
		}
		if got == (outcome{}) && !created {
			return got, nil
		}
		if _, err = x.exec(countPages, string(submission.ID)); err != nil {
			return outcome{}, err
		}
		if err := x.changed(submission.Office); err != nil {
			return outcome{}, err
		}
		return got, x.append(audit...)
	})
	return got.pages, got.held, err
}

// putSubmission puts the row back with what hangs on it, and locks it.
func (x *tx) putSubmission(s gateway.Submission) (created bool, err error) {
	n, err := x.exec(insertSubmission+" ON CONFLICT (id) DO NOTHING", submissionArgs(s)...)
	if err != nil {
		return false, err
	}
	if _, err := x.lockSubmission(s.ID); err != nil || n == 0 {
		return false, err
	}
	if err := x.putLacks(s); err != nil {
		return true, err
	}
	return true, x.putDesk(s)
}

func (x *tx) putPages(s gateway.Submission, pages []gateway.Page) (restored int, err error) {
	for _, page := range pages {
		page.Submission, page.Office = s.ID, s.Office
		n, err := x.exec(insertPage+" ON CONFLICT DO NOTHING", pageArgs(page)...)
		if err != nil {
			return 0, err
		}
		restored += int(n)
	}
	return restored, nil
}

// countPages makes the counts of a submission follow from what it holds.
const countPages = `UPDATE submissions SET
	pages = (SELECT COUNT(*) FROM pages p WHERE p.submission = $1 AND p.removed_at = 0),
	bytes = (SELECT COALESCE(SUM(p.plain_bytes), 0) FROM pages p WHERE p.submission = $1 AND p.removed_at = 0),
	lacks = (SELECT COUNT(*) FROM lacks k WHERE k.submission = $1),
	arrived_at = (SELECT COALESCE(MIN(came.at), 0) FROM (
		SELECT p.received_at AS at FROM pages p WHERE p.submission = $1 AND p.removed_at = 0
		UNION ALL SELECT k.at FROM lacks k WHERE k.submission = $1) came),
	last_page_at = (SELECT COALESCE(MAX(p.received_at), 0) FROM pages p WHERE p.submission = $1 AND p.removed_at = 0)
	WHERE id = $1`
