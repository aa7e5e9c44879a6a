package records

import (
	"math/bits"
	"strconv"
	"strings"
)

// manyRows is the most rows that one statement takes.
const manyRows = 32

// many is a statement made for 1, 2, 4, … manyRows rows: few enough to be kept
// prepared, and any number of rows is a few of them.
type many struct {
	width int // values of a row
	made  []string
}

func newMany(width int, statement func(rows int) string) many {
	m := many{width: width}
	for rows := 1; rows <= manyRows; rows *= 2 {
		m.made = append(m.made, statement(rows))
	}
	return m
}

// insertMany makes an INSERT; what follows its rows is rest.
func insertMany(table, columns, rest string) many {
	width := strings.Count(columns, ",") + 1
	return newMany(width, func(rows int) string {
		values := make([]string, rows)
		for i := range values {
			values[i] = "(" + placeholders(1+i*width, width) + ")"
		}
		return "INSERT INTO " + table + " (" + columns + ") VALUES " + strings.Join(values, ", ") + rest
	})
}

// next gives the statement for as many of the rows as it can take, and splits
// their values.
func (m many) next(values []any) (statement string, now, later []any) {
	size := min(bits.Len(uint(len(values)/m.width)), len(m.made)) - 1 // #nosec G115 -- a length
	end := m.width << size
	return m.made[size], values[:end], values[end:]
}

// withoutNumbers writes ? for $1, $2, … where each stands once and in order.
// SQLite takes $1 for a name and looks every name up in a list when it is
// bound: a tenth of the webhook's time.
func withoutNumbers(statement string) string {
	var out strings.Builder
	rest := statement
	for n := 1; ; n++ {
		before, after, found := strings.Cut(rest, "$"+strconv.Itoa(n))
		if strings.Contains(before, "$") {
			return statement // another order: left as it was
		}
		out.WriteString(before)
		if !found {
			return out.String()
		}
		out.WriteByte('?')
		rest = after
	}
}

// execMany gives the number of rows that were written.
func (x *tx) execMany(m many, values []any) (written int64, err error) {
	for len(values) > 0 {
		statement, now, later := m.next(values)
		n, err := x.exec(statement, now...)
		if err != nil {
			return written, err
		}
		written, values = written+n, later
	}
	return written, nil
}
