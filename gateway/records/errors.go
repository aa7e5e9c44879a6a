package records

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"

	"dropslot/gateway"
)

// The errors of the package itself. A caller sees them as CodeUnavailable.
var (
	errClosed  = errors.New("records: closed")
	errLocked  = errors.New("records: another process keeps the SQLite file locked")
	errBusy    = errors.New("records: too much is waiting to be written")
	errNoReply = errors.New("records: the database did not answer in time; whether the write was done is not known")
)

// commitError is a commit that failed. What it left in the database is not
// known: the server may have committed before its answer was lost.
type commitError struct{ cause error }

func (e *commitError) Error() string { return describe("commit", e.cause).Error() }
func (e *commitError) Unwrap() error { return e.cause }

// passed carries an error of the caller's own function back to the caller, as
// it is.
type passed struct{ cause error }

func (p passed) Error() string { return p.cause.Error() }
func (p passed) Unwrap() error { return p.cause }

// describe makes an error for the log. Drivers quote values in their messages
// (phone indexes, logins, notes), so only what is known to hold none is kept.
// Errors with a code pass as they are.
func describe(what string, err error) error {
	var coded *gateway.Error
	var own passed
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own.cause
	case errors.As(err, &coded):
		return coded
	case errors.Is(err, errClosed), errors.Is(err, errLocked), errors.Is(err, errBusy), errors.Is(err, errNoReply):
		return err
	}
	text := harmless(err)
	for _, kept := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, kept) {
			return fmt.Errorf("records: %s: %s: %w", what, text, kept)
		}
	}
	return fmt.Errorf("records: %s: %s", what, text)
}

func harmless(err error) string {
	if text := postgresText(err); text != "" {
		return text
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		// SQLite's messages name tables, columns and files, no bound values.
		return "SQLite: " + lite.Error()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return "the caller went away"
	case errors.Is(err, context.DeadlineExceeded):
		return "the database did not answer in time"
	case broken(err):
		return "the connection to the database broke"
	}
	return fmt.Sprintf("unexpected error of type %T", err)
}

// postgresText leaves out the message of a failed statement, which may quote
// what was sent, but not that of a refused connection, which helps to mend it.
func postgresText(err error) string {
	var refused *pgconn.ConnectError
	var answer *pgconn.PgError
	answered := errors.As(err, &answer)
	switch {
	case errors.As(err, &refused) && answered:
		return "Postgres refuses the connection: " + answer.Message + " (SQLSTATE " + answer.Code + ")"
	case refused != nil:
		return "Postgres cannot be reached at " + refused.Config.Host + ": check that it runs and that records.url is right"
	case !answered:
		return ""
	}
	text := "Postgres: SQLSTATE " + answer.Code
	if answer.TableName != "" {
		text += ", table " + answer.TableName
	}
	if answer.ConstraintName != "" {
		text += ", constraint " + answer.ConstraintName
	}
	return text
}

// broken tells whether the connection is what failed.
func broken(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || pgconn.SafeToRetry(err)
}

func notFound() error { return gateway.NewError(gateway.CodeNotFound, nil) }

func refuse(code gateway.Code) error { return gateway.NewError(code, nil) }
