package records

import (
	"strings"

	"dropslot/gateway"
)

const standingColumns = `language, opted_out_at, hour_start, day_start, hour_count, day_count,
	last_answer_at, last_picture_answer_at, link, submission, last_words, same_words`

// lockSender makes the sender's row if there is none, locks it until the end
// of the transaction, and gives the standing. Whatever concerns a sender locks
// in this order: sender, link, submission.
const lockSender = `INSERT INTO senders (office, sender) VALUES ($1, $2)
	ON CONFLICT (office, sender) DO UPDATE SET office = excluded.office
	RETURNING ` + standingColumns

// lockSendersMany does the same for several, in the order of its rows.
var lockSendersMany = insertMany("senders", "office, sender",
	" ON CONFLICT (office, sender) DO UPDATE SET office = excluded.office RETURNING office, sender, "+standingColumns)

// readSenders gives those of several that there are: where one transaction
// writes at a time, nothing has to be locked, and a row is written once.
var readSenders = newMany(2, func(rows int) string {
	pairs := make([]string, rows)
	for i := range pairs {
		pairs[i] = "(" + placeholders(1+2*i, 2) + ")"
	}
	return "SELECT office, sender, " + standingColumns + " FROM senders WHERE (office, sender) IN (VALUES " + strings.Join(pairs, ", ") + ")"
})

// updateSenders writes the standings of senders that are locked.
var updateSenders = insertMany("senders", "office, sender, "+standingColumns,
	` ON CONFLICT (office, sender) DO UPDATE SET language = excluded.language, opted_out_at = excluded.opted_out_at,
	hour_start = excluded.hour_start, day_start = excluded.day_start, hour_count = excluded.hour_count,
	day_count = excluded.day_count, last_answer_at = excluded.last_answer_at,
	last_picture_answer_at = excluded.last_picture_answer_at, link = excluded.link, submission = excluded.submission,
	last_words = excluded.last_words, same_words = excluded.same_words`)

const updateSender = `UPDATE senders SET language = $3, opted_out_at = $4, hour_start = $5, day_start = $6,
	hour_count = $7, day_count = $8, last_answer_at = $9, last_picture_answer_at = $10, link = $11, submission = $12,
	last_words = $13, same_words = $14
	WHERE office = $1 AND sender = $2`

func scanStanding(r scanner) (s gateway.Standing, err error) {
	err = r.Scan(standingFields(&s)...)
	return s, err
}

func standingFields(s *gateway.Standing) []any {
	return []any{
		&s.Language, at(&s.OptedOutAt), at(&s.HourStart), at(&s.DayStart), &s.HourCount, &s.DayCount,
		at(&s.LastAnswerAt), at(&s.LastPictureAnswerAt), (*string)(&s.Link), (*string)(&s.Submission), &s.LastWords, &s.SameWords,
	}
}

func (x *tx) lockSender(office gateway.OfficeID, sender gateway.PhoneIndex) (gateway.Standing, error) {
	standing, _, err := first(x, scanStanding, lockSender, string(office), sender[:])
	return standing, err
}

func (x *tx) updateSender(office gateway.OfficeID, sender gateway.PhoneIndex, s gateway.Standing) error {
	_, err := x.exec(updateSender, appendStanding([]any{string(office), sender[:]}, &s)...)
	return err
}

// appendStanding appends the values of standingColumns.
func appendStanding(row []any, s *gateway.Standing) []any {
	return append(row, s.Language, ms(s.OptedOutAt), ms(s.HourStart), ms(s.DayStart),
		s.HourCount, s.DayCount, ms(s.LastAnswerAt), ms(s.LastPictureAnswerAt), string(s.Link), string(s.Submission),
		s.LastWords, s.SameWords)
}
