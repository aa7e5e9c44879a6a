package gateway

import (
	"context"
	"errors"
	"regexp"
	"time"
)

// Job is work that a transaction of the records hands to the queue together
// with its rows: both are there after the commit, or neither.
type Job struct {
	Kind JobKind
	// Subject names what the job is about: an identifier of ours or a SID of
	// Twilio's. It is stored and listed in the clear, so it is never personal.
	Subject string
	// RunAt is when the job may begin at the soonest; at once if it is zero.
	RunAt time.Time
	// Unique makes the job a no-op while another of its kind and subject
	// waits, so that a burst makes one. One that is under way does not count:
	// it may have looked at the rows before this transaction changed them.
	Unique bool
}

// JobKind names what a job does and who does it.
type JobKind string

// ErrBadJob is a job that no queue takes.
var ErrBadJob = errors.New("a job needs a kind, and an identifier as its subject")

var (
	jobKindPattern    = regexp.MustCompile(`^[a-z][a-z0-9.-]{0,62}[a-z0-9]$`)
	jobSubjectPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,126}$`)
	digitsPattern     = regexp.MustCompile(`^[0-9]{7,}$`)
)

// Check refuses what is no identifier: a phone number, an address, words.
func (j Job) Check() error {
	if !jobKindPattern.MatchString(string(j.Kind)) || !jobSubjectPattern.MatchString(j.Subject) ||
		digitsPattern.MatchString(j.Subject) {
		return ErrBadJob
	}
	return nil
}

// Later is what a job returns that has nothing to do before a while: it comes
// again after it, and the try does not count.
func Later(wait time.Duration) error { return &LaterError{Wait: wait} }

// LaterError is the error of Later.
type LaterError struct{ Wait time.Duration }

func (e *LaterError) Error() string { return "not before " + e.Wait.String() }

// GiveUp is what a job returns that no further try can help: it is dead until
// the operator retries or drops it.
func GiveUp(err error) error { return &GiveUpError{Err: err} }

// GiveUpError is the error of GiveUp.
type GiveUpError struct{ Err error }

func (e *GiveUpError) Error() string {
	if e.Err == nil {
		return "given up"
	}
	return "given up: " + e.Err.Error()
}

func (e *GiveUpError) Unwrap() error { return e.Err }

// JobState is how far a job came.
type JobState string

// The states of jobs.
const (
	JobWaiting JobState = "waiting"
	JobRunning JobState = "running"
	JobFailing JobState = "failing" // it failed and waits for its next try
	JobDead    JobState = "dead"    // it is not tried any more
	JobDone    JobState = "done"
	JobDropped JobState = "dropped" // by the operator
)

// ValidJobID tells whether text may be the identifier of a job on some board.
func ValidJobID(text string) bool { return jobSubjectPattern.MatchString(text) }

// JobRow is one job as the operator sees it.
type JobRow struct {
	ID      string
	Kind    JobKind
	Subject string
	State   JobState
	Tries   int
	NextAt  time.Time // zero if nothing is to come
	Since   time.Time
	Fault   string // the code of the last failure; empty if there was none
}

// JobCount is how many jobs of a kind are in a state.
type JobCount struct {
	Kind  JobKind
	State JobState
	Count int
}

// JobBoard shows the operator one queue, be it that of the jobs or rows whose
// own state is their queue. Identifiers of different boards differ in shape.
type JobBoard interface {
	// List gives what is dead, failing or waiting, the worst first; what is
	// still known beside that if all is set. more is how many a long list leaves
	// out at its end.
	List(ctx context.Context, all bool) (rows []JobRow, more int, err error)
	// Retry lets a job begin now, a dead one too, with all of its tries before
	// it. CodeNotFound if the board has no such job, CodeForbidden if it is
	// under way or done.
	Retry(ctx context.Context, id string) error
	// Drop ends a job without its being done. Errors as for Retry.
	Drop(ctx context.Context, id string) error
	// Count counts what is not done, for the metrics.
	Count(ctx context.Context) ([]JobCount, error)
}
