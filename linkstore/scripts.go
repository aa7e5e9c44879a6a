package linkstore

import (
	"context"
	_ "embed"

	"github.com/redis/go-redis/v9"
)

var (
	//go:embed put.lua
	putSource string
	//go:embed claim.lua
	claimSource string
	//go:embed close.lua
	closeSource string
	//go:embed allow.lua
	allowSource string
	//go:embed forgive.lua
	forgiveSource string

	putScript     = redis.NewScript(putSource)
	claimScript   = redis.NewScript(claimSource)
	closeScript   = redis.NewScript(closeSource)
	allowScript   = redis.NewScript(allowSource)
	forgiveScript = redis.NewScript(forgiveSource)
)

// LoadScripts hands the scripts to every node. It is not needed: a node that
// does not know one is sent it, which costs that call a second round trip.
func LoadScripts(ctx context.Context, client redis.UniversalClient) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, script := range []*redis.Script{putScript, claimScript, closeScript, allowScript, forgiveScript} {
		if err := script.Load(ctx, client).Err(); err != nil {
			return failure("load scripts", err)
		}
	}
	return nil
}
