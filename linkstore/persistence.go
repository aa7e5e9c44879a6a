package linkstore

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Persists tells whether Redis keeps its keys over a restart; known is false
// where it does not say. Links are found in SQL all the same: what a restart
// costs is a look there, and the limits against guessing begin anew.
func Persists(ctx context.Context, client redis.UniversalClient) (persists, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	info, err := client.Info(ctx, "persistence").Result()
	if err != nil && !refusedCommand(err) {
		return false, false, failure("read persistence", err)
	}
	for line := range strings.Lines(info) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), "aof_enabled:"); found {
			return value == "1", true, nil
		}
	}
	return false, false, nil
}
