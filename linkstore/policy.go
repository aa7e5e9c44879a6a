package linkstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// ErrPolicyUnknown means that this Redis tells neither by CONFIG nor by INFO
// whether it evicts. Whether to serve all the same is the operator's choice.
var ErrPolicyUnknown = errors.New("redis does not tell its maxmemory-policy (CONFIG GET and INFO memory are refused): " +
	"allow this user `+config|get` or `+info`, or make sure at your provider that the policy is noeviction; " +
	"with any other policy links, limits and sessions vanish silently when memory runs short")

// CheckPolicy refuses a Redis that evicts. Every key here has a time to live,
// so the volatile policies drop links as readily as the allkeys ones.
func CheckPolicy(ctx context.Context, client redis.UniversalClient) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if cluster, ok := client.(*redis.ClusterClient); ok {
		err := cluster.ForEachMaster(ctx, func(ctx context.Context, node *redis.Client) error {
			return checkNode(ctx, node)
		})
		return policyError(err)
	}
	return policyError(checkNode(ctx, client))
}

type evictsError struct{ policy string }

func (e evictsError) Error() string {
	return fmt.Sprintf("redis has maxmemory-policy %s, which drops links silently when memory runs short: "+
		"set `maxmemory-policy noeviction` in redis.conf, or run: redis-cli CONFIG SET maxmemory-policy noeviction", e.policy)
}

func policyError(err error) error {
	if err == nil || errors.Is(err, ErrPolicyUnknown) {
		return err
	}
	if e, ok := errors.AsType[evictsError](err); ok {
		return e
	}
	return failure("read maxmemory-policy", err)
}

func checkNode(ctx context.Context, node redis.Cmdable) error {
	policy, err := readPolicy(ctx, node)
	switch {
	case err != nil:
		return err
	case policy == "":
		return ErrPolicyUnknown
	case policy != "noeviction":
		return evictsError{policy}
	}
	return nil
}

// readPolicy asks by CONFIG and, since many providers forbid that, by INFO.
// It gives an empty string where Redis answers but does not tell.
func readPolicy(ctx context.Context, node redis.Cmdable) (string, error) {
	config, err := node.ConfigGet(ctx, "maxmemory-policy").Result()
	if policy := config["maxmemory-policy"]; err == nil && policy != "" {
		return policy, nil
	}
	if err != nil && !refusedCommand(err) {
		return "", err
	}
	info, err := node.Info(ctx, "memory").Result()
	if err != nil && !refusedCommand(err) {
		return "", err
	}
	for line := range strings.Lines(info) {
		if policy, found := strings.CutPrefix(strings.TrimSpace(line), "maxmemory_policy:"); found {
			return policy, nil
		}
	}
	return "", nil
}

// refusedCommand tells an answer "not this command, not for you" from a Redis
// that cannot be used at all. miniredis answers without a first word.
func refusedCommand(err error) bool {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return false
	}
	word := replyWord.FindString(reply.Error())
	return word == "NOPERM" || word == "ERR" || word == ""
}
