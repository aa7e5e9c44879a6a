package linkstore

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

var urlForms = "redis://host:6379/0, redis+sentinel://host:26379,host:26379/master/0 or redis+cluster://host:6379,host:6379 (rediss for TLS)"

// parseURL reads a URL of Options. net/url cannot: it takes no list of hosts.
func parseURL(text string) (*redis.UniversalOptions, error) {
	scheme, rest, _ := strings.Cut(text, "://")
	scheme, mode, _ := strings.Cut(scheme, "+")
	o := &redis.UniversalOptions{}
	switch scheme {
	case "redis":
	case "rediss":
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	default:
		return nil, errors.New("redis url: unknown scheme; write " + urlForms)
	}
	authority, query, _ := strings.Cut(rest, "?")
	authority, path, _ := strings.Cut(authority, "/")
	hosts := authority
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		hosts = authority[at+1:]
		if err := setUser(o, authority[:at]); err != nil {
			return nil, err
		}
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, errors.New("redis url: what follows the question mark cannot be read")
	}
	port := "6379"
	if mode == "sentinel" {
		port = "26379"
	}
	if o.Addrs, err = splitHosts(hosts, port); err != nil {
		return nil, err
	}
	return o, setMode(o, mode, path, values)
}

func setUser(o *redis.UniversalOptions, user string) error {
	name, password, _ := strings.Cut(user, ":")
	var errName, errPassword error
	o.Username, errName = url.PathUnescape(name)
	o.Password, errPassword = url.PathUnescape(password)
	if errName != nil || errPassword != nil {
		return errors.New("redis url: user or password has a % that is not percent-encoded; write %25")
	}
	return nil
}

func splitHosts(list, port string) ([]string, error) {
	var addresses []string
	for _, host := range strings.Split(list, ",") {
		name, p, err := net.SplitHostPort(host)
		if err != nil { // no port, or no address at all
			name, p = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), port
			if !strings.HasPrefix(host, "[") && strings.Contains(name, ":") {
				name = ""
			}
		}
		n, err := strconv.Atoi(p)
		if err != nil || n < 1 || n > 65535 || name == "" || strings.ContainsAny(name, " @[]") {
			return nil, errors.New("redis url: a host is missing or its port is no number from 1 to 65535; write " + urlForms)
		}
		addresses = append(addresses, net.JoinHostPort(name, p))
	}
	return addresses, nil
}

// setMode reads the path and the query, whose meaning the mode decides.
func setMode(o *redis.UniversalOptions, mode, path string, query url.Values) error {
	switch mode {
	case "":
		if len(o.Addrs) > 1 {
			return errors.New("redis url: several hosts; write redis+sentinel:// or redis+cluster://")
		}
	case "sentinel":
		o.MasterName, path, _ = strings.Cut(path, "/")
		if o.MasterName == "" {
			return errors.New("redis url: the name of the master is missing; write redis+sentinel://host:26379/master")
		}
		o.SentinelUsername, o.SentinelPassword = query.Get("sentinel_user"), query.Get("sentinel_password")
		query.Del("sentinel_user")
		query.Del("sentinel_password")
	case "cluster":
		o.IsClusterMode = true
		if path != "" && path != "0" {
			return errors.New("redis url: a cluster has no numbered databases; leave the path out")
		}
		path = ""
	default:
		return errors.New("redis url: unknown scheme; write " + urlForms)
	}
	if len(query) > 0 {
		return errors.New("redis url: nothing may follow a question mark but sentinel_user and sentinel_password with redis+sentinel")
	}
	if path != "" {
		db, err := strconv.ParseUint(path, 10, 16)
		if err != nil {
			return fmt.Errorf("redis url: the path must be the number of a database; write %s", urlForms)
		}
		o.DB = int(db)
	}
	return nil
}
