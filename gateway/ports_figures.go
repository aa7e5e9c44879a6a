package gateway

import (
	"context"
	"time"
)

// FigureRecords counts and keeps what was counted. What is counted is read
// along identifiers, which begin with the time; nothing of a person is read.
type FigureRecords interface {
	// CountedTill gives when figures were last counted, and the time of the
	// first text or link; each zero if there is none.
	CountedTill(ctx context.Context) (counted, begun time.Time, err error)
	// EachText calls visit for every text stored from a time on.
	EachText(ctx context.Context, from time.Time, visit func(OfficeID, time.Time)) error
	// EachLink calls visit for every link stored from a time on.
	EachLink(ctx context.Context, from time.Time, visit func(LinkFact)) error
	// EachPage calls visit for every page stored from a time on.
	EachPage(ctx context.Context, from time.Time, visit func(office OfficeID, at time.Time, removed bool)) error
	// EachWaiting calls visit with when each submission arrived that is not
	// marked done.
	EachWaiting(ctx context.Context, office OfficeID, visit func(time.Time)) error
	// SaveFigures stores rows, over older ones of their office and week. What is
	// waiting is stored only in rows that tell it.
	SaveFigures(ctx context.Context, rows []Figures) error
	// Figures gives the rows of offices from a week on, by office and week.
	Figures(ctx context.Context, offices []OfficeID, from Week) ([]Figures, error)
}

// LinkFact is what counts of one link.
type LinkFact struct {
	Office   OfficeID
	IssuedAt time.Time
	Replaced bool          // by a newer one, or called back, before it was used
	Used     bool          // a person tapped
	Brought  bool          // something is in its submission
	Retake   bool          // it asked for one page again
	First    time.Duration // from the text that it answers to the first page; 0 if there is none
}
