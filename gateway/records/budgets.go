package records

import (
	"context"
	"time"
)

// Grant adds to what is granted of a window; see the port.
func (s *Store) Grant(ctx context.Context, scope string, begins time.Time, n, most int) (int, error) {
	return write(ctx, s, "grant a budget", "", func(x *tx) (int, error) {
		granted, _, err := first(x, scanInt, `INSERT INTO budgets (scope, begins, granted) VALUES ($1, $2, 0)
			ON CONFLICT (scope, begins) DO UPDATE SET granted = budgets.granted RETURNING granted`, scope, ms(begins))
		if err != nil {
			return 0, err
		}
		more := max(min(n, most-int(granted)), 0)
		if n < 0 {
			more = max(n, -int(granted))
		}
		if more == 0 {
			return 0, nil
		}
		_, err = x.exec("UPDATE budgets SET granted = granted + $3 WHERE scope = $1 AND begins = $2", scope, ms(begins), more)
		return more, err
	})
}
