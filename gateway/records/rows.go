package records

import (
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ms is a time as it is stored; 0 is the zero time.
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func timeOf(stored int64) time.Time {
	if stored == 0 {
		return time.Time{}
	}
	return time.UnixMilli(stored).UTC()
}

// at scans a stored time.
func at(t *time.Time) sql.Scanner { return stamp{t} }

type stamp struct{ to *time.Time }

func (s stamp) Scan(from any) error {
	stored, ok := from.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", from)
	}
	*s.to = timeOf(stored)
	return nil
}

// fixed scans bytes of a fixed length; none at all are the zero value.
func fixed(to []byte) sql.Scanner { return fixedBytes{to} }

type fixedBytes struct{ to []byte }

func (f fixedBytes) Scan(from any) error {
	stored, ok := from.([]byte)
	if !ok || len(stored) != len(f.to) && len(stored) != 0 {
		return fmt.Errorf("%d bytes are stored as %T of another length", len(f.to), from)
	}
	clear(f.to)
	copy(f.to, stored)
	return nil
}

// flag scans a truth that is stored as 0 or 1.
func flag(to *bool) sql.Scanner { return truth{to} }

type truth struct{ to *bool }

func (f truth) Scan(from any) error {
	stored, ok := from.(int64)
	if !ok {
		return fmt.Errorf("a truth is stored as %T", from)
	}
	*f.to = stored != 0
	return nil
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// solid gives bytes that no driver takes for NULL.
func solid(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// unlessZero gives the bytes of a hash, or none if it stands for nothing.
func unlessZero(b []byte, zero bool) []byte {
	if zero {
		return []byte{}
	}
	return b
}

// maybe scans bytes of a fixed length or nothing, which is the zero value.
func maybe(to []byte) sql.Scanner { return maybeBytes{to} }

type maybeBytes struct{ to []byte }

func (m maybeBytes) Scan(from any) error {
	if from == nil {
		clear(m.to)
		return nil
	}
	return fixedBytes(m).Scan(from)
}

type scanner interface{ Scan(into ...any) error }

// queryer runs a statement that gives rows: a tx or a view.
type queryer interface {
	query(statement string, args ...any) (*sql.Rows, error)
}

// first gives the first row, or found=false.
func first[T any](q queryer, scan func(scanner) (T, error), statement string, args ...any) (row T, found bool, err error) {
	rows, err := q.query(statement, args...)
	if err != nil {
		return row, false, err
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		return row, false, rows.Err()
	}
	if row, err = scan(rows); err != nil {
		return row, false, err
	}
	return row, true, rows.Close()
}

// all gives every row.
func all[T any](q queryer, scan func(scanner) (T, error), statement string, args ...any) ([]T, error) {
	rows, err := q.query(statement, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []T
	for rows.Next() {
		row, err := scan(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, row)
	}
	return list, rows.Err()
}

func scanText[S ~string](r scanner) (S, error) {
	var s S
	err := r.Scan(&s)
	return s, err
}

// placeholders gives "$from, $from+1, …", n of them.
func placeholders(from, n int) string {
	var out strings.Builder
	for i := range n {
		if i > 0 {
			out.WriteString(", ")
		}
		out.WriteByte('$')
		out.WriteString(strconv.Itoa(from + i))
	}
	return out.String()
}

// insertInto writes an INSERT of one row for a list of columns.
func insertInto(table, columns string) string {
	return "INSERT INTO " + table + " (" + columns + ") VALUES (" + placeholders(1, strings.Count(columns, ",")+1) + ")"
}

// qualified gives a list of columns as those of one table of a join.
func qualified(table, columns string) string {
	names := strings.Split(columns, ",")
	for i, name := range names {
		names[i] = table + "." + strings.TrimSpace(name)
	}
	return strings.Join(names, ", ")
}
