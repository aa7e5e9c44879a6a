package linkstore

import (
	"fmt"

	"github.com/alicebob/miniredis/v2"
)

// StartEmbedded runs a Redis inside this process, on a free port of the
// loopback address, for the demo. It keeps nothing: what it held is gone
// after stop, as after a Redis without persistence.
func StartEmbedded() (addr string, stop func(), err error) {
	server := miniredis.NewMiniRedis()
	server.ClockTTL(true)
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return "", nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	return server.Addr(), server.Close, nil
}
